"""HDR pictures (PQ or HLG, BT.2020) as 8-bit sRGB.

signal -> light in cd/m2 (SMPTE ST 2084; ITU-R BT.2100 for HLG with a nominal peak of 1000 cd/m2 and system gamma 1.2)
-> BT.709 primaries (the matrix of ITU-R BT.2087) -> relative to a diffuse white of 203 cd/m2 (ITU-R BT.2408) -> tone
curve -> sRGB (IEC 61966-2-1).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...engine.units import Array

PQ, HLG = 16, 18
"""FFmpeg's numbers of the two transfer characteristics (ITU-T H.273)."""
NAMES = {PQ: "PQ", HLG: "HLG"}
WHITE, PEAK = 203.0, 1000.0
"""Light of diffuse white, and the light that becomes the brightest value, in cd/m2."""
KNEE = 0.5
"""Light relative to white up to which the tone curve changes nothing."""

_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)


def pq_light(signal: Array) -> Array:
    """PQ signal 0..1 -> light in cd/m2, 0..10,000 (EOTF of SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    x = np.power(np.clip(signal, 0, 1), np.float32(1 / m2))
    return (10000 * np.power(np.maximum(x - c1, 0) / (c2 - c3 * x), np.float32(1 / m1))).astype(np.float32)


def hlg_light(signal: Array) -> Array:
    """HLG signal [...,3] 0..1 -> light on a display of 1000 cd/m2 (inverse OETF and OOTF of ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    x = np.clip(signal, 0, 1)
    scene = np.where(x <= 0.5, x * x / 3, (np.exp((x - c) / a) + b) / 12).astype(np.float32)
    luma = np.maximum(scene @ _LUMA_2020, 1e-9)[..., None]
    return (np.float32(PEAK) * np.power(luma, np.float32(0.2)) * scene).astype(np.float32)


def tone_curve(light: Array) -> Array:
    """Light relative to white -> 0..1: the same up to KNEE, then a shoulder that reaches 1 at PEAK.

    Above the knee it is Reinhard's curve with a white point, f(x) = x (1 + x / p^2) / (1 + x), on what exceeds it.
    """
    room = 1 - KNEE
    x, p = np.maximum(light - KNEE, 0) / room, (PEAK / WHITE - KNEE) / room
    shoulder = KNEE + room * x * (1 + x / p**2) / (1 + x)
    return np.minimum(np.where(light <= KNEE, light, shoulder), 1).astype(np.float32)


def srgb(light: Array) -> Array:
    """Linear light 0..1 -> sRGB signal 0..1."""
    x = np.clip(light, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(x, np.float32(1 / 2.4)) - 0.055).astype(np.float32)


def tone_mapped(picture: npt.NDArray[np.uint16], transfer: int) -> npt.NDArray[np.uint8]:
    """HDR picture, R'G'B' uint16 [H,W,3] with BT.2020 primaries -> sRGB uint8 [H,W,3].

    The tone curve works on the largest of R, G and B and scales all three, so hues stay; what lies outside of BT.709
    is clipped.

    Args:
        picture: full range, 65535 is signal 1.
        transfer: PQ or HLG.

    """
    signal = picture.astype(np.float32) / np.float32(65535)
    light = pq_light(signal) if transfer == PQ else hlg_light(signal)
    rgb = np.maximum(light @ _TO_709.T, 0) / WHITE
    largest = np.maximum(rgb.max(-1, keepdims=True), 1e-9)
    return np.rint(srgb(rgb * (tone_curve(largest) / largest)) * 255).astype(np.uint8)
