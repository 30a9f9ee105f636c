"""Shared memory for GStreamer: the real shmsrc reads; clients that hold pictures or talk nonsense harm nothing."""

import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.shared_paths import shared_folder
from sonorama.engine.plugins.interfaces import Missing
from sonorama.plugin.sinks import gstreamer
from sonorama.plugin.sinks.gstreamer import CREDIT, MOST_CLIENTS, SLOTS, GStreamerSink

from .network_cases import Received
from .sinks import info, picture, until
from .test_stream import quarters


@contextmanager
def open_sink(path: Path, width: int = 64, height: int = 48) -> Iterator[GStreamerSink]:
    sink = GStreamerSink(str(path))
    try:
        sink.open(info("gst", width, height))
        yield sink
    finally:
        sink.close()


def test_a_pipeline_with_the_caps_that_are_printed_shows_the_colours(tmp_path: Path) -> None:
    with open_sink(tmp_path / "s") as sink:
        socket_path, _, caps = sink.about.partition(", ")[0].partition(" caps ")
        assert sink.about.endswith("framerate=30/1, 0 clients")
        caps = sink.about.partition(" caps ")[2].rpartition(", ")[0]
        source = ["shmsrc", socket_path, "is-live=true", "do-timestamp=true", "num-buffers=6", "!", caps]
        convert = ["videoconvert", "!", "video/x-raw,format=BGR", "!", "fdsink", "fd=1"]  # any other format
        readers = [
            subprocess.Popen(["gst-launch-1.0", "-q", *source, "!", *convert], stdout=subprocess.PIPE) for _ in range(2)
        ]
        received = [Received(reader.stdout) for reader in readers]
        tick = 0
        while any(reader.poll() is None for reader in readers):
            sink.send(quarters(tick))
            tick += 1
            assert tick < 6000
            time.sleep(0.01)
        for reader, one in zip(readers, received, strict=True):
            one.join()
            assert reader.returncode == 0 and reader.stdout is not None
            reader.stdout.close()
            frames = np.frombuffer(bytes(one.data), np.uint8).reshape(-1, 48, 64, 3)
            assert len(frames) == 6
            for frame in frames:
                assert np.array_equal(frame[..., ::-1], quarters(int(frame[24, 32, 0])).pixels[..., :3])
        until(lambda: sink.send(quarters(tick)) or "0 clients" in sink.about)


class Client:
    """A client that says when it has done with a picture, or does not."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))

    def area(self) -> tuple[int, Path]:
        """(bytes, file) of the memory."""
        kind, number, size, length = struct.unpack("=IiQI4x", self.socket.recv(24, socket.MSG_WAITALL))
        assert (kind, number) == (1, 1)
        return size, shared_folder() / self.socket.recv(length, socket.MSG_WAITALL).rstrip(b"\0").decode().lstrip("/")

    def buffers(self) -> list[int]:
        """Offsets of the pictures that were given and wait."""
        self.socket.setblocking(False)
        found = []
        try:
            while data := self.socket.recv(24):
                found.append(struct.unpack("=IiQQ", data)[2])
        except BlockingIOError:
            return found
        raise ConnectionError

    def done(self, offset: int) -> None:
        self.socket.sendall(struct.pack("=IiQQ", 4, 1, offset, 0))


def test_a_slow_client_holds_its_pictures_and_nobody_up(tmp_path: Path) -> None:
    with open_sink(tmp_path / "s", 32, 32) as sink:
        slow, quick = Client(tmp_path / "s"), Client(tmp_path / "s")
        sink.send(picture(0, 32, 32))
        size, file = slow.area()
        assert size == SLOTS * 32 * 32 * 4 and quick.area() == (size, file)
        held = slow.buffers()
        quick.done(quick.buffers()[0])
        seen = []
        for tick in range(1, 20):
            sink.send(picture(tick, 32, 32))
            for offset in quick.buffers():
                seen.append(file.read_bytes()[offset])
                quick.done(offset)
        held += slow.buffers()
        assert seen == [picture(tick).pixels[0, 0, 0] for tick in range(1, 20)], "each, and none was overwritten"
        assert [file.read_bytes()[offset] for offset in held] == [picture(tick).pixels[0, 0, 0] for tick in (0, 1)]
        assert len(held) == CREDIT
        for offset in held:
            slow.done(offset)
        sink.send(picture(20, 32, 32))
        assert len(slow.buffers()) == 1
        for one in (slow, quick):
            one.socket.close()


def test_nonsense_is_hung_up_on_and_too_many_are_turned_away(tmp_path: Path) -> None:
    with open_sink(tmp_path / "s", 32, 32) as sink:
        clients = [Client(tmp_path / "s") for _ in range(MOST_CLIENTS + 1)]
        sink.send(picture(0, 32, 32))
        assert f"{MOST_CLIENTS} clients" in sink.about
        assert clients[-1].socket.recv(1) == b""
        for one, said in zip(
            clients, (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", struct.pack("=IiQQ", 4, 1, 1 << 60, 0)), strict=False
        ):
            one.socket.sendall(said)
        sink.send(picture(1, 32, 32))
        assert f"{MOST_CLIENTS - 2} clients" in sink.about
        for one in clients:
            one.socket.close()


def test_a_full_memory_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with open_sink(tmp_path / "s", 32, 32) as sink:
        client = Client(tmp_path / "s")
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(SonoramaError, match="Shared memory cannot be written"):
            sink.send(picture(0, 32, 32))
        client.socket.close()


def test_what_killed_shows_left_is_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    old = shared_folder() / f"sonorama-gst.{ended.pid}.0123"
    new = shared_folder() / f"sonorama-gst.{ended.pid}.4567"
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    try:
        with open_sink(tmp_path / "s"):
            assert (old.exists(), new.exists()) == (False, True)
    finally:
        new.unlink()


def test_elsewhere_it_says_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gstreamer.sys, "platform", "darwin")
    assert isinstance(gstreamer.probe(), Missing)
    with pytest.raises(SonoramaError) as caught:
        GStreamerSink()
    assert "stream" in caught.value.hint
