"""Checkers of lesson 12, Transfer to small data."""

import numpy as np
import torch
from torch import nn

from poseformer_course.bodies import H36M_OF_HUMANEVA
from poseformer_course.checks.judge import Exercise, NotAnswered, Wrong, compare
from poseformer_lite.model import PoseFormer
from poseformer_lite.skeleton import H36M17, HUMANEVA15


def _network(seed: int, joints: int, width: int = 8, ratio: float = 2.0) -> PoseFormer:
    """A small network none of whose weights is zero, so that what moved can be told from what did not."""
    torch.manual_seed(seed)
    model = PoseFormer(3, joints, width, 1, 1, num_heads=2, mlp_ratio=ratio)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn(weight.shape))
    return model


def exercise_1(what_fits):
    """The names whose tensors have one shape in two state dicts, sorted."""
    source, target = _network(0, 17).state_dict(), _network(1, 15).state_dict()
    source["head.old.weight"] = torch.zeros(3)  # in one of them alone
    target["head.linear.bias"] = target["head.linear.bias"].reshape(5, 9)
    source["head.linear.bias"] = torch.zeros(9, 5)  # as many numbers, and another shape
    both = sorted(source.keys() & target.keys())
    right = [name for name in both if source[name].shape == target[name].shape]
    given = what_fits(dict(reversed(source.items())), dict(target))
    if given is None:
        raise NotAnswered
    if isinstance(given, str) or not all(isinstance(name, str) for name in given):
        raise Wrong("your function should return a list of names.")
    given = list(given)
    hints = {
        "these are all the names that both have: their shapes must be equal as well.": both,
        "two tensors with as many numbers may have other shapes: compare `shape`, not `numel()`.": [
            name for name in both if source[name].numel() == target[name].numel()
        ],
        "these are the weights that do not fit: return the others.": [name for name in both if name not in right],
        "the spatial stage alone is not what was asked: any weight of equal shape counts, wherever it is.": [
            name for name in right if name.startswith("spatial.")
        ],
    }
    if given == right:
        return "That two shapes are equal says that a weight could move, not that it means the same in its new place."
    for hint, wrong in hints.items():
        if sorted(given) == wrong:
            raise Wrong(hint)
    if sorted(given) == right:
        raise Wrong("the names are right, but not sorted.")
    raise Wrong(f"{len(given)} names came back, expected {len(right)}, the first of them {right[0]!r}.")


WORDS = {"Pelvis": "Hip", "LAnkle": "LFoot", "RAnkle": "RFoot"}


def _numbers(names, among, words):
    return [among.index(words.get(name, name)) for name in names]


def _other_direction(names, among, words):
    known = [words.get(name, name) for name in names]
    return [known.index(name) if name in known else -1 for name in among]


# For each joint of the new body its number in the old one.
exercise_2 = Exercise(
    right=_numbers,
    mistakes={
        "this is the other direction, where each joint of the old body is found in the new one: the list needs "
        "one number for each of the {count} joints of the new body.": _other_direction,
        "this leaves out the old joints that the new body does not have, but a number for each joint of the new "
        "body was asked, in the new body's order.": lambda *given: sorted(_numbers(*given)),
        "these numbers count from 1: Python counts from 0.": lambda *given: [n + 1 for n in _numbers(*given)],
        "a joint that `words` translates was looked up under its new name, which the old body has for another joint: "
        "translate first.": lambda names, among, words: [
            among.index(name if name in among else words[name]) for name in names
        ],
        "the joints are taken in their order, as if both bodies listed them alike.": (
            lambda names, among, words: list(range(len(names)))
        ),
    },
    cases=[
        (list(HUMANEVA15.joints), list(H36M17.joints), WORDS),
        (["Head", "Pelvis", "RAnkle"], list(H36M17.joints[::-1]), WORDS),
        (["b", "a"], ["a", "x", "b"], {}),
        (["Neck", "Hip"], ["Hip", "Neck", "Thorax"], {"Neck": "Thorax"}),
    ],
    fields=lambda names, among, words: {"count": len(names)},
    name="the list of joints",
    remark="Names are a promise: a Hip of one data set and a Pelvis of another need not be the same point of a body.",
)


