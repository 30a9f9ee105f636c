"""EQ-T of Karras et al. 2021 (appendix E): how exactly a generator's picture moves where its input is moved, in dB.

EQ-T = 10 log10(I^2 / E[(G(w; t) - t[G(w; 0)])^2]) with I = 2, the range of a picture; the mean is over seeds, random
translations t of up to an eighth of the picture, and the pixels whose origin (for fractions, whose whole filter) lies
in the picture. Every picture counts as if it had the contrast of a photo (CONTRAST), since dull ones move exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from torch import Tensor

FARTHEST = 0.125
CONTRAST = 0.5
"""Standard deviation of a channel over a picture, of a range of 2: photos have 0.4 to 0.6."""
Paint = Callable[[Tensor, tuple[float, float]], Tensor]
"""(style codes [1,L,W], shift in parts of the picture) -> picture [1,3,H,W]."""


def eq_t(paint: Paint, codes: Tensor, moves: int, fraction: bool) -> float:
    """codes [N,L,W]; moves: translations of each; fraction: of parts of a pixel (E.2), else of whole ones (E.1)."""
    rng, squares, count = np.random.default_rng(3), 0.0, 0
    for ws in codes:
        still = paint(ws[None], (0.0, 0.0))[0]
        size, strength = still.shape[1], CONTRAST / float(still.std((1, 2)).square().mean().sqrt())
        for _ in range(moves):
            t = rng.uniform(-FARTHEST, FARTHEST, 2) * size
            t = t if fraction else np.rint(t)
            seen = paint(ws[None], (float(t[0] / size), float(t[1] / size)))[0].double().numpy()
            moved, valid = translated(still.double().numpy(), (float(t[0]), float(t[1])))
            squares += float(((strength * (moved - seen)[:, valid]) ** 2).sum())
            count += 3 * int(valid.sum())
    return 10 * math.log10(4 / (squares / count))


def translated(picture: npt.NDArray[np.float64], t: tuple[float, float], a: int = 3) -> tuple[
    npt.NDArray[np.float64], npt.NDArray[np.bool_]
]:  # fmt: skip
    """A picture [3,H,W] moved by t px, by a Lanczos filter of 2a taps (one where t is whole), and where it is valid."""
    matrices, inside = [], []
    for distance in (t[1], t[0]):
        n = picture.shape[1]
        x = np.arange(n)[:, None] - distance - np.arange(n)[None]  # from every source to every target
        weights = np.where(np.abs(x) < a, np.sinc(x) * np.sinc(x / a), 0.0)
        source = np.arange(n) - distance
        near = (a - 1, a) if distance != round(distance) else (0, 0)
        inside.append((np.floor(source) - near[0] >= 0) & (np.floor(source) + near[1] <= n - 1))
        matrices.append(
            weights / np.where(np.abs(weights.sum(1, keepdims=True)) < 1e-9, 1, weights.sum(1, keepdims=True))
        )
    moved = np.einsum("ah,chw,bw->cab", matrices[0], picture, matrices[1], optimize=True)
    return moved, inside[0][:, None] & inside[1][None]
