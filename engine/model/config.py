"""Sizes of every network of a world, as plain data: what a world file's card says and what the networks are built from.

Shapes: B batch, T mel columns, L = num_ws style codes, W = w_dim, Z = z_dim, D = code_dim, H = hidden. No torch here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from ..units import LEVELS, SAMPLE_RATE
from .mel import BANDS, ENCODER_COLUMNS, FLOOR_DB, HOP, N_FFT, SOUND_COLUMNS
from .stylegan3_config import StyleGAN3Config, check_stylegan3

LEVEL_CUTS = (3, 7)
"""First mid and first fine code of StyleGAN2: coarse is 4 and 8 px, mid 16 and 32 px, fine 64 px and up."""


def level_sizes(num_ws: int, level_cuts: tuple[int, int]) -> list[int]:
    """Number of style codes of coarse, mid and fine."""
    a, b = level_cuts
    return [a, b - a, num_ws - b]


@dataclass(frozen=True)
class GeneratorConfig:
    """G: z [B,Z] -> style codes [B,L,W] -> picture [B,3,height,width].

    size: side of the picture where the constant is 4 x 4, a power of two; otherwise the number by which the last block
    is called. z_dim, w_dim: widths of the latent and of a style code. mapping_layers: depth of the mapping network.
    channel_base, channel_max: block `side` has min(channel_base // side, channel_max) channels. const_height,
    const_width: shape of the constant, which every block doubles: 4 x 7 paints 448x256 at size 256.
    """

    size: int = 256
    z_dim: int = 128
    w_dim: int = 512
    mapping_layers: int = 2
    channel_base: int = 4096
    channel_max: int = 128
    const_height: int = 4
    const_width: int = 4

    @property
    def sides(self) -> list[int]:
        """4, 8, ... size."""
        return [2**i for i in range(2, int(math.log2(self.size)) + 1)]

    @property
    def num_ws(self) -> int:
        """Style codes that the blocks take: 10/12/14/16/18 for size 64/128/256/512/1024."""
        return 2 * len(self.sides)

    def channels(self, side: int) -> int:
        """Feature channels of the block `side`."""
        return min(self.channel_base // side, self.channel_max)

    def shape(self, side: int | None = None) -> tuple[int, int]:
        """Height and width in px of the block `side`, of the picture by default."""
        scale = (side or self.size) // 4
        return self.const_height * scale, self.const_width * scale


@dataclass(frozen=True)
class SoundConfig:
    """F_a: log-mel [B,1,128,344] -> sound embedding [B,D]. features: texture statistics; hidden: width of the
    perceptrons; members: how many of them.
    """

    features: int = 365
    code_dim: int = 128
    hidden: int = 128
    members: int = 4


FRAME_STEP = 21
"""Columns after which F_a is asked again where it listens by frames: 244 ms."""
FRAME_STARTS = (4, 88, 172, 256)
"""Columns of F_a's window at which its frames of one second begin: every fourth step, so that three of the four frames
were heard before.
"""
FRAME_SOUND = 0.125
"""A frame whose loudest cell lies below it (-70 dB) holds no sound."""


@dataclass(frozen=True)
class FramesConfig:
    """What F_a listens with: log-mel frames [B,128,88] -> codes [B,code]; a world without it has texture statistics.
    widths: channels of the four scales.
    """

    widths: tuple[int, ...] = (24, 48, 96, 160)
    code: int = 256


@dataclass(frozen=True)
class EncoderConfig:
    """E_a: log-mel [B,1,128,88] and sound embedding [B,D] -> displacement [B,L,W]. widths: channels of the blocks.
    hidden: width of the heads. level_cuts: first mid, first fine code. groups: of the normalisation.
    """

    num_ws: int = 14
    w_dim: int = 512
    code_dim: int = 128
    widths: tuple[int, ...] = (32, 64, 128, 192)
    hidden: int = 128
    level_cuts: tuple[int, int] = LEVEL_CUTS
    groups: int = 8

    @property
    def level_sizes(self) -> list[int]:
        """Number of style codes of coarse, mid and fine."""
        return level_sizes(self.num_ws, self.level_cuts)


@dataclass(frozen=True)
class MotionConfig:
    """E_RNN: u [B,L,W], h [B,3,H] -> Delta [B,L,W], h. hidden: H of each level's GRU. level_cuts: as above."""

    num_ws: int = 14
    w_dim: int = 512
    hidden: int = 128
    level_cuts: tuple[int, int] = LEVEL_CUTS

    @property
    def level_sizes(self) -> list[int]:
        """Number of style codes of coarse, mid and fine."""
        return level_sizes(self.num_ws, self.level_cuts)


@dataclass(frozen=True)
class ImageConfig:
    """Head of F_v: descriptors [B,features] of pictures -> image embedding [B,D]."""

    features: int = 816
    code_dim: int = 128
    hidden: int = 256


@dataclass(frozen=True)
class TextConfig:
    """F_t: texts -> text embedding [B,D]. vocabulary: known tokens; context: tokens of a text."""

    vocabulary: int
    code_dim: int = 128
    width: int = 64
    layers: int = 3
    heads: int = 4
    context: int = 24


@dataclass(frozen=True)
class MelConfig:
    """The log-mel front end that a world was trained with (mel.py): Hz, samples, bands, dB, columns."""

    rate: int = SAMPLE_RATE
    n_fft: int = N_FFT
    hop: int = HOP
    bands: int = BANDS
    floor_db: float = FLOOR_DB
    encoder_columns: int = ENCODER_COLUMNS
    sound_columns: int = SOUND_COLUMNS


LIMITS: Mapping[str, tuple[float, float]] = {
    "size": (8, 8192), "z_dim": (1, 4096), "w_dim": (1, 4096), "mapping_layers": (1, 32), "channel_base": (1, 2**20),
    "channel_max": (1, 4096), "const_height": (1, 64), "const_width": (1, 64), "features": (1, 65_536),
    "code_dim": (1, 4096), "hidden": (1, 8192), "members": (1, 64), "num_ws": (3, 64), "widths": (1, 4096),
    "level_cuts": (1, 63), "groups": (1, 64), "vocabulary": (1, 2**20), "width": (1, 4096), "layers": (1, 64),
    "heads": (1, 64), "context": (1, 1024), "rate": (1, 2**20), "n_fft": (2, 2**16), "hop": (1, 2**16),
    "bands": (1, 1024), "floor_db": (-200, -1), "encoder_columns": (1, 4096), "sound_columns": (1, 4096),
    "code": (1, 4096), "num_layers": (4, 30), "num_critical": (1, 29), "first_cutoff": (0.5, 64),
    "first_stopband": (0.5, 128), "last_stopband": (1, 4), "margin": (0, 64), "kernel": (1, 3), "filter_size": (1, 32),
    "oversampling": (2, 4), "clamp": (0, 1e6), "output_scale": (1e-6, 1e6),
}  # fmt: skip
"""Smallest and largest value of each field: a card is written by anyone and read before anything is allocated."""
FRAME_SCALES = 4
"""Of a frame encoder."""
MOST_BLOCKS = 8
"""Of E_a."""
LARGEST_SIDE = 8192
"""Of a picture, px."""

FRACTIONS = frozenset({"floor_db", "first_cutoff", "first_stopband", "last_stopband", "clamp", "output_scale"})
"""Fields that need not be whole numbers."""
FLAGS = frozenset({"radial"})
"""Fields that are true or false."""

AnyGenerator = GeneratorConfig | StyleGAN3Config
STYLEGAN3 = "stylegan3"
"""`kind` of a generator on a card; one without it is StyleGAN2."""

Config = TypeVar(
    "Config",
    GeneratorConfig, StyleGAN3Config, SoundConfig, FramesConfig, EncoderConfig, MotionConfig, ImageConfig, TextConfig,
    MelConfig,
)  # fmt: skip


def parse(kind: type[Config], values: Any) -> Config:
    """A configuration from JSON values; every field must be given, of its type and within LIMITS.

    Raises:
        ValueError: says which field is missing, unknown, of another type or out of range.

    """
    names = [f.name for f in fields(kind)]
    if not isinstance(values, dict) or sorted(values) != sorted(names):
        raise ValueError(f"its fields must be {', '.join(names)}")
    rows = ("widths", "level_cuts")
    for name, value in values.items():
        if name in FLAGS:
            if not isinstance(value, bool):
                raise ValueError(f"{name} is {str(value)[:40]}, not true or false")
            continue
        numbers: list[Any] = [value] if name not in rows else value if isinstance(value, list) else []
        low, high = LIMITS[name]
        types = (int, float) if name in FRACTIONS else (int,)
        if not numbers or any(type(number) not in types or not low <= number <= high for number in numbers):
            raise ValueError(f"{name} is {str(value)[:40]}, not from {low} to {high}")
    given: dict[str, Any] = {name: tuple(value) if name in rows else value for name, value in values.items()}
    return kind(**given)


def parse_generator(values: Any) -> AnyGenerator:
    """A generator of either kind from its table on a card; see `parse`."""
    if not isinstance(values, dict) or "kind" not in values:
        return parse(GeneratorConfig, values)
    if values["kind"] != STYLEGAN3:
        raise ValueError(f"its generator is of the kind {str(values['kind'])[:40]}")
    return parse(StyleGAN3Config, {name: value for name, value in values.items() if name != "kind"})


def check_generator(config: AnyGenerator) -> None:
    """ValueError where a generator of these sizes cannot be built or its picture is too large."""
    if isinstance(config, StyleGAN3Config):
        check_stylegan3(config)
        return
    if config.size != 2 ** (config.size.bit_length() - 1):
        raise ValueError(f"size {config.size} is not a power of two")
    if config.channels(config.size) < 1:
        raise ValueError(f"channel_base {config.channel_base} leaves no channels at size {config.size}")
    if max(config.shape()) > LARGEST_SIDE:
        raise ValueError(f"its pictures are larger than {LARGEST_SIDE} px")


def check_frames(config: FramesConfig, sound: SoundConfig) -> None:
    """ValueError where a frame encoder of these sizes cannot be built or does not fit the rest of F_a."""
    if len(config.widths) != FRAME_SCALES:
        raise ValueError(f"its frame encoder has {len(config.widths)} widths, not {FRAME_SCALES}")
    if sound.features != config.code:
        raise ValueError(f"its frame codes have {config.code} numbers, F_a takes {sound.features}")


def check_encoder(config: EncoderConfig) -> None:
    """ValueError where an E_a of these sizes cannot be built."""
    if len(config.widths) > MOST_BLOCKS:
        raise ValueError(f"it has {len(config.widths)} blocks, {MOST_BLOCKS} at most")
    if any(width % config.groups for width in config.widths):
        raise ValueError(f"its widths {config.widths} are not multiples of {config.groups} groups")


def check_levels(num_ws: int, level_cuts: tuple[int, ...]) -> None:
    """ValueError unless every level has a style code."""
    if len(level_cuts) != len(LEVELS) - 1 or not 0 < level_cuts[0] < level_cuts[1] < num_ws:
        raise ValueError(f"level_cuts {level_cuts} do not fit {num_ws} style codes")