def _whole(poses, joints, between, weights=(0.5, 0.5), numbers_of_the_whole=True):
    whole = np.zeros((*poses.shape[:-2], 17, poses.shape[-1]))
    whole[..., joints, :] = poses
    there = whole if numbers_of_the_whole else poses
    for missing, (a, b) in between.items():
        whole[..., missing, :] = weights[0] * there[..., a, :] + weights[1] * there[..., b, :]
    return whole


def _poses(*shape: int) -> np.ndarray:
    return np.random.default_rng(12).normal(size=shape)


# (..., 15, K) -> (..., 17, K), the missing joints halfway between two that are there.
exercise_3 = Exercise(
    right=_whole,
    mistakes={
        "the missing joints are zero: put each of them halfway between its two neighbours.": (
            lambda *given: _whole(*given, weights=(0, 0))
        ),
        "the 15 joints were put down in their own order: joint i of the small body belongs at joints[i].": (
            lambda poses, joints, between: _whole(poses, sorted(joints), between)
        ),
        "the numbers in `between` are those of the 17 joints: take the neighbours after the 15 are in their "
        "places.": lambda *given: _whole(*given, numbers_of_the_whole=False),
        "the missing joints are sums: half of it is the middle.": lambda *given: _whole(*given, weights=(1, 1)),
        "the missing joint lies on one of its neighbours: take the mean of both.": (
            lambda *given: _whole(*given, weights=(1, 0))
        ),
    },
    cases=[
        (_poses(4, 15, 3), list(H36M_OF_HUMANEVA), {7: (0, 8), 9: (8, 10)}),
        (_poses(2, 3, 15, 2), list(H36M_OF_HUMANEVA), {7: (0, 8), 9: (10, 14)}),
    ],
    name="the whole pose",
    remark="A guess that is a fixed sum of joints adds no knowledge; it only makes the shapes fit.",
)


LARGE = [(s, a, c) for s in ("S1", "S5") for a in ("Walking", "Greeting 1") for c in ("left", "right")]
LARGE += [("S6", "Walking", "left"), ("S6", "Walking", "right")]
TEST = [
    ("S1", "Walking", "left"),  # the same sequence
    ("S1", "Walking", "top"),  # the same take from another camera
    ("S1", "Greeting", "left"),  # another take of a known person
    ("S5", "Greeting 1", "top"),
    ("S9", "Walking", "left"),  # a new person
    ("S6", "Sitting", "left"),
    ("S5", "Walking", "top"),
    ("S9", "Greeting 1", "right"),
    ("S6", "Greeting 1", "left"),  # a known person and a known action, and never together
    ("S9", "Walking", "top"),
]


def _known(*parts):
    """How many test sequences have each of these parts in common with some sequence of the large data."""

    def answer(large, test):
        return sum(all(row[part] in {seen[part] for seen in large} for part in parts) for row in test)

    return answer


PERSON, ACTION, TAKE, SEQUENCE = slice(0, 1), slice(1, 2), slice(0, 2), slice(0, 3)

# How many test sequences show a take that was seen in pre-training, from whatever camera.
exercise_4 = Exercise(
    right=_known(TAKE),
    mistakes={
        "only sequences of the same camera were found: another camera shows the same motion of the same person.": (
            _known(SEQUENCE)
        ),
        "this counts every sequence of a person that was seen: here, another take of a known person is allowed.": (
            _known(PERSON)
        ),
        "this counts every action that was seen, whoever did it: compare person and action together.": _known(ACTION),
        "person and action were looked up one by one: the pair must occur.": _known(PERSON, ACTION),
        "this counts takes: where two test sequences show one take, both count.": (
            lambda large, test: len({row[TAKE] for row in large} & {row[TAKE] for row in test})
        ),
        "these are the sequences that are clean: count the others.": (
            lambda large, test: len(test) - _known(TAKE)(large, test)
        ),
    },
    cases=[(LARGE, TEST)],
    name="the number of sequences",
    remark="The same motion from another camera is the commonest leak in this field: the 3D answer is the same.",
)


