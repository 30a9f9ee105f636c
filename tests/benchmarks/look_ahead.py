"""How late a film's picture is after known hits, following the sound as a show does and with look-ahead.

    .venv/bin/python tests/benchmarks/look_ahead.py [WORLD]

For clicks and bursts: frames at 30 fps from the frame that a hit falls in to the first visible change (more than 2 of
255, root mean square) and to the strongest one; medians over the hits, with the lowest and highest. For music: of as
many largest steps between two frames as there are hits, the share that lies within one frame of a hit, beside the
share of all frames that do (chance). Then what stepping through a frame costs beside painting it.
"""

import math
import statistics
import sys
import time
from fractions import Fraction

import numpy as np

from sonorama.engine.control.live_table import FILM
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.units import SAMPLE_RATE

FPS = Fraction(30)
RNG = np.random.default_rng(0)
VISIBLE = 2 / 255
HITS = tuple(1.0 + 1.537 * n for n in range(5))


def clicks() -> np.ndarray:
    return 0.9 * np.sin(2 * np.pi * 1000 * np.arange(441) / SAMPLE_RATE)


def bursts() -> np.ndarray:
    return 0.2 * RNG.standard_normal(SAMPLE_RATE * 3 // 10)


def of(kind: np.ndarray, hits: tuple[float, ...]) -> np.ndarray:
    sound = np.zeros(round((hits[-1] + 2) * SAMPLE_RATE), np.float32)
    for hit in hits:
        at = round(hit * SAMPLE_RATE)
        sound[at : at + len(kind)] += kind
    return sound


def music() -> tuple[np.ndarray, tuple[float, ...]]:
    """Eight seconds at 124 beats a minute, a kick on every beat over a pad, and the times of the kicks."""
    beat = 60 / 124
    kicks = tuple(beat * n for n in range(1, 16))
    t = np.arange(SAMPLE_RATE // 5) / SAMPLE_RATE
    sound = of(0.7 * np.sin(2 * np.pi * (50 * t + 8 * (1 - np.exp(-t * 30)))) * np.exp(-t * 18), kicks)
    t = np.arange(len(sound)) / SAMPLE_RATE
    pad = sum(0.03 * np.sin(2 * np.pi * hertz * t) for hertz in (110.0, 164.8, 220.0, 277.2))
    return (sound + pad).astype(np.float32), kicks


def film(render: OfflineRender, sound: np.ndarray) -> np.ndarray:
    """Pictures of the whole sound, at a quarter of the size."""
    n_frames = math.ceil(len(sound) * FPS / SAMPLE_RATE)
    return np.stack([picture[::4, ::4] for picture in render.frames([sound], n_frames)])


def difference(pictures: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Root mean square of each picture's difference from another."""
    return np.sqrt(np.square(pictures - other).mean((1, 2, 3)))


def lateness(pictures: np.ndarray, hits: tuple[float, ...]) -> tuple[list[int], list[int]]:
    """Frames from each hit to the first visible change, and to the strongest."""
    first, strongest = list[int](), list[int]()
    for hit in hits:
        at = int(hit * FPS)
        changes = difference(pictures[at - 3 : at + 36], pictures[at - 4])
        first.append(int(np.argmax(changes > VISIBLE)) - 3 if (changes > VISIBLE).any() else 99)
        strongest.append(int(np.argmax(changes)) - 3)
    return first, strongest


def on_the_beat(pictures: np.ndarray, hits: tuple[float, ...]) -> tuple[float, float]:
    """Share of the largest steps within one frame of a hit, and of all frames."""
    steps = difference(pictures[1:], pictures[:-1])
    near = np.zeros(len(steps), bool)
    for hit in hits:
        near[max(0, int(hit * FPS) - 2) : int(hit * FPS) + 1] = True  # step i leads to frame i + 1
    largest = np.argsort(steps[: int((hits[-1] + 0.5) * FPS)])[-len(hits) :]
    return float(near[largest].mean()), float(near.mean())


def told(values: list[int]) -> str:
    return f"{statistics.median(values):g} ({min(values)} to {max(values)})"


def main() -> None:
    world = load_world(sys.argv[1] if len(sys.argv) > 1 else "shore")
    backend = open_backend(world, "auto")
    values = {path: param.default for path, param in FILM.items()} | {"/look/travel": 0.0, "/look/sway": 0.0}
    sounds = {"clicks of 10 ms": of(clicks(), HITS), "bursts of 0.3 s": of(bursts(), HITS)}
    print("| sound | look-ahead | first visible change | strongest |\n|---|---|---|---|")
    for name, sound in sounds.items():
        for ahead in (0.0, math.inf):
            first, strongest = lateness(film(OfflineRender(world, values, FPS, backend, ahead), sound), HITS)
            print(f"| {name} | {'auto' if ahead else '0'} | {told(first)} | {told(strongest)} |")
    track, kicks = music()
    off = {f"/moves/{number}/source": "off" for number in (1, 2, 3)}
    for name, some, ahead in (("no modulators, 0", off, 0.0), ("0", {}, 0.0), ("auto", {}, math.inf)):
        share, chance = on_the_beat(film(OfflineRender(world, values | some, FPS, backend, ahead), track), kicks)
        print(
            f"music, 124 bpm, look-ahead {name}: {share:.0%} of the largest steps are on a hit, {chance:.0%} by chance"
        )
    render = OfflineRender(world, values, FPS, backend, math.inf)
    sound, n = np.tile(track, 4), 600
    begun = time.process_time()
    codes = list(render.codes([sound], n))
    stepped = time.process_time()
    skipped = sum(1 for w in render.codes_without([sound], n, range(n)) if w is None)
    passed = time.process_time()
    painted = sum(1 for _ in render.paint(codes[:60]))
    painting = (time.process_time() - passed) / painted
    print(f"stepping a frame / painting it: {(stepped - begun) / n / painting:.3f}")
    print(f"skipping a frame / painting it: {(passed - stepped) / skipped / painting:.3f}")


if __name__ == "__main__":
    main()
