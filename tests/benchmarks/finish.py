"""Measures the output controls: milliseconds per tick in the show's process.

python tests/benchmarks/finish.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Value
from sonorama.engine.picture.blend import plain
from sonorama.engine.picture.output_controls import OutputControls
from sonorama.engine.picture.scale import scaler
from sonorama.engine.picture.test_pattern import TestPattern
from sonorama.engine.units import Pixels

SIZES = ((256, 256), (512, 512), (1920, 1080))
RUNS, FPS = 100, 30.0
DEFAULTS = {path: param.default for path, param in SHOW.items() if path.startswith("/out/")}
WAYS: dict[str, dict[str, Value]] = {
    "without guard": {"/out/flash_guard": False},
    "with guard": {},
    "master 0.7": {"/out/flash_guard": False, "/out/master": 0.7},
    "flip horizontal": {"/out/flash_guard": False, "/out/flip": "horizontal"},
    "flip vertical": {"/out/flash_guard": False, "/out/flip": "vertical"},
    "all of it": {"/out/master": 0.7, "/out/flip": "both"},
}


def call_ms(call: Callable[[int], object], part: float = 0.5) -> float:
    """Median, or the time that another part of RUNS calls stays within. They are given the number of the run."""
    spent = []
    for run in range(RUNS):
        begun = time.perf_counter_ns()
        call(run)
        spent.append((time.perf_counter_ns() - begun) / 1e6)
    return statistics.quantiles(spent, n=20)[round(20 * part) - 1]


def finish_ms(pictures: list[Pixels | None], values: dict[str, Value], part: float = 0.5) -> float:
    """A tick of a Finish that is given these pictures in turn."""
    height, width = next(picture.shape[:2] for picture in pictures if picture is not None)
    finish = OutputControls(width, height)
    effective = {**DEFAULTS, **values}
    return call_ms(lambda run: finish.apply(pictures[run % len(pictures)], effective, run / FPS, 1 / FPS), part)


def pictures_of(width: int, height: int) -> list[Pixels | None]:
    """Three that differ a little."""
    base = np.random.default_rng(0).integers(90, 110, (height, width, 4), dtype=np.uint8)
    base[..., 3] = 255
    return [base, np.roll(base, 1, 1), np.roll(base, 2, 1)]


def strobe_of(width: int, height: int) -> list[Pixels | None]:
    """Dark and bright in turn, no two alike: most of them are held back."""
    return [plain(width, height, level) for dark in range(8) for level in (dark, 255 - dark)]


def main() -> None:
    """Measure and print."""
    for width, height in SIZES:
        pictures = pictures_of(width, height)
        print(f"{width}x{height}, ms a tick")
        print(f"  nothing new: {finish_ms([*pictures[:1], *[None] * (RUNS - 1)], {}):.4f}")
        for name, values in WAYS.items():
            print(f"  {name}: {finish_ms(pictures, values):.3f}")
        print(f"  a strobe that is held back, nine in ten within: {finish_ms(strobe_of(width, height), {}, 0.9):.3f}")
        card = TestPattern(width, height)
        print(f"  test card: {call_ms(lambda run, card=card: card.draw(run, FPS)):.3f}")
        scale = scaler((512, 512), (width, height))
        square = np.zeros((512, 512, 4), np.uint8)
        print(f"  512x512 to this size: {call_ms(lambda _, scale=scale, square=square: scale(square)):.3f}")


if __name__ == "__main__":
    main()
