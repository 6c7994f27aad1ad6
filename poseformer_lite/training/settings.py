"""How to train: the settings of the paper, of its released code, and of the course."""

from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Literal, get_args, get_origin

from poseformer_lite.checked import number


@dataclass(frozen=True)
class Settings:
    """Everything a training run depends on besides model, data and machine.

    :raises ValueError: for values that make no sense; it lists those that do.
    """

    epochs: int = 130
    batch_size: int = 1024
    optimizer: Literal["adam", "adamw"] = "adam"
    """"adam" (its weight decay is an L2 penalty) or "adamw"."""
    learning_rate: float = 2e-4
    weight_decay: float = 0.1
    schedule: Literal["exponential", "cosine", "constant"] = "exponential"
    """"exponential" multiplies the learning rate by `decay` after each epoch, "cosine" lets it fall to zero over the
    run, "constant" leaves it.
    """
    decay: float = 0.98
    warmup_steps: int = 0
    """Steps of linear growth before the schedule."""
    flip: bool = True
    """Learn from the mirror image of every take as well (section 4.2)."""
    windows_per_epoch: int | None = None
    """None means every window."""
    validation: float = 0.1
    """The share of training takes that are held out."""
    select: Literal["last", "best"] = "last"
    """The epoch whose weights are kept: "last", or "best" on the held-out takes; the test subjects are never looked
    at.
    """
    supervise: Literal["center", "every"] = "center"
    """"center" is the paper's loss (Eq. 9); "every" (ours) averages it with the error of every frame of the window,
    regressed from the frame's own token: F poses to learn from at the price of one.
    """
    bone_weight: float = 0.0
    """How heavily the error of the bones, as vectors from parent to child, weighs beside Eq. 9 (ours); the history's
    `train_mm` is the sum.
    """
    start: Literal["given", "prepared"] = "given"
    """"given" takes the network as it is; "prepared" first makes a new PoseFormer's patch embedding four times as large
    (lesson 10) and its weighted mean over frames the plain mean, which is what "every" wants: a frame's own token and
    the weighted sum pass through one layer, and weights that begin negative ask it for the opposite.
    """
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    """"auto" takes bf16 on a GPU that has it, fp16 on one without, and float32 on a CPU; or "no", "bf16", "fp16". On a
    CPU "bf16" is for the temporal stage's products alone (`model.precision`): it pays on those with matrix units.
    """
    seed: int = 0

    def __post_init__(self):
        for setting in fields(self):
            value, choices = getattr(self, setting.name), get_args(setting.type)
            if get_origin(setting.type) is Literal and value not in choices:
                raise ValueError(f"{setting.name} is {value!r}: choose one of {', '.join(choices)}")
        for name in ("epochs", "batch_size"):
            number(getattr(self, name), name, 1, whole=True)
        for name in ("warmup_steps", "seed"):
            number(getattr(self, name), name, 0, 2**63 - 1, whole=True)
        for name in ("learning_rate", "decay"):
            number(getattr(self, name), name, over=0)
        for name in ("weight_decay", "bone_weight"):
            number(getattr(self, name), name, 0)
        number(self.validation, "validation", 0, under=1)
        if self.windows_per_epoch is not None:
            number(self.windows_per_epoch, "windows_per_epoch", 1, whole=True)


_ALSO_KNOWN_AS = {  # of names that are not close enough to be found by their letters
    "lr": "learning_rate",
    "bs": "batch_size",
    "wd": "weight_decay",
    "fp16": "mixed_precision",
    "bf16": "mixed_precision",
}


@dataclass(frozen=True)
class Preset:
    """A network's sizes and how it is trained, with a word on where the numbers come from."""

    source: str
    model: dict = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)


_PAPER_MODEL = {
    "num_frames": 81,
    "spatial_dim": 32,
    "spatial_depth": 4,
    "temporal_depth": 4,
    "num_heads": 8,
    "drop_path": 0.1,
}

_LITE = Preset(
    source="chosen by experiment for two CPU cores and three minutes: see benchmarks/results/lite_synthetic.json",
    model={
        "num_frames": 9,
        "spatial_dim": 16,
        "spatial_depth": 2,
        "temporal_depth": 2,
        "num_heads": 4,
        "drop_path": 0.0,
    },
    settings=Settings(
        epochs=12,
        batch_size=128,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=0.01,
        schedule="cosine",
        warmup_steps=50,
        windows_per_epoch=128 * 128,
    ),
)

PRESETS = {
    "paper": Preset(
        source="section 4.2 of the paper; Adam's weight decay is an L2 penalty",
        model=_PAPER_MODEL,
        settings=Settings(validation=0.0),
    ),
    "official": Preset(
        source="the released code: its defaults, with the learning rate its README gives for CPN keypoints",
        model=_PAPER_MODEL,
        settings=Settings(
            epochs=200, batch_size=512, optimizer="adamw", learning_rate=4e-5, decay=0.99, validation=0.0
        ),
    ),
    "lite": _LITE,
    "speedrun": Preset(
        source="as lite, in smaller batches and from a prepared start: see benchmarks/results/time_to_accuracy*.json",
        model=_LITE.model,
        settings=replace(_LITE.settings, epochs=4, batch_size=32, start="prepared", windows_per_epoch=32 * 256),
    ),
}


def get_preset(name: str) -> Preset:
    """The preset of that name.

    :param name: "paper", "official", "lite" or "speedrun".
    :returns: The network's sizes, the settings, and where the numbers come from.
    :raises ValueError: for an unknown name; it lists the names there are.
    """
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def resolve(settings: Settings | str, changes: dict) -> Settings:
    """The settings, or those of the preset of that name, with changes. Raises ValueError that names what exists."""
    settings = get_preset(settings).settings if isinstance(settings, str) else settings
    names = [field.name for field in fields(Settings)]
    for name in changes.keys() - set(names):
        meant = _ALSO_KNOWN_AS.get(name) or next(iter(get_close_matches(name, names, n=1)), None)
        hint = f"did you mean {meant}?" if meant else f"there are {', '.join(names)}"
        raise ValueError(f"there is no setting {name!r}: {hint}")
    return replace(settings, **changes)


def compare_presets(*names: str) -> list[tuple]:
    """Every setting in which presets differ.

    :param names: two or more; by default all.
    :returns: Rows (setting, value in the first, value in the second, …).
    :raises ValueError: for an unknown name.
    """
    presets = [get_preset(name) for name in names or PRESETS]
    flat = [{**{f"model.{k}": v for k, v in p.model.items()}, **asdict(p.settings)} for p in presets]
    rows = [(key, *(values.get(key) for values in flat)) for key in flat[0]]
    return [row for row in rows if len(set(map(str, row[1:]))) > 1]
