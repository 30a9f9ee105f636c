"""A full disk and damaged files cost what lies on them, never the show."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from tests import disks

from sonorama.engine.take import audio_file as takesound
from sonorama.engine.take.reader import read_take

from .stage import COUNTER, LiveShow, Watcher, counting_sound

Start = Callable[..., LiveShow]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1.5 MB: four seconds of a take."""
    with disks.small_disk(tmp_path, 1500) as folder:
        yield folder


def seconds(film: Path) -> float:
    """Length of a film's picture."""
    with av.open(film) as container:
        return sum(1 for _ in container.decode(video=0)) / 30


def test_a_full_disk_while_recording_and_for_a_take(start: Start, tmp_path: Path, disk: Path) -> None:
    sound = counting_sound(tmp_path / "count.wav", 60)
    looks = {"SONORAMA_LOOKS": str(disk / "looks")}
    show = start(
        "--source", f"file:{sound}", "--take", str(disk / "a.take"), "--record", str(disk / "a.mkv"), env=looks
    )
    renderer = show.playing()
    with Watcher(show.name) as watcher:
        for part in ("a.take is not being written", "The disk is full"):
            show.wait(lambda part=part: any(part in line for line in show.faults()), f"of {part} nothing is said")
        (disk / "filler").write_bytes(b"\0" * 8192) if _free(disk) > 8192 else None
        show.set("/motion/mid/amount", 0.125)
        show.set("/scene/store", 3)
        show.wait(lambda: any("cannot be saved" in line for line in show.faults()), "the scene's fault is not told")
        show.holds("/motion/mid/amount", 0.125)
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        show.set("/out/record", False)
        show.set("/scene/store", 4)
        show.wait((disk / "looks" / f"{show.name}.scenes.json").exists, "the scene is not stored")
        show.set("/out/record", True)
        show.wait(lambda: sorted(disk.glob("a-*.mkv")), "it does not record again")
        show.wait(lambda: not [line for line in show.row["faults"] if "take" in line], "the take is not written again")
        count = watcher.seen[-1].count
        show.wait(lambda: watcher.seen[-1].count > count + 60, "no pictures come")
        watcher.check_gaps()
    assert show.renderer() == renderer
    assert show.stop() == 143
    check_take(disk / "a.take")
    assert seconds(disk / "a.mkv") > 0  # how much fits depends on how fast this machine paints
    assert seconds(next(disk.glob("a-*.mkv"))) > 0.9


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_bsize


def check_take(folder: Path) -> None:
    """All of its sound is there, the change too: it waited in the ring for the disk."""
    take = read_take(folder)
    assert take.whole
    assert not take.lost
    assert not take.dropped
    left = np.concatenate(list(takesound.read(take.audio, 0, take.length)), axis=1)[0]
    counted = np.rint(left.astype(np.float64) * COUNTER).astype(np.int64)
    first = int(np.flatnonzero(counted)[0])
    assert len(counted) - first > 5 * 44_100  # well past the moment at which the disk was full
    assert (np.diff(counted[first:]) == 1).all()
    asked = [(one.path, one.value) for changes in take.changes.values() for one in changes]
    assert ("/motion/mid/amount", 0.125) in asked


@pytest.mark.parametrize(
    "damage", ["cut", "values", *(pytest.param(kind, marks=pytest.mark.soak) for kind in ("noise", "list", "deep"))]
)
def test_a_damaged_file_of_scenes(start: Start, tmp_path: Path, damage: str) -> None:
    """It is told, the show plays, and what is stored next lies beside what was there."""
    name = f"live-{os.getpid()}-{damage}"
    (tmp_path / "looks").mkdir()
    file = tmp_path / "looks" / f"{name}.scenes.json"
    file.write_bytes({
        "cut": b'{"1": {"/look/seed": 5, "/mot', "noise": bytes(range(256)) * 4, "list": b"[1, 2]",
        "values": b'{"1": {"/look/seed": "rain", "/no/where": 1}, "x": 4, "9": {}}', "deep": b"[" * 200_000,
    }[damage])  # fmt: skip
    show = start("--source", "silence", name=name)
    show.playing()
    assert any("scenes.json" in line for line in show.faults()), show.faults()
    show.set("/look/seed", 77)
    show.holds("/look/seed", 77)
    show.set("/scene/store", 2)
    show.set("/scene/recall", 1)
    show.set("/look/seed", 78)
    show.holds("/look/seed", 78)
    show.set("/scene/recall", 2)
    show.holds("/look/seed", 77)
    assert show.row["restarts"] == 0
