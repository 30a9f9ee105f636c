"""Checks for a usable display and scale before Qt is started, because Qt aborts the process if there is none, and fills
the memory at a scale of 0.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import socket
import sys
from collections.abc import Iterator

from sonorama.engine.errors import SonoramaError

_SCALES = "QT_SCALE_FACTOR", "QT_SCREEN_SCALE_FACTORS"
_LEAST, _MOST = 0.25, 8.0


@contextlib.contextmanager
def display() -> Iterator[None]:
    """Context in which Qt can connect to the X server: raises if there is no display, and keeps the server running.

    Some servers restart when their last client disconnects, so the test connection stays open until Qt has its own.

    Raises:
        SonoramaError: there is no display, it does not answer, libxcb-cursor is missing, or the scale that Qt's
            variables set is none.

    """
    for variable in _SCALES:
        _check_scale(variable)
    with contextlib.ExitStack() as connections:
        _check(connections)
        yield


def _check_scale(variable: str) -> None:
    """Check the numbers of one of Qt's variables, such as `1.5`, or `1;2`, or `HDMI-1=2`."""
    for part in filter(None, re.split("[;,]", os.environ.get(variable, ""))):
        try:
            scale = float(part.rpartition("=")[2])
        except ValueError:
            scale = 0.0
        if not _LEAST <= scale <= _MOST:
            hint = f"Set it from {_LEAST:g} to {_MOST:g}, or unset it."
            raise SonoramaError(f"{variable} is {os.environ[variable]}, which is no scale for windows", hint)


def _check(connections: contextlib.ExitStack) -> None:
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM", "xcb").split(":")[0] != "xcb":
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    name = os.environ.get("DISPLAY", "")
    if not name:
        raise SonoramaError("There is no display to open a window on", "Set DISPLAY, or use: xvfb-run sonorama ...")
    if not _answers(name, connections):
        raise SonoramaError(f"The display {name} does not answer", "Set DISPLAY to a running X server.")
    try:
        ctypes.CDLL("libxcb-cursor.so.0")
    except OSError as error:
        hint = "Install it: sudo apt install libxcb-cursor0"
        raise SonoramaError("The library libxcb-cursor, which windows need, is missing", hint) from error


def _answers(name: str, connections: contextlib.ExitStack) -> bool:
    match = re.fullmatch(r"(?:unix)?([^:/]*):(\d+)(?:\.\d+)?", name)
    if match is None:
        return False
    host, number = match[1], int(match[2])
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 (the standard path of X server sockets)
    tries = [path, f"\0{path}"] if not host else []
    for address in tries:
        local = connections.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        if local.connect_ex(address) == 0:
            return True
    if host:
        remote = connections.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        remote.settimeout(2.0)
        return remote.connect_ex((host, 6000 + number)) == 0
    return False
