"""Music, pads and speech made by rule, so that their tempo and their drums are known."""

import numpy as np

from sonorama.engine.units import SAMPLE_RATE

Sound = np.ndarray


def _times(n: int) -> Sound:
    return np.arange(n) / SAMPLE_RATE


def kick(n: int = 8000) -> Sound:
    """A bass drum: a sine that falls to 48 Hz, [n]."""
    t = _times(n)
    return 0.8 * np.sin(2 * np.pi * (48 * t + 4 * (1 - np.exp(-t / 0.02)))) * np.exp(-t / 0.09)


def snare(rng: np.random.Generator, n: int = 7000) -> Sound:
    """Noise over a short tone, [n]."""
    t = _times(n)
    return 0.35 * rng.standard_normal(n) * np.exp(-t / 0.05) + 0.3 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.04)


def hat(rng: np.random.Generator, n: int = 3000) -> Sound:
    """High noise, [n]."""
    return 0.15 * np.diff(rng.standard_normal(n + 1)) * np.exp(-_times(n) / 0.012)


def put(sound: Sound, hit: Sound, at_s: float, gain: float = 1.0) -> None:
    """Add a hit at a time in seconds; what is beyond the end is left out."""
    first = round(at_s * SAMPLE_RATE)
    hit = hit[: max(0, len(sound) - first)]
    sound[first : first + len(hit)] += gain * hit


def pattern(bpm: float, seconds: float, kicks: tuple[float, ...], snares: tuple[float, ...]) -> Sound:
    """Bars of four beats with hits at these beats, hats on the eighths, over a sub-bass and a chord."""
    rng = np.random.default_rng(3)
    t, beat = _times(round(seconds * SAMPLE_RATE)), 60 / bpm
    sound = 0.005 * rng.standard_normal(len(t)) + 0.1 * np.sin(2 * np.pi * 55 * t)
    sound += 0.04 * sum(np.sin(2 * np.pi * hz * t) for hz in (220.0, 277.2, 329.6))
    for bar in np.arange(0, seconds, 4 * beat):
        for at in kicks:
            put(sound, kick(), bar + at * beat)
        for at in snares:
            put(sound, snare(rng), bar + at * beat)
        for eighth in range(8):
            put(sound, hat(rng), bar + eighth * beat / 2)
    return (0.7 * sound).astype(np.float32)


def house(bpm: float, seconds: float) -> Sound:
    """A kick on every beat, a snare on two and four."""
    return pattern(bpm, seconds, (0, 1, 2, 3), (1, 3))


def drum_and_bass(bpm: float, seconds: float) -> Sound:
    """Kicks on one and three and a half, snares on two and four: every second beat is the strong one."""
    return pattern(bpm, seconds, (0, 2.5), (1, 3))


def _saw(hz: float, t: Sound) -> Sound:
    return sum((np.sin(2 * np.pi * hz * h * t) / h for h in range(1, 12)), np.zeros(len(t)))


PADS = ("chord", "detuned", "tremolo", "swells", "noisy", "organ")


def pad(kind: str, seconds: float) -> Sound:
    """Held sounds of one of PADS: some swell or beat periodically, none has a hit."""
    t = _times(round(seconds * SAMPLE_RATE))
    chord = _saw(220, t) + _saw(277.2, t) + _saw(329.6, t)
    match kind:
        case "detuned":  # all pairs beat at 3 Hz, which is 180 a minute
            sound = _saw(220, t) + _saw(221.5, t) + _saw(223, t)
        case "tremolo":
            sound = chord * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))
        case "swells":
            sound = chord * np.clip(t % 4 / 1.5, 0, 1) * np.clip((4 - t % 4) / 0.8, 0, 1)
        case "noisy":
            sound = chord + 0.5 * np.random.default_rng(1).standard_normal(len(t))
        case "organ":
            sound = np.sin(2 * np.pi * 220 * t) + np.sin(2 * np.pi * 225 * t)
        case _:
            sound = chord + _saw(220.7, t) + _saw(276.3, t)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def speech(seconds: float, seed: int) -> Sound:
    """Syllables of irregular length with two formants, sibilants and pauses."""
    rng, at = np.random.default_rng(seed), 0.2
    sound = np.zeros(round(seconds * SAMPLE_RATE))
    while at < seconds - 0.5:
        length = rng.uniform(0.08, 0.3)
        t = _times(round(length * SAMPLE_RATE))
        pitch, first, second = rng.uniform(95, 150), rng.uniform(300, 800), rng.uniform(900, 2300)
        voice = np.zeros(len(t))
        for hz in pitch * np.arange(1, 30):
            formants = 1 / (1 + ((hz - first) / 120) ** 2) + 0.6 / (1 + ((hz - second) / 180) ** 2)
            voice += (formants + 0.02) * np.sin(2 * np.pi * hz * t * (1 + 0.02 * t))
        put(sound, 0.25 * np.sin(np.pi * np.linspace(0, 1, len(t))) ** 0.6 * voice, at)
        if rng.random() < 0.4:
            put(sound, 0.25 * np.hanning(3000) * np.diff(rng.standard_normal(3001)), at + length)
        at += length + abs(rng.normal(0.02, 0.05)) + (rng.uniform(0.2, 0.8) if rng.random() < 0.12 else 0)
    return sound.astype(np.float32)
