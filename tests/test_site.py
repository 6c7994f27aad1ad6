"""The site of lessons and reference: built without a warning, complete, at peace in a browser without a network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chromium import BROWSER_FLAGS

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `make site` builds it, somewhere else."""
    pytest.importorskip("sphinx", reason="needs the packages of the extra `site`")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "-q"]
    command += ["-d", str(folder / "doctrees"), "-c", "docs", ".", str(folder / "html")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return folder / "html"


def test_every_lesson_has_a_page(site):
    assert sorted(path.stem for path in (site / "notebooks").glob("*.html")) == LESSONS
    assert (site / "docs" / "teaching.html").is_file()
    assert "docs/index.html" in (site / "index.html").read_text()


def test_the_reference_has_a_page_for_each_theme_with_what_is_returned_and_raised(site):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (site / "docs" / "api").glob("*.html")}
    assert sorted(pages) == sorted(path.stem for path in (ROOT / "docs" / "api").glob("*.md"))
    assert 'id="poseformer_lite.metrics.mpjpe"' in pages["evaluation"]
    for page in pages.values():
        assert all(f"{section}<" in page for section in ("Parameters", "Returns", "Raises"))


def test_links_within_the_site_lead_somewhere(site):
    lost = []
    for page in site.rglob("*.html"):
        for address in re.findall(r'\bhref="([^"#]+)', page.read_text(encoding="utf-8")):
            here = not re.match(r"[a-z]+:|//", address)
            if here and not (page.parent / address.split("?")[0]).exists():
                lost.append(f"{page.relative_to(site)}: {address}")
    assert lost == []


def test_pages_fetch_nothing(site):
    """Links may lead out, but no picture, script or style is fetched from elsewhere."""
    fetched = {}
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        found = re.findall(r'<(?:img|script|iframe)\b[^>]*\bsrc="(https?:[^"]+|//[^"]+)"', text)
        found += re.findall(r'<link\b[^>]*rel="stylesheet"[^>]*href="(https?:[^"]+|//[^"]+)"', text)
        if found:
            fetched[page.name] = found
    assert fetched == {}


def test_formulas_are_set_and_not_source(site):
    page = (site / "notebooks" / "03_attention.html").read_text(encoding="utf-8")
    assert page.count("<math") >= 5
    text = re.sub(r"<(pre|script|annotation)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert re.findall(r"\$\$|\\frac|\\sqrt|merror", re.sub(r"<[^>]+>", "", text)) == []


@pytest.fixture(scope="module")
def page(browser_path):
    """A page in headless Chromium that keeps a list of its errors and of its requests off this machine."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_path, args=BROWSER_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(120_000)  # a busy machine is not a failure
        page.faults = []
        page.on("console", lambda message: message.type == "error" and page.faults.append(message.text))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or page.faults.append(r.url))
        yield page
        browser.close()


WIDTHS = (360, 800, 1280)


@pytest.fixture(scope="module")
def visits(site, page) -> dict[str, dict]:
    """What is seen of each page, which is opened once: loading one takes longer than all that is asked of it."""
    seen = {}
    for path in [*(site / "docs").rglob("*.html"), *(site / "notebooks").glob("*.html")]:
        page.faults.clear()
        page.goto(path.as_uri())
        pictures = page.locator("article img").evaluate_all("all => all.map(picture => picture.naturalWidth)")
        folded = [page.locator(f"article {tag}").count() for tag in ("details", "summary")]
        needed = {}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 1000})
            needed[width] = page.evaluate("document.documentElement.scrollWidth")
        seen[path.stem] = {"pictures": pictures, "folded": folded, "needed": needed, "faults": [*page.faults]}
    return seen


@pytest.mark.browser
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_page_opens_without_an_error(visits, lesson):
    visit = visits[lesson]
    assert len(visit["pictures"]) >= 2
    assert min(visit["pictures"]) > 0, "a picture is missing"
    assert visit["folded"][0] == visit["folded"][1]
    assert visit["faults"] == []


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_window(visits, width):
    assert len(visits) > len(LESSONS)
    assert {name: seen["needed"][width] for name, seen in visits.items() if seen["needed"][width] > width} == {}


@pytest.mark.browser
def test_the_search_finds_a_lesson(site, page):
    page.faults.clear()
    page.goto((site / "search.html").as_uri() + "?q=softmax")
    page.wait_for_selector("#search-results li a")
    links = page.locator("#search-results li a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert any("03_attention" in link for link in links)
    assert page.faults == []


@pytest.mark.browser
def test_the_search_finds_a_function(site, page):
    page.goto((site / "search.html").as_uri() + "?q=put_right")
    page.wait_for_selector("#search-results li a")
    links = page.locator("#search-results li a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert any("docs/api/lifting" in link for link in links)


@pytest.mark.browser
def test_a_solution_is_folded_until_it_is_asked_for(site, page):
    page.goto((site / "notebooks" / "03_attention.html").as_uri())
    solution = page.locator("article details").first
    assert not solution.locator("pre").first.is_visible()
    solution.locator("summary").click()
    assert solution.locator("pre").first.is_visible()
