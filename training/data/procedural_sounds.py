"""Procedural sounds of the nine classes: what a recording of a few seconds cannot teach.

Each class is drawn from how such sounds arise (after A. Farnell, Designing Sound, 2010): rain is a hiss of many
small impacts, fire is rare sharp clicks over a soft roar, bubbles are damped sines whose pitch rises, thunder is
low noise that arrives many times over. Every number is drawn from a wide range, so no two are alike. They know
nothing of the recordings they are tested against.

Sounds are float64 [n] at 44.1 kHz, of any loudness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.units import SAMPLE_RATE, Float64Array

Sound = Float64Array


def fast_length(n: int) -> int:
    """The smallest even length >= n whose FFT is quick (an odd factor of at most 45, the rest twos)."""
    sizes = []
    for odd in (1, 3, 5, 9, 15, 25, 27, 45):
        size = 2 * odd
        while size < n:
            size *= 2
        sizes.append(size)
    return min(sizes)


def scaled(x: Sound) -> Sound:
    """Deviation 1 (silence stays silence)."""
    return x / (x.std() + 1e-9)


def peaked(x: Sound) -> Sound:
    """Largest absolute value 1 (silence stays silence)."""
    return x / (np.abs(x).max() + 1e-9)


def added(a: Sound, b: Sound) -> Sound:
    """Sum of two sounds that start together; as long as the longer one."""
    y = np.zeros(max(len(a), len(b)))
    y[: len(a)] += a
    y[: len(b)] += b
    return y


def _even_power(x: NDArray[Any], order: int) -> NDArray[Any]:
    """x^(2 order) for an order that is a power of two: squares, which take a tenth of the time of `**`."""
    for _ in range(order.bit_length()):
        x = np.square(x)
    return x


@dataclass
class Draw:
    """Random numbers and the grains that every texture is made of."""

    rng: np.random.Generator

    def flip(self, p: float = 0.5) -> bool:
        """True with probability p."""
        return bool(self.rng.random() < p)

    def log(self, low: float, high: float) -> float:
        """Log-uniform in low..high."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def uni(self, low: float, high: float) -> float:
        """Uniform in low..high."""
        return float(self.rng.uniform(low, high))

    def amp(self, spread: float) -> float:
        """Log-normal loudness around 1."""
        return float(np.exp(spread * self.rng.standard_normal()))

    def noise(self, n: int, slope: float = 0.0, low: float = 20, high: float = 20000, order: int = 4) -> Sound:
        """Noise of deviation 1: `slope` dB an octave inside low..high Hz, `order` poles outside (2 or 4)."""
        size = fast_length(n)
        half = size // 2 + 1
        spectrum = self.rng.standard_normal(half) + 1j * self.rng.standard_normal(half)
        f = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
        f[0] = f[1]
        shape = (f / 1000) ** (slope / 6.02)
        shape /= np.sqrt((1 + _even_power(low / f, order)) * (1 + _even_power(f / high, order)))
        return scaled(np.fft.irfft(spectrum * shape, size)[:n])

    def slow(self, n: int, rate: float, depth: float) -> Sound:
        """A smooth positive envelope [n] around 1 that changes about `rate` times a second."""
        knots = self.rng.standard_normal(max(4, int(n / SAMPLE_RATE * rate * 2) + 4))
        return np.exp(depth * np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots))

    def poisson(self, n: int, rate: float) -> Sound:
        """Times in seconds of events that come `rate` times a second."""
        return self.rng.uniform(0, n / SAMPLE_RATE, self.rng.poisson(rate * n / SAMPLE_RATE))

    def events(self, n: int, times: Sound, grain: Callable[[], Sound], spread: float = 0.0) -> Sound:
        """A grain (of at most 48 different ones) at every time, each of its own loudness; [n], cut at the end."""
        y, grains = np.zeros(n), [grain() for _ in range(min(48, len(times)))]
        loud = np.exp(spread * self.rng.standard_normal(len(times)))
        which = self.rng.integers(0, max(1, len(grains)), len(times))
        for t, a, k in zip(times, loud, which, strict=True):
            at = max(0, int(t * SAMPLE_RATE))
            g = grains[k][: max(0, n - at)]
            y[at : at + len(g)] += a * g
        return y

    def bubble(self, f: float, decay: float | None = None, rise: float = 0.1) -> Sound:
        """One bubble: a sine of f Hz that rises by about `rise` and dies away (Minnaert)."""
        d = decay or self.uni(4, 14) / f * 3
        t = np.arange(min(int(d * 5 * SAMPLE_RATE) + 8, SAMPLE_RATE)) / SAMPLE_RATE
        return np.sin(2 * np.pi * f * (t + rise * t * t / (2 * d))) * np.exp(-t / d) * np.minimum(1, t * f * 2)

    def click(self, f: float | None, decay: float) -> Sound:
        """A dry impact: noise, or a sine of f Hz in noise, dying within `decay` seconds."""
        t = np.arange(int(min(decay * 7, 0.2) * SAMPLE_RATE) + 8) / SAMPLE_RATE
        body = self.rng.standard_normal(len(t))
        if f is not None:
            body = 0.5 * body + np.sin(2 * np.pi * f * t + self.uni(0, 6))
        return body * np.exp(-t / decay)

    def burst(self, length: float, attack: float, decay: float, slope: float, low: float, high: float) -> Sound:
        """Noise that swells within `attack` and dies away by `decay` seconds."""
        t = np.arange(int(length * SAMPLE_RATE)) / SAMPLE_RATE
        return self.noise(len(t), slope, low, high) * np.minimum(1, t / attack) * np.exp(-t / decay)

    def bubbles(self, n: int, times: Sound, low: float, high: float, rise: float, spread: float = 0.7) -> Sound:
        """Bubbles of low..high Hz at the given times."""
        return self.events(n, times, lambda: self.bubble(self.log(low, high), rise=self.uni(0, rise)), spread)


