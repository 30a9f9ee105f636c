"""Cuts shots into clips on a constant grid of 30 Hz, and writes them without loss.

A frame of the grid is the picture with the nearest stamp: at 24 fps some pictures are there twice, at 60 fps every
second one is left out; nothing is blended. A clip is a Matroska file with FFV1 (RGB, 8 bits, every frame a key frame),
which PyAV reads back to the bit: `frame.to_ndarray(format="rgb24")`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ...engine.files.atomic import translated
from .picture import Picture

RATE = 30
"""Frames a second of every clip."""
SHORTEST = 24
"""Frames that a clip has at least: 0.8 s."""
LONGEST_GAP = Fraction(1, 8)
"""Seconds between two stamps; across longer gaps there is no motion to learn."""
STILL = 0.25
"""Mean change in levels from one picture to the next below which nothing moves."""


@dataclass(frozen=True)
class Stretch:
    """Frames uint8 [H,W,3] of one shot, RATE a second; the first is shown at `time` seconds of the container."""

    time: Fraction
    frames: tuple[Picture, ...]

    @property
    def moves(self) -> bool:
        """Whether anything moves. Repeated pictures do not count."""
        pairs = [(a, b) for a, b in zip(self.frames, self.frames[1:], strict=False) if a is not b]
        changes = [float(np.abs(a.astype(np.int16) - b).mean()) for a, b in pairs]
        return bool(changes) and sum(changes) / len(changes) >= STILL


class ClipGrid:
    """Pictures of one shot in, stretches out.

    Args:
        length: frames of a full stretch.

    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._first: Fraction | None = None
        self._frames: list[Picture] = []
        self._last: tuple[Fraction, Picture] | None = None

    def push(self, time: Fraction, picture: Picture) -> list[Stretch]:
        """Add the next picture; full stretches that this completes, and the rest before a gap."""
        done: list[Stretch] = []
        if self._last is not None and time - self._last[0] > LONGEST_GAP:
            done = self.end()
        if self._last is None or self._first is None:
            self._first = time
        else:
            done += self._fill((self._last[0] + time) / 2)
        self._last = (time, picture)
        return done

    def _fill(self, until: Fraction) -> list[Stretch]:
        """The last picture belongs to all points of the grid up to a time, in s."""
        done: list[Stretch] = []
        while self._last is not None and self._first is not None:
            if self._first + Fraction(len(self._frames), RATE) > until:
                break
            self._frames.append(self._last[1])
            if len(self._frames) == self._length:
                done.append(Stretch(self._first, tuple(self._frames)))
                self._first += Fraction(self._length, RATE)
                self._frames = []
        return done

    def end(self) -> list[Stretch]:
        """The shot has ended: what is left, if it is long enough."""
        done = [] if self._last is None else self._fill(self._last[0])
        if self._first is not None and len(self._frames) >= SHORTEST:
            done.append(Stretch(self._first, tuple(self._frames)))
        self._first, self._frames, self._last = None, [], None
        return done


def write_clip(out: Path, frames: Sequence[Picture]) -> None:
    """Write frames of one shape. Raises OutputError."""
    high, wide = frames[0].shape[:2]
    with translated(out), av.open(f"file:{out}", "w", "matroska") as container:
        stream = container.add_stream("ffv1", rate=RATE, options={"level": "3", "g": "1"})
        assert isinstance(stream, VideoStream)  # noqa: S101 (ffv1 codes pictures)
        stream.width, stream.height, stream.pix_fmt = wide, high, "bgr0"
        for i, picture in enumerate(frames):
            frame = VideoFrame.from_ndarray(picture, "rgb24").reformat(format="bgr0")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
