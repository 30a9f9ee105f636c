"""Everything that decides how stage 0 comes out, besides the data; every constant with its reason.

"Trial" in the reasons below is one afternoon of trials on one core at 256 px, measured and looked at (docs/world.md).
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace

from ....engine.model.generator import GeneratorConfig

WIDE = GeneratorConfig(size=256, z_dim=128, w_dim=512, channel_base=4096, channel_max=128, const_width=7)
"""448x256: cover to 16:9 crops four rows; costs 1.75 times a square."""


@dataclass(frozen=True)
class Phase:
    """One part of the growth.

    side: block trained up to, in px of height (for a constant of height 4). images: length. seconds: time after
    which it ends in any case, 0 for none. batch: pictures a step; large only where a step is mostly overhead, since
    on a CPU steps are what is scarce. rate, rate_end: Adam's rate at both ends of a half cosine; ours are large
    because weights are stored at unit size (equalised learning rate). features: height the backbone sees whole
    pictures at, 0 for no feature loss (at 16 px there is nothing to recognise). windows: the blocks above 64 px are
    trained too, on windows.
    """

    side: int
    images: int
    batch: int
    rate: float
    rate_end: float
    features: int = 0
    windows: bool = False
    seconds: float = 0.0

    def share(self, images: int, seconds: float) -> float:
        """Share of the phase that is over, by pictures or by time, in 0..1."""
        by_time = seconds / self.seconds if self.seconds else 0.0
        return min(1.0, max(images / self.images, by_time))

    def rate_at(self, share: float) -> float:
        """Adam's rate after a share of the phase."""
        return self.rate_end + (self.rate - self.rate_end) * 0.5 * (1 + math.cos(math.pi * share))


PHASES = (
    Phase(16, 64_000, 32, 1e-2, 3e-3),
    Phase(32, 40_000, 8, 9e-3, 2.7e-3, features=64),
    Phase(64, 20_000, 8, 9e-3, 2.8e-3, features=96),
    Phase(256, 128_000, 8, 2.8e-3, 2e-4, features=96, windows=True),
)
"""Layouts are learned cheaply at 16 and 32 px, and only there. With 10,000, 16,000 and 8,000 pictures up to 64 px the
error at 32 px was still falling (0.122) when 64 px began, and 37,000 pictures with windows did not bring it down any
more (0.133 at 64 px): photos could not be recognised. 64 px without judges, since judges from its first step on made
it worse. About sixteen hours of one core in all; `--from` goes on.
"""
LEAST_WINDOWS = 1 / 5
"""Share of the pictures with windows that a shorter training is divided by: by all, little were left for layouts."""


@dataclass(frozen=True)
class WindowPlan:
    """Windows of the 64 px features on which the blocks above are trained.

    from_side: height of the features. cells: side of a window in them; 26 give 104 px of a 256 px picture. context:
    cells around it that the upper blocks see and that are cut off, so that a window equals the same part of the
    whole picture (3 is what two blocks reach). reach: positions beyond a border count as the border, which would
    else be taught rarely. seen: px of the square that judges and backbone see, at a random place in the window, the
    same for real and fake (windows at multiples of 4 px gave a vertical comb). features_every: steps between
    backbone passes on windows. small_features: weight of the feature loss where the square is seen at half its size,
    which it is every other time.
    """

    from_side: int = 64
    cells: int = 26
    context: int = 3
    reach: int = 3
    seen: int = 96
    features_every: int = 2
    small_features: float = 0.5


