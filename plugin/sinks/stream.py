"""The sink `stream[:unix:PATH|tcp:PORT]`: raw video in NUT over a socket, for OBS, ffmpeg and mpv without a plug-in.

Any number of programs may connect, at any time. Each has a thread and a stream of its own that begins with the newest
picture; one that reads slowly is given fewer pictures and holds nobody up.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import threading
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Picture, StreamInfo
from ...engine.whole_numbers import whole_number
from .server_socket import ServerSocket, listen_on_file, listen_on_port

log = logging.getLogger(__name__)
PORT = 9126
"""If none is said; the next free one is taken where it is busy."""
MOST_CLIENTS = 16
_TIME_BASE = Fraction(1, 90_000)
_BUFFER = 1 << 20
_END_S = 2.0


def probe() -> Available:
    """Always available: PyAV writes the stream."""
    return Available(f"raw video for OBS, ffmpeg and mpv, at tcp://127.0.0.1:{PORT}")


class StreamSink:
    """Sends every picture to all programs that are connected.

    A change of size ends their streams, because a stream has one size: they have to connect again.

    Args:
        argument: `unix:PATH`, or `tcp:PORT` on loopback, where 0 takes any; default port 9126 or one of the next.

    Raises:
        SonoramaError: it is neither.

    """

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, argument: str = "") -> None:
        form, _, rest = argument.partition(":")
        port = whole_number(rest, 0, 65_535) if form == "tcp" else None
        if argument and not (form == "unix" and rest) and port is None:
            raise SonoramaError(f"{argument!r} is nowhere to stream to", "Use unix:/path/of/socket or tcp:PORT.")
        self._path = Path(rest) if form == "unix" else None
        self._port, self._any_port = (PORT, True) if port is None else (port, False)
        self._server: ServerSocket | None = None
        self._clients: list[_Client] = []
        self._size = (0, 0)
        self._fps = Fraction(30)

    @property
    def about(self) -> str:
        """The address, and how many programs are connected."""
        server, count = self._server, len(self._clients)
        if server is None:
            return ""
        address = f"tcp://127.0.0.1:{server.port}" if server.path is None else f"unix:{server.path}"
        return f"{address} (format nut), {count} {'client' if count == 1 else 'clients'}"

    def open(self, info: StreamInfo) -> None:
        """Listen. Clients of another size are disconnected.

        Raises:
            SonoramaError: the socket is taken, or cannot be made.

        """
        size = (info.width, info.height)
        if size != self._size:
            self._disconnect()
        self._size, self._fps = size, info.fps
        if self._server is None:
            own = self._path is None
            self._server = listen_on_port(self._port, self._any_port) if own else listen_on_file(self._path or Path())

    def send(self, picture: Picture) -> None:
        """Welcome new clients, and hand the picture to all; does not wait for them."""
        server = self._server
        while server is not None and (connection := server.accept()) is not None:
            if len(self._clients) < MOST_CLIENTS:
                self._clients.append(_Client(connection, self._fps))
            else:
                connection.close()
        for client in self._clients:
            client.offer(picture)
        if not all(client.alive for client in self._clients):
            self._clients = [client for client in self._clients if client.alive]

    def _disconnect(self) -> None:
        clients, self._clients = self._clients, []
        for client in clients:
            client.hang_up()
        for client in clients:
            client.join()

    def close(self) -> None:
        """Disconnect all and listen no more."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._disconnect()
        self._size = (0, 0)


class _Client:
    """One program that is connected, and the thread that writes to it."""

    def __init__(self, connection: socket.socket, fps: Fraction) -> None:
        connection.setblocking(True)
        self._connection, self._fps = connection, fps
        self._newest: deque[Picture] = deque(maxlen=1)
        self._bell: queue.SimpleQueue[bool] = queue.SimpleQueue()  # False: hang up
        self._began: int | None = None
        self._last = -1
        self._thread = threading.Thread(target=self._run, name="stream-client", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it is connected."""
        return self._thread.is_alive()

    def offer(self, picture: Picture) -> None:
        """Hand over a picture; it replaces one that still waits."""
        self._newest.append(picture)
        if self._bell.empty():
            self._bell.put(True)

    def hang_up(self) -> None:
        """End the connection, also while a write is under way."""
        self._bell.put(False)
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join(_END_S)

    def _run(self) -> None:
        try:
            self._stream()
        except (OSError, FFmpegError):  # it has gone
            log.debug("A client of the stream has gone")
        except Exception:
            log.exception("A client's stream failed")
        finally:
            self._newest.clear()
            self._connection.close()

    def _stream(self) -> None:
        options = {"flush_packets": "1"}
        with av.open(_SocketFile(self._connection), "w", "nut", container_options=options, buffer_size=_BUFFER) as nut:
            video: VideoStream | None = None
            while self._bell.get():
                with contextlib.suppress(IndexError):
                    picture = self._newest.popleft()
                    video = video or self._video(nut.add_stream("rawvideo", rate=self._fps), picture)
                    nut.mux(video.encode(self._frame(picture)))
                    del picture

    def _video(self, stream: object, picture: Picture) -> VideoStream:
        assert isinstance(stream, VideoStream)  # noqa: S101 (rawvideo is a video codec)
        context = stream.codec_context
        context.height, context.width = picture.pixels.shape[:2]
        context.pix_fmt, context.time_base = "rgba", _TIME_BASE
        stream.time_base = _TIME_BASE
        return stream

    def _frame(self, picture: Picture) -> VideoFrame:
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture.pixels), "rgba")
        self._began = picture.pts_ns if self._began is None else self._began
        at = round((picture.pts_ns - self._began) * _TIME_BASE.denominator / 1_000_000_000)
        self._last = max(self._last + 1, at)
        frame.pts, frame.time_base = self._last, _TIME_BASE
        return frame


class _SocketFile:
    """A socket as the muxer wants it: a file that can only be written to."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: bytes) -> int:
        """Send all of it. Raises OSError if the other side has gone."""
        self._connection.sendall(data)
        return len(data)
