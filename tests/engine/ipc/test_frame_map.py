"""The frame map with real processes on both ends: no torn picture, resizes, dead owners, readers that come and go."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.frame_map import (
    FINE_S,
    POLL_S,
    FrameMap,
    FrameMapMissing,
    FrameMapTaken,
    FrameMapWriter,
    _Rhythm,
)
from sonorama.engine.ipc.frame_map_layout import HEADER, PAGE
from sonorama.engine.ipc.shared_paths import shared_path

# Every picture is one byte, its frame index: a torn one holds two. Pictures change their size on the way.
READER = """
import sys, time
from sonorama.engine.ipc.frame_map import FrameMap
reader, sizes, seen, torn, count, out = FrameMap(sys.argv[1]), set(), set(), 0, 0, None
print("ready", flush=True)
end = time.monotonic() + 60
while time.monotonic() < end and reader.wait(5.0, count):
    slot = reader.newest(out)
    if slot is None:
        continue
    count, out = slot.count, slot.pixels
    expected = slot.frame % 251
    torn += int(slot.pixels.min() != expected or slot.pixels.max() != expected or slot.sample != slot.frame * 735)
    seen.add(slot.frame)
    sizes.add(slot.pixels.shape)
    if slot.pts_ns < 0:
        break
print(len(seen), torn, len(sizes), reader.generation)
"""

OWNER = """
import sys, time
import numpy as np
from sonorama.engine.ipc.frame_map import FrameMapWriter
writer = FrameMapWriter(sys.argv[1], 32, 16)
for frame in range(7):
    writer.publish(np.full((16, 32, 4), frame, np.uint8), 0, frame)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """A name of this test's own; its file is gone afterwards."""
    name = f"test-{os.getpid()}-{abs(hash(request.node.name)) % 10**8}"
    yield name
    shared_path(name).unlink(missing_ok=True)


def plain(value: int, width: int = 32, height: int = 16) -> np.ndarray:
    return np.full((height, width, 4), value % 251, np.uint8)


