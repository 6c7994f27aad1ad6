"""How to train: the settings of the paper, of its released code, and of the course."""

from dataclasses import asdict, dataclass, field, fields, replace


@dataclass(frozen=True)
class Settings:
    """Everything a training run depends on besides model, data and machine.

    schedule: "exponential" multiplies the learning rate by `decay` after each epoch, "cosine" lets it fall to zero over
    the run, "constant" leaves it; each after `warmup_steps` of linear growth. validation is the share of training takes
    that are held out; select: "last" or "best" (on those takes; the test subjects are never looked at).
    supervise: "centre" is the paper's loss (Eq. 9); "every" (ours) averages it with the error of every frame of the
    window, regressed from the frame's own token: F poses to learn from at the price of one.
    chunk: so many neighbouring windows share the spatial stage of their frames; batch_size counts windows all the same.
    start: "given" takes the network as it is; "prepared" first makes a new PoseFormer's patch embedding four times as
    large (lesson 10) and its weighted mean over frames the plain mean, which is what "every" wants: a frame's own token
    and the weighted sum pass through one layer, and weights that begin negative ask it for the opposite.
    compile: torch writes kernels for the stages first, which takes seconds to minutes and wants a compiler or a GPU.
    windows_per_epoch None means every window. mixed_precision "auto" takes bf16 on a GPU that has it, fp16 on another,
    and float32 on a CPU.
    """

    epochs: int = 130
    batch_size: int = 1024
    optimizer: str = "adam"
    learning_rate: float = 2e-4
    weight_decay: float = 0.1
    schedule: str = "exponential"
    decay: float = 0.98
    warmup_steps: int = 0
    flip: bool = True
    windows_per_epoch: int | None = None
    validation: float = 0.1
    select: str = "last"
    supervise: str = "centre"
    chunk: int = 1
    start: str = "given"
    mixed_precision: str = "auto"
    compile: bool = False
    seed: int = 0

    def __post_init__(self):
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}: choose one of {', '.join(choices)}")
        for name in ("epochs", "batch_size", "chunk", "learning_rate", "decay"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be positive")
        if self.windows_per_epoch is not None and self.windows_per_epoch < 1:
            raise ValueError(f"windows_per_epoch is {self.windows_per_epoch}: give 1 or more, or None for every window")
        for name in ("weight_decay", "warmup_steps"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must not be negative")
        if self.batch_size % self.chunk:
            raise ValueError(f"batch_size is {self.batch_size} windows: chunks of {self.chunk} do not divide it")
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation is {self.validation}: it is a share of the training takes, 0 to under 1")


_CHOICES = {
    "optimizer": ("adam", "adamw"),
    "schedule": ("exponential", "cosine", "constant"),
    "select": ("last", "best"),
    "supervise": ("centre", "every"),
    "start": ("given", "prepared"),
    "mixed_precision": ("auto", "no", "bf16", "fp16"),
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
    """The preset of that name; the error lists the names there are."""
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def compare_presets(*names: str) -> list[tuple]:
    """Every setting in which the presets differ: (setting, value in the first, value in the second, …)."""
    presets = [get_preset(name) for name in names or PRESETS]
    flat = [{**{f"model.{k}": v for k, v in p.model.items()}, **asdict(p.settings)} for p in presets]
    keys = list(flat[0]) + [f.name for f in fields(Settings) if f.name not in flat[0]]
    rows = [(key, *(values.get(key) for values in flat)) for key in keys]
    return [row for row in rows if len(set(map(str, row[1:]))) > 1]
