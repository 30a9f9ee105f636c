"""Sinks around native libraries (NDI, Syphon, Spout, virtual cameras), each in a child process.

The sink writes its pictures to a frame map of its own; the child reads that and gives them to the library. So a library
that hangs or crashes cannot hold the show up, and its licence concerns the child alone. A library is reached through a
`Target` only; which one, says TARGETS.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import secrets
import signal
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import ClassVar, Literal, Protocol

from ...engine.errors import SonoramaError, one_line_error
from ...engine.ipc.frame_map import FrameMap, FrameMapWriter
from ...engine.log.children import log_to_parent
from ...engine.plugins.interfaces import Missing, Picture, StreamInfo
from ...engine.units import Pixels
from .child import KeptChild, end_with_parent

TARGETS = ("camera", "ndi", "spout", "syphon")
"""Modules of this folder with a function `open_target(name) -> Target`."""
TURN_S = 0.05
_CHILD = "from sonorama.plugin.sinks.native import main; main()"


class Target(Protocol):
    """A native library's sender, as a child process uses it, from one thread.

    Attributes:
        about: one line on where the pictures go, such as the receivers.

    """

    @property
    def about(self) -> str:
        """See above."""
        ...

    def resize(self, width: int, height: int, fps: Fraction) -> None:
        """Get ready for pictures of this size in pixels. Called first, and again when it changes.

        Raises:
            SonoramaError: the library cannot send them.

        """
        ...

    def show(self, pixels: Pixels) -> None:
        """Send a picture, uint8 [H,W,4] RGBA, row 0 on top, contiguous; it is overwritten after the call."""
        ...

    def turn(self) -> None:
        """Serve the library's run loop; called after each picture, and at least every TURN_S."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class NativeSink:
    """Base of the sinks around native libraries.

    Args:
        argument: name under which other programs find the pictures, or of a device; default: the show's.
        lack: what is missing to run it at all.

    Raises:
        SonoramaError: something is missing.

    """

    policy: Literal["latest", "every"] = "latest"
    target: ClassVar[str]
    """One of TARGETS."""
    title: ClassVar[str]
    """Of the library, for people."""

    def __init__(self, argument: str, lack: Missing | None) -> None:
        if lack is not None:
            raise SonoramaError(f"Nothing can be sent by {self.title}: {lack.reason}", lack.how_to_install)
        self._argument = argument
        self._map: FrameMapWriter | None = None
        self._child: KeptChild | None = None
        self._command: list[str] = []
        self._said = ""

    @property
    def about(self) -> str:
        """What the child says."""
        restarts = self._child.restarts if self._child else 0
        again = f", restarts: {restarts}" if restarts else ""
        return f"{self._said}{again}" if self._child else ""

    @property
    def pid(self) -> int:
        """Process ID of the child; 0 if there is none."""
        return self._child.pid if self._child else 0

    def open(self, info: StreamInfo) -> None:
        """Make the frame map and start the child; one that runs follows changes of size, not of the rate.

        Raises:
            SonoramaError: there is no room for the map.

        """
        if self._map is None:
            name = f"{self.target}-{os.getpid()}-{secrets.token_hex(4)}"
            self._map = FrameMapWriter(name, info.width, info.height)
        elif self._map.size != (info.width, info.height):
            self._map.resize(info.width, info.height)
        command = [self.target, self._map.name, str(info.fps), self._argument or info.name]
        if command != self._command:
            self._end_child()
            self._command = command
            self._said = "is starting"
            self._child = KeptChild(_CHILD, command, self.target, self._tell)

    def _tell(self, line: str) -> None:
        self._said = line

    def send(self, picture: Picture) -> None:
        """Publish the picture for the child; start that again if it crashed.

        Raises:
            SinkEnded: it fails repeatedly.

        """
        if self._map is None or self._child is None:
            return
        ended = SonoramaError(f"The process for {self.title} has ended", "Start the show again.")
        self._child.check(ended, SonoramaError(f"The process for {self.title} crashed", "See the log of the show."))
        self._map.publish(picture.pixels, picture.pts_ns, picture.frame, picture.repeated, picture.sample)

    def _end_child(self) -> None:
        child, self._child, self._command, self._said = self._child, None, [], ""
        if child is not None:
            child.end()

    def close(self) -> None:
        """End the child and remove the map."""
        self._end_child()
        own, self._map = self._map, None
        if own is not None:
            own.close()


def play(
    frames: FrameMap, fps: Fraction, target: Target, say: Callable[[str], None], going: Callable[[], bool]
) -> None:
    """Give a target the pictures of a frame map.

    Args:
        frames: where they are.
        fps: their rate, for targets that tell it.
        target: what they are given to.
        say: called with the target's `about` whenever that changes.
        going: asked before each turn whether to go on.

    Raises:
        SonoramaError: as the target does.

    """
    out: Pixels | None = None
    count, size, said = 0, (0, 0), ""
    while going():
        if frames.wait(TURN_S, count) and (slot := frames.newest(out)) is not None:
            out, count = slot.pixels, slot.count
            height, width = out.shape[:2]
            if (width, height) != size:
                size = (width, height)
                target.resize(width, height, fps)
            target.show(out)
        target.turn()
        if target.about != said:
            said = target.about
            say(said)


def main() -> None:
    """The child's entry point; its arguments are a target of TARGETS, a frame map, the rate, and a name."""
    kind, frame_map, fps, name = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the library is closed
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # libraries that print must not do so into it
    log_to_parent(kind)
    end_with_parent()
    try:
        _run(kind, frame_map, Fraction(fps), name, lambda line: out.write(f"{line}\n"))
    except SonoramaError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        sys.stderr.flush()
        sys.exit(2)


def _run(kind: str, frame_map: str, fps: Fraction, name: str, say: Callable[[str], object]) -> None:
    if kind not in TARGETS:
        raise SonoramaError(f"There is no target {kind}", f"Use one of: {', '.join(TARGETS)}.")
    module = importlib.import_module(f"sonorama.plugin.sinks.{kind}")
    target: Target = module.open_target(name)
    with FrameMap(frame_map) as frames, contextlib.closing(target):
        play(frames, fps, target, lambda line: (say(line), None)[1], lambda: True)


def does_not_load(title: str, error: BaseException) -> SonoramaError:
    """What a target says if its library does not load."""
    return SonoramaError(f"The library of {title} does not load: {one_line_error(error)}", "Install it again.")
