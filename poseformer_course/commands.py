"""What the course adds to the command line, poseformer-lite: a command for each function, named in pyproject.toml."""

from pathlib import Path
from typing import Annotated

import typer


def reproduce(
    target: Annotated[str, typer.Argument(help="table1 to table7, fig1 to fig11, 'tables', 'figures' or 'all'")],
    scale: Annotated[
        str, typer.Option(help="quick (a minute), lite (hours on a CPU) or full (the paper's sizes)")
    ] = "quick",
    dataset: Annotated[str, typer.Option(help="synthetic, cmu_mocap, human36m or mpi_inf_3dhp")] = "synthetic",
    root: Annotated[Path | None, typer.Option(help="folder with the dataset's files (not for synthetic)")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder for results; a stopped run goes on in it")
    ] = Path("runs/reproduce"),
    stored: Annotated[bool, typer.Option(help="take the results that come with the package, train nothing")] = False,
):
    """Make a table or figure of the paper again: our numbers, with seeds and spread, beside the printed ones."""
    import matplotlib.pyplot as plt

    from poseformer_course.bench.record import describe_machine
    from poseformer_course.reproduce import TARGETS, Laboratory, Source, reproduce_in
    from poseformer_course.reproduce.scales import get_scale
    from poseformer_lite.files import check_output

    check_output(output / "table")
    kinds = {"all": "", "tables": "table", "figures": "fig"}
    targets = [name for name in TARGETS if name.startswith(kinds[target])] if target in kinds else [target]
    laboratory = Laboratory(get_scale(scale), Source.named(dataset, root), output, stored)
    print(f"Scale {scale}: {laboratory.scale.what_for}. On {describe_machine()}.\n")
    for name in targets:
        made = reproduce_in(laboratory, name, output)
        print(f"\n{made}\n")
        print(f"written: {', '.join(map(str, made.files))}")
        plt.close(made.figure)


def run_bench(
    questions: Annotated[
        list[str] | None, typer.Argument(help="inference, latency, training, pipeline, memory, startup, cost; or all")
    ] = None,
    quick: Annotated[bool, typer.Option(help="a try in a minute, which measures little")] = False,
    official: Annotated[Path | None, typer.Option(help="your clone of the released code, to be timed, too")] = None,
    json: Annotated[Path | None, typer.Option(help="folder for the results, one QUESTION.json each")] = None,
    picture: Annotated[Path | None, typer.Option(help="where to draw the answer to cost, a .png")] = None,
):
    """Measure how fast this machine lifts and trains, as ratios to a plain PoseFormer in the same run."""
    from poseformer_course.bench import QUESTIONS, as_lines, measure, plot_cost
    from poseformer_course.bench.record import describe_machine, record
    from poseformer_lite.files import check_output

    for question in questions or ():
        if question not in QUESTIONS:
            raise ValueError(f"there is no question {question!r}: choose some of {', '.join(QUESTIONS)}")
    if json:
        check_output(json / "inference.json")
    if picture:
        check_output(picture, ".png", ".pdf", ".svg")
    print(f"On {describe_machine()}. Ratios: median (smallest to largest).")
    for question in questions or QUESTIONS:
        rows = measure(question, quick, official)
        print("\n".join([f"\n{question}: {QUESTIONS[question].__doc__.splitlines()[0]}", *as_lines(rows)]), flush=True)
        if json:
            record(json / f"{question}.json", **{question: rows})
        if picture and question == "cost":
            plot_cost(rows).savefig(picture, dpi=110)
            print(f"drawn in {picture}")


def explore(
    weights: Annotated[str, typer.Option(help="a shipped name, or a folder of save_pretrained")] = "attentive",
    stage: Annotated[
        str, typer.Option(help="keypoints, joints, spatial, frames, temporal, weights or pose")
    ] = "spatial",
    output: Annotated[Path, typer.Option("--output", "-o", help="where to write the page")] = Path("explore.html"),
    browser: Annotated[bool, typer.Option(help="whether to open it")] = True,
):
    """Open the page in which the network runs: move a joint, and see every token and attention weight follow."""
    from poseformer_course.page import explore
    from poseformer_lite.files import check_output

    check_output(output, ".html")
    _open(explore(weights, stage).save(output), browser)


