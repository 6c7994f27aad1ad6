"""A table of the paper made again: our numbers, each with its seeds, beside the printed ones."""

from dataclasses import dataclass, field
from statistics import mean, stdev

COLUMNS = ["table", "row", "column", "ours", "spread", "seeds", "printed"]


@dataclass(frozen=True)
class Row:
    """ours: {column: one value for each seed}; printed: {column: what the paper prints}, where it does."""

    label: str
    ours: dict[str, list[float]]
    printed: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """number: "1, protocol 1"; shown: the column that the picture draws; how: on what and how it was measured."""

    number: str
    title: str
    columns: list[str]
    rows: list[Row]
    shown: str
    how: str
    notes: tuple[str, ...] = ()
    digits: int = 1

    def to_dataframe(self):
        """One line for each cell: table, row, column, our mean, standard deviation over seeds, seeds, printed."""
        import pandas as pd

        cells = [
            (self.number, row.label, column, *_statistics(row.ours.get(column, [])), row.printed.get(column))
            for row in self.rows
            for column in self.columns
            if row.ours.get(column) or column in row.printed
        ]
        return pd.DataFrame(cells, columns=COLUMNS)

    def to_markdown(self) -> str:
        """Ours, mean ± standard deviation over the seeds, and below it what the paper prints."""
        lines = [f"### Table {self.number}: {self.title}", "", "| | " + " | ".join(self.columns) + " |"]
        lines += ["|---" + "|---:" * len(self.columns) + "|"]
        for row in self.rows:
            if row.ours:
                cells = [self._cell(row.ours.get(column, [])) for column in self.columns]
                lines.append(f"| **{row.label}** | " + " | ".join(cells) + " |")
            if row.printed:
                printed = [f"*{row.printed[c]:g}*" if c in row.printed else "" for c in self.columns]
                lines.append(f"| *{row.label}, the paper* | " + " | ".join(printed) + " |")
        return "\n".join([*lines, "", self.how, *(f"\n{note}" for note in self.notes)])

    def plot(self):
        """One column: a dot for each seed and a bar for their mean, and beside them what the paper prints."""
        from poseformer_course.plots import plot_rows

        ours = {row.label: row.ours.get(self.shown, []) for row in self.rows}
        printed = {row.label: row.printed[self.shown] for row in self.rows if self.shown in row.printed}
        return plot_rows(ours, printed, measure=self.shown, title=f"Table {self.number}: {self.title}")

    def _cell(self, values: list[float]) -> str:
        if not values:
            return ""
        if len(values) == 1:
            return f"{values[0]:,.{self.digits}f}"
        return f"{mean(values):,.{self.digits}f} ± {stdev(values):.{self.digits}f}"

    def _repr_html_(self) -> str:
        import pandas as pd

        frame = pd.DataFrame(
            {
                (row.label, whose): {c: text for c in self.columns if (text := self._shown_as(row, whose, c))}
                for row in self.rows
                for whose in ("ours", "printed")
                if getattr(row, whose)
            }
        ).T.reindex(columns=self.columns)
        return frame.to_html(na_rep="") + f"<p>Table {self.number}: {self.title}. {self.how}</p>"

    def _shown_as(self, row: Row, whose: str, column: str) -> str:
        if whose == "ours":
            return self._cell(row.ours.get(column, []))
        return f"{row.printed[column]:g}" if column in row.printed else ""

    def __str__(self) -> str:
        """For a terminal: the shown column of each row, ours and the paper's; the rest is in the files."""
        width = max(len(row.label) for row in self.rows) + 2
        lines = [f"Table {self.number}: {self.title}", f"{'':{width}}{self.shown + ', ours':>22}{'the paper':>12}"]
        for row in self.rows:
            printed = f"{row.printed[self.shown]:g}" if self.shown in row.printed else ""
            lines.append(f"{row.label:{width}}{self._cell(row.ours.get(self.shown, [])):>22}{printed:>12}")
        return "\n".join([*lines, self.how, *self.notes])


def _statistics(values: list[float]) -> tuple:
    if not values:
        return None, None, 0
    return round(mean(values), 3), round(stdev(values), 3) if len(values) > 1 else None, len(values)