def raining(d: Draw, n: int) -> Sound:
    """A hiss and many small impacts."""
    hiss = d.noise(n, d.uni(-4, 2), d.log(100, 1500), d.log(6000, 18000)) * d.slow(n, 1, 0.08)

    def drop() -> Sound:
        return d.click(d.log(600, 9000) if d.flip(0.6) else None, d.log(0.0007, 0.006))

    drops = d.events(n, d.poisson(n, d.log(30, 1200)), drop, d.uni(0.4, 1.0))
    return hiss * d.log(0.2, 3) + scaled(drops) * d.log(0.3, 2)


def wind_noise(d: Draw, n: int) -> Sound:
    """A few wide bands of noise that come and go on their own; sometimes a rumbling microphone."""
    y = np.zeros(n)
    for _ in range(d.rng.integers(2, 6)):
        f = d.log(80, 1500)
        band = d.noise(n, -3, f / d.log(1.2, 3), f * d.log(1.2, 3), 2)
        y += band * d.slow(n, d.log(0.2, 3), d.uni(0.3, 1)) * f ** -d.uni(0.2, 1)
    y = scaled(y) + d.log(0.02, 0.4) * d.noise(n, -6, 40, 4000) + d.log(0.005, 0.1) * d.noise(n)
    if d.flip():
        y += d.log(0.1, 1.5) * d.noise(n, -9, 15, d.log(80, 250)) * d.slow(n, d.log(2, 8), 1)
    return y


def _roll(d: Draw, n: int) -> Sound:
    """Low noise that arrives several times and dies slowly."""
    t = np.arange(n) / SAMPLE_RATE
    start, envelope = d.uni(0, 0.3) * n / SAMPLE_RATE, np.zeros(n)
    for _ in range(d.rng.integers(1, 9)):
        u = np.maximum(t - start - d.rng.exponential(0.6), 0)
        envelope += d.amp(0.7) * np.minimum(1, u / d.log(0.01, 0.3)) * np.exp(-u / d.log(0.3, 3))
    low = d.noise(n, d.uni(-9, -3), 25, d.log(80, 700), 2)
    return peaked(low * envelope * d.slow(n, d.log(3, 15), 0.5))


def thunderstorm(d: Draw, n: int) -> Sound:
    """A roll of thunder, often with its crack, often in rain or wind."""
    y = _roll(d, n)
    if d.flip(0.6):

        def crack() -> Sound:
            return d.burst(0.5, 0.002, d.log(0.02, 0.2), d.uni(-5, 0), 80, d.log(1500, 9000))

        at = d.uni(0, 0.3) * n / SAMPLE_RATE + d.rng.exponential(0.08, d.rng.integers(1, 12))
        y += peaked(d.events(n, at, crack, 0.6)) * d.log(0.1, 1.5)
    weather = raining(d, n) if d.flip(0.7) else wind_noise(d, n)
    return y + scaled(weather) * (d.log(0.02, 0.3) if d.flip(0.6) else d.log(0.0005, 0.02))


