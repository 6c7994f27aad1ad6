"""How large a reproduction is: from a minute that tests the machinery to the paper's own sizes."""

from dataclasses import dataclass, replace

from poseformer_lite.training.settings import Settings, get_preset

# Chosen on held-out training takes of the synthetic set by benchmarks/tune_learning_rates.py: the same six rates, the
# same budget and one seed for each network (results/learning_rates.json). For the four at 0.016, the highest rate that
# was tried was the best.
LEARNING_RATES = {
    "ResidualMLP": 0.016,
    "GraphConvolutionNetwork": 0.016,
    "RecurrentNetwork": 0.004,
    "TemporalConvolution": 0.016,
    "TemporalTransformerBaseline": 0.002,
    "JointTokenTransformer": 0.016,
    "PoseFormer": 0.004,
}


@dataclass(frozen=True)
class Scale:
    """The sizes and the budget that every network of a table shares.

    base: arguments of the PoseFormer beside which the others are made; num_frames is the f of Tables 3, 4 and 5.
    longest: the f of Tables 1 and 2; lengths: those of Table 6; small_length: that of Table 7. widths and depths: the
    grid of Table 5. train_views: at most so many views of training takes. test_frames: at most so many frames are
    tested on, in stretches from the middle of views spread evenly over the test takes. None is all of them. tuned:
    whether each network takes its own learning rate, or the preset's.
    """

    name: str
    what_for: str
    base: dict
    settings: Settings
    longest: int
    lengths: tuple[int, ...]
    small_length: int
    widths: tuple[int, int, int]
    depths: tuple[int, int, int]
    seeds: tuple[int, ...] = (0, 1, 2)
    train_views: int | None = None
    test_frames: int | None = None
    tuned: bool = True

    def settings_of(self, network: str, seed: int) -> Settings:
        rate = LEARNING_RATES.get(network, self.settings.learning_rate) if self.tuned else self.settings.learning_rate
        return replace(self.settings, learning_rate=rate, seed=seed)


_LITE = get_preset("lite").settings

SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            name="quick",
            what_for="a minute or two a table on a CPU: tests the machinery, and its numbers prove nothing",
            base={
                **get_preset("lite").model,
                "spatial_dim": 8,
                "spatial_depth": 1,
                "temporal_depth": 1,
                "num_heads": 2,
            },
            settings=replace(_LITE, epochs=1, batch_size=16, windows_per_epoch=4096, warmup_steps=10),
            longest=9,
            lengths=(9, 27),
            small_length=9,
            widths=(4, 8, 12),
            depths=(1, 2, 3),
            train_views=64,
            test_frames=3_000,
        ),
        Scale(
            name="lite",
            what_for="some hours on two CPU cores for everything: a small PoseFormer, trained briefly",
            base=get_preset("lite").model,
            settings=replace(_LITE, epochs=3, batch_size=32, windows_per_epoch=6144),
            longest=9,
            lengths=(9, 27),
            small_length=9,
            widths=(8, 16, 24),
            depths=(1, 2, 3),
            test_frames=8_000,
        ),
        Scale(
            name="full",
            what_for="the paper's sizes, settings and whole test set: days on a GPU",
            base={**get_preset("paper").model, "num_frames": 9},
            settings=get_preset("paper").settings,
            longest=81,
            lengths=(9, 27, 81),
            small_length=43,
            widths=(16, 32, 48),
            depths=(2, 4, 6),
            tuned=False,
        ),
    )
}


def get_scale(name: str) -> Scale:
    """The scale of that name; the error lists the names there are."""
    if name not in SCALES:
        raise ValueError(f"there is no scale {name!r}: choose one of {', '.join(SCALES)}")
    return SCALES[name]
