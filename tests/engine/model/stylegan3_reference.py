"""StyleGAN3 a second time, in numpy and double precision, from the published equations: slow, one picture at a time.

It shares nothing with the engine. Resampling is done by where samples lie: of n samples at a rate s, sample k is at
(k + 1/2 - n/2) / s from the picture's middle (appendix C.3), and a filter of `taps` weighs a sample by its distance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Double = npt.NDArray[np.float64]


def _kaiser(taps: int, width: float, rate: float) -> Double:
    """Kaiser's window for an attenuation A = 2.285 (taps - 1) pi width / (rate / 2) + 7.95 dB."""
    a = 2.285 * (taps - 1) * math.pi * width / (rate / 2) + 7.95
    beta = 0.1102 * (a - 8.7) if a > 50 else 0.5842 * (a - 21) ** 0.4 + 0.07886 * (a - 21) if a > 21 else 0.0
    at = np.linspace(-1, 1, taps)
    return np.i0(beta * np.sqrt(1 - at**2)) / np.i0(beta)


def sinc_filter(taps: int, cutoff: float, half_width: float, rate: float) -> Double:
    """Response of the band -f_c..f_c: the integral of cos(2 pi f x) over it."""
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    f, weights = np.polynomial.legendre.leggauss(200)
    h = (np.cos(2 * math.pi * cutoff * f * x[:, None]) * weights).sum(1) * _kaiser(taps, 2 * half_width, rate)
    return h / h.sum()


def disc_filter(taps: int, cutoff: float, half_width: float, rate: float) -> Double:
    """Response of the disc of radius f_c: the integral of cos(2 pi f r) over its chords, f = f_c sin(angle)."""
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.hypot(x[:, None], x[None])
    angle, weights = np.polynomial.legendre.leggauss(200)
    angle = angle * math.pi / 2
    h = (np.cos(2 * math.pi * cutoff * np.sin(angle) * r[..., None]) * np.cos(angle) ** 2 * weights).sum(-1)
    window = _kaiser(taps, 2 * half_width, rate)
    h = h * window[:, None] * window[None]
    return h / h.sum()


