"""Tables 1 to 7 of the paper, out of trials: which networks, which 2D, which column."""

from collections.abc import Callable

from poseformer_course.reproduce import paper
from poseformer_course.reproduce.laboratory import (
    ALL_MOVED,
    LARGER,
    SCRATCH,
    SHUFFLED,
    SINGLE_FRAME,
    STARTS,
    TWICE,
    Laboratory,
    Trial,
)
from poseformer_course.reproduce.speed import speed
from poseformer_course.reproduce.table import Row, Table

LABELS = {
    "MeanPose": "mean training pose",
    "ResidualMLP": "residual MLP (Martinez)",
    "GraphConvolutionNetwork": "graph convolution (Zhao)",
    "RecurrentNetwork": "recurrent (Hossain)",
    "TemporalConvolution": "temporal convolution (Pavllo)",
    "TemporalTransformerBaseline": "temporal transformer, the paper's baseline",
    "JointTokenTransformer": "joint tokens, Fig. 1(b)",
    "PoseFormer": "PoseFormer",
}
FREE = "The data are not Human3.6M, so our numbers compare with each other and not with the printed ones."


def table1(laboratory: Laboratory) -> list[Table]:
    """Every network on detected 2D, per action, under protocols 1 and 2."""
    sizes = {**laboratory.scale.base, "num_frames": laboratory.scale.longest}
    return [
        _per_action(
            laboratory, f"1, protocol {number}", metric, laboratory.source.detected, sizes, paper.TABLE_1[metric]
        )
        for number, metric in ((1, "MPJPE"), (2, "P-MPJPE"))
    ]


def table2(laboratory: Laboratory) -> list[Table]:
    """Every network on ground-truth 2D, per action, under protocol 1, and 2 for its own sake."""
    sizes = {**laboratory.scale.base, "num_frames": laboratory.scale.longest}
    return [
        _per_action(laboratory, "2", "MPJPE", "gt", sizes, paper.TABLE_2),
        _per_action(laboratory, "2, protocol 2 (not in the paper)", "P-MPJPE", "gt", sizes, {}),
    ]


def table3(laboratory: Laboratory) -> list[Table]:
    """PCK, AUC and MPJPE on ground-truth 2D, f = 9, by the benchmark's own definition and by the other public one."""
    tables = []
    for definition, printed in (("benchmark", paper.TABLE_3), ("17 joints", {})):
        rows = []
        for network in LABELS:
            results = [laboratory.result(trial) for trial in _seeds(laboratory, network, laboratory.scale.base, "gt")]
            ours = {name: [r["3DHP"][f"{name}, {definition}"] for r in results] for name in ("PCK", "AUC")}
            ours["MPJPE"] = [r["frame average"]["MPJPE"] for r in results]
            rows.append(Row(LABELS[network], ours, printed.get(network, {})))
        title = f"PCK and AUC in per cent as {_DEFINITIONS[definition]}, MPJPE in mm"
        number = "3" if printed else "3, other definition"
        note = () if laboratory.source.name == "mpi_inf_3dhp" else ("The printed numbers are of MPI-INF-3DHP.",)
        tables.append(Table(number, title, ["PCK", "AUC", "MPJPE"], rows, "PCK", _how(laboratory, "gt"), note))
    return tables


_DEFINITIONS = {
    "benchmark": "the benchmark defines them (under 150 mm, 14 joints; 31 thresholds)",
    "17 joints": "other code does (17 joints; 150 thresholds)",
}


def table4(laboratory: Laboratory) -> list[Table]:
    """The components: no spatial stage, and PoseFormer with each position embedding left out."""
    detected = laboratory.source.detected
    rows = []
    for (spatial, spatial_positions, temporal_positions), printed in paper.TABLE_4.items():
        network = "PoseFormer" if spatial else "TemporalTransformerBaseline"
        sizes = dict(laboratory.scale.base)
        if spatial:
            sizes |= _only_false(spatial_positions=spatial_positions, temporal_positions=temporal_positions)
            there = [name for name, on in (("spatial", spatial_positions), ("temporal", temporal_positions)) if on]
            label = f"spatial-temporal, {' and '.join(there) or 'no'} positions"
        else:
            label = "temporal only, temporal positions"
        errors = [laboratory.result(t)["average"]["MPJPE"] for t in _seeds(laboratory, network, sizes, detected)]
        rows.append(Row(label, {"MPJPE": errors}, {"MPJPE": printed}))
    larger = [
        Trial("PoseFormer", dict(laboratory.scale.base), detected, seed, LARGER) for seed in laboratory.scale.seeds
    ]
    errors = [laboratory.result(trial)["average"]["MPJPE"] for trial in larger]
    rows.append(Row("not in the paper: the same, joint embedding 4 times as large at the start", {"MPJPE": errors}))
    return [Table("4", "components of PoseFormer, MPJPE in mm", ["MPJPE"], rows, "MPJPE", _how(laboratory, detected))]


