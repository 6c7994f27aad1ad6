"""Write the tables of docs/results.md, out of the JSON files that the benchmarks wrote.

python scripts/write_results_page.py [--check]

The prose of the page stands in the page. A table stands between `<!-- NAME -->` and `<!-- end of NAME -->`, and no
figure in it is typed: rows say what they show of which file.
"""

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from statistics import mean, stdev

from poseformer_course.reproduce import Trial
from poseformer_course.reproduce.laboratory import LARGER, STARTS, TWICE
from poseformer_course.reproduce.scales import get_scale
from poseformer_course.reproduce.tables import LABELS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "results.md"
BENCH, COURSE, REPRODUCE = "benchmarks/results", "poseformer_course/results", "poseformer_course/reproduce/results"
COMMANDS = {  # of files that name none, or one that has changed since
    f"{COURSE}/course_networks.json": "python scripts/train_course_networks.py",
    f"{BENCH}/long_sequences_memory.json": "python benchmarks/long_sequences.py",
}
SIZES = {"paper": "the paper's size", "course": "the course's size"}
LENGTH = "a bone's length"
SHARE = "share of the recipe's time"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="say whether the page is up to date, write nothing")
    arguments = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    wanted = with_tables(page, Files(ROOT))
    if arguments.check:
        raise SystemExit(None if page == wanted else f"{PAGE.name} is out of date: run {Path(__file__).name}")
    PAGE.write_text(wanted, encoding="utf-8")


class Files:
    """The JSON files below a folder, and a letter for each machine that they name."""

    def __init__(self, root: Path):
        self.root = root
        self.machines: list[str] = []

    def __getitem__(self, path: str) -> dict:
        return json.loads((self.root / path).read_text(encoding="utf-8"))

    def origin(self, path: str) -> str:
        """A link to the file, the command that makes it again, and the machine it ran on."""
        about = self[path]
        command = COMMANDS.get(path) or about["command"]
        command = re.sub(r" --(json|picture) \S+", "", command)
        machine = f", machine {self._letter(about['machine'])}" if "machine" in about else ""
        return f"[{Path(path).name}](../{path}){machine}<br>`{command}`"

    def _letter(self, machine: str) -> str:
        if machine not in self.machines:
            self.machines.append(machine)
        return "ABCDEFGHIJ"[self.machines.index(machine)]


@dataclass(frozen=True)
class Row:
    """what was measured; the results, one a line; the files they come from."""

    what: str
    results: list[str]
    files: list[str]


def with_tables(page: str, files: Files) -> str:
    """The page with its tables made anew."""
    for name, rows in GROUPS.items():
        page = _between(page, name, as_table(list(rows(files)), files))
    machines = [f"| {files._letter(machine)} | {machine} |" for machine in files.machines]
    return _between(page, "machines", "\n".join(["| machine | what it is |", "|---|---|", *machines]))


def as_table(rows: list[Row], files: Files) -> str:
    lines = ["| what was measured | result | file, machine, command |", "|---|---|---|"]
    for row in rows:
        results = "<br>".join(f"• {line}" for line in row.results) if len(row.results) > 1 else row.results[0]
        lines.append(f"| {row.what} | {results} | {'<br>'.join(map(files.origin, row.files))} |")
    return "\n".join(lines)


def _between(page: str, name: str, text: str) -> str:
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, rest = page.split(begin)
    return f"{before}{begin}\n{text}\n\n{end}{rest.split(end)[1]}"


def over_seeds(values: list[float], unit: str = "mm") -> str:
    """Mean ± standard deviation, on one line."""
    spread = f" ± {rounded(stdev(values))}" if len(values) > 1 else ""
    return f"{rounded(mean(values))}{spread} {unit}".replace(" ", "\N{NO-BREAK SPACE}")


