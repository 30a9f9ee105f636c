"""The sink `gstreamer[:PATH]`: pictures for GStreamer's `shmsrc`, through shared memory.

It speaks the protocol of `shmsink`: commands of 24 bytes over a UNIX socket say where in a file of shared memory a
picture lies, and each client says when it has done with it. The pictures carry neither format nor time, so the caps
line that a pipeline needs is in `about`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Literal

import numpy as np

from ...engine.errors import SonoramaError
from ...engine.ipc.shared_paths import (
    PREFIX,
    create_private,
    process_lives,
    remove_private,
    runtime_folder,
    shared_folder,
)
from ...engine.plugins.interfaces import Available, Missing, Picture, StreamInfo
from .server_socket import ServerSocket, listen_on_file

MOST_CLIENTS = 4
CREDIT = 2
"""Pictures that a client may hold; while it holds so many it is given no others."""
SLOTS = MOST_CLIENTS * CREDIT + 1
OLD_S = 60.0
"""A file of a dead process is removed when nothing was written to it for so long."""
_MEMORY = Path("/dev/shm")  # noqa: S108 (where `shm_open`, which shmsrc calls, has its files)
_NEW_AREA, _NEW_BUFFER, _DONE = 1, 3, 4
_AREA, _BUFFER = struct.Struct("=IiQI4x"), struct.Struct("=IiQQ")


def probe() -> Available | Missing:
    """Whether shared memory is where shmsrc looks for it."""
    if sys.platform.startswith("linux") and shared_folder() == _MEMORY:
        return Available("for shmsrc of GStreamer's plugins-bad")
    return Missing("it needs the shared memory of Linux", "Use --sink stream, which GStreamer can read everywhere.")


class GStreamerSink:
    """Hands pictures to pipelines that begin with `shmsrc socket-path=PATH`.

    A change of size ends the pipelines that read, because their caps do not hold any more.

    Args:
        argument: path of the socket; default `<show>.gst` in the user's runtime folder.

    Raises:
        SonoramaError: this system has no such memory.

    """

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, argument: str = "") -> None:
        if isinstance(lack := probe(), Missing):
            raise SonoramaError(f"Nothing can be handed to GStreamer: {lack.reason}", lack.how_to_install)
        self._path = Path(argument).absolute() if argument else None
        self._server: ServerSocket | None = None
        self._clients: list[_Client] = []
        self._area: _Area | None = None
        self._caps = ""

    @property
    def about(self) -> str:
        """The socket, the caps line, and how many pipelines read."""
        server, count = self._server, len(self._clients)
        if server is None:
            return ""
        return f"socket-path={server.path} caps {self._caps}, {count} {'client' if count == 1 else 'clients'}"

    def open(self, info: StreamInfo) -> None:
        """Listen, and make shared memory for pictures of this size.

        Raises:
            SonoramaError: the socket is taken, or cannot be made, or there is no memory.

        """
        if self._server is None:
            self._server = listen_on_file(self._path or runtime_folder() / f"{info.name}.gst")
        if self._area is None or self._area.size != (info.width, info.height):
            self._drop_area()
            self._area = _Area((info.width, info.height))
        size = f"width={info.width},height={info.height}"
        self._caps = f"video/x-raw,format=RGBA,{size},framerate={info.fps.numerator}/{info.fps.denominator}"

    def send(self, picture: Picture) -> None:
        """Welcome new pipelines, and hand the picture to all that have done with earlier ones; never waits.

        Raises:
            SonoramaError: shared memory is full.

        """
        server, area = self._server, self._area
        if server is None or area is None:
            return
        while (connection := server.accept()) is not None:
            self._clients += _welcome(connection, area, len(self._clients))
        self._clients = [client for client in self._clients if client.read()]
        ready = [client for client in self._clients if len(client.held) < CREDIT]
        if not ready:
            return
        held = {slot for client in self._clients for slot in client.held}
        slot = next(number for number in range(SLOTS) if number not in held)
        area.write(slot, picture)
        for client in ready:
            client.give(slot)

    def _drop_area(self) -> None:
        clients, self._clients = self._clients, []
        for client in clients:
            client.close()
        if self._area is not None:
            self._area.close()
        self._area = None

    def close(self) -> None:
        """End the pipelines that read, and remove socket and memory."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._drop_area()


class _Area:
    """A file of shared memory that holds SLOTS pictures of one size."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size, self.slot_size = size, size[0] * size[1] * 4
        _remove_old()
        self.path = _MEMORY / f"{PREFIX}gst.{os.getpid()}.{secrets.token_hex(8)}"
        try:
            self._file = create_private(self.path)
            os.truncate(self._file, SLOTS * self.slot_size)
        except OSError as error:
            raise _no_memory(error) from error

    def write(self, slot: int, picture: Picture) -> None:
        """Put a picture into a slot. Written, not mapped, so that a full memory is an error and no signal."""
        data = np.ascontiguousarray(picture.pixels).reshape(-1).data
        try:
            done = 0
            while done < len(data):
                done += os.pwrite(self._file, data[done:], slot * self.slot_size + done)
        except OSError as error:
            raise _no_memory(error) from error

    def close(self) -> None:
        """Remove it; clients that still look at it keep what they see."""
        os.close(self._file)
        self.path.unlink(missing_ok=True)


def _no_memory(error: OSError) -> SonoramaError:
    message = f"Shared memory cannot be written: {error.strerror}"
    return SonoramaError(message, f"Remove what is not needed in {_MEMORY}; in a container: --shm-size 1g")


def _remove_old() -> None:
    """Remove what sinks of processes that were killed left."""
    for path in _MEMORY.glob(f"{PREFIX}gst.*.*"):
        number = path.name.split(".")[1]
        with contextlib.suppress(OSError, SonoramaError):
            dead = number.isdecimal() and not process_lives(int(number))
            if dead and time.time() - path.stat().st_mtime > OLD_S:
                remove_private(path)


def _welcome(connection: socket.socket, area: _Area, others: int) -> list[_Client]:
    """The client of a new connection; none if there are too many, or it has gone."""
    if others < MOST_CLIENTS:
        with contextlib.suppress(OSError):
            return [_Client(connection, area)]
    connection.close()
    return []


class _Client:
    """A pipeline that reads."""

    def __init__(self, connection: socket.socket, area: _Area) -> None:
        connection.setblocking(False)
        self._connection, self._area = connection, area
        self._unread = b""
        self.held: list[int] = []
        """Slots that it has not done with."""
        name = f"/{area.path.name}".encode() + b"\0"
        connection.sendall(_AREA.pack(_NEW_AREA, 1, SLOTS * area.slot_size, len(name)) + name)

    def read(self) -> bool:
        """Note what it has done with; False when it has gone, or talks another language."""
        try:
            while data := self._connection.recv(4096):
                self._unread += data
                while len(self._unread) >= _BUFFER.size:
                    kind, _, offset, _ = _BUFFER.unpack_from(self._unread)
                    self._unread = self._unread[_BUFFER.size :]
                    slot = offset // self._area.slot_size
                    if kind != _DONE or slot not in self.held:
                        raise ConnectionError
                    self.held.remove(slot)
        except BlockingIOError:
            return True
        except OSError:
            pass
        self.close()
        return False

    def give(self, slot: int) -> None:
        """Say that a new picture lies in a slot."""
        size = self._area.slot_size
        with contextlib.suppress(OSError):  # if it has gone, the next read says so
            self._connection.send(_BUFFER.pack(_NEW_BUFFER, 1, slot * size, size))
            self.held.append(slot)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
