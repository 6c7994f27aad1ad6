"""Every deck opens without a complaint or a request, says what its lesson says, and no slide overflows at 1280x720."""

import re

import pytest
from lesson_notebooks import exercises

pytest.importorskip("mdit_py_plugins", reason="needs the extra site")
make_slides = pytest.importorskip("make_slides", reason="needs latex2mathml: pip install -e '.[site]'")

import frozen_notebooks  # noqa: E402
from chromium import BROWSER_FLAGS  # noqa: E402
from slide_blocks import first_sentences  # noqa: E402

ALL_AT_ONCE = """.reveal .slides section {
    display: block !important; position: static !important; visibility: visible !important; transform: none !important;
}"""
# of every slide: its heading, how far its content reaches, and whether any line is cut off
EXTENT = """() => Reveal.getSlides().map(slide => {
    const {top, left} = slide.getBoundingClientRect();
    const shown = [...slide.children].filter(part => part.tagName !== 'ASIDE');
    const boxes = shown.map(part => part.getBoundingClientRect());
    return {
        heading: slide.querySelector('h2').textContent,
        bottom: Math.max(...boxes.map(box => box.bottom - top)),
        right: Math.max(...boxes.map(box => box.right - left)),
        cut: shown.some(part => part.scrollWidth > part.clientWidth + 1),
    };
})"""


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    if not make_slides.REVEAL.is_dir():
        pytest.skip("needs the packages of live/package-lock.json: run scripts/ensure_node.sh")
    return make_slides.write_all(tmp_path_factory.mktemp("slides"))


def overflowing(page) -> list[str]:
    page.add_style_tag(content=ALL_AT_ONCE)
    slides = page.evaluate(EXTENT)
    assert len(slides) > 15 and min(slide["bottom"] for slide in slides) > 50
    return [slide["heading"] for slide in slides if slide["bottom"] > 720 or slide["right"] > 1280 or slide["cut"]]


@pytest.mark.browser
def test_every_deck_is_quiet_and_nothing_overflows(decks, browser_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")
    said, asked = [], []
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_path, args=BROWSER_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        for deck in decks:
            page.goto(deck.as_uri())
            page.wait_for_function("Reveal.isReady()")
            assert overflowing(page) == [], deck.name
        outside = [address for address in asked if not address.startswith(("file:", "data:"))]
        assert (said, outside) == ([], [])

        page.evaluate("document.querySelector('section.present p').textContent = 'far too much '.repeat(400)")
        assert len(overflowing(page)) == 1  # so the measure can see it
        browser.close()


def test_the_core_path_has_a_deck_each(decks):
    assert [deck.name[:2] for deck in decks] == [f"{number:02d}" for number in range(9)]


def test_headings_pictures_and_exercises_of_the_lesson_are_there_and_no_solution(decks):
    for deck in decks:
        path = make_slides.NOTEBOOKS / f"{deck.stem}.ipynb"
        text, notebook = deck.read_text(encoding="utf-8"), frozen_notebooks.read(path)
        drawn = [cell for cell in frozen_notebooks.code_cells(notebook) if "alt" in cell.metadata]
        assert len(re.findall(r'<img src="data:image/png', text)) >= len(drawn) + 1  # the title's
        assert text.count('<aside class="notes">') > 10
        assert re.findall("&lt;details|<details|&lt;summary", text) == []
        prose = [make_slides.FOLDED.sub("", c.source) for c in notebook.cells if c.cell_type == "markdown"]
        for heading in re.findall(r"^## (.+)$", "\n".join(prose), re.MULTILINE):
            assert heading == "Exercises" or make_slides.rendered(heading, inline=True) in text, heading
        for exercise in exercises(path):
            assert f"Exercise {exercise.number}: " in text


def test_functions_that_draw_are_in_the_notes_and_others_are_shown():
    cells = {
        "def draw_over(pose):\n    ...": True,
        "def label(ax, words):\n    ...\n\n\ndef show_all(poses):\n    ...": True,
        "def turn_onto(x, y):\n    ...": False,
        "def draw_over(pose):\n    ...\n\n\nshown = 3": False,
        "": False,
    }
    assert {source: make_slides._draws(source) for source in cells} == cells


def test_a_picture_that_fills_a_slide_gets_one():
    deck = make_slides.Deck()
    deck.begin("Heading", 2)
    deck.add(make_slides.Block("<p>words</p>", 150))
    deck.add(
        make_slides.Block("<img>", make_slides.HEIGHT, smaller=lambda room: make_slides.Block("<img small>", room))
    )
    deck.flush()
    assert ["<img>" in slide for column in deck.columns for slide in column] == [False, True]


@pytest.mark.parametrize(
    ("paragraph", "shown"),
    [
        (
            "The paper's first way, drawn in its Fig. 1(a), takes a frame as one token. It is wide.",
            "The paper's first way, drawn in its Fig. 1(a), takes a frame as one token.",
        ),
        ("Short. This second sentence makes up for how short the first one is. Third.", None),
        ("No end in sight for $a. B$ and for those who write at length about it", None),
        (
            "A. Vaswani and others wrote a paper on how attention is all that you need. It is read.",
            "A. Vaswani and others wrote a paper on how attention is all that you need.",
        ),
    ],
)
def test_a_paragraph_is_cut_after_a_sentence(paragraph, shown):
    if shown is None:
        shown = paragraph.removesuffix(" Third.")
    assert first_sentences(paragraph) == shown
