"""Decodes the sound of a file as it lies on the file's timeline: late starts and holes are silence, to the sample."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Event

import numpy as np
from av.audio.frame import AudioFrame

from ..errors import InputError
from .clock import EXACT_CODECS, Clock, clock_of, exact_seeking
from .decode import WHOLE, Packets, SoundFormat, open_track, packed, played, samples_of
from .read_ahead import read_ahead
from .seeking import SeekMissed, begin
from .truncation import why_cut_off

_BLOCK = 8192  # samples; codecs give 100 to 4,000 at a time, and each block has a fixed cost for the consumer
_TOLERANCE_S = 0.03  # by which stamps of good files jitter
_BACK_S = 1.0  # stamps that go back by more begin anew, as in joined files
_JUMP_S = 24 * 3600  # a longer hole is a false stamp


@dataclass(frozen=True)
class Hole:
    """A part of the timeline for which the file has no sound: seconds of its begin and end."""

    begin: float
    end: float


Read = np.ndarray | Hole | str
"""A block float32 [channels, n]; where there was no sound; or a line about the file for its user."""


def decode(
    path: Path, track: str | None = None, *, strict: bool = False, first: int = 0, may_seek: bool = True
) -> Generator[Read]:
    """Decode a sound track in order, from the sample `first` of its timeline to its end, in bounded memory.

    Reading goes on in a thread (`read_ahead`), so that any signal acts at once.

    Args:
        path: any sound or video file.
        track: see `tracks.chosen`.
        strict: refuse what is damaged or truncated; else what can be read is played, and a line says so.
        first: in samples at the file's rate. Far from the beginning the file is sought, see `seeking`.
        may_seek: else it is decoded from its beginning.

    Yields:
        Blocks float32 [channels, n] at the file's rate, and between them `Hole` and lines of text. Full scale is -1..1,
        not clipped; NaN and inf are kept.

    Raises:
        InputError: as for `open_track`; the file changes its format; if `strict`: it is damaged, or has less sound than
            its header states.

    """

    def make(ended: Event) -> Iterator[Read]:
        try:
            yield from _blocks(_placed(path, track, strict, first, ended, may_seek=may_seek))
        except SeekMissed:
            yield from _blocks(_placed(path, track, strict, first, ended, may_seek=False))

    return read_ahead(make)


def _blocks(pieces: Iterator[Read]) -> Iterator[Read]:
    waiting: list[np.ndarray] = []
    count = 0
    for piece in pieces:
        if not isinstance(piece, np.ndarray):
            yield piece
            continue
        waiting.append(piece)
        count += piece.shape[1]
        if count >= _BLOCK:
            yield _joined(waiting)
            waiting, count = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)


def _placed(path: Path, track: str | None, strict: bool, first: int, ended: Event, *, may_seek: bool) -> Iterator[Read]:
    patches = exact_seeking(path) if first and may_seek else ()
    with open_track(path, track, ended, patches) as (container, stream, form):
        clock = clock_of(path, container, stream)
        sought = begin(path, container, stream, clock, first, ended) if may_seek else None
        packets = Packets(container, stream, sought.later if sought else 0)
        place = _Placer(path, form, clock, first, sought is not None, strict)
        held: AudioFrame | None = None
        for frame in packed(packets.frames(), form):
            if frame is None:
                place.damaged = True
                continue
            if place.damaged and (line := place.resume()):
                yield line
            if held is not None:
                data = place.following(held)
                if data is None:
                    yield from place(held, held.samples)
                else:
                    yield data
            held = frame
        if ended.is_set():
            return
        if sought and held is None:
            raise SeekMissed
        cut = why_cut_off(path, container, stream, place.reached(held), packets.last)
        if cut and strict:
            raise InputError(f"{path} is truncated: {cut}", WHOLE)
        if held is not None:
            yield from place(held, place.kept(held, played(held, container)))
        if cut:
            yield f"{path} is truncated: {cut}. It is used up to {place.next / form.rate:.2f} s."


class _Placer:
    """Places frames on the timeline.

    Attributes:
        next: where on the timeline, in samples, the next frame begins if it follows the last one.
        damaged: a packet could not be decoded since the last frame.
        lost: positions are no longer known by counting, so the next stamp tells.

    """

    def __init__(self, path: Path, form: SoundFormat, clock: Clock, first: int, sought: bool, strict: bool) -> None:
        self.next = 0
        self.damaged = False
        self.lost = sought
        self._path, self._form, self._clock = path, form, clock
        self._origin = clock.origin
        self._shift = 0
        self._scale: tuple[int, int, int] | None = None
        self._begun = False
        self._sought, self._first, self._strict = sought, first, strict
        self._priming = 0 if sought else clock.priming
        self._given = first  # up to here the timeline has been given
        self._tolerance = round(_TOLERANCE_S * form.rate)

    def resume(self) -> str | None:
        """Go on after packets that could not be decoded; a line that says so, unless nobody wanted that sound."""
        self.damaged, self.lost = False, True
        at = self.next / self._form.rate
        if self._strict:
            raise self._damage()
        if self._sought and self.next <= self._first:
            return None
        return f"{self._path} is damaged {at:.2f} s from its start; what cannot be read is left out."

    def _damage(self) -> InputError:
        return InputError(f"{self._path} is damaged {self.next / self._form.rate:.2f} s from its start", WHOLE)

    def reached(self, last: AudioFrame | None) -> float:
        """The stamp at which the last frame ends, in seconds."""
        at = self._place_of(last) if last is not None else self.next
        return float(self._origin) + (at + (0 if last is None else last.samples)) / self._form.rate

    def kept(self, last: AudioFrame, valid: int) -> int:
        """Samples of the last frame that are not the encoder's padding."""
        valid -= self._clock.padding
        if self._clock.end is not None and not self._form.codec.startswith(EXACT_CODECS):
            end = round((self._clock.end - self._origin) * self._form.rate)
            excess = self._place_of(last) + last.samples - end
            valid = last.samples - excess if self._form.rate // 500 < excess < last.samples else valid
        return max(0, valid)

    def following(self, frame: AudioFrame) -> np.ndarray | None:
        """The samples of a frame that follows the last one and is wanted as a whole, as most are; None for others."""
        at = self.next
        if not self._begun or self.lost or at != self._given or self._clock.total is not None:
            return None
        if self._clock.stamped and frame.pts is not None and abs(self._position(frame) - at) > self._tolerance:
            return None
        self.next = self._given = at + frame.samples
        return samples_of(self._path, frame, self._form)

    def __call__(self, frame: AudioFrame, valid: int) -> Iterator[Read]:
        """The frame's samples that are wanted, after the silence in front of it."""
        at = self._place_of(frame)
        cut = max(0, self.next - at) if self._begun else 0  # what overlaps is left out
        begin, end = at + cut, at + valid
        if not self._begun:
            begin += self._priming
            yield from self._start(at)
        if begin > self.next:
            yield from self._silence(begin)
        self.next, self._begun, self.lost = at + frame.samples, True, False
        begin = max(begin, self._given)
        end = end if self._clock.total is None else min(end, self._clock.total)
        if end > begin:
            self._given = end
            data = samples_of(self._path, frame, self._form)
            yield data if end - begin == data.shape[1] else data[:, begin - at : end - at]

    def _start(self, at: int) -> Iterator[Read]:
        if self._sought:
            if at > self._first + self._tolerance:
                raise SeekMissed
            self.next = max(0, at)
        yield from ()

    def _place_of(self, frame: AudioFrame) -> int:
        """Where the frame begins on the timeline: by its stamp, or after the last frame if that is about the same."""
        if frame.pts is None or (self._begun and not (self._clock.stamped or self.lost)):
            return self.next
        at = self._position(frame)
        if not self._begun:
            return at if self._clock.stamped or self._sought else 0
        late = at - self.next
        if late < -_BACK_S * self._form.rate or late > _JUMP_S * self._form.rate:
            self._shift -= late
            return self.next
        return self.next if abs(late) <= self._tolerance else at

    def _position(self, frame: AudioFrame) -> int:
        """A stamp in samples of the timeline; in whole numbers, since this happens for every frame."""
        if self._scale is None:
            base = frame.time_base or Fraction(1)
            scale, offset = base * self._form.rate, self._origin * self._form.rate
            over = scale.denominator * offset.denominator
            self._scale = scale.numerator * offset.denominator, offset.numerator * scale.denominator, over
        factor, offset, over = self._scale
        return (2 * ((frame.pts or 0) * factor - offset) + over) // (2 * over) + self._shift

    def _silence(self, until: int) -> Iterator[Read]:
        rate = self._form.rate
        if self._strict and self._begun and not self._clock.may_pause:
            raise self._damage()
        if until - self.next > self._tolerance and until > self._given:
            yield Hole(max(self.next, 0) / rate, until / rate)
        while self._given < until:
            count = min(_BLOCK, until - self._given)
            self._given += count
            yield np.zeros((self._form.channels, count), np.float32)
