"""Procedural sounds that are none of the classes, by the teacher's names: hums, buzzes, tones, drum hits.

Unlabelled libraries hold few of them, and ears that never learned them by name took a mains hum for water and a single
drum hit for rain. Applause is missing: what was drawn the teacher took for fireworks. Every number is drawn from a wide
range, as in procedural_sounds.py; sounds are float64 [n] at 44.1 kHz.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...engine.units import SAMPLE_RATE
from .procedural_sounds import Draw, Sound, added, scaled


def _partials(d: Draw, n: int, base: float, count: int, tilt: float) -> Sound:
    """Harmonics of a base of so many Hz, the k-th at about k ** -tilt, some of them missing."""
    t, y = np.arange(n) / SAMPLE_RATE, np.zeros(n)
    step = 2 if d.flip(0.3) else 1
    for k in range(1, 1 + step * count, step):
        if k == 1 or (k * base < 16_000 and d.flip(0.85)):
            y += d.amp(0.6) * k**-tilt * np.sin(2 * np.pi * k * base * t + d.uni(0, 2 * np.pi))
    return y


def mains_hum(d: Draw, n: int) -> Sound:
    """50 or 60 Hz and their harmonics, with a little hiss."""
    base = (50.0, 60.0)[d.flip()] * d.uni(0.998, 1.002) * (2 if d.flip(0.3) else 1)
    y = scaled(_partials(d, n, base, int(d.log(2, 40)), d.uni(0.2, 1.6)))
    return y * d.slow(n, 1.0, d.uni(0, 0.1)) + d.log(0.001, 0.1) * d.noise(n, d.uni(-4, 0))


def hum(d: Draw, n: int) -> Sound:
    """A machine that runs: a low note that wavers, under soft noise."""
    y = scaled(_partials(d, n, d.log(35, 400), int(d.log(2, 16)), d.uni(0.6, 2.0)))
    y = y * d.slow(n, d.log(0.3, 12), d.uni(0, 0.5))
    return y + d.log(0.003, 0.3) * d.noise(n, d.uni(-6, 0), 20, d.log(300, 8000))


def buzz(d: Draw, n: int) -> Sound:
    """A rough note: many harmonics that hardly fall."""
    y = scaled(_partials(d, n, d.log(45, 500), 60, d.uni(0.0, 0.7)))
    return y * d.slow(n, d.log(1, 30), d.uni(0, 0.8)) + d.log(0.001, 0.05) * d.noise(n)


def sine_wave(d: Draw, n: int) -> Sound:
    """One to three steady tones, which may beat."""
    t, first = np.arange(n) / SAMPLE_RATE, d.log(60, 4000)
    notes = [first, *(first * d.uni(0.97, 2.1) for _ in range(int(d.rng.integers(0, 3))))]
    tones = sum((d.amp(0.5) * np.sin(2 * np.pi * hz * t + d.uni(0, 6)) for hz in notes), np.zeros(n))
    return tones + d.log(0.0005, 0.02) * d.noise(n, d.uni(-4, 0))


def _repeated(d: Draw, n: int, hit: Callable[[], Sound]) -> Sound:
    """One hit, or several in time."""
    if d.flip(0.3):
        return d.events(n, np.array([d.uni(0, 0.4) * n / SAMPLE_RATE]), hit)
    step = d.log(0.12, 0.7)
    times = np.arange(d.uni(0, step), n / SAMPLE_RATE, step)
    return d.events(n, times[d.rng.random(len(times)) < 0.85], hit, 0.3)


def bass_drum(d: Draw, n: int) -> Sound:
    """A sine that falls within some hundredths of a second, and a click."""
    low, fall, decay, sharp = d.log(38, 90), d.uni(1, 7), d.log(0.05, 0.35), d.uni(0, 0.5)

    def hit() -> Sound:
        t = np.arange(int(5 * decay * SAMPLE_RATE)) / SAMPLE_RATE
        phase = 2 * np.pi * low * (t + fall * 0.02 * (1 - np.exp(-t / 0.02)))
        return added(np.sin(phase) * np.exp(-t / decay), sharp * d.click(d.log(800, 5000), 0.003))

    return _repeated(d, n, hit)


def snare_drum(d: Draw, n: int) -> Sound:
    """Noise over a short tone."""
    hz, decay, wires = d.log(140, 280), d.log(0.04, 0.2), d.uni(0.4, 2.0)

    def hit() -> Sound:
        t = np.arange(int(5 * decay * SAMPLE_RATE)) / SAMPLE_RATE
        return (np.sin(2 * np.pi * hz * t) + wires * d.noise(len(t), 0, 400, d.log(6e3, 16e3))) * np.exp(-t / decay)

    return _repeated(d, n, hit)


def hi_hat(d: Draw, n: int) -> Sound:
    """High noise with a metallic ring."""
    decay, low = d.log(0.015, 0.25), d.log(3000, 8000)
    ring = [d.log(4000, 12_000) for _ in range(6)]

    def hit() -> Sound:
        t = np.arange(int(6 * decay * SAMPLE_RATE)) / SAMPLE_RATE
        metal = sum((np.sign(np.sin(2 * np.pi * hz * t + d.uni(0, 6))) for hz in ring), np.zeros(len(t)))
        return (d.noise(len(t), 0, low, 20_000) + 0.3 * metal) * np.exp(-t / decay)

    return _repeated(d, n, hit)


OTHERS: dict[str, Callable[[Draw, int], Sound]] = {
    "Mains hum": mains_hum,
    "Hum": hum,
    "Buzz": buzz,
    "Sine wave": sine_wave,
    "Bass drum": bass_drum,
    "Snare drum": snare_drum,
    "Hi-hat": hi_hat,
}
"""By the names of AudioSet."""


def compose_other(name: str, rng: np.random.Generator, n: int) -> Sound:
    """A procedural sound of that name, float64 [n] at 44.1 kHz. KeyError for a name that is not there."""
    return OTHERS[name](Draw(rng), n)
