"""docs/results.md says what the JSON files say: nothing in its tables is typed, and its sentences hold."""

import json
import re
import shlex
from pathlib import Path
from statistics import mean

import pytest

import write_results_page
from write_results_page import GROUPS, PAGE, ROOT, Files, with_tables

FOLDERS = [write_results_page.BENCH, write_results_page.COURSE, write_results_page.REPRODUCE]
STORED = sorted(path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.json"))


def altered(value):
    """The same, with other numbers."""
    if isinstance(value, dict):
        return {key: altered(part) for key, part in value.items()}
    if isinstance(value, list):
        return [altered(part) for part in value]
    return 3 * value + 3 if isinstance(value, int | float) and not isinstance(value, bool) else value


@pytest.fixture
def copied(tmp_path):
    """Copies the files; gives those that are asked for other numbers."""

    def copy(*other: Path) -> Files:
        for path in STORED:
            found = json.loads((ROOT / path).read_text(encoding="utf-8"))
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(json.dumps(altered(found) if path in other else found), encoding="utf-8")
        return Files(tmp_path)

    return copy


def rows(files: Files) -> list:
    return [row for group in GROUPS.values() for row in group(files)]


def test_the_page_is_what_the_script_writes(monkeypatch):
    monkeypatch.setattr("sys.argv", ["write_results_page.py", "--check"])
    with pytest.raises(SystemExit) as ended:
        write_results_page.main()
    assert ended.value.code is None, ended.value.code


def test_the_check_says_no_to_another_page(monkeypatch, tmp_path):
    other = tmp_path / "results.md"
    other.write_text(PAGE.read_text(encoding="utf-8").replace("40.7", "39.7"), encoding="utf-8")
    monkeypatch.setattr(write_results_page, "PAGE", other)
    monkeypatch.setattr("sys.argv", ["write_results_page.py", "--check"])
    with pytest.raises(SystemExit, match="results.md is out of date"):
        write_results_page.main()


def test_every_line_of_results_comes_from_the_files(copied):
    """With other numbers in all files, no line and no decimal of any result is what it was."""
    now, then = rows(Files(ROOT)), rows(copied(*STORED))
    assert len(now) == len(then) > 15
    same = [line for row, other in zip(now, then, strict=True) for line in row.results if line in other.results]
    assert same == []
    decimals = re.compile(
        r"(?<!over )(?<!smooth )\d+\.\d+"
    )  # not "smoothed over 0.2 s" and "--smooth 0.2", which are names
    for row, other in zip(now, then, strict=True):
        pairs = zip(decimals.findall(" ".join(row.results)), decimals.findall(" ".join(other.results)), strict=True)
        assert [a for a, b in pairs if a == b] == [], row.what


def test_a_file_changes_its_own_rows_alone(copied):
    path = Path("benchmarks/results/standing_feet.json")
    changed = [b for a, b in zip(rows(Files(ROOT)), rows(copied(path)), strict=True) if a != b]
    assert [row.files for row in changed] == [[str(path)]]
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, copied(path)) != page


def test_the_prose_names_no_figure():
    prose = re.sub(r"<!-- (\w+) -->.*?<!-- end of \1 -->", "", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"(?<!Human)\d+\.\d|\d %|\d%|\d mm|±\s*\d", prose) == []


def test_every_stored_result_is_linked():
    page = PAGE.read_text(encoding="utf-8")
    assert [str(path) for path in STORED if f"(../{path.as_posix()})" not in page] == []


def test_the_commands_can_be_given():
    """Every script is there and knows every option; the command line knows every command."""
    commands = set(re.findall(r"<br>`((?:python|poseformer-lite) .*?)`", PAGE.read_text(encoding="utf-8")))
    assert len(commands) > 15
    for command in commands:
        program, name, *words = shlex.split(command)
        if program == "python":
            source = (ROOT / name).read_text(encoding="utf-8")
            assert [w for w in words if w.startswith("--") and f'add_argument("{w}"' not in source] == [], command
            assert words == [] or words[0].startswith("--") or re.search(r'add_argument\("[a-z]', source), command
        else:
            assert (program, name) in {("poseformer-lite", "bench"), ("poseformer-lite", "reproduce")}


# What the page says in words


def compared() -> list[tuple[list[float], list[float]]]:
    """(PoseFormer, temporal baseline), the errors of the seeds, for each comparison on the page."""
    files = Files(ROOT)
    true_2d = files["benchmarks/results/lite_synthetic.json"]["runs"]
    course = files["poseformer_course/results/course_networks.json"]["runs"]
    noisy = files["benchmarks/results/lite_cmu_noisy.json"]["runs"]["temporal baseline"]
    pairs = [
        tuple([run["MPJPE"] for run in true_2d[name]] for name in ("PoseFormer", "temporal baseline")),
        tuple([run["average"]["MPJPE"] for run in course[f"course-{name}"]] for name in ("poseformer", "temporal")),
        (files["benchmarks/results/synthetic_to_real.json"]["mm_on_held_out_cmu"]["CMU"], [r["MPJPE"] for r in noisy]),
    ]
    for source in ("synthetic", "cmu_mocap"):
        trials = files[f"poseformer_course/reproduce/results/lite_{source}.json"]["trials"]
        pairs.append(
            tuple(
                [trials[f"{name}_noisy_f9_c16_LS2_LT2_seed{seed}"]["average"]["MPJPE"] for seed in range(3)]
                for name in ("PoseFormer", "TemporalTransformerBaseline")
            )
        )
    return pairs