def rounded(value: float, digits: int = 1) -> Decimal:
    """As people round: 40.65, which is a little less as a float, is 40.7."""
    return Decimal(str(round(value, 6))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def listed(names_and_values: dict, digits: int = 1, unit: str = "") -> str:
    return ", ".join(f"{name} {rounded(value, digits)}{unit}" for name, value in names_and_values.items())


def times(ratio: list[float], what: str = "fast") -> str:
    """[median, smallest, largest] of paired runs."""
    return f"{ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f}) times as {what}"


def accuracy(files: Files) -> Iterator[Row]:
    shipped = files[path := f"{BENCH}/shipped_weights.json"]["mm"]
    kinds = {
        "unseen people, noisy": "unseen people, simulated detector",
        "unseen people, wild": "unseen people, other joints and frame rates, hidden limbs",
        "unseen people, wide": "unseen people, the same through tilted, near and far cameras",
        "synthetic, noisy": "synthetic S9 and S11, simulated detector",
    }
    names = sorted(shipped, key=lambda name: name == "mean pose")
    errors = [
        f"{words}: {listed({name: shipped[name][kind]['MPJPE'] for name in names})}" for kind, words in kinds.items()
    ]
    yield Row("the weights that ship, one seed each, flip averaged, mm", errors, [path])

    found = files[path := f"{BENCH}/real_video.json"]["mm"]
    errors = [
        f"{name}: {rounded(mm['mean']['MPJPE'])} mm, aligned {rounded(mm['mean']['P-MPJPE'])}"
        for name, mm in found.items()
    ]
    yield Row("one real walk with a measured truth, mean of four cameras", errors, [path])

    why = [
        f"{name}, {source}: {rounded(row['MPJPE'])} mm, turned as a whole by {rounded(row['degrees'])}°: "
        f"{rounded(row['MPJPE turned'])}"
        for name, rows in files[path]["why"].items()
        for source, row in rows.items()
    ]
    yield Row("what makes up the error on the real walk", why, [path])

    knees = files[path := f"{BENCH}/straight_knees.json"]["degrees"]
    sources = [source for source in next(iter(knees.values())) if source not in ("knees", "true")]
    lifted = [f"{source}: {listed({name: row[source] for name, row in knees.items()}, 0)}" for source in sources]
    true = rounded(next(iter(knees.values()))["true"], 0)
    yield Row(f"straight knees of unseen people as they are lifted, degrees, {true} in truth", lifted, [path])

    found = files[path := f"{BENCH}/bone_losses.json"]
    results = [
        f"{way}: MPJPE {_spread(row['MPJPE'])} mm, aligned {_spread(row['P-MPJPE'])}, a bone's length off by "
        f"{_spread(row[LENGTH])} mm, straight knees {_spread(row['knees'])}°"
        for way, row in found["ways"].items()
    ]
    seeds = next(iter(found["ways"].values()))["seeds"]
    true = _spread(found["ways"]["Eq. 9"]["knees in truth"][:1])
    what = f"`lite` trained on with a loss of bones beside Eq. 9, {found['windows']:,} windows, {seeds} seeds"
    yield Row(f"{what}, unseen people; straight knees have {true}° in truth", results, [path])

    found = files[path := f"{BENCH}/canonical_camera.json"]
    results = [
        f"{way}, "
        + ", ".join(f"unseen {who} {_spread(row['MPJPE'])} ({_spread(row['P-MPJPE'])})" for who, row in rows.items())
        for way, rows in found["mm"].items()
    ]
    seeds = next(iter(found["mm"]["screen"].values()))["seeds"]
    what = f"plain screen or canonical camera, 9 frames, {found['windows']:,} windows, {seeds} seeds"
    yield Row(f"{what}, through wide cameras, MPJPE (aligned), mm", results, [path])

    found = files[path := f"{BENCH}/joint_angles.json"]["degrees"]
    results = [f"{seen}: {listed(_of_both_sides(rows), unit='°')}" for seen, rows in found.items()]
    yield Row("joint angles from `wild`, mean absolute error, left and right together", results, [path])

    runs = files[path := f"{BENCH}/lite_cmu.json"]["runs"]
    seconds = over_seeds([run["seconds"] for run in runs["PoseFormer"]], "s")
    what = f"preset `lite` on CMU, true 2D, {_windows(files[path])}, {_seeds(runs['PoseFormer'])}, no flip averaging"
    yield Row(what, [*_networks(runs), f"training took {seconds}"], [path])

    found = files[path := f"{BENCH}/synthetic_to_real.json"]
    errors = [f"{over_seeds(mm)} trained on {name}" for name, mm in found["mm_on_held_out_cmu"].items()]
    ratio = f"ratio {found['mean_ratio']:.2f}"
    what = f"learning from synthetic people: the same PoseFormer tested on CMU, {_seeds(found['seeds'])}"
    yield Row(what, [*errors, ratio], [path])


def _spread(values: list[float]) -> str:
    """[mean, standard deviation] or [mean]."""
    return "\N{NO-BREAK SPACE}± ".join(map(str, values))


def _of_both_sides(rows: dict) -> dict[str, float]:
    """{joint: mean absolute error in degrees}; the trunk's against both verticals."""
    errors = {name: row["mean absolute error"] for name, row in rows.items() if "recorded" not in name}
    joints = [name.removeprefix("left ") for name in errors if name.startswith("left ")]
    means = {joint: mean([errors[f"{side} {joint}"] for side in ("left", "right")]) for joint in joints}
    trunk = {"trunk, vertical found": errors["trunk"], "trunk, vertical known": errors["trunk, vertical known"]}
    return means | trunk


def comparison(files: Files) -> Iterator[Row]:
    found = files[path := f"{BENCH}/lite_synthetic.json"]
    seeds = _seeds(found["runs"]["PoseFormer"])
    what = f"preset `lite` on synthetic motion, true 2D, {_windows(found)}, {seeds}, no flip averaging"
    yield Row(what, _networks(found["runs"]), [path])

    runs = files[path := f"{COURSE}/course_networks.json"]["runs"]
    names = {"PoseFormer": "course-poseformer", "temporal baseline": "course-temporal", "mean pose": "mean-pose"}
    errors = [f"{over_seeds([run['average']['MPJPE'] for run in runs[name]])} {words}" for words, name in names.items()]
    seeds = _seeds(runs["course-poseformer"])
    what = f"the two networks of lesson 07, synthetic motion, simulated detector, {seeds}, flip averaged"
    yield Row(f"{what}, averaged over actions", errors, [path])

    ours, theirs = f"{BENCH}/synthetic_to_real.json", f"{BENCH}/lite_cmu_noisy.json"
    errors = [f"{over_seeds(files[ours]['mm_on_held_out_cmu']['CMU'])} PoseFormer", *_networks(files[theirs]["runs"])]
    what = f"preset `lite` on CMU, simulated detector, {_windows(files[theirs])}, {_seeds(files[ours]['seeds'])}"
    yield Row(what, errors, [ours, theirs])

    scale = get_scale("lite")
    for source, words in {"synthetic": "synthetic", "cmu_mocap": "CMU"}.items():
        trials = files[path := f"{REPRODUCE}/lite_{source}.json"]["trials"]
        errors = []
        for network, label in LABELS.items():
            seeds = scale.seeds[:1] if network == "MeanPose" else scale.seeds
            results = [trials[Trial(network, scale.base, "noisy", seed).name] for seed in seeds]
            errors.append(f"{over_seeds([result['average']['MPJPE'] for result in results])} {label}")
        results = [trials[Trial("PoseFormer", scale.base, "noisy", seed, LARGER).name] for seed in scale.seeds]
        mm = over_seeds([result["average"]["MPJPE"] for result in results])
        errors.append(f"{mm} PoseFormer, {LARGER} at the start")
        conditions = f"simulated detector, {_windows(results[0])}, {_seeds(results)}, averaged over actions"
        yield Row(f"Tables 1 and 4 at scale `lite`, {words}, {conditions}", errors, [path])

    sizes = {**scale.base, "num_frames": scale.small_length}
    starts = {STARTS[0]: "from scratch", TWICE: "from scratch, twice as long", STARTS[2]: "all weights moved"}
    for source, words in {"synthetic": "three synthetic people", "cmu_mocap": "one person of CMU"}.items():
        trials = files[path := f"{REPRODUCE}/lite_{source}.json"]["trials"]
        errors = []
        for start, label in starts.items():
            people = [trials[Trial("PoseFormer", sizes, "small", seed, start).name] for seed in scale.seeds]
            mm = [mean(result["per person"]["MPJPE"].values()) for result in people]
            errors.append(f"{over_seeds(mm)} {label}")
        yield Row(f"Table 7 at scale `lite`, 15 joints, {words}, {_seeds(scale.seeds)}", errors, [path])


def speed(files: Files) -> Iterator[Row]:
    for row in files[path := f"{BENCH}/bench/inference.json"]["inference"]:
        share = row["share of the temporal stage's products"]["ours"][0]
        results = [
            f"{times(row['times as fast as: plain, a take in one batch']['ours'])} as all windows in one batch",
            f"{times(row['times as fast as: plain, bounded batches']['ours'])} as bounded batches",
            f"{row['frames per second']['ours']:,} frames a second",
            *_in_half_and_released(row),
            f"the temporal stage's matrix products alone would take {rounded(100 * share, 0)}% of that time",
            f"poses differ by at most {1000 * row['largest difference in m']['ours']:.4f} mm",
        ]
        yield Row(f"lifting a take, {_size(row)}, against a plain PoseFormer", results, [path])

    rows = files[path := f"{BENCH}/bench/latency.json"]["latency"]
    results = [
        f"{_size(row)}: {row['ms']['our stream']:.2f} ms, {times(row['times as fast as: plain window']['our stream'])}"
        for row in rows
    ]
    yield Row("live, one frame after another, against lifting a plain window for each", results, [path])

    found = files[path := f"{BENCH}/poses_per_window.json"]
    results = [f"{way}: {times(ratio)}" for way, ratio in found["times_as_fast"].items() if way != "1 poses a window"]
    yield Row("several poses from each window of `small`, against one", results, [path])
    for set_name, words in {"synthetic": "synthetic", "cmu": "CMU"}.items():
        results = [f"{way.replace('1 poses', '1 pose')}: {_error(e)}" for way, e in found["errors"][set_name].items()]
        yield Row(f"… what that and a shorter look-ahead cost, {words}, simulated detector", results, [path])

    rows = files[path := f"{BENCH}/bench/training.json"]["training"]
    results = [
        f"{_size(row)}, batches of {row['batch_size']}: {times(row['times as fast as: plain']['ours'])}, "
        + "; ".join([f"{row['windows per second']['ours']:,} windows a second", *_in_half_and_released(row)])
        for row in rows
    ]
    yield Row("a training step, against plain code", results, [path])

    found = files[path := f"{BENCH}/half_precision.json"]
    results = [
        f"`{name}`, {way}: joints move by {row['moved, mean']:.2f} mm in the mean, accelerations grow by "
        f"{row['acceleration, %']:.1f}%, MPJPE {ways['float32']['MPJPE']:.2f} -> {row['MPJPE']:.2f} mm"
        for name, ways in found["shipped"].items()
        for way, row in ways.items()
        if way != "float32"
    ]
    yield Row("what bfloat16 costs, synthetic, simulated detector, without flip averaging", results, [path])
    results = [
        f"{name}: {over_seeds([run['MPJPE'] for run in found['trained'][key]])}, training error in the last epoch "
        f"{over_seeds([run['training'][-1] for run in found['trained'][key]])}"
        for key, name in {"no": "float32", "bf16": "bfloat16"}.items()
    ]
    yield Row("… networks trained in it, the course's size, f = 27, same seeds and windows", results, [path])

    results = []
    for row in files[path := f"{BENCH}/bench/pipeline.json"]["pipeline"]:
        share = rounded(100 * row["share of a training step"], 2)
        results.append(f"{_size(row)}: {times(row['times as fast as: loop'])}, {share}% of a training step")
    yield Row("windows by index, against a loop over samples", results, [path])

    for name, words in {"synthetic": "synthetic", "cmu": "CMU"}.items():
        runs = files[path := f"{BENCH}/time_to_accuracy_{name}.json"]["runs"]
        results = []
        for run in (run for run in runs if run["way"] in ("the released recipe", "speedrun")):
            how = f"{run['way']}, {rounded(100 * run[SHARE], 0)}% of the time, {_windows(run)}"
            results.append(f"{over_seeds(run['held out mm'])} {how}")
        seeds = _seeds(runs[0]["held out mm"])
        yield Row(f"preset `speedrun` against the released recipe, {words}, held-out takes, {seeds}", results, [path])

    found = files[path := f"{BENCH}/video_speed.json"]
    results = [
        f"decoding {found['decoding, frames per second']:,} frames a second",
        f"lifting {found['small: lifting, frames per second']:,} frames a second, flip averaged",
    ]
    yield Row("from a video of 1280 x 720 to a motion with `small`, without the detector", results, [path])

    (row,) = files[path := f"{BENCH}/bench/startup.json"]["startup"]
    seconds, ratio = row["seconds"]["import poseformer_lite"], times(row["as long as torch"], "long")
    yield Row("importing the package", [f"{seconds:.2f} s, {ratio} as importing torch alone"], [path])


def memory(files: Files) -> Iterator[Row]:
    found = files[path := f"{BENCH}/long_sequences_memory.json"]["memory"]
    what = f"lifting {found['frames']:,} frames at the paper's size, f = {found['num_frames']}"
    yield Row(what, [f"{found['added MB']} MB above the loaded model, in {found['seconds']} s"], [path])

    hour = files[path := f"{BENCH}/video_speed.json"]["small: an hour of video, MB above a second of it"]
    yield Row("lifting an hour of keypoints with `small`", [f"{hour} MB more than a second of them takes"], [path])

    rows = files[path := f"{BENCH}/bench/memory.json"]["memory"]
    results = [f"{r['frames']:,} frames, {r['batch']} at once: {r['MB above one frame']} MB" for r in rows]
    yield Row("lifting, by the number of windows at once: memory above that of one frame", results, [path])


def video(files: Files) -> Iterator[Row]:
    found = files[path := f"{BENCH}/lift_a_video.json"]
    ways = {
        "lifted": "as lifted",
        "smoothed": "`--smooth 0.2`",
        "steady": "`--smooth 0.2 --constant-bones`",
        "mediapipe": "MediaPipe's own 3D",
    }
    results = []
    for way, words in ways.items():
        aligned, _, bones, acceleration = map(rounded, found[way].values())
        apart = "" if way == "mediapipe" else f"{aligned} mm from MediaPipe's 3D after alignment, "
        results.append(f"{words}: {apart}bone lengths vary by {bones}%, joints accelerate by {acceleration} m/s²")
    yield Row(f"MediaPipe's landmarks of a real video, {found['frames']} frames, lifted by `small`", results, [path])

    found = files[path := f"{BENCH}/standing_feet.json"]
    results = [f"{name}: {listed(found[name]['median speed, m/s'], 2)}" for name in ("CMU", "synthetic")]
    yield Row("feet that stand: the median speed at which they slide, m/s", results, [path])

    found = files[path := f"{BENCH}/world_motion.json"]
    results = []
    for name, cameras in found["cmu"].items():
        before, after = cameras["all"]["as the camera sees it"], cameras["all"]["in the world"]
        changes = (
            f"{error}: {rounded(value)} before, {rounded(after[error])} after" for error, value in before.items()
        )
        results.append(f"CMU, unseen people, {name}: {'; '.join(changes)}")
    for name, ways in found["real"].items():
        degrees = listed(ways["in the world"])
        results.append(f"the real walk, {name}: the vertical is off by {degrees} degrees")
    yield Row("motions put into the world, against a level camera and a root that stays in place", results, [path])

    found = files[path := f"{BENCH}/detector_jitter.json"]["percent_of_the_size"]
    results = [f"{source}: {listed(joints, 2)}" for source, joints in found.items()]
    yield Row("jitter of 2D keypoints: second differences in % of the person's size", results, [path])

    found = files[path := f"{BENCH}/joint_definitions.json"]["percent_of_the_leg"]
    bones = ("hip to hip", "shoulder to shoulder", "thorax to nose")
    results = [f"{source}: {listed({bone: row[bone] for bone in bones})}" for source, row in found.items()]
    yield Row("what each source means by a joint: distances in % of the leg", results, [path])


def faults(files: Files) -> Iterator[Row]:
    found = files[path := f"{BENCH}/killed_trainings.json"]
    results = [
        f"{found['kills']} kills in {found['runs']} runs, of which {found['runs_that_end_identical']} ended bit for "
        "bit as one that nobody disturbed",
        f"{found['kills_while_a_checkpoint_was_written']} of the kills came while a checkpoint was being written",
    ]
    yield Row("trainings that are killed at random moments, and go on", results, [path])

    found = files[path := f"{BENCH}/fuzz_readers.json"]
    readers = found["readers"].values()
    refused, read = (sum(answers.get(how, 0) for answers in readers) for how in ("refused", "accepted"))
    results = [
        f"{found['tried']:,} files for {len(readers)} readers in {rounded(found['processor_minutes'])} minutes of "
        f"processor time: {refused:,} refused by a sentence that names the file, {read:,} could be read; "
        f"faults: {sum(found['faults'].values())}",
    ]
    yield Row("damaged files, made at random", results, [path])


def _windows(found: dict) -> str:
    return f"{found['windows']:,} windows"


def _seeds(runs) -> str:
    return f"{len(runs)} seed{'s' if len(runs) > 1 else ''}"


def _size(row: dict) -> str:
    return f"{SIZES[row['size']]}, f = {row['num_frames']}"


def _in_half_and_released(row: dict) -> list[str]:
    """Ratios that only some machines give: those with matrix units for bfloat16, and with a clone of the code."""
    lines = []
    for against, words in {"ours": "float32", "released code": "the released code in float32"}.items():
        ratios = row.get(f"times as fast as: {against}", {})
        for way, name in {"ours": "float32", "ours, bf16": "bfloat16"}.items():
            if way in ratios and way != against:
                lines.append(f"{name} {times(ratios[way])} as {words}")
    return lines


def _error(found: dict) -> str:
    return f"{rounded(found['MPJPE'])} mm, {rounded(found['MPJVE'])} mm from frame to frame"


def _networks(runs: dict[str, list[dict]]) -> list[str]:
    """Errors of a file of compare_networks.py, the mean pose last."""
    order = sorted(runs, key=lambda name: name == "mean pose")
    return [f"{over_seeds([run['MPJPE'] for run in runs[name]])} {name}" for name in order]


GROUPS = {
    "accuracy": accuracy,
    "comparison": comparison,
    "speed": speed,
    "memory": memory,
    "video": video,
    "faults": faults,
}

if __name__ == "__main__":
    main()
