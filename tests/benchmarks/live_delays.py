"""How long a sound takes into the picture of a live show: onset, level and sound code.

python tests/benchmarks/live_delays.py [WORLD]        (from a paced file and through PulseAudio's null sink)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the helpers of the tests

from tests.benchmarks.live import LEVELS, STILL, begin, row, sets, spread
from tests.live.stage import LiveShow

from sonorama.engine.audio.sample_ring import SampleRing
from sonorama.engine.ipc.frame_map import FrameMap
from sonorama.engine.take.audio_file import SoundFile
from sonorama.engine.units import SAMPLE_RATE

HOP = 512
EVERY = {"onset": 260 * HOP, "level": 260 * HOP, "sound code": 604 * HOP}
"""Samples from one sound to the next, each at another place between two frames. What was heard four seconds ago still
has a part in the sound code, so those are seven seconds apart.
"""
BURSTS = 20
"""How many sounds a delay is the median of."""
SEEN = 0.1
"""Levels of 255, the mean of a picture, by which it has to move."""
CODE_ONLY = (
    STILL
    | {"/sound/follow": 0.2}
    | {f"/motion/{level}/{name}": value for level in LEVELS for name, value in (("amount", 2), ("kappa", 0))}
)


def bursts(path: Path, kind: str) -> Path:
    """A click of 10 ms in silence; for levels half a second of noise; for sound codes that over a soft hum, since what
    follows silence is heard only once it fills a part of the encoder's window. The hum is the same in every column.
    """
    n, dice = EVERY[kind], np.random.default_rng(0)
    at = np.arange(SAMPLE_RATE // 100 if kind == "onset" else SAMPLE_RATE // 2)
    click = np.sin(2 * np.pi * 1500 * at / SAMPLE_RATE) * np.exp(-at / 100)
    sound = (0.02 if kind == "sound code" else 0.0) * np.sin(6 * np.pi * np.arange(n) / HOP)
    sound[SAMPLE_RATE : SAMPLE_RATE + len(at)] += 0.7 * (
        click if kind == "onset" else 0.3 * dice.standard_normal(len(at))
    )
    file = SoundFile(path)
    for _ in range(BURSTS + 3):  # long enough for players that leave a gap before they begin again
        for start in range(0, n, SAMPLE_RATE):
            file.append(np.stack([sound, sound]).astype(np.float32)[:, start : start + SAMPLE_RATE])
    file.close()
    return path


def first_changes(show: LiveShow, every_s: float) -> list[float]:
    """Milliseconds from the capture of a sound's first sample until another process sees the first picture that moved
    more than pictures do in the silence before.
    """
    delays: list[float] = []
    with FrameMap(show.name) as seen, SampleRing(show.name) as ring:
        while len(delays) < BURSTS:
            captured, before = _next_sound(seen, ring)
            still, least = before[-1], 2 * _apart(before[0], before[-1]) + SEEN
            end = time.monotonic() + every_s / 3
            while (slot := seen.newest()) is not None and time.monotonic() < end:
                if _apart(slot.pixels, still) > least:
                    delays.append((time.monotonic_ns() - captured) / 1e6)
                    break
                time.sleep(0.001)
            else:
                delays.append(float("inf"))
            time.sleep(every_s / 2)
    return delays


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean difference of two pictures, levels of 255."""
    return float(np.abs(a.astype(np.int16) - b).mean())


def _next_sound(seen: FrameMap, ring: SampleRing) -> tuple[int, list[np.ndarray]]:
    """When the next sound was captured, monotonic nanoseconds, and the pictures of the quarter second before."""
    pictures: deque[np.ndarray] = deque(maxlen=8)
    start, count = ring.count, 0
    while True:
        slot, stop = seen.newest(), ring.count
        loud = np.abs(ring.read(start, stop)).max(0, initial=0.0) > 0.05
        if loud.any() and len(pictures) == 8:
            return ring.captured_ns(start + int(loud.argmax())), list(pictures)
        start = stop
        if slot is not None and slot.count != count:
            count = slot.count
            pictures.append(slot.pixels)
        time.sleep(0.001)


@contextmanager
def null_sink(folder: Path, sound: Path) -> Iterator[dict[str, str]]:
    """A PulseAudio server whose output plays a file again and again; the environment in which it is heard."""
    from tests.plugin.pulse import Pulse

    server, ending = Pulse(folder), threading.Event()
    server.start()

    def play() -> None:
        while not ending.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.play(sound).wait(60)

    player = threading.Thread(target=play, daemon=True)
    player.start()
    try:
        yield {name: server.env[name] for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR")}
    finally:
        ending.set()
        server.kill()


def delays(folder: Path, world: str) -> None:
    """Three ways of a sound into the picture, from a paced file and through PulseAudio."""
    frame, block = 1000 / 30, 10.0
    fast = f"<= {2 * frame + block:.0f} ms (2 frames + a block)"
    moved = STILL | {"/moves/1/target": "/look/truncation", "/moves/1/depth": 1}
    kinds = {
        "onset": (moved | {"/moves/1/source": "onset"}, fast),
        "level": (moved | {"/moves/1/source": "level"}, fast),
        "sound code": (CODE_ONLY, f"<= {2 * frame + 150:.0f} ms (2 frames + 150 ms)"),
    }
    for kind, (values, wanted) in kinds.items():
        every_s = EVERY[kind] / SAMPLE_RATE
        sound = bursts(folder / f"{kind.replace(' ', '-')}.wav", kind)
        options = ["--device", "cpu", "--no-panel", *sets(values)]
        with LiveShow(folder, world, "--source", f"file:{sound}", *options) as show:
            show.playing()
            time.sleep(3.0)
            row(f"{kind} to picture, a paced file", spread(first_changes(show, every_s)), wanted)
        if shutil.which("pulseaudio"):
            place = folder / f"pulse-{kind.replace(' ', '-')}"
            place.mkdir()
            with (
                null_sink(place, sound) as env,
                _environment(env),
                LiveShow(folder, world, "--source", "loopback", *options) as show,
            ):
                show.playing()
                time.sleep(3.0)
                row(
                    f"{kind} to picture, PulseAudio's null sink",
                    spread(first_changes(show, every_s)),
                    wanted,
                )


@contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    """For this process too, which looks for the show's session where the show puts it."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def main(words: list[str]) -> None:
    """Measure and print."""
    world = words[0] if words else "shore"
    begin(world)
    with tempfile.TemporaryDirectory() as folder:
        delays(Path(folder), world)


if __name__ == "__main__":
    main(sys.argv[1:])
