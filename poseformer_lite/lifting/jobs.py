"""`poseformer-lite lift`: everything that was asked for is checked before the first frame is decoded, then done."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from math import inf
from pathlib import Path

import numpy as np

from poseformer_lite.files import check_output
from poseformer_lite.formats.keypoint_files import (
    ENDINGS,
    KeypointTrack,
    guess_layout,
    is_recording,
    read_keypoints,
    write_keypoints,
)
from poseformer_lite.lifting.angles import summarize_angles, write_angles
from poseformer_lite.lifting.lifter import PoseLifter, looks_normalized
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.lifting.motion_files import IN_SPACE, check_motion_output
from poseformer_lite.lifting.video import VIDEO_ENDINGS, check_video, find_people
from poseformer_lite.lifting.world import in_the_world
from poseformer_lite.plots import plot_angles

IN_A_FOLDER = (".npz", ".csv", ".bvh", ".glb", ".gif", ".html")
PICTURES = (".png", ".jpg", ".jpeg", ".pdf", ".svg", ".webp")
BRIEF = 0.5  # seconds: who is seen for less is not lifted with everybody else


@dataclass(frozen=True)
class Job:
    """What to lift and where to write it; the fields are the command's options."""

    source: Path
    output: Path = Path("motion.npz")
    format: str | None = None
    layout: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    min_confidence: float = 0.0
    track: int = 0
    everybody: bool = False
    keep: Path | None = None
    picture: Path | None = None
    angles: Path | None = None
    constant_bones: bool = False
    smooth: float = 0.0
    focal_length: float | None = None
    body_height: float | None = None
    camera_frame: bool = False

    def sources(self) -> list[Path]:
        """The videos and keypoint files to lift: one, or those of a folder of several."""
        if not self.source.exists():
            raise FileNotFoundError(f"there is no file {self.source}")
        if not self.source.is_dir() or self.format or is_recording(self.source):
            return [self.source]
        found = sorted(p for p in self.source.iterdir() if p.suffix.lower() in (*ENDINGS, *VIDEO_ENDINGS))
        if not found:
            raise ValueError(f"{self.source} is a folder without videos or keypoint files")
        return found

    def check(self) -> list[Path]:
        """The sources. Raises ValueError and OSError for all that can be known to go wrong later."""
        sources = self.sources()
        said = {"format": self.format, "layout": self.layout, "width": self.width, "height": self.height}
        given = [f"--{name}" for name, value in {**said, "fps": self.fps}.items() if value is not None]
        if is_video(self.source) and given:
            raise ValueError(
                f"{' and '.join(given)}: for files of keypoints, since a video says this itself; leave out"
            )
        for name in ("fps", "width", "height", "focal_length", "body_height"):
            if (value := getattr(self, name)) is not None and not 0 < value < inf:
                raise ValueError(f"--{name.replace('_', '-')} is {value}: expected a positive number")
        kept, drawn, table = (path and path.suffix.lower() for path in (self.keep, self.picture, self.angles))
        for wrong, text in (
            (not 0 <= self.min_confidence <= 1, f"--min-confidence is {self.min_confidence}: expected 0 to 1"),
            (not 0 <= self.smooth < inf, f"--smooth is {self.smooth}: expected 0 or more seconds"),
            (kept and not is_video(self.source), f"--keep-keypoints is for a video, and {self.source} is none"),
            (kept and kept not in (".npz", ".json"), f"keypoints are written as .npz or .json, not {self.keep}"),
            (drawn and drawn not in PICTURES, f"a picture is drawn as {', '.join(PICTURES)}, not {self.picture}"),
            (table and table != ".csv", f"joint angles are written as .csv, not {self.angles}"),
        ):
            if wrong:
                raise ValueError(text)
        for path in filter(None, [*self.files(""), self.keep, self.picture, self.angles]):
            check_output(path, inputs=sources)
        for source in filter(is_video, sources):
            check_video(source)
        return sources

    def files(self, label: str) -> list[Path]:
        """Where a motion is written: one file, or one of each kind in a folder; a label tells several apart."""
        if self.output.suffix and not self.output.is_dir():
            check_motion_output(self.output)
            if self.output.suffix.lower() == ".html" and not find_spec("plotly"):
                raise ValueError(f"{self.output.name} needs plotly: pip install 'poseformer-lite[notebooks]'")
            return [_labelled(self.output, label)]
        folder = self.output / label if label else self.output
        return [folder / f"motion{ending}" for ending in IN_A_FOLDER if ending != ".html" or find_spec("plotly")]


def is_video(path: Path) -> bool:
    """Whether a file's ending is that of a video or a picture."""
    return path.suffix.lower() in VIDEO_ENDINGS and not path.is_dir()


