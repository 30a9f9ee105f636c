"""Sockets on which sinks wait for other programs of this computer: a file of this user, or a port on loopback."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
import time
from pathlib import Path

from ...engine.errors import SonoramaError

log = logging.getLogger(__name__)
LONGEST_PATH = 100
"""Bytes of a socket's path; systems allow 103 to 107."""
PORTS_TRIED = 20
FILE_CHECK_S = 1.0
"""Seconds between looks whether the file is still there."""


class ServerSocket:
    """A socket that listens. `accept` never waits. A file that somebody removes is made again.

    Args:
        listening: bound already; it belongs to this object from now on.
        path: of its file, which `close` removes; None for a port.

    """

    def __init__(self, listening: socket.socket, path: Path | None = None) -> None:
        self.path = path
        self._look, self._lost = time.monotonic() + FILE_CHECK_S, False
        self._listen(listening)

    def _listen(self, listening: socket.socket) -> None:
        listening.setblocking(False)
        listening.listen(16)
        self._socket = listening  # one before is closed with its last reference
        self._inode = None if self.path is None else self.path.lstat().st_ino

    @property
    def port(self) -> int:
        """The port; 0 for a file."""
        return 0 if self.path is not None else int(self._socket.getsockname()[1])

    def accept(self) -> socket.socket | None:
        """The next client that waits, None if there is none."""
        if self.path is not None and time.monotonic() > self._look:
            self._look = time.monotonic() + FILE_CHECK_S
            self._make_again(self.path)
        try:
            return self._socket.accept()[0]
        except OSError:  # none, or one that has gone already
            return None

    def _make_again(self, path: Path) -> None:
        if os.path.lexists(path):
            return
        try:
            self._listen(_bound(path))
        except OSError as error:
            if not self._lost:
                log.warning("The socket %s was removed, and cannot be made again: %s", path, error.strerror)
            self._lost = True
        else:
            self._lost = False
            log.warning("The socket %s was removed; it is made again", path)

    def close(self) -> None:
        """Listen no more; the file goes too, unless another one has taken its name."""
        self._socket.close()
        if self.path is not None:
            with contextlib.suppress(OSError):
                if self.path.lstat().st_ino == self._inode:
                    self.path.unlink()


def listen_on_file(path: Path) -> ServerSocket:
    """Listen on a socket file that only this user can open. One that a dead program left is replaced.

    Raises:
        SonoramaError: another program listens there, something else has that name, or it cannot be made.

    """
    if not hasattr(socket, "AF_UNIX"):
        raise SonoramaError("There are no UNIX sockets here", "Use a port, such as --sink stream:tcp:9126")
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise SonoramaError(f"The path {path} is too long for a socket", f"Use at most {LONGEST_PATH} bytes.")
    _remove_dead(path)
    try:
        return ServerSocket(_bound(path), path)
    except OSError as error:
        raise SonoramaError(f"No socket can be made at {path}: {error.strerror}", "Choose another path.") from error


def _bound(path: Path) -> socket.socket:
    """A socket with that file. Raises OSError."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
        path.chmod(0o600)  # nobody can connect before it listens
    except OSError:
        made.close()
        raise
    return made


def _remove_dead(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise SonoramaError(f"{path} is there already and no socket", "Choose another path.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        if trial.connect_ex(str(path)) == 0:
            raise SonoramaError(f"Another program listens at {path}", "Choose another path.")
    with contextlib.suppress(OSError):
        path.unlink()


def listen_on_port(port: int, others: bool) -> ServerSocket:
    """Listen on a port of loopback.

    Args:
        port: wanted; 0 takes any.
        others: whether one of the next ports is taken where that is busy.

    Raises:
        SonoramaError: it is busy.

    """
    for wanted in range(port, port + PORTS_TRIED) if others else (port,):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # so that a port can be used again at once; on Windows it would mean sharing it
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind(("127.0.0.1", wanted))
            return ServerSocket(made)
        except OSError:
            made.close()
    raise SonoramaError(f"Port {port} is taken by another program", "Choose another, such as --sink stream:tcp:9200")
