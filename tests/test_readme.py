"""The README stays short, its pictures and links are there, and it claims no measurement."""

import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_it_is_short():
    assert len(README.split()) <= 900


def test_it_has_two_pictures_with_alt_text_and_one_moves():
    pictures = re.findall(r"!\[([^]]*)\]\((figures/[^)]+)\)", README)
    assert len(pictures) == 2
    assert [path for alt, path in pictures if len(alt) < 20 or not (ROOT / path).is_file()] == []
    moving = ROOT / pictures[0][1]
    assert moving.stat().st_size < 1_000_000
    with Image.open(moving) as picture:
        durations = []
        for frame in range(picture.n_frames):
            picture.seek(frame)
            durations.append(picture.info["duration"])
        assert picture.info["loop"] == 0  # for ever
    assert 2_500 <= sum(durations) <= 4_500


def test_it_leaves_measurements_to_the_page_of_results():
    """So that none can go stale: the page is written from the files."""
    assert re.findall(r"\d mm\b|± ?\d|\d times as", README) == []
    assert "(docs/results.md)" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    addresses = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [address for address in addresses if not (page.parent / address).exists()] == []


def test_links_within_a_page_have_their_heading():
    for page in PAGES:
        for address, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
            target = (page.parent / address if address else page).read_text(encoding="utf-8")
            headings = {
                re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-")
                for h in re.findall(r"^#+ (.*)$", target, re.MULTILINE)
            }
            labels = set(re.findall(r"^\((.+)\)=$", target, re.MULTILINE))
            assert anchor in headings | labels, (page.name, address, anchor)