def run(job: Job, lifter: PoseLifter, say: Callable[[str], None], note: Callable[[str], None]) -> None:
    """Do what `check` has passed: what was written goes to `say`, and what the user should know to `note`.

    Of several sources or people those that cannot be lifted are noted; raises ValueError and OSError where none can.
    """
    sources, done, error = job.sources(), 0, None
    for source in sources:
        label = source.stem if len(sources) > 1 else ""
        with warnings.catch_warnings(record=True) as noticed:
            warnings.simplefilter("always", UserWarning)
            try:
                for person, motion in lifted(replace(job, source=source), lifter):
                    _write(job, motion, "-".join(filter(None, [label, person])), source.name, say)
                    done += 1
            except (ValueError, OSError) as failed:
                error = failed
                if len(sources) > 1:
                    note(f"{source.name} is left out: {failed}")
        for text in dict.fromkeys(str(w.message) for w in noticed if issubclass(w.category, UserWarning)):
            note(text)
        if error and len(sources) == 1:
            raise error
    if not done and error:
        raise error


def _write(job: Job, motion: Motion, label: str, name: str, say: Callable[[str], None]) -> None:
    motion = motion.smoothed(job.smooth)
    motion = motion.with_constant_bones() if job.constant_bones else motion
    motion = motion if job.body_height is None else motion.with_body_height(job.body_height)
    files = job.files(label)
    if not job.camera_frame and any(path.suffix.lower() in IN_SPACE for path in files):
        say(str(in_the_world(motion)))
    for path in files:
        try:
            path = motion.save(path, world=not job.camera_frame)
        except ValueError as error:
            if len(files) == 1:
                raise
            _say(f"{path.name} is left out: {error}")
            continue
        say(f"{motion} of {name}{' ' * bool(label)}{label} written to {path}")
        if path.suffix.lower() == ".bvh":
            say("  it is in centimetres: import it into Blender with Scale 0.01 and Update Scene FPS")
    if job.picture:
        picture = _labelled(job.picture, label)
        motion.plot().savefig(picture, dpi=110)
        say(f"some of its frames are drawn in {picture}")
    if job.angles:
        table, path = motion.angles(), _labelled(job.angles, label)
        write_angles(path, table)
        plot_angles(table).savefig(path.with_suffix(".png"), dpi=110)
        say(f"joint angles written to {path}, drawn in {path.with_suffix('.png')}; degrees:")
        say(summarize_angles(table).round(1).to_string())


def _labelled(path: Path, label: str) -> Path:
    return path.with_name("-".join(filter(None, [path.stem, label])) + path.suffix)


def lifted(job: Job, lifter: PoseLifter) -> Iterator[tuple[str, Motion]]:
    """(label, motion) of the person asked for, or of everybody; the label is empty for one."""
    tracks = people_of(job)
    if not job.everybody:
        if not 0 <= job.track < len(tracks):
            raise ValueError(f"{job.source} has {len(tracks)} tracks, so there is no track {job.track}: count from 0")
        if len(tracks) > 1:
            _say(f"{job.source.name} has {len(tracks)} tracks: --track chooses another, --all lifts everybody")
        yield "", lift_track(job, tracks[job.track], lifter)
        return
    long = [track for track in tracks if len(track.keypoints) >= BRIEF * (job.fps or track.fps or 25)] or tracks[:1]
    if len(long) < len(tracks):
        _say(f"{len(tracks) - len(long)} tracks of less than {BRIEF} s are left out")
    done, error = 0, None
    for track in long:
        try:
            yield track.name.replace(" ", "-").replace("/", "-"), lift_track(job, track, lifter)
            done += 1
        except ValueError as failed:
            error = failed
            _say(f"{track.name} is left out: {failed}")
    if not done and error:
        raise error


def people_of(job: Job) -> list[KeypointTrack]:
    """The tracks of a source; those of a video are kept in a file where that is asked for."""
    if not is_video(job.source):
        size = (job.width, job.height) if job.width and job.height else None
        return read_keypoints(job.source, job.format, job.fps, size)
    tracks = find_people(job.source)
    if job.keep:
        write_keypoints(tracks, job.keep)
    return tracks


def lift_track(job: Job, track: KeypointTrack, lifter: PoseLifter) -> Motion:
    """The motion of a track. Raises ValueError where nobody says something about its video that is needed."""
    said = {
        "width": job.width or track.width,
        "height": job.height or track.height,
        "fps": job.fps or track.fps,
        "layout": job.layout or track.layout or guess_layout(track.keypoints.shape[1]),
    }
    missing = [f"--{name}" for name, value in said.items() if value is None]
    if missing:
        raise ValueError(f"{job.source} does not say everything about its video: give {' and '.join(missing)}")
    if len(files := job.files("")) == 1:  # in a folder what is too long for a kind of file is left out
        check_motion_output(files[0], len(track.keypoints), said["fps"])
    for text in track.notes(said["fps"]):
        _say(text)
    keypoints, share = track.keypoints, looks_normalized(track.keypoints[..., :2], said["width"], said["height"])
    if share and share[0] > -0.1:
        keypoints = keypoints * np.array([said["width"], said["height"], 1][: keypoints.shape[-1]], np.float32)
        _say("the keypoints are shares of the picture: x is multiplied by its width and y by its height")
    options = {"min_confidence": job.min_confidence, "focal_length": job.focal_length}
    return lifter(keypoints, start=track.start / said["fps"], **options, **said)


def _say(text: str) -> None:
    warnings.warn(text, stacklevel=3)