def live(
    weights: Annotated[str, typer.Option(help="a shipped name, or a folder of save_pretrained")] = "wild",
    output: Annotated[Path, typer.Option("--output", "-o", help="where to write the page")] = Path("live.html"),
    browser: Annotated[bool, typer.Option(help="whether to open it")] = True,
):
    """Open the page that lifts a camera or a video as it comes, in the browser: no frame leaves this machine."""
    from poseformer_course.page import live
    from poseformer_lite.files import check_output

    check_output(output, ".html")
    _open(live(weights).save(output), browser)


def _open(page: Path, browser: bool) -> None:
    import webbrowser

    print(f"written: {page}. Any browser opens it; nothing else is needed, and nothing is sent anywhere")
    if browser:
        webbrowser.open(page.resolve().as_uri())


def grade(
    folder: Annotated[Path, typer.Argument(help="the notebooks: one a student, or a folder a student")],
    lesson: Annotated[str | None, typer.Option(help="only this one, such as 03")] = None,
    csv: Annotated[Path | None, typer.Option(help="where to write the table, a .csv")] = None,
    json: Annotated[Path | None, typer.Option(help="where to write verdicts, messages and hints, a .json")] = None,
    run: Annotated[bool, typer.Option("--run", help="EXECUTE the students' code, instead of reading outputs")] = False,
    limit: Annotated[float, typer.Option(min=1, help="seconds for each notebook that is run")] = 600,
):
    """Students by exercises, and the hints they got, as the checkers' verdicts in handed-in notebooks say.

    Nothing is executed, so an output that was typed in is believed. With --run every notebook is executed in a fresh
    kernel, in a temporary folder, with all your rights: do that in a container, or with an account made for it.
    """
    from json import dumps

    from poseformer_course.grading import grade as grade_folder
    from poseformer_lite.files import atomic_path, check_output

    for path, ending in ((csv, ".csv"), (json, ".json")):
        if path:
            check_output(path, ending)
    if run:
        typer.echo(
            "Executing students' code on this machine, with your rights, one notebook after the other.", err=True
        )
    grades = grade_folder(folder, lesson, run, limit)
    print(grades)
    if csv:
        with atomic_path(csv) as temporary:
            grades.to_csv(temporary)
    if json:
        with atomic_path(json) as temporary:
            temporary.write_text(dumps(grades.to_dict(), ensure_ascii=False, indent=1), encoding="utf-8")
    if not run:
        print("\nRead from stored outputs, which anyone can edit; --run executes the notebooks instead.")


def doctor(root: Annotated[Path | None, typer.Option(help="folder with a dataset's files")] = None):
    """Say what works on this machine, line by line, and what to do about what does not."""
    from poseformer_course.doctor import examine

    lines = examine(root)
    for line in lines:
        print(line)
    raise typer.Exit(0 if all(line.ok for line in lines) else 1)


def fetch_cmu(folder: Annotated[Path, typer.Argument(help="where the takes go, one folder a subject")]):
    """Download some 200 takes of CMU's motion capture, chosen for variety; run again to go on after a stop."""
    from poseformer_course.cmu_download import fetch_cmu as fetch
    from poseformer_lite.files import check_output

    check_output(folder / "01")
    files = fetch(folder)
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.0f} MB, are in {folder}")


def presets():
    """Print every setting in which the presets differ."""
    from poseformer_lite.training.settings import PRESETS, compare_presets

    width = 24
    print(" " * width + "".join(f"{name:>14}" for name in PRESETS))
    for setting, *values in compare_presets():
        print(f"{setting:<{width}}" + "".join(f"{value!s:>14}" for value in values))
    for name, preset in PRESETS.items():
        print(f"{name}: {preset.source}")
