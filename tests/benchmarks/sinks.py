"""What sinks cost: the show's loop for a tick, and the sink's own thread for a picture.

python tests/benchmarks/sinks.py [--fps 30] [--seconds 10]
"""

import argparse
import os
import statistics
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from sonorama.engine.audio.sample_ring import SampleRingWriter
from sonorama.engine.plugins.interfaces import FrameSink, Picture, StreamInfo
from sonorama.engine.plugins.registry import open_sink
from sonorama.engine.show.sink_runner import SinkRunner
from sonorama.engine.units import SAMPLE_RATE, Pixels


class Timed:
    """A sink that notes how much processor time and how long each call of another took."""

    def __init__(self, sink: FrameSink) -> None:
        self._sink = sink
        self.policy: Literal["latest", "every"] = sink.policy
        self.about = ""
        self.busy: list[float] = []
        self.wall: list[float] = []

    def open(self, info: StreamInfo) -> None:
        self._sink.open(info)

    def send(self, picture: Picture) -> None:
        busy, wall = time.thread_time(), time.perf_counter()
        self._sink.send(picture)
        self.busy.append((time.thread_time() - busy) * 1e3)
        self.wall.append((time.perf_counter() - wall) * 1e3)

    def close(self) -> None:
        self._sink.close()


def scenery(size: int) -> Pixels:
    """A large smooth picture with some grain, through which a window moves: about as hard to encode as a film."""
    random = np.random.default_rng(0)
    wide = size + 256
    coarse = random.uniform(30, 220, (wide // 32 + 2, wide // 32 + 2, 3))
    places = np.linspace(0, coarse.shape[0] - 1.001, wide)
    low, part = places.astype(int), (places % 1)[:, None, None]
    rows = coarse[low] * (1 - part) + coarse[low + 1] * part
    part = (places % 1)[None, :, None]
    smooth = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    picture = np.full((wide, wide, 4), 255, np.uint8)
    picture[..., :3] = np.clip(smooth + random.normal(0, 3, smooth.shape), 0, 255)
    return picture


def measure(spec: str, size: int, fps: int, seconds: float) -> str:
    """One line: a show of so many seconds with one sink."""
    name = f"bench-{os.getpid()}"
    wide, spent = scenery(size), []
    with SampleRingWriter(name, 10.0) as ring:
        made: list[Timed] = []

        def make() -> Timed:
            made.append(Timed(open_sink(spec)[1]()))
            return made[0]

        runner = SinkRunner(spec, make, StreamInfo(name, size, size, Fraction(fps), name))
        runner.start()
        due = time.monotonic()
        for tick in range(round(seconds * fps)):
            due += 1 / fps
            time.sleep(max(0.0, due - time.monotonic()))
            ring.write(np.random.default_rng(tick).uniform(-0.1, 0.1, (2, SAMPLE_RATE // fps)).astype(np.float32))
            at = tick % 256
            pixels = wide[at : at + size, at : at + size].copy()
            pixels.setflags(write=False)
            picture = Picture(pixels, tick, tick, tick * (SAMPLE_RATE // fps), round(due * 1e9), False)
            begun = time.perf_counter()
            runner.offer(picture)
            spent.append((time.perf_counter() - begun) * 1e6)
        runner.close(30)
    counts, (sink,) = runner.counts, made
    late = sorted(sink.wall)[int(len(sink.wall) * 0.99)]
    return (
        f"{spec.partition(':')[0] + Path(spec).suffix:10} {size}x{size}: offer {statistics.median(spent):5.1f} us, "
        f"p99 {sorted(spent)[int(len(spent) * 0.99)]:6.1f} us; send {statistics.median(sink.wall):6.2f} ms "
        f"(cpu {statistics.mean(sink.busy):6.2f}), p99 {late:6.2f} ms; "
        f"{counts.sent} sent, {counts.replaced} replaced, {counts.dropped} dropped"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=10.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        for size in (256, 512):
            for spec in ("null", "map", f"record:{Path(room) / 'show.mp4'}", f"record:{Path(room) / 'show.mkv'}"):
                print(measure(spec, size, args.fps, args.seconds))


if __name__ == "__main__":
    main()