def table5(laboratory: Laboratory) -> list[Table]:
    """The grid of widths c and depths L_S = L_T."""
    scale, detected = laboratory.scale, laboratory.source.detected
    rows = []
    for (paper_width, paper_depth), printed in paper.TABLE_5.items():
        width = scale.widths[(16, 32, 48).index(paper_width)]
        depth = scale.depths[(2, 4, 6).index(paper_depth)]
        sizes = {**scale.base, "spatial_dim": width, "spatial_depth": depth, "temporal_depth": depth}
        results = [laboratory.result(trial) for trial in _seeds(laboratory, "PoseFormer", sizes, detected)]
        ours = {
            "MPJPE": [result["average"]["MPJPE"] for result in results],
            "Parameters (M)": [results[0]["parameters"] / 1e6],
        }
        same = (width, depth) == (paper_width, paper_depth)
        beside = "" if same else f" (the paper: {paper_width} and {paper_depth})"
        rows.append(Row(f"c = {width}, L = {depth}{beside}", ours, {"MPJPE": printed}))
    title, columns = "widths and depths, L_S = L_T = L, MPJPE in mm", ["MPJPE", "Parameters (M)"]
    return [Table("5", title, columns, rows, "MPJPE", _how(laboratory, detected), digits=2)]


def table6(laboratory: Laboratory) -> list[Table]:
    """Cost and speed at the paper's size, without training; then error against cost at the scale's own size."""
    costs = laboratory.once("speed", lambda: speed(laboratory.progress))
    rows = []
    for (network, frames), printed in _table6_rows().items():
        measured = costs["networks"][f"{network} f={frames}"]
        label = LABELS[network] if frames == 1 else f"{LABELS[network]}, f = {frames}"
        rows.append(Row(label, {name: [value] for name, value in measured.items()}, printed))
    columns = list(next(iter(rows)).ours)
    cost = Table("6", "cost and speed at the paper's sizes", columns, rows, "FLOPs (M)", costs["how"], digits=2)

    detected, rows = laboratory.source.detected, []
    for network in LABELS:
        if network == "MeanPose":
            continue
        lengths = laboratory.scale.lengths if network in ("TemporalConvolution", "PoseFormer") else (9,)
        for frames in lengths:
            sizes = {**laboratory.scale.base, "num_frames": frames}
            trials = _seeds(laboratory, network, sizes, detected)
            results = [laboratory.result(trial) for trial in trials]
            ours = {
                "Parameters (M)": [results[0]["parameters"] / 1e6],
                "MPJPE": [result["average"]["MPJPE"] for result in results],
            }
            printed = paper.TABLE_6.get((network, frames), {})
            printed = {"MPJPE": printed["MPJPE"]} if printed else {}
            label = LABELS[network] if network in SINGLE_FRAME else f"{LABELS[network]}, f = {frames}"
            rows.append(Row(label, ours, printed))
    title, columns = "error at this scale's sizes, MPJPE in mm", ["Parameters (M)", "MPJPE"]
    return [cost, Table("6, error", title, columns, rows, "MPJPE", _how(laboratory, detected), digits=2)]


def _table6_rows() -> dict[tuple[str, int], dict[str, float]]:
    """(network, f): what the paper prints of it, under our columns."""
    from poseformer_course.reproduce.speed import MEASURED

    names = {"Parameters": "Parameters (M)", "FLOPs": "FLOPs (M)", "FPS": "FPS, windows"}
    printed = {key: {ours: row[theirs] for theirs, ours in names.items()} for key, row in paper.TABLE_6.items()}
    return {key: printed.get(key, {}) for key in MEASURED}


