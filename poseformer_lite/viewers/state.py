"""What a learner is looking at: one object that all viewers read and write, with no widget in it."""

from collections.abc import Mapping

from traitlets import Bool, Enum, HasTraits, Int, validate

from poseformer_lite.model.heads import Head


class ViewState(HasTraits):
    """The selection: a head (stage, layer, head), a frame, a joint, and whether that joint is pinned.

    Viewers that are given the same state move together. num_frames T and num_joints J bound frame and joint; heads
    gives (layers, heads per layer) of each stage there is. A value out of range raises ValueError and changes nothing.
    """

    stage = Enum(("spatial", "temporal"), "spatial")
    layer = Int(0)
    head = Int(0)
    frame = Int(0)
    joint = Int(0)
    pinned = Bool(False)

    def __init__(self, num_frames: int = 1, num_joints: int = 17, heads: Mapping[str, tuple[int, int]] | None = None):
        super().__init__()
        self.num_frames = num_frames
        self.num_joints = num_joints
        self.heads = dict(heads or {"spatial": (1, 1)})
        self.stage = next(iter(self.heads))

    def check_fits(self, **sizes) -> None:
        """Raise ValueError unless the state was made with these num_frames, num_joints and heads, or those given."""
        own = {name: getattr(self, name) for name in sizes}
        if own != sizes:
            raise ValueError(
                f"the state is of {_words(**own)}, but what is to be shown is of {_words(**sizes)}: give the state of "
                "viewers of the same sequence and network, or none"
            )

    def head_in(self, stage: str) -> Head:
        """The head that is looked at, in one of the stages; one with fewer layers or heads shows its last."""
        layers, heads = self._size(stage)
        return Head(stage, min(self.layer, layers - 1), min(self.head, heads - 1))

    def select(self, head: Head) -> None:
        """Look at this head."""
        layers, heads = self._size(head.stage)
        _check("layer", head.layer, layers)
        _check("head", head.head, heads)
        with self.hold_trait_notifications():
            self.stage, self.layer, self.head = head.stage, head.layer, head.head

    def point_at(self, joint: int) -> None:
        """What hovering does: look at a joint, unless one is pinned."""
        if not self.pinned:
            self.joint = joint

    def pin(self, joint: int) -> None:
        """What a click does: hold on to a joint, or let go of it where it is held already."""
        held = self.pinned and joint == self.joint
        with self.hold_trait_notifications():
            self.joint, self.pinned = joint, not held

    def _size(self, stage: str) -> tuple[int, int]:
        if stage not in self.heads:
            raise ValueError(f"there is no {stage} stage here, only {', '.join(self.heads)}")
        return self.heads[stage]

    @validate("stage")
    def _check_stage(self, proposal) -> str:
        self._size(proposal.value)
        return proposal.value

    @validate("layer", "head", "frame", "joint")
    def _check_number(self, proposal) -> int:
        count = {
            "layer": max(layers for layers, _ in self.heads.values()),
            "head": max(heads for _, heads in self.heads.values()),
            "frame": self.num_frames,
            "joint": self.num_joints,
        }
        name = proposal.trait.name
        return _check(name, proposal.value, count[name])


def _words(num_frames: int | None = None, num_joints: int | None = None, heads: Mapping | None = None) -> str:
    numbers = [f"{number} {name}" for number, name in ((num_frames, "frames"), (num_joints, "joints")) if number]
    return ", ".join([*numbers, *(f"{L} x {H} {stage} heads" for stage, (L, H) in (heads or {}).items())])


def _check(name: str, value: int, count: int) -> int:
    if not 0 <= value < count:
        raise ValueError(f"{name} is {value}: there are {count}, counted from 0 to {count - 1}")
    return value
