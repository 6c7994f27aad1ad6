"""The figures that the paper prints, for the rows whose networks are here. All of Human3.6M unless it says otherwise.

Millimetres, but for PCK and AUC (per cent), Parameters and FLOPs (millions) and FPS. Where the printed averages do not
follow from the printed rows, they stand as printed: docs/paper.md lists what is wrong with them.
"""

from poseformer_lite.datasets.sources.human36m import ACTIONS


def _row(*values: float) -> dict[str, float]:
    """A line of Table 1 or 2: 15 actions and the average."""
    return dict(zip((*ACTIONS, "Average"), values, strict=True))


TABLE_1 = {
    "MPJPE": {
        "TemporalConvolution": _row(
            45.2, 46.7, 43.3, 45.6, 48.1, 55.1, 44.6, 44.3, 57.3, 65.8, 47.1, 44.0, 49.0, 32.8, 33.9, 46.8
        ),  # Pavllo et al., f = 243
        "TemporalTransformerBaseline": _row(
            43.8, 47.9, 43.8, 45.5, 49.7, 55.7, 44.3, 45.8, 57.7, 66.3, 47.4, 45.4, 48.6, 32.5, 33.8, 47.2
        ),
        "PoseFormer": _row(
            41.5, 44.8, 39.8, 42.5, 46.5, 51.6, 42.1, 42.0, 53.3, 60.7, 45.5, 43.3, 46.1, 31.8, 32.2, 44.3
        ),
    },
    "P-MPJPE": {
        "RecurrentNetwork": _row(
            35.7, 39.3, 44.6, 43.0, 47.2, 54.0, 38.3, 37.5, 51.6, 61.3, 46.5, 41.4, 47.3, 34.2, 39.4, 44.1
        ),  # Hossain et al.
        "TemporalConvolution": _row(
            34.1, 36.1, 34.4, 37.2, 36.4, 42.2, 34.4, 33.6, 45.0, 52.5, 37.4, 33.8, 37.8, 25.6, 27.3, 36.5
        ),
        "TemporalTransformerBaseline": _row(
            33.6, 37.1, 35.4, 36.7, 37.8, 42.2, 33.9, 34.7, 47.0, 53.4, 38.2, 34.3, 37.6, 25.3, 27.8, 37.0
        ),
        "PoseFormer": _row(
            32.5, 34.8, 32.6, 34.6, 35.3, 39.5, 32.1, 32.0, 42.8, 48.5, 34.8, 32.4, 35.3, 24.5, 26.0, 34.6
        ),
    },
}

TABLE_2 = {
    "RecurrentNetwork": _row(
        35.2, 40.8, 37.2, 37.4, 43.2, 44.0, 38.9, 35.6, 42.3, 44.6, 39.7, 39.7, 40.2, 32.8, 35.5, 39.2
    ),
    "TemporalConvolution": {"Average": 37.2},
    "PoseFormer": _row(30.0, 33.6, 29.9, 31.0, 30.2, 33.3, 34.8, 31.4, 37.8, 38.6, 31.7, 31.5, 29.0, 23.3, 23.1, 31.3),
}

TABLE_3 = {  # MPI-INF-3DHP
    "TemporalConvolution": {"PCK": 86.0, "AUC": 51.9, "MPJPE": 84.0},  # Pavllo et al., 81 frames
    "PoseFormer": {"PCK": 88.6, "AUC": 56.4, "MPJPE": 77.1},  # 9 frames
}

TABLE_4 = {  # (spatial stage, spatial positions, temporal positions): MPJPE, f = 9
    (False, False, True): 52.5,
    (True, False, False): 51.6,
    (True, True, False): 50.7,
    (True, False, True): 50.5,
    (True, True, True): 49.9,
}

TABLE_5 = {  # (c, L_S = L_T): MPJPE, f = 9
    (16, 2): 52.8, (16, 4): 51.7, (16, 6): 50.4,
    (32, 2): 52.4, (32, 4): 49.9, (32, 6): 50.3,
    (48, 2): 51.7, (48, 4): 50.4, (48, 6): 50.5,
}  # fmt: skip

TABLE_6 = {  # (network, f)
    ("TemporalConvolution", 27): {"Parameters": 8.56, "FLOPs": 17.09, "MPJPE": 48.8, "FPS": 1492},
    ("TemporalConvolution", 81): {"Parameters": 12.79, "FLOPs": 25.48, "MPJPE": 47.7, "FPS": 1121},
    ("TemporalConvolution", 243): {"Parameters": 16.95, "FLOPs": 33.87, "MPJPE": 46.8, "FPS": 863},
    ("PoseFormer", 9): {"Parameters": 9.58, "FLOPs": 150, "MPJPE": 49.9, "FPS": 320},
    ("PoseFormer", 27): {"Parameters": 9.59, "FLOPs": 452, "MPJPE": 47.0, "FPS": 297},
    ("PoseFormer", 81): {"Parameters": 9.60, "FLOPs": 1358, "MPJPE": 44.3, "FPS": 269},
}

TABLE_7 = {  # HumanEva, f = 43
    start: dict(zip(("Walking S1", "Walking S2", "Walking S3", "Jog S1", "Jog S2", "Jog S3"), errors, strict=True))
    for start, errors in {
        "scratch": (16.3, 11.0, 47.1, 25.0, 15.2, 15.1),
        "fine-tuned": (14.4, 10.2, 46.6, 22.7, 13.4, 13.4),
    }.items()
}
