"""Takes for the tests: a ring with noise for it, whole takes, and their sound read back.

Test modules import the fixtures as themselves.
"""

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests import disks

from sonorama.engine.audio.sample_ring import SampleRingWriter
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.take import audio_file as takesound
from sonorama.engine.take.writer import TakeStart, TakeWriter
from sonorama.engine.units import SAMPLE_RATE

VALUES: dict[str, Value] = {path: param.default for path, param in SHOW.items()}
START = TakeStart("tiny", "ab" * 32, "0", "cpu", Fraction(30), (64, 64), VALUES)
NOISE = np.random.default_rng(0).uniform(-1.5, 1.5, (2, 5 * SAMPLE_RATE)).astype(np.float32)


@pytest.fixture
def ring() -> Iterator[SampleRingWriter]:
    with SampleRingWriter(f"take-{os.getpid()}-{random.randrange(1 << 30)}", seconds=20.0) as writer:
        yield writer


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sound(folder: Path, stop: int | None = None) -> np.ndarray:
    path = folder / "audio.wav"
    return np.concatenate(list(takesound.read(path, 0, takesound.count(path) if stop is None else stop)), axis=1)


def decoded(path: Path) -> np.ndarray:
    """As FFmpeg reads it: float32 [2,n]."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<f4").reshape(-1, 2).T


def make(folder: Path, ring: SampleRingWriter, samples: int = SAMPLE_RATE, start: TakeStart = START) -> Path:
    """A small whole take."""
    writer = TakeWriter(folder, start, ring.name)
    ring.write(NOISE[:, :samples])
    writer.changes(3, 4410, [Change("/look/seed", 7, "osc"), Change("/look/truncation", 0.25, "scene", 1.5)])
    writer.changes(3, 4410, [Change("/sound/tap", True, "key")])
    writer.restart(9, 13230, 1)
    writer.deaf(9, 13230, 11000, 13230)
    writer.held(12, 17640, [(4, 3)])
    writer.fresh(12, 17640, VALUES | {"/look/seed": 9})
    writer.played_on(0, 0, "torch-cuda")
    writer.played_on(12, 17640, "openvino-cpu")
    writer.precision(5, 7350, "exact")
    writer.precision(13, 19110, "bf16")
    writer.world_opened(14, 20580, "shore", "cd" * 32)
    writer.note(15, 22050, "the cat is on the keys")
    assert writer.close(20, 29400)
    assert writer.faults() == []
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KiB."""
    with disks.small_disk(tmp_path, 400) as folder:
        yield folder