@dataclass(frozen=True)
class JudgeWeights:
    """Weights in the generator's loss of the heads on frozen features and of the judges of raw colour, for whole 64 px
    pictures and for windows.
    """

    whole_heads: float
    whole_colour: float
    window_heads: float
    window_colour: float

    def towards(self, other: JudgeWeights, part: float) -> JudgeWeights:
        """What is `part`, 0..1, of the way to others."""
        return JudgeWeights(*((1 - part) * a + part * b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class GeneratorPlan:
    """Phases, rates and weights of stage 0.

    Pixels: coarse, pixel: weights of L1 at a quarter of the side and at full size; late_pixel: of the latter
    once the judges weigh more, since it blurs what they ask for; border: factor of the outer 2 px
    of a whole picture (a bright frame came without it); window_border: of the outer 3 px of windows at a picture's
    border. window_coarse: of L1 at an eighth of a window (more than it has to say about sharpness); window_pixel:
    of L1 at full size, small because it blurs. whole_bands, window_bands, window_texture: of the texture losses, of
    bands of whole 64 px pictures and of windows, and of backbone maps of windows. Without them 25,000 windows left a
    sixteenth of the photos' power above 32 cycles a picture; with them and the R1 below, 4,000 more brought a fifth to
    a quarter. tie: of L1 between a window at a quarter of the side and the 64 px picture (at an eighth only, halos
    grew within 7,000 windows).
    Judges: judges: their weights at first (0.05, 0.05, 0.015 and 0.1 gave blotches; without raw colour, fringes);
    judges_over: pictures over which they come in. late: their weights later, late_over: shares of the phase over
    which they grow to that. r1: gradient penalty of the colour judges, every r1_every steps on r1_batch pictures (of
    scores summed over all places: 0.05 left them near chance for 20,000 images, and no detail came); an odd
    number of steps, so that windows of both sizes get it.
    Codes: code_noise: added to photo codes, in units of a code's standard deviation. mix_every: every so many steps
    show mixtures as seeds make them; mix_noise as in the engine's seed bank; psi: range of truncation they are
    shown at.
    Optimiser: lower_factor: rate of the mapping and the blocks up to 64 px while windows are trained;
    mapping_factor: of the mapping (its weights are stored 100 times larger); betas; ema: of the averaged
    generator, a step; warmup: steps to full rates. rate_judges: of all judges.
    Upkeep: checkpoint_s, grid_s, measure_s: seconds between checkpoints, grids and measures;
    measure_seeds: seeds painted for a measure, enough to see a trend.
    """

    phases: tuple[Phase, ...] = PHASES
    window: WindowPlan = WindowPlan()
    coarse: float = 2.0
    pixel: float = 0.5
    late_pixel: float = 0.1
    border: float = 2.0
    window_border: float = 6.0
    window_coarse: float = 0.5
    window_pixel: float = 0.2
    whole_bands: float = 0.1
    window_bands: float = 0.2
    window_texture: float = 0.2
    tie: float = 3.0
    judges: JudgeWeights = JudgeWeights(0.012, 0.02, 0.012, 0.04)
    judges_over: tuple[int, int] = (0, 4_000)
    late: JudgeWeights = JudgeWeights(0.5, 0.4, 0.4, 0.3)
    late_over: tuple[float, float] = (0.375, 0.475)
    r1: float = 0.002
    r1_every: int = 15
    r1_batch: int = 4
    code_noise: float = 0.1
    mix_every: int = 3
    mix_noise: float = 0.1
    psi: tuple[float, float] = (0.6, 1.0)
    lower_factor: float = 0.75
    mapping_factor: float = 30.0
    betas: tuple[float, float] = (0.5, 0.99)
    ema: float = 0.998
    warmup: int = 20
    rate_judges: float = 1e-3
    checkpoint_s: float = 300.0
    grid_s: float = 1_200.0
    measure_s: float = 3_600.0
    measure_seeds: int = 100


def grown_to(phases: tuple[Phase, ...], side: int) -> tuple[Phase, ...]:
    """The phases of a generator that is `side` px high: those below as they are, windows up to `side`."""
    return tuple(replace(p, side=min(p.side, side)) for p in phases if p.side <= side or (p.windows and side > 64))


ENDLESS = 10**12


def timed_plan(seconds: float, side: int, batch: int = 64) -> GeneratorPlan:
    """The plan for one large GPU, by time instead of pictures: 8 minutes there are some hundred thousand pictures.

    A tenth at 32 px, a fifth at 64 px, the rest with windows. Larger batches take a higher rate at the end, visits
    come fast enough for mixtures every second step, and the average's half-life stays about 10,000 pictures.
    """
    phases = (
        Phase(32, ENDLESS, 2 * batch, 1e-2, 3e-3, features=64, seconds=0.1 * seconds),
        Phase(64, ENDLESS, batch, 9e-3, 4e-3, features=96, seconds=0.2 * seconds),
        Phase(side, ENDLESS, batch, 4e-3, 4e-4, features=96, windows=True, seconds=0.7 * seconds),
    )
    return replace(
        GeneratorPlan(), phases=phases, mix_every=2, ema=0.5 ** (batch / 10_000), judges_over=(0, 20 * batch),
        checkpoint_s=max(5.0, seconds / 8), grid_s=max(5.0, seconds / 4), measure_s=max(5.0, seconds / 2),
    )  # fmt: skip
