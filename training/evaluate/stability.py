"""Ten minutes of a world: whether its style codes stay in the range that its generator knows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...engine.units import Array
from .conditions import FPS, Playback

QUANTILES = (0.5, 0.95, 0.99)


def stability(playback: Playback, sound: Array, minutes: float, seed: int = 1) -> dict[str, object]:
    """Plays one sound over and over, with the table's own drift and travel off, and nothing painted.

    Returns:
        finite: whether all style codes are numbers. first, last: quantiles of |w - w_avg| / sigma_w over the first and
        the last tenth.

    """
    long = Playback(playback.world, playback.backend, 60 * minutes)
    codes: Array = long.play(sound, seed)
    tensors = playback.world.tensors
    away = np.abs(codes - tensors["generator.mapping.w_avg"]) / tensors["generator.mapping.w_std"]
    tenth = max(FPS, len(codes) // 10)

    def at(part: npt.NDArray[np.floating]) -> dict[str, float]:
        return {f"{q:g}": round(float(np.quantile(part, q)), 3) for q in QUANTILES}

    return {
        "minutes": minutes,
        "finite": bool(np.isfinite(codes).all()),
        "first": at(away[:tenth]),
        "last": at(away[-tenth:]),
    }
