"""Pictures of all viewers as they stand in JupyterLab, into figures/, and how quickly they answer, as JSON.

python scripts/picture_viewers.py

Chromium draws in software, which is the slow case. Needs the extras notebooks and test, and Chromium.
"""

import statistics
import tempfile
from pathlib import Path

from chromium import find_browser
from lab import ROOT, lab_page, run_all_cells, running_lab
from poseformer_course.bench.record import record
from viewer_page import NOTEBOOK, VIEWERS, viewers_on, write_notebook

POSED = {  # where each is looked at
    "motion": "motion.state.frame, motion.state.joint, motion.trail = 70, 16, 25",
    "heads": "heads.state.stage, heads.state.frame = 'temporal', 70",
    "spatial": "spatial.state.frame, spatial.state.layer, spatial.state.joint = 70, 1, 16",
    "temporal": "temporal.state.frame, temporal.state.layer, temporal.state.head = 70, 0, 1",
    "ablation": "ablation.state.frame = 70; ablation.switch(ablation.heads[9])",
    "depth_ambiguity": "depth_ambiguity.shuffle()",
    "camera": "camera.azimuth, camera.height, camera.state.joint = 40.0, 2.4, 13",
}
PRESSES = 20
TIMED = ("motion", "spatial", "temporal")  # those that a press of the arrow key moves by a frame


def main() -> None:
    milliseconds = {}
    for name in VIEWERS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "root"
            root.mkdir()
            write_notebook(root, [name], after={name: POSED[name]})
            with running_lab(root, Path(folder)) as lab, lab_page(lab, find_browser(), NOTEBOOK) as page:
                run_all_cells(page, NOTEBOOK)
                (viewer,) = viewers_on(page, 1)
                viewer.show()
                viewer.output.screenshot(path=ROOT / "figures" / f"viewer_{name}.png")
                if name in TIMED:
                    seconds = viewer.latencies(PRESSES, first=71)
                    milliseconds[name] = {
                        "median": round(1000 * statistics.median(seconds)),
                        "slowest": round(1000 * max(seconds)),
                    }
        print(name, milliseconds.get(name, ""))
    what = "milliseconds from a press of the arrow key to the figure's new frame, JupyterLab, WebGL in software"
    path = ROOT / "benchmarks" / "results" / "viewers.json"
    record(path, what=what, presses=PRESSES, key_to_figure=milliseconds)


if __name__ == "__main__":
    main()
