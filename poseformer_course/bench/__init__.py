"""How fast is it here? One question each, answered by ratios against a plain reference in the same run."""

from pathlib import Path

import torch

from poseformer_course.bench.forward import cost, inference, latency
from poseformer_course.bench.processes import memory, startup
from poseformer_course.bench.steps import pipeline, training

QUESTIONS = {
    question.__name__: question for question in (inference, latency, training, pipeline, memory, startup, cost)
}


def measure(question: str, quick: bool = False, official: Path | None = None, progress: bool = True) -> list[dict]:
    """The answer to one of QUESTIONS, a row for each size: on the GPU where there is one, else on the CPU.

    official: a clone of the released code, to be timed beside the plain reference. quick: a try, which measures little.
    """
    if question not in QUESTIONS:
        raise ValueError(f"there is no question {question!r}: choose of {', '.join(QUESTIONS)}")
    return QUESTIONS[question]("cuda" if torch.cuda.is_available() else "cpu", quick, official, progress)


def as_lines(rows: list[dict]) -> list[str]:
    """For people: one line for each row's sizes, and one under it for each thing measured."""
    lines = []
    for row in rows:
        plain = {name: value for name, value in row.items() if not isinstance(value, dict | list)}
        lines.append(", ".join(f"{name} {value}" for name, value in plain.items()))
        for name, value in row.items():
            if isinstance(value, list):
                lines.append(f"    {name}: {_words(value)}")
            if isinstance(value, dict):
                lines.append(f"    {name}: " + ", ".join(f"{way} {_words(one)}" for way, one in value.items()))
    return lines


def _words(value) -> str:
    if isinstance(value, list):
        middle, low, high = value
        return f"{middle} ({low} to {high})"
    return f"{value:.1e}" if isinstance(value, float) and abs(value) < 0.001 else f"{value:,}"


def plot_cost(rows: list[dict]):
    """Milliseconds a frame over F, J, T and the batch, one picture each: a matplotlib figure."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    names = {"F": "frames of a window, F", "J": "joints, J", "T": "frames of the take, T", "batch": "windows at once"}
    sns.set_theme(style="whitegrid")
    figure, axes = plt.subplots(1, 4, figsize=(12, 3), sharey=True, layout="constrained")
    for ax, (name, label) in zip(axes, names.items(), strict=True):
        points = [(row[name], row["ms a frame"]) for row in rows if row["over"] == name]
        ax.plot(*zip(*points, strict=True), marker="o")
        ax.set(xscale="log", yscale="log", xlabel=label)
        ax.set_xticks([x for x, _ in points], [str(x) for x, _ in points])
        ax.minorticks_off()
    axes[0].set_ylabel("ms a frame")
    low, high = (pick(row["ms a frame"] for row in rows) for pick in (min, max))
    ticks = [t for t in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100) if low / 2 < t < high * 2]
    axes[0].set_yticks(ticks, [f"{t:g}" for t in ticks])
    return figure
