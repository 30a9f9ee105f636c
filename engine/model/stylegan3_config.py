"""Sizes of a StyleGAN3 generator (Karras et al. 2021, arXiv 2106.12423), and of each of its layers, as plain data.

Every layer has a sampling rate s, a cutoff f_c and a transition band of half-width f_h, in cycles a picture's side;
they rise from layer to layer in a geometric progression (sec. 3.2 and appendix D). No torch here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

LEVEL_CUTS = (3, 6)
"""First mid and first fine code, as the paper groups them: coarse is the input and the first two layers."""
SMALLEST, LARGEST = 32, 1024
PLACEMENT = 3
"""Numbers of a placement: shift to the right and down in parts of the picture, turn in degrees clockwise."""


@dataclass(frozen=True)
class Layer:
    """One layer of synthesis; `rgb` is the last one, which has neither filters nor a nonlinearity.

    n_in, n_out: channels. in_size, out_size: sides, px, with the margin. in_rate, out_rate, rate: sampling rates
    before, after and at the nonlinearity. in_cutoff, in_half_width: of the upsampling filter; out_...: of the other.
    critical: f_c is half the sampling rate, so its filter is never the radially symmetric one. kernel: side of the
    convolution. up_taps, down_taps: of the filters, 1 for none.
    """

    n_in: int
    n_out: int
    in_size: int
    out_size: int
    in_rate: int
    out_rate: int
    in_cutoff: float
    out_cutoff: float
    in_half_width: float
    out_half_width: float
    rate: int
    kernel: int
    up_taps: int
    down_taps: int
    critical: bool
    rgb: bool

    @property
    def up(self) -> int:
        """Factor of the upsampling before the nonlinearity."""
        return self.rate // self.in_rate

    @property
    def down(self) -> int:
        """Factor of the downsampling after it."""
        return self.rate // self.out_rate

    @property
    def crop(self) -> tuple[int, int]:
        """Samples at the nonlinearity's rate that are cut off at the left and right of the full convolution of the
        upsampling, so that the samples lie symmetrically about the picture's middle (appendix C.3); negative: added.
        """
        full = (self.in_size + self.kernel - 2) * self.up + self.up_taps
        kept = (self.out_size - 1) * self.down + self.down_taps
        # In the paper's terms: zeros around the samples, each of which stands first among `up`.
        total = kept + self.up_taps - 1 - (self.in_size + self.kernel - 1) * self.up
        left = self.up_taps - 1 - (total + self.up) // 2
        return left, full - kept - left


@dataclass(frozen=True)
class StyleGAN3Config:
    """G of StyleGAN3: z [B,Z] -> style codes [B,L,W] -> picture [B,3,size,size].

    z_dim, w_dim, mapping_layers: as of StyleGAN2. channel_base, channel_max: a layer of cutoff f has
    min(channel_base / 2 f, channel_max) channels. num_layers: besides the input and the one that makes colours, of
    which the last num_critical are critically sampled. first_cutoff, first_stopband: cycles a side; last_stopband: in
    units of the last cutoff, which is half the size. margin: px around the picture. kernel: side of the
    convolutions, 3 (T) or 1 (R). filter_size: taps in samples of the lower rate. oversampling: of the nonlinearity.
    radial: downsampling filters are radially symmetric (R). clamp: of activations, 0 for none. output_scale: of the
    colours.
    """

    size: int = 256
    z_dim: int = 512
    w_dim: int = 512
    mapping_layers: int = 2
    channel_base: int = 32768
    channel_max: int = 512
    num_layers: int = 14
    num_critical: int = 2
    first_cutoff: float = 2.0
    first_stopband: float = 2**2.1
    last_stopband: float = 2**0.3
    margin: int = 10
    kernel: int = 3
    filter_size: int = 6
    oversampling: int = 2
    radial: bool = False
    clamp: float = 256.0
    output_scale: float = 0.25

    @property
    def num_ws(self) -> int:
        """Style codes: of the input, of every layer, and of the colours."""
        return self.num_layers + 2

    @property
    def sides(self) -> list[int]:
        """4, 8, ... size: sides to which a picture can be reduced."""
        return [2**i for i in range(2, self.size.bit_length())]

    def shape(self, side: int | None = None) -> tuple[int, int]:
        """Height and width of the picture, px, or of one reduced to `side`."""
        return side or self.size, side or self.size

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """From the input's samples to the colours."""
        n = self.num_layers
        way = np.minimum(np.arange(n + 1) / (n - self.num_critical), 1.0)
        last = self.size / 2
        cutoffs = self.first_cutoff * (last / self.first_cutoff) ** way
        stopbands = self.first_stopband * (last * self.last_stopband / self.first_stopband) ** way
        rates = np.exp2(np.ceil(np.log2(np.minimum(2 * stopbands, self.size)))).astype(int)
        half_widths = np.maximum(stopbands, rates / 2) - cutoffs
        sides = np.where(np.arange(n + 1) < n - 1, rates + 2 * self.margin, self.size)
        widths = np.rint(np.minimum(self.channel_base / 2 / cutoffs, self.channel_max)).astype(int)
        widths[-1] = 3

        def layer(i: int) -> Layer:
            j, rgb = max(i - 1, 0), i == n
            rate = int(max(rates[j], rates[i])) * (1 if rgb else self.oversampling)
            taps = [1 if rgb or rate == rates[k] else self.filter_size * int(rate // rates[k]) for k in (j, i)]
            return Layer(
                n_in=int(widths[j]), n_out=int(widths[i]), in_size=int(sides[j]), out_size=int(sides[i]),
                in_rate=int(rates[j]), out_rate=int(rates[i]),
                in_cutoff=float(cutoffs[j]), out_cutoff=float(cutoffs[i]),
                in_half_width=float(half_widths[j]), out_half_width=float(half_widths[i]), rate=rate,
                kernel=1 if rgb else self.kernel, up_taps=taps[0], down_taps=taps[1],
                critical=i >= n - self.num_critical, rgb=rgb,
            )  # fmt: skip

        return tuple(layer(i) for i in range(n + 1))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the layers, as in NVIDIA's files."""
        return tuple(f"L{i}_{layer.out_size}_{layer.n_out}" for i, layer in enumerate(self.layers))


def check_stylegan3(config: StyleGAN3Config) -> None:
    """ValueError where a generator of these sizes cannot be built."""
    if config.size != 2 ** (config.size.bit_length() - 1) or not SMALLEST <= config.size <= LARGEST:
        raise ValueError(f"size {config.size} is no power of two from {SMALLEST} to {LARGEST}")
    if not 1 <= config.num_critical < config.num_layers:
        raise ValueError(f"num_critical {config.num_critical} is not below num_layers {config.num_layers}")
    if config.kernel not in (1, 3):
        raise ValueError(f"its convolutions have the side {config.kernel}, not 1 or 3")
    if not 0 < config.first_cutoff < config.first_stopband < config.size / 2:
        raise ValueError("its first cutoff and stopband do not rise, or pass half its size")
    if min(layer.n_out for layer in config.layers) < 1:
        raise ValueError(f"channel_base {config.channel_base} leaves no channels at size {config.size}")
    if any(min(layer.in_half_width, layer.out_half_width) <= 0 for layer in config.layers):
        raise ValueError("one of its filters has no transition band")
    if config.w_dim <= PLACEMENT:
        raise ValueError(f"w_dim {config.w_dim} is not above {PLACEMENT}, which a placement takes")
    if any(min(layer.crop) < 0 for layer in config.layers):
        raise ValueError("its margin is too small for its filters")
    if config.layers[-1].in_size != config.size:
        raise ValueError("its last layers differ in their sides")
