"""`poseformer-lite lift`: everything that was asked for is checked before the first frame is decoded, then done."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from poseformer_lite.checked import number
from poseformer_lite.files import check_output
from poseformer_lite.formats.keypoint_files import (
    ENDINGS,
    KeypointTrack,
    guess_layout,
    is_recording,
    read_keypoints,
    write_keypoints,
)
from poseformer_lite.lifting.angles import joint_angles, summarize_angles, write_angles
from poseformer_lite.lifting.lifter import PoseLifter
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.lifting.motion_files import IN_SPACE, check_motion_output
from poseformer_lite.lifting.video import VIDEO_ENDINGS, check_video, find_people, refuse_guessed_legs
from poseformer_lite.lifting.world import in_the_world
from poseformer_lite.plots import plot_angles

IN_A_FOLDER = (".npz", ".csv", ".bvh", ".glb", ".gif", ".html")
PAGE = ("plotly", "ipywidgets", "anywidget")  # what draws an .html file
KEPT = (".npz", ".json")  # endings of a video's keypoints
PICTURES = (".png", ".jpg", ".jpeg", ".pdf", ".svg", ".webp")
SAID_BY_A_VIDEO = ("format", "layout", "width", "height", "fps")
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
    as_given: bool = False

    def sources(self) -> list[Path]:
        """The videos and keypoint files to lift: one, or those of a folder of several."""
        if not self.source.exists():
            check_video(self.source)  # which says so, and knows a camera's number
        if not self.source.is_dir() or self.format or is_recording(self.source):
            return [self.source]
        found = sorted(p for p in self.source.iterdir() if p.suffix.lower() in (*ENDINGS, *VIDEO_ENDINGS))
        if not found:
            raise ValueError(f"{self.source} is a folder without videos or keypoint files")
        return found

    def check(self) -> list[Path]:
        """The sources. Raises ValueError and OSError for all that can be known to go wrong later."""
        sources, video = self.sources(), is_video(self.source)
        given = [f"--{name}" for name in SAID_BY_A_VIDEO if getattr(self, name) is not None]
        if video and given:
            raise ValueError(f"{' and '.join(given)}: for files of keypoints, a video says this itself; leave out")
        for name in ("fps", "width", "height", "focal_length", "body_height"):
            if getattr(self, name) is not None:
                number(getattr(self, name), f"--{name.replace('_', '-')}", over=0)
        number(self.min_confidence, "--min-confidence", 0, 1)
        number(self.smooth, "--smooth", 0)
        if self.keep and not video:
            raise ValueError(f"--keep-keypoints is for a video, and {self.source} is none")
        outputs = [(path, ()) for path in self.files("")]
        for path, endings in [*outputs, (self.keep, KEPT), (self.picture, PICTURES), (self.angles, (".csv",))]:
            if path:
                check_output(path, *endings, inputs=sources)
        for source in filter(is_video, sources):
            check_video(source)
        return sources

    def files(self, label: str) -> list[Path]:
        """Where a motion is written: one file, or one of each kind in a folder; a label tells several apart."""
        if self.output.suffix and not self.output.is_dir():
            check_motion_output(self.output)
            if self.output.suffix.lower() == ".html" and not all(map(find_spec, PAGE)):
                raise ValueError(
                    f"{self.output.name} needs {', '.join(PAGE)}: pip install 'poseformer-lite[notebooks]'"
                )
            return [_labelled(self.output, label)]
        folder = self.output / label if label else self.output
        return [folder / f"motion{ending}" for ending in IN_A_FOLDER if ending != ".html" or all(map(find_spec, PAGE))]


def is_video(path: Path) -> bool:
    """Whether a file's ending is that of a video or a picture."""
    return path.suffix.lower() in VIDEO_ENDINGS and not path.is_dir()


def run(job: Job, lifter: PoseLifter, say: Callable[[str], None], note: Callable[[str], None]) -> None:
    """Do what `check` has passed: what was written goes to `say`, and what the user should know to `note`.

    Of several sources or people those that cannot be lifted are noted; raises ValueError and OSError where none can.
    """
    sources, noted = job.sources(), set()

    def show(message: Warning, category: type[Warning], *_) -> None:
        if issubclass(category, UserWarning) and str(message) not in noted:
            noted.add(str(message))
            note(str(message))

    def lift(source: Path) -> None:
        _lift_people(replace(job, source=source), lifter, source.stem if len(sources) > 1 else "", say)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        _each(sources, lambda source: source.name, lift)