def test_poseformer_is_level_with_the_baseline_once_and_behind_it_otherwise():
    behind = [mean(ours) - mean(baseline) for ours, baseline in compared()]
    assert [difference > 0.5 for difference in behind] == [True, True, True, False, True]
    assert sum(0.5 < difference < 1.5 for difference in behind) >= 3  # "mostly by about a millimetre"
    ours, baseline = compared()[3]
    assert min(ours) < max(baseline) and min(baseline) < max(ours)  # "level within the spread of seeds"


def test_a_training_step_is_no_faster_and_bounded_batches_are():
    files = Files(ROOT)
    steps = files["benchmarks/results/bench/training.json"]["training"]
    assert max(row["times as fast as: plain"]["ours"][0] for row in steps) <= 1.02
    for row in files["benchmarks/results/bench/inference.json"]["inference"]:
        rates = row["frames per second"]
        assert rates["plain, a take in one batch"] < rates["plain, bounded batches"] < rates["ours"]


ROWS = {
    "unseen people, simulated detector": "unseen people, noisy",
    "unseen people, in the wild": "unseen people, wild",
    "unseen people, in the wild, wide cameras": "unseen people, wide",
    "synthetic S9 and S11, simulated detector": "synthetic, noisy",
}


@pytest.mark.parametrize("card", ["small", "wild", "attentive"])
def test_cards_of_weights_say_what_was_measured(card):
    files = Files(ROOT)
    shipped, walk = (files[f"benchmarks/results/{name}.json"]["mm"] for name in ("shipped_weights", "real_video"))
    text = (ROOT / "poseformer_lite" / "weights" / card / "README.md").read_text(encoding="utf-8")
    lines = text[text.index("| keypoints |") :].splitlines()
    table = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    (_, *networks), _, *rows = table
    assert card in networks and {row[0] for row in rows} == {*ROWS, "one real walk, BlazePose"}
    for name, *cells in rows:
        for network, cell in zip(networks, cells, strict=True):
            if cell:
                errors = shipped[network][ROWS[name]] if name in ROWS else walk[network]["mean"]
                assert cell == f"{errors['MPJPE']} ({errors['P-MPJPE']})", (name, network)


def test_the_card_of_wild_says_what_camera_and_bones_are_worth():
    files = Files(ROOT)
    cameras, losses = (
        files["benchmarks/results/canonical_camera.json"]["mm"],
        files["benchmarks/results/bone_losses.json"]["ways"],
    )
    text = (ROOT / "poseformer_lite" / "weights" / "wild" / "README.md").read_text(encoding="utf-8")

    def said(values):
        return "{} ± {}".format(*values)

    screen, canonical, true = ([row[who]["MPJPE"] for who in ("people", "takes")] for row in cameras.values())
    plain, bones, twice, lengths = losses.values()
    for pair in (screen, canonical, true, [plain["knees"], bones["knees"]], [plain["MPJPE"], bones["MPJPE"]]):
        assert all(said(values) in text for values in pair), pair
    assert f"to {twice['knees'][0]}." in text
    assert plain["knees"][0] - 2 < lengths["knees"][0] < plain["knees"][0]
    assert 0.7 < lengths["MPJPE"][0] - plain["MPJPE"][0] < 1.4
    assert {row["seeds"] for row in losses.values()} == {rows["people"]["seeds"] for rows in cameras.values()} == {3}


def test_the_card_of_attentive_says_what_attention_is_worth_to_it():
    found = Files(ROOT)["poseformer_course/results/hidden_joints.json"]["networks"]
    text = (ROOT / "poseformer_lite" / "weights" / "attentive" / "README.md").read_text(encoding="utf-8")
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    names, (_, *shown), (_, *mean_rows), (_, *one), (_, *two), (_, *arm), (_, *differ) = rows[0], *rows[2:8]
    for n, name in enumerate(names[1:]):
        whole = found[name]["nothing"]
        assert shown[n] == f"{whole['MPJPE']:.1f}" and mean_rows[n] == f"{whole['spatial mean rows cost']:+.1f}"
        hidden = [f"{found[name][what]['MPJPE']:.1f}" for what in ("one joint", "wrist and foot", "an arm")]
        assert [one[n], two[n], arm[n]] == hidden, name
        assert differ[n] == f"{whole['in the head where they do most']:.2f}"
    assert names[1:] == list(found) and found["attentive"]["nothing"]["spatial mean rows cost"] > 10
