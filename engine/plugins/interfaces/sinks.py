"""Interface of sinks: receivers of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from ...errors import SonoramaError

if TYPE_CHECKING:
    from ...units import Pixels


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a sink will be given.

    Attributes:
        name: of the show; other programs find its frame map under `sonorama-<name>`.
        width, height: px.
        fps: output ticks a second, constant until `open` is called again.
        samples: name of the sample ring (engine/audio/sample_ring.py) for sinks that write sound; empty without one.
        world: name, version and licence of the world that plays, for notes in files; may be empty.

    """

    name: str
    width: int
    height: int
    fps: Fraction
    samples: str = ""
    world: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the show's output.

    Attributes:
        pixels: uint8 [H,W,4] RGBA, row 0 on top, sRGB, straight alpha 255. Read-only: copy before changing.
        frame: index of the frame it shows.
        tick: index of the output tick; rises by one with every call.
        sample: index in the sample ring of the sound that the frame answers.
        pts_ns: monotonic nanoseconds at which it was due.
        repeated: the renderer had nothing new, so the frame before is shown once more.

    """

    pixels: Pixels
    frame: int
    tick: int
    sample: int
    pts_ns: int
    repeated: bool


class SinkEnded(SonoramaError):
    """Raised by a sink that cannot go on at all, such as on a full disk: it is switched off at once."""


@runtime_checkable
class FrameSink(Protocol):
    """A receiver of pictures, such as a file, a window or a network protocol (`--sink NAME:ARGUMENT`).

    The entry point (group `sonorama.sinks`) is a factory: `factory(argument: str) -> FrameSink`, usually the class
    itself. `argument` is what follows the colon on the command line, empty without one. The factory only reads the
    argument, and raises SonoramaError for a wrong one; files and devices are opened by `open`.

    All calls come from one thread that belongs to this sink alone, so a sink may block. With policy `latest` it is
    then given the newest picture and skips the others; with policy `every` pictures wait in a bounded queue. An
    exception counts as a failure: three in a row, or one SinkEnded, switch the sink off, never the show; `close`
    follows.

    Attributes:
        policy: `latest` or `every`, see above.

    Optional attribute of the class: `shaped_by`, text. A sink that has it takes no pictures of its own size, flip or
    delay (engine/show/output_shape.py), and the text says what to use instead.

    """

    policy: Literal["latest", "every"]

    @property
    def about(self) -> str:
        """One line on where the pictures go now, such as a path or the receivers; may be empty. Read from other
        threads; a plain attribute will do.
        """
        ...

    def open(self, info: StreamInfo) -> None:
        """Get ready for pictures. Called again, without `close` between, when size or rate change.

        Raises:
            SonoramaError: the sink cannot be opened; `close` follows.

        """
        ...

    def send(self, picture: Picture) -> None:
        """Take one picture of the size given to `open`. Its pixels never change, so they may be kept without a copy."""
        ...

    def close(self) -> None:
        """Release everything. May be called twice, and without `open`; `open` may follow."""
        ...
