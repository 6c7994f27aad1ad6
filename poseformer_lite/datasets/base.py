"""What every source of data becomes: a list of sequences, each one person seen by one camera."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from poseformer_lite.camera import Camera, normalize_screen
from poseformer_lite.canonical import canonical_view
from poseformer_lite.formats.misread import layout_doubts, looks_normalized
from poseformer_lite.skeleton import H36M17, Skeleton

MOST_VIEWS, LOOKED_AT = 100, 5  # sequences, and frames of each, to see whether they were read right


@dataclass(frozen=True, eq=False)
class Take:
    """One recorded motion: where the joints of one person were in the world.

    :param subject: who, and the take's name, such as "Walking 1"
    :param action: who, and the take's name, such as "Walking 1"
    :param world: (T, J, 3) float32, metres, z up
    :param fps: frames per second.
    """

    subject: str
    action: str
    world: np.ndarray
    fps: float = 50.0


@dataclass(frozen=True, eq=False)
class PoseSequence:
    """One take seen by one camera: 2D keypoints and, where it is known, the 3D truth.

    :param subject: who, the take's name, and the camera's
    :param action: who, the take's name, and the camera's
    :param view: who, the take's name, and the camera's
    :param keypoints: (T, J, 2) float32, pixels
    :param poses_3d: (T, J, 3) float32, metres, camera space, not root-relative; None where only the 2D is known
    :param width: of the image, pixels
    :param height: of the image, pixels
    :param camera: None where the calibration is unknown
    :param valid: (T,) bool, the frames that an evaluation counts, or None for all; a network sees every frame either
        way.
    :raises ValueError: for arrays of other shapes.
    """

    subject: str
    action: str
    view: str
    keypoints: np.ndarray
    poses_3d: np.ndarray | None
    width: int
    height: int
    camera: Camera | None = None
    valid: np.ndarray | None = None

    def __post_init__(self):
        if self.keypoints.ndim != 3 or self.keypoints.shape[-1] != 2:
            raise ValueError(f"{self.name}: keypoints are {self.keypoints.shape}, expected (T, J, 2) in pixels")
        T, J, _ = self.keypoints.shape
        if self.poses_3d is not None and self.poses_3d.shape != (T, J, 3):
            raise ValueError(f"{self.name}: 3D poses are {self.poses_3d.shape}, expected ({T}, {J}, 3) beside 2D")
        if (valid := self.valid) is not None and (valid.shape != (T,) or valid.dtype != bool):
            raise ValueError(f"{self.name}: valid is {valid.dtype} {valid.shape}, expected one bool for {T} frames")

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def name(self) -> str:
        """Subject, action and camera, as errors name the sequence."""
        return f"{self.subject}, {self.action}, camera {self.view}"

    @property
    def base_action(self) -> str:
        """The action a table books this take under: its name up to the first space ("Walking 1" -> "Walking")."""
        return self.action.split(" ")[0]

    def poses_2d(self) -> np.ndarray:
        """(T, J, 2) float32, normalised screen coordinates: what a network is fed. ValueError where not finite."""
        self._check_finite(self.keypoints)
        return normalize_screen(self.keypoints, self.width, self.height)

    def root_relative(self, root: int) -> np.ndarray:
        """(T, J, 3) float32, metres, camera space, with joint `root` at the origin: what a network is asked for.

        Raises ValueError where there is no 3D, or it is not finite.
        """
        if self.poses_3d is None:
            raise ValueError(f"{self.name} has 2D keypoints only, so it can be lifted but not trained or tested on")
        self._check_finite(self.poses_3d)
        return self.poses_3d - self.poses_3d[:, root : root + 1]

    def seen_by(self, input: str, fps: float = 50.0, known: bool = False) -> "PoseSequence":
        """The sequence as a network of that `LiftingNetwork.input` is to be shown it.

        :param input: "screen", for which it stays as it is, or "canonical", for which keypoints and 3D are those of the
            virtual camera of `canonical.canonical_view`, joint 0 being the root
        :param fps: frames per second
        :param known: whether the camera's focal length is used, or the assumed one, as for a stranger's video.
        :returns: A sequence whose `poses_2d` and `root_relative` are what the network learns.
        """
        if input == "screen":
            return self
        self._check_finite(self.keypoints)
        focal_length = float(np.mean(self.camera.focal_length)) if known and self.camera else None
        seen, turns = canonical_view(self.keypoints, self.width, self.height, fps, focal_length)
        poses_3d = self.poses_3d
        if poses_3d is not None:
            poses_3d = ((poses_3d - poses_3d[:, :1]) @ turns.swapaxes(-1, -2)).astype(np.float32)
        # in a picture two wide and two high, pixels less one are screen coordinates
        return replace(self, keypoints=seen + 1, poses_3d=poses_3d, width=2, height=2, camera=None)

    def _check_finite(self, array: np.ndarray) -> None:
        if not np.isfinite(array).all():
            frame = int(np.flatnonzero(~np.isfinite(array).all(axis=(1, 2)))[0])
            raise ValueError(
                f"{self.name} has NaN or infinite values, first in frame {frame}: fill the gaps first "
                "(keypoints.fill_gaps) or leave the sequence out"
            )


@dataclass
class PoseDataset:
    """Sequences of one source, with the subjects or takes that are kept for testing.

    :param name: of the source
    :param sequences: all of them, of training and of test subjects
    :param train_subjects: their names
    :param test_subjects: their names
    :param skeleton: the body of all sequences
    :param fps: frames per second
    :param keypoint_source: where the 2D comes from: "gt", "noisy" or a detector's name
    :param test_takes: (subject, action) of takes that are held out beside the test subjects
    :param redraw: where a source has it, it takes a seed and gives the training sequences through new cameras; `train`
        calls it once an epoch.
    :raises ValueError: for sequences whose joints are not the skeleton's, or in another order, for 2D not in pixels and
        3D not in metres; it warns where 2D is not where the camera sees the 3D.
    """

    name: str
    sequences: list[PoseSequence]
    train_subjects: tuple[str, ...]
    test_subjects: tuple[str, ...]
    skeleton: Skeleton = H36M17
    fps: float = 50.0
    keypoint_source: str = "gt"
    test_takes: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    redraw: Callable[[int], list[PoseSequence]] | None = None

    def __post_init__(self):
        for sequence in self.sequences:
            if sequence.keypoints.shape[1] != self.skeleton.num_joints:
                raise ValueError(
                    f"{self.name}: {sequence.name} has {sequence.keypoints.shape[1]} joints, "
                    f"but {self.skeleton.name} has {self.skeleton.num_joints}"
                )
        some = self.sequences[:: len(self) // MOST_VIEWS + 1]
        apart = [sequence.name for sequence in some if _is_misread(sequence)]
        for what in ("keypoints", "poses_3d"):
            frames = [_some(values) for s in some if (values := getattr(s, what)) is not None]
            for doubt, certain in layout_doubts(np.concatenate(frames), self.skeleton.name) if frames else ():
                if certain:
                    raise ValueError(f"{self.name}, {what}: {doubt}. Put the joints in order, or name their layout")
        if apart:
            said = f"in {len(apart)} of {len(some)} views 2D is not where the camera sees the 3D, first in {apart[0]}"
            warnings.warn(f"{self.name}: {said}: look at the cameras' order and unit and at the joints", stacklevel=3)

    def __len__(self) -> int:
        return len(self.sequences)

    def __repr__(self) -> str:
        frames = sum(len(s) for s in self.sequences)
        return (
            f"PoseDataset({self.name!r}, {len(self.sequences)} sequences, {frames:,} frames at {self.fps:g} Hz, "
            f"keypoints={self.keypoint_source!r}, train on {', '.join(self.train_subjects)}; "
            f"test on {self._test_words()})"
        )

    def _test_words(self) -> str:
        takes = f"{len(self.test_takes)} held-out takes" if self.test_takes else ""
        return " and ".join(filter(None, [", ".join(self.test_subjects), takes])) or "nothing"

    def is_test(self, sequence: PoseSequence) -> bool:
        """Whether a sequence is of a test subject or of a take that is held out."""
        return sequence.subject in self.test_subjects or (sequence.subject, sequence.action) in self.test_takes

    def train(self) -> list[PoseSequence]:
        """Training sequences with known 3D: of training subjects, without the takes held out for testing."""
        return [
            s
            for s in self.sequences
            if s.subject in self.train_subjects and not self.is_test(s) and s.poses_3d is not None
        ]

    def test(self) -> list[PoseSequence]:
        """Test sequences with known 3D."""
        return [s for s in self.sequences if self.is_test(s) and s.poses_3d is not None]

    def subset(self, *, subjects: Sequence[str] | None = None, actions: Sequence[str] | None = None) -> "PoseDataset":
        """The sequences of these subjects and these actions (matched exactly, without the take's number); None for all.

        Raises ValueError where none is left; it lists what there is.
        """
        kept = [
            s
            for s in self.sequences
            if (subjects is None or s.subject in subjects) and (actions is None or s.base_action in actions)
        ]
        if not kept:
            known_subjects = sorted({s.subject for s in self.sequences})
            known_actions = sorted({s.base_action for s in self.sequences})
            raise ValueError(
                f"no sequence of {self.name} has a subject in {subjects} and an action in {actions}: "
                f"subjects are {', '.join(known_subjects)}; actions are {', '.join(known_actions)}"
            )
        return self._of(kept)

    def tested_on(self, subjects: Sequence[str]) -> "PoseDataset":
        """The same sequences, with these subjects to test on and all others whose 3D is known to train on.

        Takes that were held out of training subjects are left out. Raises ValueError for a subject that is not there,
        and where nobody is left to train on.
        """
        known = dict.fromkeys(s.subject for s in self.sequences if s.poses_3d is not None)
        training = tuple(subject for subject in known if subject not in subjects)
        if (unknown := [subject for subject in subjects if subject not in known]) or not training:
            wrong = f"has no {', '.join(unknown)}" if unknown else "has nobody else to train on"
            raise ValueError(f"{self.name} {wrong}: its subjects with 3D are {', '.join(known) or 'none'}")
        kept = [s for s in self.sequences if s.subject in subjects or (s.subject, s.action) not in self.test_takes]
        return replace(self._of(kept), train_subjects=training, test_subjects=tuple(subjects), test_takes=frozenset())

    def _of(self, kept: list[PoseSequence]) -> "PoseDataset":
        names = {(s.subject, s.action) for s in kept}
        redraw = self.redraw and (lambda seed: [s for s in self.redraw(seed) if (s.subject, s.action) in names])
        return replace(self, sequences=kept, redraw=redraw)


def _some(frames: np.ndarray) -> np.ndarray:
    return frames[np.linspace(0, len(frames) - 1, LOOKED_AT).astype(int)]


def _is_misread(sequence: PoseSequence) -> bool:
    """Whether 2D is not where the camera sees the 3D. Raises ValueError for other units."""
    if looks_normalized(pixels := _some(sequence.keypoints), sequence.width, sequence.height):
        raise ValueError(f"{sequence.name}: 2D keypoints look normalised: pixels are expected")
    if sequence.poses_3d is None:
        return False
    poses_3d = _some(sequence.poses_3d)
    if (size := np.linalg.norm(poses_3d - poses_3d[:, :1], axis=-1).max()) > 10:
        raise ValueError(f"{sequence.name}: 3D poses are {size:,.0f} large: metres are expected, and not millimetres")
    if sequence.camera is None:
        return False
    apart = np.linalg.norm(sequence.camera.project(poses_3d) - pixels, axis=-1)
    return bool(np.median(apart) > 0.5 * np.median(np.ptp(pixels, axis=1).max(axis=-1)))


def split_validation(sequences: list[PoseSequence], share: float, seed: int = 0):
    """Part whole takes off for validation; all cameras of a take stay together.

    :param sequences: such as `PoseDataset.train()`
    :param share: of the takes, at least one; 0 takes none
    :param seed: of the draw.
    :returns: Two lists, for training and for validation.
    """
    takes = sorted({(s.subject, s.action) for s in sequences})
    if share <= 0 or len(takes) < 2:
        return sequences, []
    chosen = np.random.default_rng(seed).permutation(len(takes))[: max(1, round(share * len(takes)))]
    held_out = {takes[i] for i in chosen}
    return (
        [s for s in sequences if (s.subject, s.action) not in held_out],
        [s for s in sequences if (s.subject, s.action) in held_out],
    )