def table7(laboratory: Laboratory) -> list[Table]:
    """The small set of 15 joints: from scratch, and after the large set of 17 joints in two ways; on the free data also
    two controls, which the paper has not: what twice the windows give, and what a stage gives that mixes joints up."""
    scale = laboratory.scale
    sizes = {**scale.base, "num_frames": scale.small_length}
    printed = {SCRATCH: paper.TABLE_7["scratch"], ALL_MOVED: paper.TABLE_7["fine-tuned"]}
    rows, columns = [], []
    controls = (TWICE, SHUFFLED) if laboratory.source.is_free else ()
    for start in (*STARTS, *controls):
        results = [laboratory.result(Trial("PoseFormer", sizes, "small", seed, start)) for seed in scale.seeds]
        people = [result["per person"]["MPJPE"] for result in results]
        named = {person: _turned(person) for person in people[0]}
        columns = sorted(named.values())
        ours = {name: [row[person] for row in people] for person, name in named.items()}
        ours["Average"] = [sum(row.values()) / len(row) for row in people]
        real = laboratory.source.name == "human36m"
        average = {"Average": round(sum(printed[start].values()) / 6, 2)} if start in printed else {}
        label = f"not in the paper: {start}" if start in controls else start
        rows.append(Row(label, ours, (printed.get(start, {}) if real else {}) | average))
    notes = (
        "The paper does not say how weights moved between 17 and 15 joints. Its averages are of its printed cells, "
        "walk and jog of three people of HumanEva, f = 43.",
    )
    how = _how(laboratory, "small")
    return [Table("7", "a small data set, MPJPE in mm", [*columns, "Average"], rows, "Average", how, notes)]


def _turned(person: str) -> str:
    """ "Validate/S1 Walking" -> "Walking S1", the order of the paper's columns."""
    subject, action = person.split(" ", 1)
    return f"{action} {subject.removeprefix('Validate/')}"


def _per_action(laboratory, number: str, metric: str, keypoints: str, sizes: dict, printed: dict) -> Table:
    rows = []
    for network in LABELS:
        results = [laboratory.result(trial) for trial in _seeds(laboratory, network, sizes, keypoints)]
        ours = {
            action: [r["per action"][metric][action] for r in results] for action in results[0]["per action"][metric]
        }
        ours["Average"] = [r["average"][metric] for r in results]
        rows.append(Row(LABELS[network], ours, _comparable(printed.get(network, {}), ours)))
    columns = [*sorted(name for name in rows[0].ours if name != "Average"), "Average"]
    seen = "ground-truth 2D" if keypoints == "gt" else "detected 2D"
    return Table(number, f"{metric} in mm, {seen}", columns, rows, "Average", _how(laboratory, keypoints))


def _comparable(printed: dict[str, float], ours: dict) -> dict[str, float]:
    """The printed cells that have one of ours beside them: on other actions than Human3.6M's, the average alone."""
    return {name: value for name, value in printed.items() if name in ours}


def _seeds(laboratory: Laboratory, network: str, sizes: dict, keypoints: str) -> list[Trial]:
    seeds = laboratory.scale.seeds if network != "MeanPose" else laboratory.scale.seeds[:1]  # it does not learn
    return [Trial(network, sizes, keypoints, seed) for seed in seeds]


def _only_false(**switches: bool) -> dict[str, bool]:
    """The switches that are off: those that are on are the default, and a trial has one name."""
    return {name: value for name, value in switches.items() if not value}


def _how(laboratory: Laboratory, keypoints: str) -> str:
    scale = laboratory.scale
    budget = scale.settings
    windows = f"{budget.windows_per_epoch:,} windows" if budget.windows_per_epoch else "all windows"
    return (
        f"Scale {scale.name}, {laboratory.source.name}, 2D: {keypoints}; {budget.epochs} epochs of {windows}; seeds "
        f"{', '.join(map(str, scale.seeds))}: mean ± standard deviation; flip averaged, root as predicted."
        + (f" {FREE}" if laboratory.source.is_free else "")
    )


TABLES: dict[str, Callable[[Laboratory], list[Table]]] = {
    f"table{number}": function
    for number, function in enumerate((table1, table2, table3, table4, table5, table6, table7), start=1)
}
