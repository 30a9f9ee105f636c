"""Cases of sinks that other programs connect to."""

import contextlib
import io
import os
import select
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import av
import numpy as np

from sonorama.engine.ipc.shared_paths import shared_folder
from sonorama.engine.plugins.interfaces import FrameSink
from sonorama.plugin.sinks import gstreamer, stream

from .sink_cases import Case, Seen
from .sinks import grey, until


class Received:
    """Reads all that comes from a socket or pipe, in a thread, until it ends."""

    def __init__(self, source: Any) -> None:
        self.data, self.ended = bytearray(), False
        self._source = source
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while part := self._source.read1(1 << 20):
                self.data += part
        self.ended = True

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()


def decoded(data: "bytes | bytearray") -> Seen:
    """The pictures in a NUT stream."""
    with av.open(io.BytesIO(data), "r", format="nut") as film:
        frames = [frame.to_ndarray(format="rgba") for frame in film.decode(video=0)]
    assert all((frame[..., :3] == frame[0, 0, 0]).all() and (frame[..., 3] == 255).all() for frame in frames)
    return [(round((int(frame[0, 0, 0]) - grey(0)) / 5), frame.shape[1]) for frame in frames]


class StreamCase(Case):
    """A stream over a UNIX socket; its client is a socket."""

    module = stream

    def __init__(self, name: str, room: Path) -> None:
        self.path = room / "stream.sock"
        super().__init__(name, room)
        self._seen: Seen = []
        self._client: tuple[socket.socket, Received] | None = None
        self._watching = True

    def make(self) -> FrameSink:
        return stream.StreamSink(f"unix:{self.path}")

    def wait(self) -> None:
        assert isinstance(self.sink, stream.StreamSink)
        made = self.sink._server, self.sink._size
        if self._client is not None and made != self._made:
            self._hang_up()
        if self._client is None and self._watching:
            self._made = made
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(self.path))
            self._client = connection, Received(connection.makefile("rb"))
            self._before = 0

    def look(self) -> None:
        if self._client is not None:
            assert isinstance(self.sink, stream.StreamSink)
            self._before += self.sink._size[0] * self.sink._size[1] * 4
            until(lambda: self._client and len(self._client[1].data) > self._before)

    def _hang_up(self) -> None:
        if self._client is not None:
            connection, received = self._client
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            received.join()
            connection.close()
            self._seen += decoded(received.data) if received.data else []
        self._client = None

    def leave(self) -> None:
        self._hang_up()
        self._watching = False

    def come_back(self) -> None:
        self._watching = True

    def seen(self) -> Seen:
        self._hang_up()
        return self._seen

    def end(self) -> None:
        super().end()
        self._hang_up()
        assert not self.path.exists()


class GStreamerCase(Case):
    """Shared memory for GStreamer; its client is a pipeline with the real shmsrc, which writes to its output."""

    module = gstreamer

    def __init__(self, name: str, room: Path) -> None:
        self.path = room / "gst.sock"
        super().__init__(name, room)
        self._seen: Seen = []
        self._client: tuple[subprocess.Popen[bytes], Received] | None = None
        self._size = (0, 0)
        self._watching = True

    def make(self) -> FrameSink:
        return gstreamer.GStreamerSink(str(self.path))

    def wait(self) -> None:
        assert isinstance(self.sink, gstreamer.GStreamerSink) and self.sink._area and self.sink._server
        if self._client is not None and self._area is not self.sink._area:
            self._hang_up()
        if self._client is None and self._watching:
            source = ["shmsrc", f"socket-path={self.path}", "is-live=true"]
            command = ["gst-launch-1.0", "-q", *source, "!", "fdsink", "fd=1"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self._client = process, Received(process.stdout)
            self._area, self._size, self._before = self.sink._area, self.sink._area.size, 0
            until(lambda: waits(self.sink))

    def look(self) -> None:
        if self._client is not None:
            self._before += self._size[0] * self._size[1] * 4
            until(lambda: self._client and len(self._client[1].data) >= self._before)

    def _hang_up(self) -> None:
        if self._client is not None:
            process, received = self._client
            process.kill()
            process.wait()
            received.join()
            width, height = self._size
            pixels = np.frombuffer(bytes(received.data), np.uint8).reshape(-1, height, width, 4)
            assert all((one[..., :3] == one[0, 0, 0]).all() and (one[..., 3] == 255).all() for one in pixels)
            self._seen += [(round((int(one[0, 0, 0]) - grey(0)) / 5), width) for one in pixels]
            assert process.stdout is not None
            process.stdout.close()
        self._client = None

    def leave(self) -> None:
        self._hang_up()
        self._watching = False

    def come_back(self) -> None:
        self._watching = True

    def seen(self) -> Seen:
        self._hang_up()
        return self._seen

    def end(self) -> None:
        super().end()
        self._hang_up()
        assert not self.path.exists()
        assert not list(shared_folder().glob(f"sonorama-gst.{os.getpid()}.*"))


def waits(sink: FrameSink) -> bool:
    """Whether a client waits to be accepted."""
    assert isinstance(sink, gstreamer.GStreamerSink | stream.StreamSink) and sink._server is not None
    return bool(select.select([sink._server._socket], [], [], 0)[0])
