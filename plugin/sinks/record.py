"""The sink `record:FILE.mp4` or `.mkv`: records pictures and sound; the file survives a crash or a full disk.

Time 0 of the film is the first picture and the sound sample that belongs to it. From there on, each picture is placed
at its due time on the show's clock, at a constant rate, and the sound is copied from the sample ring without gaps.
"""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from av.codec import codecs_available
from av.error import FFmpegError

from ...engine.audio.sample_ring import SampleRing, SamplesLost
from ...engine.errors import OutputError, SonoramaError
from ...engine.files.atomic import names_after, translated
from ...engine.plugins.interfaces import Available, Missing, Picture, SinkEnded, StreamInfo
from ...engine.units import SAMPLE_RATE, Pixels, Samples
from .film import CODEC, CONTAINERS, Film

PATIENCE_S = 2.0
"""Seconds to wait for a newly rendered first picture, because only such a picture tells which sample belongs to it."""
HOLE_S = 1
"""Limit in seconds for filling a gap with repeats of the previous picture, because that takes time too."""
SLACK = 0.75
"""Frames by which the show's clock, which follows the renderer, may deviate from its count of ticks."""


def probe() -> Available | Missing:
    """Whether PyAV has the H.264 encoder."""
    if CODEC not in codecs_available:
        return Missing(
            f"this PyAV has no encoder {CODEC}", "Install PyAV's own wheel, such as: pip install --force-reinstall av"
        )
    return Available("H.264 with sound, .mp4 or .mkv")


class RecordSink:
    """Records to FILE, or FILE-2 and so on if that exists; a change of size or rate begins another file.

    Args:
        argument: path ending in .mp4 (AAC sound) or .mkv (24-bit PCM).

    Raises:
        SonoramaError: the suffix is another one, or the folder does not exist.

    """

    policy: Literal["latest", "every"] = "every"

    def __init__(self, argument: str) -> None:
        self.about = ""
        self._wanted = Path(argument)
        if self._wanted.suffix.lower() not in CONTAINERS:
            raise SonoramaError(f"{argument!r} names no film", "Give a name such as show.mp4 or show.mkv.")
        if not self._wanted.parent.is_dir():
            raise OutputError(f"There is no folder {self._wanted.parent}", "Create it first, or choose another.")
        self._recording: _Recording | None = None

    def open(self, info: StreamInfo) -> None:
        """Begin a new file.

        Raises:
            OutputError: it cannot be written.
            RingMissing: the stream's sample ring does not exist.
            SonoramaError: the pictures are too small for the codec.

        """
        self.close()
        ring = SampleRing(info.samples) if info.samples else None
        try:
            self._recording = _Recording(self._create_film(info), ring, info.fps)
        finally:
            if self._recording is None and ring is not None:
                ring.close()

    def _create_film(self, info: StreamInfo) -> Film:
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
        """Write a picture, and the sound up to its end.

        Raises:
            SinkEnded: the file can no longer be written, and ends with its last complete fragment; or it was removed.

        """
        if self._recording is not None:
            try:
                self._recording.take(picture)
            except (OSError, FFmpegError) as error:
                raise self._ended(error) from error

    def close(self) -> None:
        """Complete the file.

        Raises:
            SinkEnded: its end cannot be written; it can be played up to its last complete fragment.

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
        if isinstance(error, FileNotFoundError):
            return SinkEnded(f"{self.about} was removed: {seconds:.0f} s of it are lost", "Record to a new file.")
        full = error.errno == errno.ENOSPC
        why = "The disk is full" if full else f"It cannot be written ({error.strerror or error})"
        hint = "Free some space, then record to a new file." if full else "Record to another folder."
        return SinkEnded(f"{why}: {self.about} ends after about {seconds:.0f} s", hint)


class _Recording:
    """A film in progress and the sample ring of its sound. Its methods raise OSError and FFmpegError."""

    def __init__(self, film: Film, ring: SampleRing | None, fps: Fraction) -> None:
        self._film, self._ring, self._fps = film, ring, fps
        self._asked_ns: int | None = None  # due time of the first picture offered
        self._first_ns = 0  # due time of the picture at time 0
        self._tick = 0  # tick of the previous picture
        self._first_sample = 0
        self._next = 0  # index of the next picture in the film
        self._last: Pixels | None = None

    @property
    def seconds(self) -> float:
        """Length of the film so far."""
        return float(self._next / self._fps)

    def take(self, picture: Picture) -> None:
        """Write a picture, and the sound up to its end."""
        if self._next == 0 and not self._starts_with(picture):
            return
        index = self._index(picture)
        self._tick = picture.tick
        if index < self._next:
            return
        for missing in range(max(self._next, index - round(HOLE_S * self._fps)), index):
            self._film.show(None, missing)
        self._film.show(None if picture.pixels is self._last else picture.pixels, index)
        self._last, self._next = picture.pixels, index + 1
        self._play()

    def _index(self, picture: Picture) -> int:
        """The picture's index by ticks since the previous one, or by the show's clock if that differs by SLACK."""
        by_tick = self._next - 1 + picture.tick - self._tick
        by_clock = (picture.pts_ns - self._first_ns) * self._fps / 1_000_000_000
        return by_tick if abs(by_clock - by_tick) < SLACK else round(by_clock)

    def _starts_with(self, picture: Picture) -> bool:
        """Whether the film can begin with this picture; if so, it defines time 0."""
        if self._asked_ns is None:
            self._asked_ns = picture.pts_ns
        if picture.repeated and picture.pts_ns - self._asked_ns < PATIENCE_S * 1e9:
            return False
        self._first_ns, self._first_sample, self._tick = picture.pts_ns, picture.sample, picture.tick - 1
        if picture.repeated and self._ring is not None:
            self._first_sample = self._ring.count
        return True

    def _play(self) -> None:
        """Write the sound up to the end of the last picture, as far as the ring has it."""
        if self._ring is None:
            return
        due = min(int(self._next * SAMPLE_RATE / self._fps), self._ring.count - self._first_sample)
        while (n := min(due - self._film.samples, SAMPLE_RATE)) > 0:
            self._film.play(_sound(self._ring, self._first_sample + self._film.samples, n))

    def finish(self) -> None:
        """Complete the file."""
        self._play()
        self._film.finish()
        self._close_ring()

    def abandon(self) -> None:
        """Truncate the file to its last complete fragment and close it."""
        self._film.abandon()
        self._close_ring()

    def _close_ring(self) -> None:
        if self._ring is not None:
            self._ring.close()


def _sound(ring: SampleRing, start: int, n: int) -> Samples:
    try:
        return ring.read(start, start + n)
    except SamplesLost:  # overwritten: silence keeps the following sound in sync
        return np.zeros((2, n), np.float32)