def fire_crackling(d: Draw, n: int) -> Sound:
    """Rare sharp clicks, some in flurries, over a soft roar."""
    times = d.poisson(n, d.log(3, 80))
    flurries = [t + d.rng.exponential(0.02, d.rng.integers(1, 6)) for t in times if d.flip(0.2)]
    times = np.concatenate([times, *flurries])

    def crackle() -> Sound:
        return d.click(d.log(800, 7000) if d.flip() else None, d.log(0.0004, 0.005))

    y = peaked(d.events(n, times, crackle, d.uni(0.8, 1.6)))
    roar = d.noise(n, d.uni(-9, -3), 30, d.log(300, 3000)) * d.slow(n, d.log(2, 12), d.uni(0.2, 0.6))
    y += d.log(0.003, 0.15) * roar + d.log(0.001, 0.03) * d.noise(n, d.uni(-3, 1), 300)
    if d.flip(0.4):
        y += d.log(0.03, 0.5) * d.noise(n, -6, 40, d.log(600, 5000)) * d.slow(n, d.log(4, 12), 0.4)
    return y


def waterfall_burbling(d: Draw, n: int) -> Sound:
    """Steady noise, most often with many bubbles."""
    y = d.noise(n, d.uni(-5, 0), d.log(50, 500), d.log(3000, 16000)) * d.slow(n, 2, 0.1)
    if d.flip(0.25):
        return y
    low = d.log(250, 900)
    many = d.bubbles(n, d.poisson(n, d.log(20, 400)), low, low * d.log(2, 8), 0.4)
    return y * d.log(0.05, 1) + scaled(many) * d.log(0.2, 1.5)


def under_water(d: Draw, x: Sound) -> Sound:
    """Any sound of water as it is heard from below: only its low part is left, over a soft hum."""
    size = fast_length(len(x))
    f = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    low = np.fft.rfft(x, size) / np.sqrt(1 + (f / d.log(250, 1200)) ** d.uni(4, 12))
    return scaled(np.fft.irfft(low, size)[: len(x)]) + d.log(0.0002, 0.1) * d.noise(len(x), -4, 20, 2000)


def underwater_bubbling(d: Draw, n: int) -> Sound:
    """Low bubbles in clusters over a hum, heard from below; sometimes a stream heard from below."""
    if d.flip(0.25):
        return under_water(d, waterfall_burbling(d, n))
    low = d.log(80, 400)
    times = d.poisson(n, d.log(3, 100))
    many = d.bubbles(n, times, low, low * d.log(2, 5), 0.6) * d.slow(n, d.log(0.5, 4), d.uni(0.2, 1.2))
    hum = d.noise(n, d.uni(-8, -3), 30, d.log(200, 900)) * d.slow(n, 1, 0.3)
    y = scaled(many) + d.log(0.05, 1) * hum
    return under_water(d, y) if d.flip(0.7) else y + d.log(0.001, 0.05) * d.noise(n, -3)


def _splash(d: Draw, length: float, decay: float, drops: float) -> Sound:
    """One splash: a burst of noise, then drops and bubbles."""
    body = d.burst(length, d.log(0.003, 0.08), decay, d.uni(-5, 0), d.log(80, 600), d.log(3000, 15000))
    times = d.rng.exponential(length / 4, d.rng.poisson(drops))
    low = d.log(300, 900)
    return body + d.log(0.2, 2) * d.bubbles(len(body), times, low, low * 6, 0.5)


def _surf(d: Draw, n: int) -> Sound:
    """Waves that swell and run out."""
    phase = (np.arange(n) / SAMPLE_RATE / d.uni(2.5, 10) + d.uni(0, 1)) % 1
    a = d.uni(0.2, 0.6)
    swell = np.where(phase < a, phase / a, 1 - (phase - a) / (1 - a)) ** d.log(0.7, 3)
    y = d.noise(n, -3, 50, d.log(4000, 14000)) * swell * d.slow(n, 3, 0.2)
    y += d.log(0.1, 0.7) * d.noise(n, -7, 30, 1500) * d.slow(n, 1, 0.3)
    if d.flip():
        y += d.log(0.1, 1) * scaled(d.bubbles(n, d.poisson(n, d.log(2, 30)), 200, 1500, 0.4))
    return y


def splashing_water(d: Draw, n: int) -> Sound:
    """Large splashes one by one, or surf."""
    if d.flip():
        return _surf(d, n)
    times = d.poisson(n, d.log(0.4, 2)) if d.flip(0.6) else np.zeros(0)
    times = np.append(times, d.uni(0, 0.5))
    grain = lambda: _splash(d, 1.6, d.log(0.15, 0.6), d.log(5, 80))  # noqa: E731
    return peaked(d.events(n, times, grain, 0.5)) + d.noise(n, -4) * d.log(0.0005, 0.03)


