"""Follows Live's song: tempo and beat from the messages of AbletonOSC, which come late by some time, never early."""

from __future__ import annotations

from collections import deque

BEATS = 16
"""Beats of which the one that came least late counts."""
_STRANGE_S, _STRANGE = 0.15, 3
"""A beat so much later than expected is of another place in the song, if so many in a row are."""


class Song:
    """The song's line of beats: beat n is at `began + n * 60 / bpm` seconds.

    Attributes:
        bpm: tempo, 0 while it is unknown.
        playing: whether it plays.

    """

    def __init__(self) -> None:
        self.bpm, self.playing = 0.0, False
        self._began: deque[float] = deque(maxlen=BEATS)
        self._last: int | None = None
        self._jumped, self._strange = False, 0

    def play(self, playing: bool) -> None:
        """It plays, or stands still; from where it plays the next beats say."""
        if playing != self.playing:
            self.playing = playing
            self._began.clear()
            self._last = None

    def tempo(self, bpm: float, now: float) -> None:
        """The tempo is another one from second `now` on; the beat goes on from where it is."""
        if bpm > 0 and self.bpm:
            self._began = deque((now - (now - began) * self.bpm / bpm for began in self._began), maxlen=BEATS)
        self.bpm = max(bpm, 0.0)

    def beat(self, number: int, now: float) -> None:
        """Beat `number` has been passed at second `now`. One that does not follow the last one is of a jump, which may
        lead between two beats: then the line is kept until the next.
        """
        before, self._last = self._last, number
        if before is None or number != before + 1 or not self.bpm:
            self._jumped = True
            return
        began = now - number * 60 / self.bpm
        if self._jumped:
            self._began = self._moved(began)
        strange = bool(self._began) and abs(began - min(self._began)) > _STRANGE_S
        self._strange = self._strange + 1 if strange else 0
        if self._strange >= _STRANGE:
            self._began.clear()
        self._jumped = False
        self._began.append(began)

    def _moved(self, began: float) -> deque[float]:
        """What is left of the line after a jump: after one of whole beats, as at the end of a loop, all of it."""
        if not self._began:
            return self._began
        apart = began - min(self._began)
        whole = round(apart * self.bpm / 60) * 60 / self.bpm
        kept = (one + whole for one in self._began) if abs(apart - whole) < _STRANGE_S / 2 else ()
        return deque(kept, maxlen=BEATS)

    @property
    def began(self) -> float | None:
        """Second of beat 0; None while it is not known or does not play."""
        return min(self._began) if self.playing and self.bpm and self._began else None