def exercise_5(two_rates):
    """Parameter groups: what moved learns slowly, what is new learns fast, and each weight is in one of them."""
    for rate, factor in ((0.01, 0.1), (0.004, 0.5)):
        model = _network(3, 15)
        model.temporal.position_embedding.requires_grad_(False)
        groups = two_rates(model, rate, factor)
        if groups is None:
            raise NotAnswered
        if not isinstance(groups, list) or not all(isinstance(g, dict) and {"params", "lr"} <= {*g} for g in groups):
            raise Wrong('return a list of dictionaries with "params" and "lr", as torch\'s optimisers take it.')
        given = [(id(p), float(group["lr"])) for group in groups for p in group["params"]]
        spatial = {id(p) for p in model.spatial.parameters()}
        frozen = id(model.temporal.position_embedding)
        everything = {id(p) for p in model.parameters()} - {frozen}
        rates = dict(given)
        if len(given) != len(rates):
            raise Wrong("some weights are in more than one group: torch would refuse them.")
        if frozen in rates:
            raise Wrong("a weight that does not learn (requires_grad is False) is in a group: leave it out.")
        if spatial - rates.keys():
            raise Wrong("weights of the spatial stage are missing: they should learn slowly, not stop.")
        if everything - rates.keys():
            raise Wrong("some weights outside the spatial stage are in no group: they would never learn.")
        slow, fast = ({rates[p] for p in part} for part in (spatial, everything - spatial))
        if slow == {rate} and fast == {rate * factor}:
            raise Wrong("the rates are swapped: what moved is the part that should change little.")
        if slow == fast == {rate}:
            raise Wrong("both groups have the same rate: multiply that of the spatial stage by the factor.")
        divided = {"the rate of the spatial stage was divided by the factor.": [rate / factor]}
        compare([*slow], [rate * factor], divided, name="the rate of the spatial stage")
        compare([*fast], [rate], name="the rate of all other weights")
        torch.optim.AdamW(groups)
    return "With a factor of 0 the spatial stage would be frozen, and with 1 it is fine-tuned as all the rest."


CURVES = ([500, 2000, 8000], [140.0, 120.0, 90.0]), ([100, 1000, 10_000, 100_000], [90.0, 70.0, 65.0, 50.0])


def _along(frames, errors):
    """Errors that the curve reaches, the last of them a measured one."""
    return *np.linspace(errors[0] - 0.5, errors[-1] + 0.5, 5), errors[1]


def _read_off(error, frames, errors):
    return np.exp(np.interp(error, errors[::-1], np.log(frames)[::-1]))


# At how many frames a falling curve reaches an error, on a logarithmic axis.
exercise_6_frames = Exercise(
    right=_read_off,
    mistakes={
        "this is read off straight lines over the frames: the axis is logarithmic, so interpolate the logarithms and "
        "take the exponential at the end.": (
            lambda error, frames, errors: np.interp(error, errors[::-1], frames[::-1])
        ),
        "this is the logarithm of the frames: take the exponential.": lambda *given: np.log(_read_off(*given)),
        "this is one of the measured points: interpolate between the two on either side.": (
            lambda error, frames, errors: frames[int(np.searchsorted(-np.array(errors), -error))]
        ),
        "this is one of the measured points: np.interp wants its second argument to rise, and the errors fall, "
        "so turn both lists round.": lambda error, frames, errors: np.exp(np.interp(error, errors, np.log(frames))),
    },
    cases=[(float(error), *curve) for curve in CURVES for error in _along(*curve)],
    fields=lambda error, frames, errors: {"error": error},
    name="the frames for {error:.1f} mm",
)


