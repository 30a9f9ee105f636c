"""Confidence intervals: Wilson's for shares, the bootstrap over participants for means."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from ...engine.units import Float64Array

CONFIDENCE = 0.95
FEWEST = 10
"""Participants below whom nothing is concluded: a bootstrap over fewer is much too certain."""
RESAMPLES = 10_000
_SEED = 20220
_AT_ONCE = 1_000_000
"""Weights drawn at once; bounds the memory."""


def wilson(chosen: int, choices: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval (1927) for a share of independent choices.

    Raises:
        ValueError: no choice, or more chosen than choices.

    """
    if not 0 <= chosen <= choices or choices == 0:
        raise ValueError(f"{chosen} of {choices} is no share")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, scale = chosen / choices, 1 + z**2 / choices
    middle = (share + z**2 / (2 * choices)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / choices + z**2 / (4 * choices**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(values: Float64Array, confidence: float = CONFIDENCE) -> Float64Array:
    """Percentile intervals of means over participants, who are drawn again with replacement (Efron 1979).

    Args:
        values: [participants, n] one value a participant and quantity; NaN where a participant has none.
        confidence: of the interval.

    Returns:
        [2, n] low and high; NaN with fewer than two participants. The same values give the same intervals.

    """
    if len(values) < 2:
        return np.full((2, values.shape[1]), np.nan)
    tail = (1 - confidence) / 2
    found = np.full((2, values.shape[1]), np.nan)
    there = np.isfinite(values).any(0)
    drawn = np.concatenate([*_resampled_means(values[:, there])])
    found[:, there] = np.nanquantile(drawn, (tail, 1 - tail), axis=0)
    return found


def _resampled_means(values: Float64Array) -> Iterator[Float64Array]:
    rng = np.random.default_rng(_SEED)
    n = len(values)
    there = np.isfinite(values).astype(np.float64)
    filled = np.nan_to_num(values)
    left = RESAMPLES
    while left:
        count = min(left, max(1, _AT_ONCE // n))
        left -= count
        times = rng.multinomial(n, np.full(n, 1 / n), count).astype(np.float64)
        with np.errstate(invalid="ignore"):  # nobody of a resample may have a value
            yield (times @ filled) / (times @ there)