def _each(things: list, name: Callable[[Any], str], do: Callable[[Any], None]) -> None:
    """Do it with each, and say who of several had to be left out; the last error is raised where nobody is left."""
    done, error = 0, None
    for thing in things:
        try:
            do(thing)
            done += 1
        except (ValueError, OSError) as failed:
            error = failed
            if len(things) > 1:
                _say(f"{name(thing)} is left out: {failed}")
    if not done and error:
        raise error


def _lift_people(job: Job, lifter: PoseLifter, label: str, say: Callable[[str], None]) -> None:
    """Lift and write the person of a source who was asked for, or everybody who is there for more than a moment."""
    tracks = chosen = people_of(job)
    if job.everybody:
        chosen = [t for t in tracks if len(t.keypoints) >= BRIEF * (job.fps or t.fps or 25)] or tracks[:1]
        if len(chosen) < len(tracks):
            _say(f"{len(tracks) - len(chosen)} tracks of less than {BRIEF} s are left out")
    elif not 0 <= job.track < len(tracks):
        raise ValueError(f"{job.source} has {len(tracks)} tracks, so there is no track {job.track}: count from 0")
    else:
        chosen = [tracks[job.track]]
        if len(tracks) > 1:
            _say(f"{job.source.name} has {len(tracks)} tracks: --track chooses another, --all lifts everybody")

    def lift(track: KeypointTrack) -> None:
        person = track.name.replace(" ", "-").replace("/", "-") if job.everybody else ""
        _write(job, lift_track(job, track, lifter), "-".join(filter(None, [label, person])), say)

    _each(chosen, lambda track: track.name, lift)


def _write(job: Job, motion: Motion, label: str, say: Callable[[str], None]) -> None:
    motion = motion.smoothed(job.smooth)
    motion = motion.with_constant_bones() if job.constant_bones else motion
    motion = motion if job.body_height is None else motion.with_body_height(job.body_height)
    files, space, up = job.files(label), not job.camera_frame, None
    if space and any(path.suffix.lower() in IN_SPACE for path in files):
        say(str(found := in_the_world(motion)))
        space, up = found.positions, found.up
    for path in files:
        try:
            path = motion.save(path, world=space)
        except ValueError as error:
            if len(files) == 1:
                raise
            _say(f"{path.name} is left out: {error}")
            continue
        say(f"{motion} of {' '.join(filter(None, [job.source.name, label]))} written to {path}")
        if path.suffix.lower() == ".bvh":
            say("  it is in centimetres: import it into Blender with Scale 0.01 and Update Scene FPS")
    if job.picture:
        picture = _labelled(job.picture, label)
        motion.plot().savefig(picture, dpi=110)
        say(f"some of its frames are drawn in {picture}")
    if job.angles:
        table, path = joint_angles(motion, up=up), _labelled(job.angles, label)
        write_angles(path, table)
        plot_angles(table).savefig(path.with_suffix(".png"), dpi=110)
        say(f"joint angles written to {path}, drawn in {path.with_suffix('.png')}; degrees:")
        say(summarize_angles(table).round(1).to_string())


def _labelled(path: Path, label: str) -> Path:
    return path.with_name("-".join(filter(None, [path.stem, label])) + path.suffix)


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
    said = {name: getattr(job, name) or getattr(track, name) for name in SAID_BY_A_VIDEO[1:]}
    said["layout"] = said["layout"] or guess_layout(track.keypoints.shape[1])
    missing = [f"--{name}" for name, value in said.items() if value is None]
    if missing:
        raise ValueError(f"{job.source} does not say everything about its video: give {' and '.join(missing)}")
    if len(files := job.files("")) == 1:  # in a folder what is too long for a kind of file is left out
        check_motion_output(files[0], len(track.keypoints), said["fps"])
    for text in track.notes(said["fps"]):
        _say(text)
    if is_video(job.source) and not job.as_given:
        refuse_guessed_legs(track)
    options = {"min_confidence": job.min_confidence, "focal_length": job.focal_length}
    options["as_given"] = job.as_given or is_video(job.source)  # the detector's pixels are pixels
    return lifter(track.keypoints, start=track.start / said["fps"], **options, **said)


def _say(text: str) -> None:
    warnings.warn(text, stacklevel=3)