def squishing_water(d: Draw, n: int) -> Sound:
    """Steps in mud or shallow water: short wet strokes in a walking rhythm."""
    beat = d.log(0.3, 1.0)
    times = np.arange(d.uni(0, beat), n / SAMPLE_RATE, beat)
    times = times + d.rng.normal(0, 0.06 * beat, len(times))
    low, wet = d.log(150, 900), d.flip()

    def stroke() -> Sound:
        length = d.log(0.08, 0.4)
        t = np.arange(int(length * 2.5 * SAMPLE_RATE)) / SAMPLE_RATE
        swell = np.sin(np.pi * np.minimum(1, t / (length * 2))) ** d.log(0.7, 3)
        suck = d.noise(len(t), d.uni(-7, -1), d.log(80, 500), d.log(1500, 12000)) * swell
        y = suck * d.slow(len(t), d.log(15, 60), 0.8)
        pops = d.rng.uniform(0, length * 1.5, d.rng.poisson(d.log(4, 40)))
        y = y + d.log(0.3, 3) * d.bubbles(len(t), pops, low, low * 4, 0.8)
        return added(y, d.log(0.3, 2) * _splash(d, 0.7, d.log(0.03, 0.12), d.log(3, 25))) if wet else y

    return peaked(d.events(n, times, stroke, 0.3)) + d.noise(n, -5) * d.log(0.0005, 0.02)


def _blast(d: Draw, n: int) -> Sound:
    """One explosion and its rumble."""
    start = d.uni(0, 0.2) * n / SAMPLE_RATE if d.flip(0.7) else 0.0
    body = d.burst(3, d.log(0.001, 0.02), d.log(0.1, 0.9), d.uni(-8, -2), 25, d.log(500, 7000))
    times = np.array([start, start + d.uni(0.1, 1)][: 2 if d.flip(0.3) else 1])
    after = np.maximum(np.arange(n) / SAMPLE_RATE - start, 0)
    tail = d.noise(n, -6, 20, d.log(80, 250)) * np.exp(-after / d.log(0.3, 2)) * (after > 0)
    return peaked(d.events(n, times, lambda: body, 0.3)) + d.log(0.02, 0.3) * tail


def _lava(d: Draw, n: int) -> Sound:
    """Thick slow bubbles over a rumble."""

    def blub() -> Sound:
        tone = d.bubble(d.log(50, 350), d.log(0.02, 0.12), d.uni(-0.3, 0.6))
        return added(tone, 0.3 * d.burst(0.3, 0.01, d.log(0.02, 0.08), -6, 60, d.log(500, 2500)))

    rumble = d.noise(n, -8, 20, d.log(100, 500)) * d.slow(n, d.log(1, 8), 0.4)
    return scaled(d.events(n, d.poisson(n, d.log(1, 15)), blub, 0.6)) + d.log(0.2, 1.5) * rumble


def volcano_eruption(d: Draw, n: int) -> Sound:
    """A blast, a rumble with falling stones, or lava."""
    kind = d.uni(0, 1)
    if kind < 0.4:
        return _blast(d, n) + d.noise(n, -4) * d.log(0.0003, 0.01)
    if kind < 0.7:
        rumble = d.noise(n, d.uni(-10, -4), 18, d.log(60, 300)) * d.slow(n, d.log(1, 12), d.uni(0.2, 0.7))
        stone = lambda: d.burst(0.6, 0.005, d.log(0.03, 0.2), -5, 40, d.log(400, 2500))  # noqa: E731
        y = rumble + d.log(0.05, 1) * scaled(d.events(n, d.poisson(n, d.log(1, 20)), stone, 0.7))
    else:
        y = _lava(d, n)
    return y + d.noise(n, -3) * d.log(0.002, 0.05)


TEXTURES: dict[str, Callable[[Draw, int], Sound]] = {
    f.__name__: f
    for f in (
        thunderstorm,
        waterfall_burbling,
        volcano_eruption,
        squishing_water,
        wind_noise,
        fire_crackling,
        raining,
        underwater_bubbling,
        splashing_water,
    )
}

SHORT = ("thunderstorm", "volcano_eruption", "squishing_water", "splashing_water")
"""Classes that are events: a short one is cut at its end, not at its start."""


def compose(class_id: str, rng: np.random.Generator, n: int) -> Sound:
    """A procedural sound of `class_id`, float64 [n] at 44.1 kHz. KeyError for a class that is not there."""
    longest = max(n, 2 * SAMPLE_RATE)
    y = TEXTURES[class_id](Draw(rng), longest)
    return y[:n] if class_id in SHORT else y[-n:]
