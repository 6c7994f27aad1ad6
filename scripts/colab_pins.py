"""Print the pins of an environment like Colab's: constraints/colab.txt, and for all else constraints/current.txt.

    python scripts/colab_pins.py [TORCH]        TORCH: another version than Colab's

Needs nothing but Python: it runs before anything is installed.
"""

import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints"


def pins(name: str) -> dict[str, str]:
    lines = (CONSTRAINTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))


def main(arguments: list[str]) -> None:
    chosen = pins("current") | pins("colab")
    if arguments:
        chosen["torch"] = arguments[0]
    print("\n".join(f"{name}=={version}" for name, version in sorted(chosen.items())))


if __name__ == "__main__":
    main(sys.argv[1:])
