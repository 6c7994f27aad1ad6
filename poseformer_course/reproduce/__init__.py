"""The paper's tables and figures, each made by one call: see `reproduce`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from poseformer_course.reproduce.figures import FIGURES
from poseformer_course.reproduce.laboratory import Laboratory, Trial
from poseformer_course.reproduce.scales import SCALES, Scale, get_scale
from poseformer_course.reproduce.sources import Source
from poseformer_course.reproduce.table import Row, Table
from poseformer_course.reproduce.tables import TABLES
from poseformer_lite.files import atomic_path

__all__ = ["SCALES", "TARGETS", "Laboratory", "Reproduction", "Row", "Scale", "Source", "Table", "Trial", "reproduce"]

TARGETS = (*TABLES, *FIGURES)


@dataclass(frozen=True)
class Reproduction:
    """What a target gave: its tables, its picture (a matplotlib figure), what is to be said of it, and the files."""

    target: str
    tables: list[Table]
    figure: object
    caption: str
    files: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.tables), *([self.caption] if self.caption else [])])


def reproduce(
    target: str,
    scale: str = "quick",
    dataset: str = "synthetic",
    root: str | Path | None = None,
    output: str | Path | None = None,
    stored: bool = False,
    progress: bool = True,
) -> Reproduction:
    """Make "table1" to "table7" or "fig1" to "fig11" of the paper.

    dataset: "synthetic", "cmu_mocap", "human36m" or (table3) "mpi_inf_3dhp"; root: its folder. output: a folder for
    the Markdown, the CSV and the picture, and below it each trained network, so that a stopped run goes on; None writes
    nothing. stored=True takes the results that come with the package and trains nothing. Raises ValueError for what is
    not there, FileNotFoundError for missing files, KeyboardInterrupt where it was stopped, after saving.
    """
    laboratory = Laboratory(get_scale(scale), Source.named(dataset, root), output, stored, progress)
    return reproduce_in(laboratory, target, output)


def reproduce_in(laboratory: Laboratory, target: str, output: str | Path | None = None) -> Reproduction:
    """The same in a laboratory that is there already: what targets share is trained once."""
    if target in TABLES:
        tables = TABLES[target](laboratory)
        made = Reproduction(target, tables, tables[0].plot(), "")
    elif target in FIGURES:
        figure, caption = FIGURES[target](laboratory)
        made = Reproduction(target, [], figure, caption)
    else:
        raise ValueError(f"there is no target {target!r}: choose one of {', '.join(TARGETS)}")
    if output is None:
        return made
    folder = Path(output) / laboratory.scale.name / laboratory.source.name
    return Reproduction(target, made.tables, made.figure, made.caption, _write(made, folder))


def _write(made: Reproduction, folder: Path) -> list[Path]:
    import pandas as pd

    words = [table.to_markdown() for table in made.tables] or [f"### {made.target}", "", made.caption]
    files = [_whole(folder / f"{made.target}.md", lambda path: path.write_text("\n\n".join(words) + "\n"))]
    if made.tables:
        cells = pd.concat([table.to_dataframe() for table in made.tables])
        files.append(_whole(folder / f"{made.target}.csv", lambda path: cells.to_csv(path, index=False)))
    files.append(_whole(folder / f"{made.target}.png", lambda path: made.figure.savefig(path, dpi=130)))
    return files


def _whole(path: Path, write: Callable[[Path], object]) -> Path:
    with atomic_path(path) as temporary:
        write(temporary)
    return path
