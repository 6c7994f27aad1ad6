"""Write our numbers into docs/paper.md, out of the stored results.

python scripts/write_paper_page.py [--check]
"""

import argparse
from pathlib import Path

from poseformer_course.reproduce import Laboratory, Source
from poseformer_course.reproduce.scales import get_scale
from poseformer_course.reproduce.tables import TABLES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "paper.md"
BEGIN, END = "<!-- tables -->\n", "<!-- end of tables -->"
SOURCES = {"synthetic": Source(), "CMU motion capture": Source("cmu_mocap", Path("FOLDER"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="say whether the page is up to date, write nothing")
    arguments = parser.parse_args()
    page = PAGE.read_text()
    wanted = with_tables(page)
    if arguments.check:
        raise SystemExit(None if page == wanted else f"{PAGE.name} is out of date: python scripts/write_paper_page.py")
    PAGE.write_text(wanted)


def with_tables(page: str) -> str:
    """The page with its tables made anew."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return before + BEGIN + "\n" + "\n\n".join(tables()) + "\n\n" + END + after


def tables() -> list[str]:
    parts = []
    for number, make in enumerate(TABLES.values(), start=1):
        for source_name, source in SOURCES.items():
            laboratory = Laboratory(get_scale("lite"), source, stored=True)
            for table in make(laboratory):
                if number == 6 and table.number == "6" and source_name != "synthetic":
                    continue  # cost does not depend on the data
                text = table.to_markdown()
                heading, body = text.split("\n", 1)
                parts.append(f"{heading} · {source_name}\n{body}")
    return parts


if __name__ == "__main__":
    main()
