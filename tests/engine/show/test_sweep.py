"""What killed shows leave in shared memory is removed; what lives, or is something else, stays."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from sonorama.engine.audio.sample_ring import SampleRingWriter
from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.engine.ipc.shared_paths import shared_path
from sonorama.engine.show.sweep import QUIET_NS, STATE_S, sweep_shared_memory

LEAVE = """
import os, sys
from sonorama.engine.audio.sample_ring import SampleRingWriter
from sonorama.engine.ipc.frame_map import FrameMapWriter
name = sys.argv[1]
ring = SampleRingWriter(name, 1.0)
maps = [FrameMapWriter(one, 16, 16) for one in (name, name + ".inner")]
old = -int(sys.argv[2])
ring._ring.header["beat_ns"] += old
for one in maps:
    one._map.header["heartbeat_ns"] += old
os._exit(9)
"""


@pytest.fixture
def name() -> Iterator[str]:
    one = f"sweep-{os.getpid()}-{secrets.token_hex(4)}"
    yield one
    for path in shared_path(one).parent.glob(f"sonorama-{one}*"):
        path.unlink()


def left_by_a_killed_show(name: str, quiet_ns: int = QUIET_NS) -> list[Path]:
    subprocess.run([sys.executable, "-c", LEAVE, name, str(quiet_ns)], check=False)
    paths = [shared_path(one) for one in (name, f"{name}.inner", f"{name}.samples")]
    assert all(path.exists() for path in paths)
    return paths


def test_what_a_killed_show_left_is_removed(name: str) -> None:
    paths = left_by_a_killed_show(name)
    assert name not in sweep_shared_memory(but=name)
    assert all(path.exists() for path in paths)
    assert name in sweep_shared_memory()
    assert not any(path.exists() for path in paths)


def test_what_was_written_a_moment_ago_stays(name: str) -> None:
    """Its owner may run in another container, where it cannot be seen."""
    paths = left_by_a_killed_show(name, 0)
    assert name not in sweep_shared_memory()
    assert all(path.exists() for path in paths)


def test_a_show_that_lives_keeps_what_its_dead_renderer_left(name: str) -> None:
    paths = left_by_a_killed_show(name)
    paths[0].unlink()
    with FrameMapWriter(name, 16, 16):
        assert name not in sweep_shared_memory()
        assert paths[1].exists()
    paths[2].unlink()
    with SampleRingWriter(name, 1.0):
        assert name not in sweep_shared_memory()


def test_files_of_others_stay_whatever_their_names(name: str) -> None:
    foreign = [shared_path(f"{name}{end}") for end in ("", ".inner", ".samples", ".state")]
    for path in foreign:
        path.write_bytes(b"x" * 5000)
        os.utime(path, (0, 0))
    assert name not in sweep_shared_memory()
    assert all(path.exists() for path in foreign)


def test_a_state_stays_for_a_day(name: str) -> None:
    path = shared_path(f"{name}.state")
    path.write_bytes(save({"x": np.zeros(3)}, {"format": "sonorama-player", "state": "{}"}))
    assert name not in sweep_shared_memory()
    old = time.time() - STATE_S - 1
    os.utime(path, (old, old))
    assert name in sweep_shared_memory()
    assert not path.exists()
