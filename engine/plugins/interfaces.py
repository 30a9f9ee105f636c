"""What plug-ins fill: sinks take frames, sources give sound. The engine owns these Protocols, so that the arrow of
imports never turns. Found by entry points `sonorama.sinks` and `sonorama.sources` (engine/plugins/registry.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..errors import SonoramaError

Pixels = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Available:
    """A plug-in that can run here. about: one line on what it found, such as a device or a version."""

    about: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A plug-in that cannot run here, and how to change that: one line each."""

    reason: str
    how_to_install: str


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a sink will be given.

    Attributes:
        name: of the show; other programs find us under `sonorama-<name>`.
        width, height: px.
        fps: frames a second that the show sends, for ever.
        samples: name of the sample ring (engine/audio/sample_ring.py) for sinks that write sound; empty without one.
        world: name and version of the world that paints, for notes in files; may be empty.

    """

    name: str
    width: int
    height: int
    fps: Fraction
    samples: str = ""
    world: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame on its way out.

    Attributes:
        pixels: uint8 [H,W,4] RGBA, row 0 on top, sRGB, straight alpha 255. Read-only: copy before changing.
        frame: index of the latent frame it shows.
        tick: index of the show's own tick; rises by one a call for ever.
        sample: index in the sample ring that the frame is about.
        pts_ns: monotonic nanoseconds at which it was due.
        repeated: the renderer had nothing new, so this shows the frame before once more.

    """

    pixels: Pixels
    frame: int
    tick: int
    sample: int
    pts_ns: int
    repeated: bool


class SinkEnded(SonoramaError):
    """Raised by a sink that cannot go on and need not be asked again, such as a full disk: it is switched off now."""


@runtime_checkable
class FrameSink(Protocol):
    """Somewhere frames go. Made by an entry point of `sonorama.sinks`: `factory(argument: str) -> FrameSink`, where
    `argument` is what stood behind the colon in `--sink NAME:ARG` (empty without one). Making one only reads the
    argument (a wrong one raises SonoramaError); everything else waits for `open`. The factory's module also has
    `probe() -> Available | Missing` beside it.

    All calls come from one thread that belongs to this sink alone; it may block, then it is given the newest frame
    afterwards (policy `latest`) or every frame through a bounded queue (policy `every`). An exception is a fault:
    three in a row, or one SinkEnded, switch the sink off, never the show; then `close` is called.

    Attributes:
        policy: see above.

    """

    policy: Literal["latest", "every"]

    @property
    def about(self) -> str:
        """One line for people on where the frames go now, such as a path or who receives them; may be empty. Read from
        other threads; a plain attribute will do.
        """
        ...

    def open(self, info: StreamInfo) -> None:
        """Get ready. Called again, without `close` between, when size or rate change: receivers need not notice.
        Raises SonoramaError with a hint; `close` follows then.
        """
        ...

    def send(self, picture: Picture) -> None:
        """Take one frame of the size given to `open`. Its pixels never change: they may be kept, without a copy."""
        ...

    def close(self) -> None:
        """Let go of everything; may be called twice, and without `open`. `open` may follow."""
        ...


@runtime_checkable
class SoundSource(Protocol):
    """Somewhere sound comes from. Made by an entry point of `sonorama.sources`: `factory(argument) -> SoundSource`.

    Attributes:
        rate: samples a second of what it gives, known after `start`.
        channels: how many, known after `start`.

    """

    rate: int
    channels: int

    def start(self, write: Callable[[Samples, int], None]) -> None:
        """Begin to call `write(block float32 [channels,n], captured_ns)` from a thread of its own, in real time.
        captured_ns: monotonic nanoseconds of the block's last sample. Raises SonoramaError with a hint.
        """
        ...

    def alive(self) -> bool:
        """False once it has ended or its device is gone; the show then writes silence and tries `start` again."""
        ...

    def stop(self) -> None:
        """End it; may be called twice."""
        ...
