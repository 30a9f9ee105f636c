"""Follows MIDI timecode: quarter frames, eight to two frames, and full frames, which say where a tape was moved to."""

from __future__ import annotations

from typing import Any

from sonorama.engine.control.timecode import Timecode

from ..show_timecode import LOST_S, ShowTimecode

_RATES = ((24, False), (25, False), (30, True), (30, False))
"""(frames a second, drop-frame) by the two bits of MIDI timecode."""
_PIECES = 8
_FULL = (0x7F, 0x01, 0x01)
"""Bytes of a full frame's system exclusive message, but for the second one, which is a device's number."""


class QuarterFrames:
    """Puts the eight pieces of a label together; only those that come in the order of a tape that runs forward."""

    def __init__(self) -> None:
        self._pieces: list[int] = []

    def hear(self, piece: int, value: int) -> Timecode | None:
        """Piece 0 to 7 with its four bits; the label that is complete with it. It is of the frame at piece 0."""
        if piece != len(self._pieces):
            self._pieces = []
        if piece == len(self._pieces):
            self._pieces.append(value)
        if len(self._pieces) < _PIECES:
            return None
        low = [self._pieces[at] | self._pieces[at + 1] << 4 for at in range(0, _PIECES, 2)]
        self._pieces = []
        return label(low[3], low[2], low[1], low[0])


def label(hours: int, minutes: int, seconds: int, frames: int) -> Timecode | None:
    """The label of four bytes; the hours' has the rate above its five bits. None if there is no such time."""
    made = Timecode(hours & 0x1F, minutes, seconds, frames, *_RATES[hours >> 5 & 3])
    return made if made.valid else None


class TimecodeIn:
    """The timecode of all ports: of the first one that runs, until it stops.

    Args:
        show: gets it.

    Attributes:
        said: the last label, in words; empty: none.

    """

    def __init__(self, show: ShowTimecode) -> None:
        self._show, self.said = show, ""
        self._quarters: dict[str, QuarterFrames] = {}
        self._leader, self._heard = "", float("-inf")

    def hear(self, name: str, message: Any, at_ns: int) -> bool:
        """A message of a port at monotonic nanoseconds; whether it was of timecode."""
        if message.type == "quarter_frame":
            quarters = self._quarters.setdefault(name, QuarterFrames())
            found = quarters.hear(message.frame_type, message.frame_value)
            if found is not None and self._leads(name, at_ns):
                self._say(found)
                self._show.hear(found.second + (_PIECES - 1) / 4 / found.fps, at_ns)
            return True
        if message.type != "sysex":
            return False
        data = tuple(message.data)
        if len(data) == 8 and (data[0], *data[2:4]) == _FULL:
            found = label(*data[4:])
            if found is not None and self._leads(name, at_ns):
                self._say(found)
                self._show.stop()
        return True

    def _leads(self, name: str, at_ns: int) -> bool:
        if name != self._leader and at_ns / 1e9 - self._heard < LOST_S:
            return False
        self._leader, self._heard = name, at_ns / 1e9
        return True

    def _say(self, found: Timecode) -> None:
        self.said = f"{found} at {'29.97' if found.drop else found.fps}"

    def watch(self, now_ns: int) -> None:
        """See ShowTimecode.watch."""
        self._show.watch(now_ns)
