"""An encoder that makes itself a real-time one does not make this process one."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.export.film import Look, video_writer
from sonorama.export.presets import PRESETS
from sonorama.export.scheduling import scheduling_kept

from ..processes import scheduling_policies

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scheduling policies are Linux's")


def policies_while_open(sound: Path, out: Path, preset: str) -> set[int]:
    """Policies of all threads while a film is open and has a frame, seen from the thread that writes it."""
    look = Look(PRESETS[preset], (256, 128), (256, 128), "cover", Fraction(25), None, {})
    with open_sound(sound) as source, video_writer(out, look, source, source.blocks()) as writer:
        writer.write(np.zeros((128, 256, 3), np.float32))
        return scheduling_policies()


@pytest.mark.parametrize("preset", [name for name, p in PRESETS.items() if not p.sequence])
def test_no_codec_changes_how_threads_are_scheduled(tmp_path: Path, sound: Path, preset: str) -> None:
    """As root, SVT-AV1 would put all its threads, and this one, under SCHED_FIFO."""
    before = scheduling_policies()
    assert policies_while_open(sound, tmp_path / f"film{PRESETS[preset].suffixes[0]}", preset) <= before


def test_a_policy_of_the_callers_own_stays(tmp_path: Path, sound: Path) -> None:
    def encode() -> tuple[set[int], int]:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        return policies_while_open(sound, tmp_path / "film.mkv", "av1"), os.sched_getscheduler(0)

    with ThreadPoolExecutor(1) as pool:
        seen, mine = pool.submit(encode).result()
    assert mine == os.SCHED_BATCH
    assert seen == {os.SCHED_OTHER, os.SCHED_BATCH}


def test_threads_begun_inside_get_the_callers_policy() -> None:
    done = threading.Event()
    with scheduling_kept():
        thread = threading.Thread(target=done.wait)
        thread.start()
        assert thread.native_id is not None
        os.sched_setscheduler(thread.native_id, os.SCHED_BATCH, os.sched_param(0))
    try:
        assert os.sched_getscheduler(thread.native_id) == os.SCHED_OTHER
    finally:
        done.set()
        thread.join()
