"""The stream for OBS, ffmpeg and mpv: read by the real ffmpeg, by slow clients and by late ones."""

import socket
import stat
import subprocess
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.interfaces import Picture
from sonorama.plugin.sinks import stream
from sonorama.plugin.sinks.stream import StreamSink

from .network_cases import Received, decoded
from .sinks import info, picture, until

COLOURS = np.array([[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 255, 255)]], np.uint8)
"""Of the four quarters of a picture: top left, top right, bottom left, bottom right."""


def quarters(tick: int, width: int = 64, height: int = 48) -> Picture:
    """A picture whose corners tell its colours and which way is up; its number is in the middle."""
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3] = COLOURS.repeat(height // 2, 0).repeat(width // 2, 1)
    pixels[height // 2, width // 2, :3] = tick % 256
    pixels.setflags(write=False)
    return Picture(pixels, tick, tick, 0, 10**12 + tick * 33_333_333, False)


@contextmanager
def open_sink(argument: str, width: int = 64, height: int = 48) -> Iterator[StreamSink]:
    sink = StreamSink(argument)
    try:
        sink.open(info("stream", width, height))
        yield sink
    finally:
        sink.close()


def port_of(sink: StreamSink) -> int:
    assert sink._server is not None
    return sink._server.port


def ffmpeg(url: str, count: int) -> "subprocess.Popen[bytes]":
    """Reads so many pictures and writes them as RGBA."""
    asked = ["-f", "nut", "-i", url, "-frames:v", str(count), "-fps_mode", "passthrough", "-f", "rawvideo"]
    command = ["ffmpeg", "-v", "error", *asked, "-pix_fmt", "rgba", "-"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)


@pytest.mark.parametrize("unix", [False, True])
def test_ffmpeg_reads_pictures_and_colours(unix: bool, tmp_path: Path) -> None:
    with open_sink(f"unix:{tmp_path}/s" if unix else "tcp:0") as sink:
        url = f"unix:{tmp_path}/s" if unix else f"tcp://127.0.0.1:{port_of(sink)}"
        readers = [ffmpeg(url, count) for count in (3, 12)]  # several at once, and one leaves early
        out = [Received(reader.stdout) for reader in readers]
        tick = 0
        while any(reader.poll() is None for reader in readers):
            sink.send(quarters(tick))
            tick += 1
            assert tick < 6000
            time.sleep(0.01)
        for reader, received, count in zip(readers, out, (3, 12), strict=True):
            received.join()
            assert reader.returncode == 0 and reader.stdout is not None
            reader.stdout.close()
            frames = np.frombuffer(bytes(received.data), np.uint8).reshape(-1, 48, 64, 4)
            assert len(frames) == count
            ticks = [int(frame[24, 32, 0]) for frame in frames]
            assert ticks == sorted(set(ticks))
            assert all(np.array_equal(f, quarters(n).pixels) for f, n in zip(frames, ticks, strict=True))
        until(lambda: sink.send(quarters(tick)) or "0 clients" in sink.about)


def connect(sink: StreamSink) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port_of(sink)), timeout=30)
    made.settimeout(30)
    return made


def test_a_late_client_begins_at_once_and_at_the_newest_picture() -> None:
    with open_sink("tcp:0", 32, 32) as sink:
        for tick in range(20):
            sink.send(picture(tick, 32, 32))
        with connect(sink) as late:
            received = Received(late.makefile("rb"))
            sink.send(picture(20, 32, 32))  # one picture is enough for header and picture
            until(lambda: len(received.data) > 32 * 32 * 4)
            sink.close()
            received.join()
        assert decoded(received.data) == [(20, 32)]


