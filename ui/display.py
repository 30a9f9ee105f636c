"""Whether a window can be opened here. Asked before Qt is, which ends the process where it cannot."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import socket
import sys
from collections.abc import Iterator

from sonorama.engine.errors import SonoramaError


@contextlib.contextmanager
def display() -> Iterator[None]:
    """Open a window system's connection inside: it is there, and stays there meanwhile.

    Some servers start anew when their last client leaves, so the line that asked is kept until Qt has its own.

    Raises:
        SonoramaError: no display, one that does not answer, or a missing library.

    """
    with contextlib.ExitStack() as kept:
        _check(kept)
        yield


def _check(kept: contextlib.ExitStack) -> None:
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM", "xcb").split(":")[0] != "xcb":
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    name = os.environ.get("DISPLAY", "")
    if not name:
        raise SonoramaError("There is no display to open a window on", "Set DISPLAY, or use: xvfb-run sonorama ...")
    if not _answers(name, kept):
        raise SonoramaError(f"The display {name} does not answer", "Set DISPLAY to a running one.")
    try:
        ctypes.CDLL("libxcb-cursor.so.0")
    except OSError as error:
        hint = "Install it: sudo apt install libxcb-cursor0"
        raise SonoramaError("Windows need the library libxcb-cursor, which is missing", hint) from error


def _answers(name: str, kept: contextlib.ExitStack) -> bool:
    match = re.fullmatch(r"(?:unix)?([^:/]*):(\d+)(?:\.\d+)?", name)
    if match is None:
        return False
    host, number = match[1], int(match[2])
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 (where every X server has its socket)
    tries = [path, f"\0{path}"] if not host else []
    for address in tries:
        local = kept.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        if local.connect_ex(address) == 0:
            return True
    if host:
        remote = kept.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        remote.settimeout(2.0)
        return remote.connect_ex((host, 6000 + number)) == 0
    return False
