"""Low-pass filters of StyleGAN3, designed from their equations (Karras et al. 2021, appendix C): sinc and jinc in
Kaiser windows, in double precision.
"""

from __future__ import annotations

import math

import numpy as np

from ..units import Float64Array
from .stylegan3_config import Layer


def kaiser_beta(taps: int, width: float, rate: float) -> float:
    """Kaiser's shape parameter for a window of `taps` whose transition band is `width` wide at a sampling rate."""
    decibels = 2.285 * (taps - 1) * math.pi * width / (rate / 2) + 7.95
    if decibels > 50:
        return 0.1102 * (decibels - 8.7)
    if decibels > 21:
        return 0.5842 * (decibels - 21) ** 0.4 + 0.07886 * (decibels - 21)
    return 0.0


def lowpass(taps: int, cutoff: float, width: float, rate: float) -> Float64Array:
    """A separable filter [taps] of sum 1: an ideal low-pass in a Kaiser window."""
    at = np.arange(taps) - (taps - 1) / 2
    ideal = np.sinc(2 * cutoff / rate * at)
    filtered = ideal * np.kaiser(taps, kaiser_beta(taps, width, rate))
    return filtered / filtered.sum()


def radial_lowpass(taps: int, cutoff: float, width: float, rate: float) -> Float64Array:
    """A radially symmetric filter [taps, taps] of sum 1: J_1(2 pi f_c r) / (pi r), whose transform is a disc."""
    at = (np.arange(taps) - (taps - 1) / 2) / rate
    radius = np.hypot(at[:, None], at[None])
    apart = np.maximum(radius, 1e-12)
    ideal = np.where(radius < 1e-12, cutoff, bessel_j1(2 * math.pi * cutoff * apart) / (math.pi * apart))
    window = np.kaiser(taps, kaiser_beta(taps, width, rate))
    filtered = ideal * np.outer(window, window)
    return filtered / filtered.sum()


def bessel_j1(x: Float64Array) -> Float64Array:
    """J_1(x), for |x| up to some hundreds: Bessel's integral by the trapezoidal rule, which is exact to rounding for
    periodic functions.
    """
    n = 1024
    angles = 2 * math.pi * np.arange(n) / n
    return np.cos(angles - np.asarray(x)[..., None] * np.sin(angles)).mean(-1)


def up_filter(layer: Layer) -> Float64Array:
    """Of the upsampling to the nonlinearity's rate [taps]; sum 1."""
    if layer.up_taps == 1:
        return np.ones(1)
    return lowpass(layer.up_taps, layer.in_cutoff, 2 * layer.in_half_width, layer.rate)


def down_filter(layer: Layer, radial: bool) -> Float64Array:
    """Of the downsampling from the nonlinearity's rate: [taps], or [taps, taps] where it is radially symmetric."""
    if layer.down_taps == 1:
        return np.ones(1)
    design = radial_lowpass if radial and not layer.critical else lowpass
    return design(layer.down_taps, layer.out_cutoff, 2 * layer.out_half_width, layer.rate)