def start(code: str, name: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", code, name], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_picture_comes_back_as_it_was(name: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (16, 32, 4), dtype=np.uint8)
    with FrameMapWriter(name, 32, 16) as writer, FrameMap(name) as reader:
        assert (reader.newest(), reader.count, reader.generation, reader.size) == (None, 0, 1, (32, 16))
        for frame in range(9):
            writer.publish(plain(0), 0, frame)
        writer.publish(picture, 123_456_789_012, 99, repeated=True, sample=2**40)
        slot = reader.newest()
        assert slot is not None
        assert (slot.pixels == picture).all()
        assert (slot.pts_ns, slot.frame, slot.sample, slot.repeated, slot.count) == (
            123_456_789_012, 99, 2**40, True, 10,
        )  # fmt: skip
        writer.publish(plain(3), 1, 100)
        assert (slot.pixels == picture).all(), "a copy of its own"
        newer = reader.newest(slot.pixels)
        assert newer is not None
        assert newer.pixels is slot.pixels
        assert not newer.repeated


def test_no_picture_is_torn_at_60_fps_and_through_resizes(name: str) -> None:
    with FrameMapWriter(name, 512, 512) as writer:
        reader = start(READER, name)
        for frame in range(120):  # two seconds
            if frame in (40, 80):
                writer.resize(256 + frame, 512)
            width, height = writer.size
            writer.publish(plain(frame, width, height), -1 if frame == 119 else frame, frame, sample=frame * 735)
            time.sleep(1 / 60)
        seen, torn, sizes, generation = map(int, reader.communicate(timeout=30)[0].split())
    assert reader.returncode == 0
    assert (torn, sizes, generation) == (0, 3, 3)
    assert seen > 60


def test_no_picture_is_torn_by_a_writer_that_never_rests(name: str) -> None:
    with FrameMapWriter(name, 640, 480, slots=3) as writer:
        reader = start(READER, name)
        end, frame = time.monotonic() + 1.0, 0
        while time.monotonic() < end:
            writer.publish(plain(frame, 640, 480), 0, frame, sample=frame * 735)
            frame += 1
        writer.publish(plain(frame, 640, 480), -1, frame, sample=frame * 735)
        seen, torn, _, _ = map(int, reader.communicate(timeout=30)[0].split())
    assert torn == 0
    assert seen > 10


def test_a_slot_in_the_making_is_not_given_out(name: str) -> None:
    with FrameMapWriter(name, 32, 16) as writer, FrameMap(name) as reader:
        writer.publish(plain(1), 0, 1)
        header = np.memmap(shared_path(name), "<u8", "r+")
        assert header[PAGE // 8] == 2
        header[PAGE // 8] = 1
        assert reader.newest() is None
        header[PAGE // 8] = 2
        assert reader.newest() is not None


def test_readers_come_and_go_and_leave_the_file(name: str) -> None:
    with FrameMapWriter(name, 32, 16) as writer:
        reader = start(READER, name)
        reader.kill()
        reader.wait(10)
        done = subprocess.run(
            [sys.executable, "-c", f"from sonorama.engine.ipc.frame_map import FrameMap; FrameMap({name!r})"]
        )
        assert done.returncode == 0
        assert shared_path(name).exists()
        writer.publish(plain(5), 0, 5)
        with FrameMap(name) as other:
            assert other.newest() is not None
    assert not shared_path(name).exists()


def test_a_second_owner_is_refused_while_the_first_lives(name: str) -> None:
    owner = start(OWNER, name)
    try:
        with pytest.raises(FrameMapTaken, match=str(owner.pid)):
            FrameMapWriter(name, 8, 8)
        with FrameMap(name) as reader:
            assert reader.owner_alive()
            assert reader.size == (32, 16)
    finally:
        owner.kill()
        owner.wait(10)


def test_a_killed_owner_is_seen_and_its_name_taken_over(name: str) -> None:
    owner = start(OWNER, name)
    with FrameMap(name) as reader:
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)
        assert not reader.owner_alive()
        last = reader.newest()
        assert last is not None
        assert (last.frame, last.count) == (6, 7)
        with FrameMapWriter(name, 64, 64) as writer:
            assert reader.owner_alive()
            assert (reader.size, reader.generation, reader.count) == ((64, 64), 2, 7)
            assert reader.newest() is None
            assert not reader.wait(0.01, 7)
            writer.publish(plain(8, 64, 64), 0, 8)
            assert reader.wait(1.0, 7)
            slot = reader.newest()
            assert slot is not None
            assert (slot.frame, slot.count) == (8, 8)


def test_after_a_clean_end_the_last_picture_stays_and_the_next_show_is_found(name: str) -> None:
    writer = FrameMapWriter(name, 32, 16)
    writer.publish(plain(1), 0, 1)
    with FrameMap(name) as reader:
        writer.close()
        writer.close()
        assert not reader.owner_alive()
        kept = reader.newest()
        assert kept is not None
        assert kept.frame == 1
        with FrameMapWriter(name, 8, 8) as second:
            second.publish(plain(2, 8, 8), 0, 2)
            found = reader.newest()
            assert found is not None
            assert (found.frame, found.pixels.shape) == (2, (8, 8, 4))


def test_a_new_file_is_found_even_if_nobody_marked_the_old_one(name: str) -> None:
    writer = FrameMapWriter(name, 32, 16)
    with FrameMap(name) as reader:
        shared_path(name).unlink()
        with FrameMapWriter(name, 8, 8):
            time.sleep(0.6)
            assert reader.size == (8, 8)
            writer.close()
            assert shared_path(name).exists(), "the old owner leaves the new one's file alone"


def test_a_number_that_another_program_has_by_now_is_no_owner(name: str) -> None:
    writer = FrameMapWriter(name, 32, 16)
    with FrameMap(name) as reader:
        header = np.memmap(shared_path(name), HEADER, "r+", shape=(1,))
        header["heartbeat_ns"] = time.monotonic_ns() - 61_000_000_000
        assert not reader.owner_alive()
        with FrameMapWriter(name, 8, 8):
            with pytest.raises(FrameMapTaken, match="taken over"):
                writer.publish(plain(0), 0, 0)
            with pytest.raises(FrameMapTaken):
                writer.heartbeat()
            writer.close()
            assert reader.size == (8, 8)
            assert shared_path(name).exists()


@pytest.mark.parametrize(
    "damage",
    [b"", b"not a frame map", b"\0" * PAGE * 4]
    + [
        (offset, value) for offset in (0, 8, 12, 16, 20, 24, 28, 32, 40) for value in (b"\0\0\0\0", b"\xff\xff\xff\xff")
    ],
)
def test_what_is_no_frame_map_is_said_and_kept(name: str, damage: bytes | tuple[int, bytes]) -> None:
    path = shared_path(name)
    if isinstance(damage, tuple):
        writer = FrameMapWriter(name, 32, 16)
        content = bytearray(path.read_bytes())
        writer.close()
        content[damage[0] : damage[0] + 4] = damage[1]
    else:
        content = bytearray(damage)
    path.write_bytes(content)
    with pytest.raises(FrameMapMissing) as caught:
        FrameMap(name)
    assert caught.value.hint
    with pytest.raises(FrameMapTaken):
        FrameMapWriter(name, 8, 8)
    assert path.read_bytes() == content


def test_a_map_that_is_not_there(name: str) -> None:
    with pytest.raises(FrameMapMissing, match="There is no frame map") as caught:
        FrameMap.open(name)
    assert "sonorama live" in caught.value.hint


def test_a_picture_of_another_shape_is_refused(name: str) -> None:
    with FrameMapWriter(name, 32, 16) as writer:
        wrongs: list[Any] = [plain(0, 31), plain(0)[..., :3], plain(0).astype(np.float32)]
        for wrong in wrongs:
            with pytest.raises(ValueError, match="no picture"):
                writer.publish(wrong, 0, 0)
        assert writer.count == 0
        with pytest.raises(ValueError, match="no frame map"):
            writer.resize(0, 16)
        writer.publish(plain(0), 0, 0)


def test_no_room_is_said_and_the_old_size_stays(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        monkeypatch.setattr("sonorama.engine.ipc.shared_paths.shared_folder", lambda: disk)
        with FrameMapWriter(name, 64, 64) as writer:
            with pytest.raises(SonoramaError, match="No room"):
                writer.resize(1920, 1080)
            writer.publish(plain(1, 64, 64), 0, 1)
            with FrameMap(name) as reader:
                assert reader.newest() is not None
            assert [path.name for path in disk.iterdir()] == [f"sonorama-{name}"]
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_night_of_resizes_leaves_no_mapping_open(name: str) -> None:
    with FrameMapWriter(name, 32, 16) as writer, FrameMap(name) as reader:
        for turn in range(50):
            writer.resize(32 + turn, 16)
            writer.publish(plain(turn, 32 + turn), 0, turn)
            assert reader.newest() is not None
        mapped = Path("/proc/self/maps").read_text().count(f"sonorama-{name}")
    assert mapped == 2


@pytest.mark.parametrize("fps", [24, 60, 120])
def test_a_reader_looks_more_often_only_when_a_picture_is_due(fps: int) -> None:
    period, start = 10**9 // fps, 7 * 10**12
    rhythm = _Rhythm()
    assert rhythm.pause(start) == POLL_S, "nothing is known yet"
    jitter = np.random.default_rng(0).integers(-50_000, 50_000, 50)
    for count in [*range(1, 30), *range(33, 51)]:  # three were missed
        rhythm.note(count, start + count * period + int(jitter[count - 1]))
    last = start + 50 * period + int(jitter[49])
    for missed in (1, 2, 5):
        due = last + missed * period
        assert rhythm.pause(due) == FINE_S
        assert rhythm.pause(due + 1_000_000) == FINE_S
        assert rhythm.pause(due + 4_000_000) == POLL_S
        assert rhythm.pause(due - 2_500_000) == POLL_S
        assert FINE_S < rhythm.pause(due - 1_200_000) < POLL_S, "not past the time"
    pauses = [rhythm.pause(last + step * 50_000) for step in range(20_000)]
    assert min(pauses) >= FINE_S
    assert max(pauses) <= POLL_S


def test_a_count_that_starts_again_is_no_rhythm() -> None:
    rhythm = _Rhythm()
    rhythm.note(900, 10**9)
    rhythm.note(1, 2 * 10**9)
    assert rhythm.pause(2 * 10**9 + 10**6) == POLL_S


def test_a_second_map_of_a_name_in_one_show_is_said_to_be_that() -> None:
    name = f"twice-{os.getpid()}"
    with FrameMapWriter(name, 32, 32), pytest.raises(FrameMapTaken, match=f"This show has a frame map {name} already"):
        FrameMapWriter(name, 32, 32)
