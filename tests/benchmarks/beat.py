"""How far the picture moves with a kick at 120 BPM, live and in films: epoch folding of the change between frames.

    .venv/bin/python tests/benchmarks/beat.py [WORLD] [SECONDS]

The change from each picture to the next is averaged by its phase in the beat. The variance of these averages is
divided by what it is when the same frames come in random order, which is chance: 1. Then the same for the features of
the sound, and with the modulators off.
"""

import sys
from fractions import Fraction

import numpy as np

from sonorama.engine.control.addresses import LOOK_TRAVEL, modulator
from sonorama.engine.control.live_table import FILM, MODULATORS
from sonorama.engine.control.parameters import Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.units import SAMPLE_RATE

FPS, BPM, BINS = 30, 120, 15
WARM_S = 4
"""Seconds left out: the beat is not found yet."""


def kicks(seconds: float) -> np.ndarray:
    """A kick on every beat, over a quiet chord: mono float32 at 44.1 kHz."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    since = t % (60 / BPM)
    kick = 0.7 * np.sin(2 * np.pi * (48 * since + 4 * (1 - np.exp(-since / 0.02)))) * np.exp(-since / 0.09)
    chord = sum(0.02 * np.sin(2 * np.pi * hz * t) for hz in (110.0, 164.8, 220.0))
    return (kick + chord).astype(np.float32)


def times_chance(change: np.ndarray, rounds: int = 200) -> float:
    """Variance over the phases of the mean change, divided by its mean in random order; `change` [n] of frames."""
    change = change[: len(change) // BINS * BINS]

    def variance(values: np.ndarray) -> float:
        return float(values.reshape(-1, BINS).mean(0).var())

    rng = np.random.default_rng(0)
    return variance(change) / float(np.mean([variance(rng.permutation(change)) for _ in range(rounds)]))


def changes(frames: list[np.ndarray]) -> np.ndarray:
    """Root mean square of the change to each frame after the first seconds."""
    kept = np.stack(frames[WARM_S * FPS :])
    return np.sqrt(np.square(np.diff(kept, axis=0)).mean(axis=tuple(range(1, kept.ndim))))


def main() -> None:
    world = load_world(sys.argv[1] if len(sys.argv) > 1 else "shore")
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 12.0
    sound, backend = kicks(seconds), open_backend(world, "cpu")
    usual: dict[str, Value] = {path: param.default for path, param in FILM.items()} | {LOOK_TRAVEL: 0.0}
    still = usual | {modulator(number, "source"): "off" for number in range(1, MODULATORS + 1)}
    kick = still | {modulator(1, "source"): "kick"}
    for name, values in (("out of the box, without travel", usual), ("kick on fine", kick), ("no modulators", still)):
        for how, ahead in (("live", 0.0), ("film", float("inf"))):
            render = OfflineRender(world, values, Fraction(FPS), backend, ahead)
            frames = [picture[::4, ::4] for picture in render.frames([sound], round(seconds * FPS))]
            change = changes(frames)
            print(
                f"{name:31} {how}: {times_chance(change):6.1f} times chance, {255 * change.mean():.2f} levels a frame"
            )


if __name__ == "__main__":
    main()