def exercise_6(frames_for):
    """The frames for errors on the curves, and for errors that no frames or the fewest reach."""
    exercise_6_frames(frames_for)
    for frames, errors in CURVES:
        below = frames_for(errors[-1] - 1, list(frames), list(errors))
        if not (isinstance(below, float | np.floating) and np.isposinf(below)):
            raise Wrong(f"an error that was never reached, {errors[-1] - 1} mm, gives {below}: return float('inf').")
        compare(
            frames_for(errors[0] + 1, list(frames), list(errors)),
            frames[0],
            name="the frames for an error above the curve, for which the fewest that were tried are enough,",
        )
    return "Divide it by the frames that the fine-tuned network had, and you know what a frame was worth."


def exercise_7(moved):
    """Copy a spatial stage between bodies, or refuse and leave everything as it was."""
    order = [3, 0, 16, 5]
    for joints, body in ((list(H36M_OF_HUMANEVA), 15), (order, 4)):
        source, target, before = _network(5, 17), _network(6, body), _network(6, body)
        names = moved(source, target, list(joints))
        if names is None:
            raise NotAnswered
        _judge_move(source, target, before, joints)
        if sorted(names) != sorted(name for name in target.state_dict() if name.startswith("spatial.")):
            raise Wrong("the weights are right: return the names of those that moved, as state_dict() spells them.")
        with torch.no_grad():
            source.spatial.patch_embedding.weight.zero_()
        if not target.spatial.patch_embedding.weight.any():
            raise Wrong("the two networks now share their weights: when one learns, the other changes. Copy them.")
    for what, sizes in {"width": {"width": 12}, "hidden width": {"ratio": 3.0}}.items():
        _judge_refusal(moved, what, _network(5, 17, **sizes))
    return "This is `move_spatial` of the package, but for the number of heads, which no shape shows."


def _judge_refusal(moved, what: str, source: PoseFormer) -> None:
    """A source that does not fit is refused by ValueError, and the target stays as it was."""
    target, before = _network(6, 15), _network(6, 15)
    try:
        moved(source, target, list(H36M_OF_HUMANEVA))
    except ValueError:
        pass
    except (RuntimeError, KeyError) as error:
        kind = type(error).__name__
        raise Wrong(f"a source of another {what} ends in a {kind}: look first, raise ValueError.") from None
    else:
        raise Wrong(f"a source of another {what} was not refused: raise ValueError.")
    if not _equal(target, before):
        raise Wrong("the target was changed before the source was refused: look at all shapes before you copy.")


def _equal(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def _judge_move(source: PoseFormer, target: PoseFormer, before: PoseFormer, joints: list[int]) -> None:
    if not _equal(source, _network(5, 17)):
        raise Wrong("the source has changed: copy from it into the target.")
    positions, given = target.spatial.position_embedding, source.spatial.position_embedding
    if torch.equal(positions, given[:, : len(joints)]):
        raise Wrong("the first position embeddings were taken in their order: joint i takes joints[i] of the source.")
    if not torch.equal(positions, given[:, joints]):
        said = "stayed as they were" if torch.equal(positions, before.spatial.position_embedding) else "are wrong"
        raise Wrong(f"the position embeddings {said}: joint i of the target takes that of joint joints[i].")
    if not _equal(target.spatial.encoder, source.spatial.encoder):
        raise Wrong("the spatial encoder did not move as a whole.")
    if not _equal(target.spatial.patch_embedding, source.spatial.patch_embedding):
        raise Wrong("the patch embedding did not move: it treats all joints alike, and fits.")
    if not (_equal(target.temporal, before.temporal) and _equal(target.head, before.head)):
        raise Wrong("something outside the spatial stage has changed: only that stage moves.")
