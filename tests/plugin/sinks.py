"""What tests of sinks share: pictures with a number in them, a ring of sound, a disk that is soon full."""

import subprocess
import time
from collections.abc import Callable
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np

from sonorama.engine.plugins.interfaces import Picture, StreamInfo
from sonorama.engine.units import SAMPLE_RATE

FPS = Fraction(30)
STARTED_NS = 1_000_000_000


def grey(tick: int) -> int:
    """The level of picture `tick`, so that a codec cannot mistake it for its neighbours (up to 39)."""
    return 20 + 5 * (tick % 40)


def picture(
    tick: int, width: int = 64, height: int = 64, fps: Fraction = FPS, sample: int | None = None, repeated: bool = False
) -> Picture:
    """Plain grey, as the show would send it: opaque and read-only."""
    pixels = np.full((height, width, 4), grey(tick), np.uint8)
    pixels[..., 3] = 255
    pixels.setflags(write=False)
    at = int(tick * SAMPLE_RATE / fps) if sample is None else sample
    return Picture(pixels, tick, tick, at, STARTED_NS + round(tick * 1_000_000_000 / fps), repeated)


def noise(tick: int, width: int, height: int) -> Picture:
    """A picture that no codec makes small."""
    pixels = np.random.default_rng(tick).integers(0, 256, (height, width, 4), np.uint8)
    pixels[..., 3] = 255
    pixels.setflags(write=False)
    return Picture(
        pixels, tick, tick, int(tick * SAMPLE_RATE / FPS), STARTED_NS + round(tick * 1_000_000_000 / FPS), False
    )


def info(name: str, width: int = 64, height: int = 64, fps: Fraction = FPS, samples: str = "") -> StreamInfo:
    return StreamInfo(name, width, height, fps, samples, "shore 1")


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def small_disk(place: Path, size: str):
    """A file system of that size, such as 300k, on a folder; None where mounting is not allowed."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
