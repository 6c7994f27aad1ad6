"""TRC, "track row column": the positions of markers in a text file, as OpenSim and motion-capture systems read it.

Format: OpenSim's documentation, "Marker (.trc) Files".
"""

from pathlib import Path

import numpy as np


def write_trc(path: str | Path, names: tuple[str, ...], positions: np.ndarray, fps: float) -> None:
    """Write markers, one a joint.

    :param path: where to write
    :param names: of the M markers
    :param positions: (T, M, 3), metres, y up
    :param fps: frames per second.
    """
    frames, markers = positions.shape[:2]
    settings = {
        "DataRate": f"{fps:g}", "CameraRate": f"{fps:g}", "NumFrames": frames, "NumMarkers": markers, "Units": "m",
        "OrigDataRate": f"{fps:g}", "OrigDataStartFrame": 1, "OrigNumFrames": frames,
    }  # fmt: skip
    columns = [f"{axis}{marker}" for marker in range(1, markers + 1) for axis in "XYZ"]
    marked = [word for name in names for word in (name.replace("/", "_").replace(" ", "_"), "", "")]
    rows = [["PathFileType", 4, "(X/Y/Z)", "motion.trc"], settings, settings.values()]
    rows += [["Frame#", "Time", *marked], ["", "", *columns], []]
    for frame, values in enumerate(positions.reshape(frames, -1)):
        rows.append([frame + 1, f"{frame / fps:.5f}", *(f"{value:.5f}" for value in values)])
    Path(path).write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="ascii")