def test_a_slow_client_loses_pictures_and_the_others_none() -> None:
    size = 512  # more than sockets hold
    with open_sink("tcp:0", size, size) as sink, connect(sink) as slow, connect(sink) as quick:
        received = Received(quick.makefile("rb"))
        for tick in range(30):
            sink.send(picture(tick, size, size))
            until(lambda tick=tick: len(received.data) > (tick + 1) * size * size * 4)
        assert "2 clients" in sink.about
        late = Received(slow.makefile("rb"))
        sink.send(picture(30, size, size))
        until(lambda: len(late.data) > 2 * size * size * 4 and len(received.data) > 31 * size * size * 4)
        sink.close()
        received.join()
        late.join()
    assert [tick for tick, _ in decoded(received.data)][:30] == list(range(30))
    ticks = [tick for tick, _ in decoded(late.data)]
    assert ticks[0] == 0 and ticks == sorted(set(ticks)) and len(ticks) < 20


def test_clients_leave_nothing_behind() -> None:
    with open_sink("tcp:0", 256, 256) as sink:
        threads = threading.active_count()
        for _ in range(5):
            arrays: list[weakref.ref[Any]] = []
            with connect(sink) as client:
                received = Received(client.makefile("rb"))
                for tick in range(60):
                    one = picture(tick, 256, 256)
                    arrays.append(weakref.ref(one.pixels))
                    sink.send(one)
                    del one  # it was the last reference here
                    if tick % 20 == 0:
                        until(lambda received=received: received.data)
                        received.data.clear()
                assert sum(array() is not None for array in arrays) <= 3
                client.shutdown(socket.SHUT_RDWR)
                received.join()
            until(lambda: sink.send(picture(0, 256, 256)) or "0 clients" in sink.about)
        assert threading.active_count() == threads


def test_another_size_ends_the_streams_and_another_rate_does_not() -> None:
    with open_sink("tcp:0", 32, 32) as sink, connect(sink) as client:
        sink.send(picture(0, 32, 32))
        sink.open(info("stream", 32, 32, fps=stream.Fraction(60)))
        sink.send(picture(1, 32, 32))
        assert "1 client" in sink.about
        received = Received(client.makefile("rb"))
        until(lambda: len(received.data) > 32 * 32 * 4)
        port = port_of(sink)
        sink.open(info("stream", 64, 32))
        received.join()
        assert port_of(sink) == port, "who connects again finds it at the same place"
        with connect(sink) as again:
            other = Received(again.makefile("rb"))
            sink.send(picture(2, 64, 32))
            until(lambda: len(other.data) > 64 * 32 * 4)
            sink.close()
            other.join()
        assert decoded(other.data) == [(2, 64)]


def test_too_many_clients_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST_CLIENTS", 1)
    with open_sink("tcp:0") as sink, connect(sink) as one, connect(sink) as other:
        for tick in range(3):
            sink.send(picture(tick, 64, 48))
        assert other.recv(1) == b"" and len(one.recv(8)) == 8


def test_its_port() -> None:
    with open_sink("") as first, open_sink("") as second:
        assert port_of(first) != port_of(second), "the next free one"
        busy = StreamSink(f"tcp:{port_of(first)}")
        with pytest.raises(SonoramaError, match="is taken"):
            busy.open(info("stream"))
        assert first.about == f"tcp://127.0.0.1:{port_of(first)} (format nut), 0 clients"
    assert first.about == ""


def test_its_file(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))  # what a killed show leaves
    with open_sink(f"unix:{path}") as sink:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert sink.about == f"unix:{path} (format nut), 0 clients"
        with pytest.raises(SonoramaError, match="Another program listens"):
            StreamSink(f"unix:{path}").open(info("stream"))
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(SonoramaError, match="no socket"):
        StreamSink(f"unix:{path}").open(info("stream"))
    assert path.read_text() == "mine"
    with pytest.raises(SonoramaError, match="too long"):
        StreamSink(f"unix:{tmp_path}/{'x' * 99}").open(info("stream"))
    with pytest.raises(SonoramaError, match="No socket can be made"):
        StreamSink("unix:/no/such/folder").open(info("stream"))


@pytest.mark.parametrize("argument", ["x", "unix:", "tcp:", "tcp:x", "tcp:-1", "tcp:65536", "udp:9000", "9126"])
def test_arguments_that_are_none(argument: str) -> None:
    with pytest.raises(SonoramaError, match="nowhere to stream to"):
        StreamSink(argument)