class Reference:
    """A network of `tensors` (names without `synthesis.`); the sizes are as NVIDIA's arguments name them."""

    def __init__(
        self, tensors: Mapping[str, npt.NDArray[Any]], size: int, base: int, most: int, kernel: int = 3,
        radial: bool = False, num_layers: int = 14, num_critical: int = 2, margin: int = 10,
    ) -> None:  # fmt: skip
        self.tensors = {name: np.asarray(x, np.float64) for name, x in tensors.items()}
        self.size, self.kernel, self.radial, self.n = size, kernel, radial, num_layers
        self.critical = num_layers - num_critical
        self.cutoff, self.stop, self.rate, self.side, self.width = [], [], [], [], []
        for i in range(num_layers + 1):
            way = min(i / self.critical, 1.0)
            f_c, f_t = 2 * (size / 2 / 2) ** way, 2**2.1 * (size / 2 * 2**0.3 / 2**2.1) ** way
            s = 2 ** math.ceil(math.log2(min(2 * f_t, size)))
            self.cutoff.append(f_c)
            self.rate.append(s)
            self.stop.append(max(f_t, s / 2) - f_c)
            self.side.append(size if i >= num_layers - 1 else s + 2 * margin)
            self.width.append(3 if i == num_layers else round(min(base / 2 / f_c, most)))

    def __call__(self, ws: Double, shift: tuple[float, float] = (0, 0), turn: float = 0) -> Double:
        """Style codes [L,W] -> picture [3,H,W]. shift: parts of it, right and down. turn: degrees, clockwise."""
        x = self._input(ws[0], shift, math.radians(turn))
        for i in range(self.n + 1):
            x = self._layer(i, x, ws[i + 1])
        return 0.25 * x

    def _affine(self, name: str, w: Double) -> Double:
        return self.tensors[f"{name}.weight"] @ w / math.sqrt(len(w)) + self.tensors[f"{name}.bias"]

    def _input(self, w: Double, shift: tuple[float, float], turn: float) -> Double:
        t = self._affine("input.affine", w)
        t = t / math.hypot(t[0], t[1])
        own = np.array([[t[0], -t[1], 0], [t[1], t[0], 0], [0, 0, 1]]) @ np.array(
            [[1, 0, -t[2]], [0, 1, -t[3]], [0, 0, 1]]
        )
        moved = np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1.0]]) @ np.array([
            [math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]
        ])  # fmt: skip
        matrix = own @ np.linalg.inv(moved)
        n, rate = self.side[0], self.rate[0]
        at = (np.arange(n) + 0.5 - n / 2) / rate
        points = np.stack([*np.meshgrid(at, at), np.ones((n, n))])  # x, y, 1
        there = np.einsum("ij,jhw->ihw", matrix, points)[:2]
        waves = np.stack([
            np.sin(2 * math.pi * (f @ there.reshape(2, -1) + phase)).reshape(n, n)
            for f, phase in zip(self.tensors["input.freqs"], self.tensors["input.phases"], strict=True)
        ])  # fmt: skip
        return np.einsum("oi,ihw->ohw", self.tensors["input.weight"], waves) / math.sqrt(len(waves))

    def _layer(self, i: int, x: Double, w: Double) -> Double:
        j, rgb = max(i - 1, 0), i == self.n
        name = f"L{i}_{self.side[i]}_{self.width[i]}"
        weight, style = self.tensors[f"{name}.weight"], self._affine(f"{name}.affine", w)
        if rgb:
            weight = weight * style[:, None, None] / math.sqrt(len(style))
        else:
            weight = weight * style[:, None, None]
            weight = weight / np.sqrt((weight**2).sum((1, 2, 3), keepdims=True))
        x = x / math.sqrt(float(self.tensors[f"{name}.magnitude_ema"].reshape(())))
        x = _convolved(x, weight) + self.tensors[f"{name}.bias"][:, None, None]
        if rgb:
            return np.clip(x, -256, 256)
        rate = 2 * max(self.rate[j], self.rate[i])
        up, down = rate // self.rate[j], rate // self.rate[i]
        before, after = 6 * up, 6 * down
        side = (self.side[i] - 1) * down + after
        rise = _distances(side, 1, x.shape[1], up, sinc_filter(before, self.cutoff[j], self.stop[j], rate)) * up
        y = np.einsum("ah,chw,bw->cab", rise, x, rise, optimize=True)
        y = np.clip(np.where(y > 0, y, 0.2 * y) * math.sqrt(2), -256, 256)
        if self.radial and i < self.critical:
            h, out = disc_filter(after, self.cutoff[i], self.stop[i], rate), self.side[i]
            return np.sum([
                h[a, b] * y[:, a : a + (out - 1) * down + 1 : down, b : b + (out - 1) * down + 1 : down]
                for a in range(after) for b in range(after)
            ], 0)  # fmt: skip
        fall = _distances(self.side[i], down, side, 1, sinc_filter(after, self.cutoff[i], self.stop[i], rate))
        return np.einsum("ah,chw,bw->cab", fall, y, fall, optimize=True)


def _distances(outputs: int, out_step: int, inputs: int, in_step: int, taps: Double) -> Double:
    """[outputs, inputs]: the tap at the distance of every output sample from every input sample, which lie out_step and
    in_step apart, both about the same middle.
    """
    at = (np.arange(outputs) + 0.5 - outputs / 2) * out_step
    of = (np.arange(inputs) + 0.5 - inputs / 2) * in_step
    tap = at[:, None] - of[None] + (len(taps) - 1) / 2
    assert np.allclose(tap, np.rint(tap)), "the samples do not lie on the filter's taps"
    tap = np.rint(tap).astype(int)
    return np.where((tap >= 0) & (tap < len(taps)), taps[tap.clip(0, len(taps) - 1)], 0.0)


def _convolved(x: Double, weight: Double) -> Double:
    """Cross-correlation [O,I,k,k] with zeros around, so that the result is k - 1 larger."""
    k = weight.shape[2]
    padded = np.pad(x, ((0, 0), (k - 1, k - 1), (k - 1, k - 1)))
    h, w = padded.shape[1] - k + 1, padded.shape[2] - k + 1
    return np.sum([
        np.einsum("oi,ihw->ohw", weight[:, :, a, b], padded[:, a : a + h, b : b + w], optimize=True)
        for a in range(k) for b in range(k)
    ], 0)  # fmt: skip
