"""How long OSC and MIDI messages take to the first changed picture that another process sees in the frame map.

PYTHONPATH=. python tests/benchmarks/control_delays.py [WORLD] [COUNT]     (shore, 200; nothing else should run)
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.benchmarks.live import STILL, begin, row, sets, spread
from tests.live.stage import LiveShow
from tests.plugin.midi.jack import Controller, Jack

from sonorama.engine.ipc.frame_map import FrameMap

ADDRESS = "/picture/kaleidoscope"
"""It acts on the frame in which it comes, without a glide."""
MAPPING = [{"address": ADDRESS, "port": "", "kind": "cc", "channel": 1, "number": 1}]
SEEN = 3.0
"""Levels of 255, the mean of a picture, by which it has to change."""
OPTIONS = ("--source", "silence", "--device", "cpu", "--no-panel", "--sink", "null")


def to_picture(show: LiveShow, send: Callable[[bool], None], count: int) -> list[float]:
    """Milliseconds from sending to the first picture that differs; each at another place between two frames."""
    dice, delays = random.Random(1), list[float]()
    with FrameMap(show.name) as seen:
        for number in range(count):
            time.sleep(0.2 + dice.random() / 15)
            still = seen.newest()
            while still is None:
                still = seen.newest()
            sent = time.monotonic_ns()
            send(number % 2 == 0)
            delays.append((_changed(seen, still.pixels.astype(np.int16), still.count) - sent) / 1e6)
    return delays


def _changed(seen: FrameMap, still: np.ndarray, count: int) -> int:
    """When a picture that differs from `still` was there, monotonic nanoseconds."""
    end = time.monotonic() + 5.0
    while time.monotonic() < end:
        if not seen.wait(0.1, count) or (slot := seen.newest()) is None:
            continue
        came, count = time.monotonic_ns(), slot.count
        if np.abs(slot.pixels.astype(np.int16) - still)[::4, ::4].mean() > SEEN:
            return came
    raise RuntimeError("no picture changed within 5 s")


def osc(folder: Path, world: str, count: int) -> list[float]:
    """By OSC over UDP."""
    with LiveShow(folder, world, *OPTIONS, *sets(STILL)) as show:
        show.playing()
        time.sleep(3.0)
        return to_picture(show, lambda on: show.set(ADDRESS, 6 if on else 0), count)


def midi(folder: Path, world: str, count: int) -> list[float]:
    """By a control change of a JACK port and the bridge `midi`."""
    mapping = folder / "bench.midi.json"
    mapping.write_text(json.dumps({"format": "sonorama-midi", "mappings": MAPPING}))
    with pytest.MonkeyPatch.context() as patch, contextlib.closing(Jack(folder, patch)):
        controller = Controller("mixer")
        values = STILL | {"/midi/takeover": "none"}
        with LiveShow(folder, world, *OPTIONS, *sets(values), "--bridge", f"midi:api=jack&file={mapping}") as show:
            show.playing()
            time.sleep(5.0)
            return to_picture(
                show, lambda on: controller.send(f"control_change control=1 value={127 if on else 0}"), count
            )


def main(words: list[str]) -> None:
    """Measure and print."""
    world, count = words[0] if words else "shore", int(words[1]) if len(words) > 1 else 200
    begin(world)
    for name, measure in (("OSC", osc), ("MIDI (JACK)", midi)):
        with tempfile.TemporaryDirectory() as folder:
            row(f"{name} to picture", spread(measure(Path(folder), world, count)), "one frame (33 ms) and painting")


if __name__ == "__main__":
    main(sys.argv[1:])
