"""A canvas for drawn pictures, in numpy: antialiased polygons, blurred masks, paint and light.

Lengths are in picture heights: x runs from 0 to the aspect, y downwards from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.floating[Any]]
"""Numbers of any shape and precision."""
Polygons = Field | Sequence[Field]
"""Closed outlines: [N,V,2] where all have V corners, else a list of [V,2]; (x, y) of each corner."""
Colour = Field | tuple[float, float, float]
SUBROWS = 3
"""Lines across a pixel row at which outlines are crossed."""


def _edges(polygons: Polygons, weight: Field | None) -> tuple[Field, Field, Field]:
    """Starts and ends [E,2] of all edges, each outline turning the same way, and weights [E]."""
    groups = [polygons] if isinstance(polygons, np.ndarray) else [p[None] for p in polygons]
    starts, ends, weights, used = [], [], [], 0
    for group in groups:
        following = np.roll(group, -1, 1)
        area = (group[..., 0] * following[..., 1] - group[..., 1] * following[..., 0]).sum(1)
        each = np.sign(area) * (1 if weight is None else weight[used : used + len(group)])
        used += len(group)
        starts.append(group.reshape(-1, 2))
        ends.append(following.reshape(-1, 2))
        weights.append(np.repeat(each, group.shape[1]))
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(weights)


@lru_cache(256)
def _smoothing(n: int, sigma: float) -> Field:
    """The matrix [n,n] of a Gaussian mean over neighbours, in pixels; what lies outside equals the edge."""
    reach = min(int(3 * sigma) + 1, n)
    offset = np.arange(-reach, reach + 1)
    weight = np.exp(-0.5 * (offset / max(sigma, 1e-3)) ** 2)
    at = np.clip(np.arange(n)[:, None] + offset, 0, n - 1)
    matrix = np.zeros((n, n), np.float32)
    np.add.at(matrix, (np.repeat(np.arange(n), len(offset)), at.ravel()), np.tile(weight / weight.sum(), n))
    return matrix


class Canvas:
    """A picture in the making: `rgb` float32 [H,W,3] in 0..1, changed in place."""

    def __init__(self, height: int, width: int, rgb: Field | None = None) -> None:
        """rgb: what is there already, [H,W,3] in 0..1 (default: black)."""
        self.h, self.w, self.aspect = height, width, width / height
        self.rgb = np.zeros((height, width, 3), np.float32) if rgb is None else rgb.astype(np.float32)
        self.x = ((np.arange(width, dtype=np.float32) + 0.5) / height)[None]
        self.y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]

    def cover(self, polygons: Polygons, weight: npt.ArrayLike | None = None) -> Field:
        """How far each pixel is covered [H,W] in 0..1; with a `weight` [N] of each polygon in 0..1 the weights of
        those that overlap are added, at most to 1.
        """
        if not len(polygons):
            return np.zeros((self.h, self.w), np.float32)
        start, end, each = _edges(polygons, None if weight is None else np.asarray(weight, np.float32))
        (x0, x1), (y0, y1) = np.stack([start[:, 0], end[:, 0]]) * self.h, np.stack([start[:, 1], end[:, 1]]) * self.h
        # Only the box of whole pixels that holds all polygons is looked at.
        top, bottom = (int(np.clip(v, 0, self.h)) for v in (np.floor(y0.min()), np.ceil(y0.max())))
        left, right = (int(np.clip(v, 0, self.w)) for v in (np.floor(x0.min()), np.ceil(x0.max())))
        rows, columns = (bottom - top) * SUBROWS, right - left + 2
        y0, y1 = (y0 - top) * SUBROWS, (y1 - top) * SUBROWS
        first, last = (np.clip(np.ceil(f(y0, y1) - 0.5), 0, rows).astype(int) for f in (np.minimum, np.maximum))
        count = last - first
        edge = np.repeat(np.arange(len(x0)), count)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
        along = (row + 0.5 - y0[edge]) / (y1 - y0)[edge]
        x = np.clip(x0[edge] + along * (x1 - x0)[edge], left, right) - left
        cell = x.astype(int)
        share = x - cell
        # A crossing covers all pixels to its right, its own in part; the crossing on the other side takes it back.
        sign = np.sign(y1 - y0)[edge] * each[edge]
        at = row * columns + cell
        steps = np.bincount(at, sign * (1 - share), rows * columns) + np.bincount(at + 1, sign * share, rows * columns)
        winding = np.abs(steps.reshape(rows, columns).cumsum(1))[:, : right - left].clip(0, 1)
        whole = np.zeros((self.h, self.w), np.float32)
        whole[top:bottom, left:right] = winding.reshape(bottom - top, SUBROWS, right - left).mean(1)
        return whole

    def blur(self, mask: Field, radius: float) -> Field:
        """A mask [H,W] or picture [H,W,C] after a Gaussian of this standard deviation; edges are continued."""
        rows, columns = (_smoothing(n, round(radius * self.h, 2)) for n in (self.h, self.w))
        if mask.ndim == 2:
            return rows @ mask @ columns.T
        return np.stack([rows @ mask[..., k] @ columns.T for k in range(mask.shape[2])], 2)

    def paint(self, mask: Field, colour: Colour, opacity: float = 1.0) -> None:
        """Cover with a colour [3] or [H,W,3] where the mask [H,W] is."""
        amount = np.clip(mask, 0, 1)[..., None] * opacity
        self.rgb += amount * (np.asarray(colour, np.float32) - self.rgb)

    def light(self, mask: Field, colour: Colour) -> None:
        """Add light of a colour [3]: never past white."""
        more = np.clip(mask[..., None] * np.asarray(colour, np.float32), 0, 1)
        self.rgb = 1 - (1 - self.rgb) * (1 - more)

    def gradient(self, *stops: Colour) -> None:
        """Fill with colours from top to bottom, evenly spaced."""
        at = np.linspace(0, 1, len(stops))
        columns = [np.interp(self.y[:, 0], at, [s[k] for s in stops]) for k in range(3)]
        self.rgb[:] = np.stack(columns, 1)[:, None]

    def tone(self, grey: float, gain: float, tint: Colour = (1.0, 1.0, 1.0)) -> None:
        """Mix with its own grey, then multiply by gain and tint."""
        luma = self.rgb @ np.array([0.3, 0.59, 0.11], np.float32)
        self.rgb += grey * (luma[..., None] - self.rgb)
        self.rgb *= gain * np.asarray(tint, np.float32)

    def grain(self, rng: np.random.Generator, slope: float = 1.6, stretch: tuple[float, float] = (1.0, 1.0)) -> Field:
        """A random texture [H,W], mean 0 and deviation 1, with amplitudes f^-slope; stretch: how much longer its
        features are along x and y.
        """
        fy, fx = np.fft.fftfreq(self.h)[:, None] * stretch[1], np.fft.rfftfreq(self.w)[None] * stretch[0]
        amplitude = (fy * fy + fx * fx + (1.0 / self.h) ** 2) ** (-slope / 2)
        amplitude[0, 0] = 0
        phase = rng.uniform(0, 2 * np.pi, amplitude.shape)
        field = np.fft.irfft2(amplitude * np.exp(1j * phase), (self.h, self.w))
        return (field / (field.std() + 1e-9)).astype(np.float32)
