"""`record:FILE.mp4` or `.mkv`: the show as a film, picture and sound, safe against kills and full disks.

Time 0 of the film is the first picture and the sample that it is about; from there on pictures stand where they were
due on the show's clock, at a constant rate, and the sound is the ring's, sample by sample.
"""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from av.codec import codecs_available
from av.error import FFmpegError

from ...engine.audio.sample_ring import RATE, SampleRing, Samples, SamplesLost
from ...engine.errors import OutputError, SonoramaError
from ...engine.files.atomic import names_after, translated
from ...engine.plugins.interfaces import Available, Missing, Picture, Pixels, SinkEnded, StreamInfo
from .film import CODEC, CONTAINERS, Film

PATIENCE_S = 2.0
"""So long the first picture may wait for one that the renderer just made: only that tells which sound belongs to it."""
HOLE_S = 1
"""Lost pictures are made up for by the one before, but no more than this at a time: catching up costs time too."""
SLACK = 0.75
"""Pictures by which the show's clock may be off the count of its ticks, for it follows the renderer to and fro."""


def probe() -> Available | Missing:
    """Whether PyAV has the encoder."""
    if CODEC not in codecs_available:
        return Missing(
            f"this PyAV has no encoder {CODEC}", "Install PyAV's own wheel, such as: pip install --force-reinstall av"
        )
    return Available("H.264 with sound, .mp4 or .mkv")


class RecordSink:
    """Records into FILE, or FILE-2 and so on where that is there already; another size or rate begins another file.

    Args:
        argument: path ending in .mp4 (AAC) or .mkv (PCM, 24 bit).

    Raises:
        SonoramaError: another suffix, or a folder that is not there.

    """

    policy: Literal["latest", "every"] = "every"

    def __init__(self, argument: str) -> None:
        self.about = ""
        self._wanted = Path(argument)
        if self._wanted.suffix.lower() not in CONTAINERS:
            raise SonoramaError(f"{argument!r} names no film", "Say: --sink record:show.mp4 or record:show.mkv")
        if not self._wanted.parent.is_dir():
            raise OutputError(f"There is no folder {self._wanted.parent}", "Make it first, or choose another.")
        self._recording: _Recording | None = None

    def open(self, info: StreamInfo) -> None:
        """Begin a file.

        Raises:
            OutputError: it cannot be written.
            RingMissing: there is no such ring.
            SonoramaError: pictures too small for the codec.

        """
        self.close()
        ring = SampleRing(info.samples) if info.samples else None
        try:
            self._recording = _Recording(self._begun(info), ring, info.fps)
        finally:
            if self._recording is None and ring is not None:
                ring.close()

    def _begun(self, info: StreamInfo) -> Film:
        for path in names_after(self._wanted):
            try:
                with translated(path):
                    film = Film(path, info)
            except OutputError as error:
                if not isinstance(error.__cause__, FileExistsError):
                    raise
                continue
            self.about = str(path)
            return film
        raise AssertionError("names never end")

    def send(self, picture: Picture) -> None:
        """Write it, and the sound up to its end.

        Raises:
            SinkEnded: the file cannot be written any more; it ends where it was last whole.

        """
        if self._recording is not None:
            try:
                self._recording.take(picture)
            except (OSError, FFmpegError) as error:
                raise self._ended(error) from error

    def close(self) -> None:
        """Complete the file.

        Raises:
            SinkEnded: its end cannot be written; it is playable nevertheless.

        """
        if self._recording is not None:
            try:
                self._recording.finish()
            except (OSError, FFmpegError) as error:
                raise self._ended(error) from error
            self._recording, self.about = None, ""

    def _ended(self, error: OSError | FFmpegError) -> SinkEnded:
        recording, self._recording = self._recording, None
        seconds = 0.0
        if recording is not None:
            seconds = recording.seconds
            recording.abandon()
        full = error.errno == errno.ENOSPC
        why = "The disk is full" if full else f"It cannot be written ({error.strerror or error})"
        hint = "Make room, then record into a new file." if full else "Record into another folder."
        return SinkEnded(f"{why}: {self.about} ends after about {seconds:.0f} s", hint)


class _Recording:
    """A film, the ring of its sound, and how far both have come. Its methods raise OSError and FFmpegError."""

    def __init__(self, film: Film, ring: SampleRing | None, fps: Fraction) -> None:
        self._film, self._ring, self._fps = film, ring, fps
        self._asked_ns: int | None = None  # when the first picture was due
        self._first_ns = 0  # when the picture at time 0 was due
        self._tick = 0  # of the picture before
        self._first_sample = 0
        self._next = 0  # place of the next picture
        self._last: Pixels | None = None

    @property
    def seconds(self) -> float:
        """Of film so far."""
        return float(self._next / self._fps)

    def take(self, picture: Picture) -> None:
        """Write a picture, and the sound up to its end."""
        if self._next == 0 and not self._starts_with(picture):
            return
        place = self._place(picture)
        self._tick = picture.tick
        if place < self._next:
            return
        for missing in range(max(self._next, place - round(HOLE_S * self._fps)), place):
            self._film.show(None, missing)
        self._film.show(None if picture.pixels is self._last else picture.pixels, place)
        self._last, self._next = picture.pixels, place + 1
        self._play()

    def _place(self, picture: Picture) -> int:
        """One further on than the tick before, unless the show's clock went another way by nearly a whole picture."""
        by_tick = self._next - 1 + picture.tick - self._tick
        by_clock = (picture.pts_ns - self._first_ns) * self._fps / 1_000_000_000
        return by_tick if abs(by_clock - by_tick) < SLACK else round(by_clock)

    def _starts_with(self, picture: Picture) -> bool:
        """Whether this picture gives the film its time 0."""
        if self._asked_ns is None:
            self._asked_ns = picture.pts_ns
        if picture.repeated and picture.pts_ns - self._asked_ns < PATIENCE_S * 1e9:
            return False
        self._first_ns, self._first_sample, self._tick = picture.pts_ns, picture.sample, picture.tick - 1
        if picture.repeated and self._ring is not None:
            self._first_sample = self._ring.count
        return True

    def _play(self) -> None:
        """Write the sound that belongs to the pictures so far, as far as the ring has come."""
        if self._ring is None:
            return
        due = min(int(self._next * RATE / self._fps), self._ring.count - self._first_sample)
        while (n := min(due - self._film.samples, RATE)) > 0:
            self._film.play(_sound(self._ring, self._first_sample + self._film.samples, n))

    def finish(self) -> None:
        """Complete the file."""
        self._play()
        self._film.finish()
        self._let_go()

    def abandon(self) -> None:
        """Leave the file as it was when it was last whole."""
        self._film.abandon()
        self._let_go()

    def _let_go(self) -> None:
        if self._ring is not None:
            self._ring.close()


def _sound(ring: SampleRing, start: int, n: int) -> Samples:
    try:
        return ring.read(start, start + n)
    except SamplesLost:  # older than the ring: silence, so that what follows is in its place
        return np.zeros((2, n), np.float32)
