"""Streams the sound of any audio or video file that PyAV opens; memory does not grow with its length."""

from __future__ import annotations

import logging
import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from threading import Event
from types import TracebackType

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from ..errors import InputError, one_line
from ..units import SAMPLE_RATE
from .decode import PLAYABLE, SoundFormat, open_track
from .in_phase import MonoMix
from .notes import silences, tracks_line
from .read_ahead import read_once
from .riff import samples_by_size
from .timeline import Hole, decode
from .tracks import Track, tracks_of

_SILENT = 1e-4  # -80 dB of full scale
_Looked = tuple[SoundFormat, int | None, tuple[list[Track], int] | None]
log = logging.getLogger("sonorama")


class Sound:
    """The sound of one file: its properties, and streams that read it from any position.

    Second 0 is that of the file's timeline, by which its pictures are shown, too (`timeline`). What a user should know
    about the file is logged as warnings, once: where it has no sound, what is damaged, which tracks there are.

    Attributes:
        path: the file.
        rate: sample rate in Hz.
        channels: number of channels.
        channel_names: FFmpeg's name of each channel ("FL", "LFE", "NONE" ...).
        layout: FFmpeg's name of the channel layout ("stereo", "7.1", "3 channels" ...).
        codec: FFmpeg's name of the codec.
        had_nonfinite: the file contains NaN or infinite samples, as far as it was read; every stream gives 0 for them.

    """

    def __init__(
        self,
        path: Path,
        form: SoundFormat,
        samples: int | None,
        had_nonfinite: bool = False,
        *,
        track: str | None = None,
        strict: bool = False,
    ) -> None:
        self.path = path
        self.rate = form.rate
        self.channels = form.channels
        self.channel_names = form.names
        self.layout = form.layout
        self.codec = form.codec
        self.had_nonfinite = had_nonfinite
        self._samples = samples
        self._track, self._strict = track, strict
        self._streams = ExitStack()
        self._said: set[str] = set()
        self._silent = True  # as far as it was read
        self._chosen = 0  # number of the track that was chosen among several; 0: there was no choice
        self._reaches = 0  # this many samples there are at least

    def __enter__(self) -> Sound:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all open streams and their files."""
        self._streams.close()

    @property
    def samples(self) -> int:
        """Exact number of samples per channel, from second 0 of the timeline on. Raises as `open_sound`."""
        if self._samples is None:
            self._samples = self._counted()
        return self._samples

    def _counted(self) -> int:
        samples = 0
        for block in self._read(0):
            samples += block.shape[1]
            self.had_nonfinite = self.had_nonfinite or not bool(np.isfinite(block).all())
        return samples

    def _read(self, first: int, *, may_seek: bool = True) -> Iterator[np.ndarray]:
        """Blocks from a sample on; what else is to be known is said once."""
        holes: list[Hole] = []
        with closing(decode(self.path, self._track, strict=self._strict, first=first, may_seek=may_seek)) as pieces:
            try:
                for piece in pieces:
                    if isinstance(piece, np.ndarray):
                        self._silent = self._silent and float(np.abs(piece).max(initial=0.0)) < _SILENT
                        yield piece
                    elif isinstance(piece, Hole):
                        holes.append(piece)
                    else:
                        self.say(piece)
            finally:
                if holes and "hole" not in self._said:
                    self._said.add("hole")
                    self.say(f"{self.path}: {silences(holes)}: the file has no sound there.")
                if self._silent and self._chosen and not first:
                    line = f"what was read of track {self._chosen} is silent, and there are others (--track)."
                    self.say(f"{self.path}: {line}")

    def say_tracks(self, tracks: Sequence[Track], taken: int) -> None:
        """Say which tracks there are, and later whether the one that is taken is silent."""
        self._chosen = taken
        self.say(tracks_line(self.path, tracks, taken))

    def check_any(self) -> None:
        """Refuse a file without a single sample; count them, unless `check_part` has found what will be read."""
        if not self._reaches and self.samples == 0:
            raise InputError(f"{self.path} contains 0 samples of sound", PLAYABLE)

    def say(self, line: str) -> None:
        """Log a line about the file as a warning, once."""
        if line not in self._said:
            self._said.add(line)
            log.warning("%s", one_line(line))

    @property
    def duration(self) -> Fraction:
        """Exact duration in seconds."""
        return Fraction(self.samples, self.rate)

    def check_part(self, start: float, duration: float | None) -> None:
        """Look whether there is sound up to the end of a part, without decoding what is before it.

        `count` needs no more for that part; where it does, it decodes the whole sound.
        """
        if duration is None or not (math.isfinite(start) and math.isfinite(duration)):
            return
        end = round(start * self.rate) + round(duration * self.rate)
        if next(self._read(max(0, end - 1)), None) is not None:
            self._reaches = max(0, end)

    def count(self, start: float = 0.0, duration: float | None = None, loop: bool = False) -> int | None:
        """Number of samples per channel, at the file's rate, in a part of the sound; None if it is endless.

        Args:
            start: seconds from the beginning of the file.
            duration: seconds; None means to the end.
            loop: at the end of the file, continue from `start` until `duration` is reached.

        Raises:
            InputError: the part lies outside the sound or contains no sample.

        """
        first = round(start * self.rate) if math.isfinite(start) else -1
        if duration is not None and math.isfinite(duration) and not loop:
            wanted = round(duration * self.rate)
            if first >= 0 and wanted >= 1 and first + wanted <= self._reaches:
                return wanted
        if not 0 <= first < self.samples:
            message = f"Start {start:g} s is outside {self.path} (0 to {float(self.duration):.2f} s)"
            raise InputError(message, "Choose a start within the sound.")
        left = self.samples - first
        if duration is None:
            return None if loop else left
        wanted = round(duration * self.rate) if math.isfinite(duration) else 0
        if wanted < 1:
            raise InputError(f"Duration {duration:g} s contains no sample", "Give a duration above 0 s.")
        return wanted if loop else min(left, wanted)

    def blocks(self, start: float = 0.0, duration: float | None = None, loop: bool = False) -> Generator[np.ndarray]:
        """Stream a part as blocks float32 [channels, n] at the file's rate, not clipped.

        Arguments and errors as for `count`; yields exactly `count` samples in total.
        """
        left = self.count(start, duration, loop)
        stream = self._blocks(round(start * self.rate), math.inf if left is None else left)
        self._streams.callback(stream.close)
        return stream

    def _blocks(self, first: int, left: float) -> Generator[np.ndarray]:
        while left > 0:
            want = min(left, math.inf if self._samples is None else self._samples - first)
            for block in self._read_or_decode(first):
                part = block if block.shape[1] <= want else block[:, : int(want)]
                want -= part.shape[1]
                left -= part.shape[1]
                if part.shape[1]:
                    yield self._finite(part)
                if want <= 0:
                    break
            if math.inf > want > 0:  # it has become shorter meanwhile
                message = f"{self.path} has changed: it ends before its sound does"
                raise InputError(message, "Run it again when the file is whole.")

    def _read_or_decode(self, first: int) -> Iterator[np.ndarray]:
        """Blocks from a sample on that is known to be there."""
        sought = False
        for block in self._read(first):
            sought = True
            yield block
        if not sought and first:  # files that were joined may have stamps that begin anew, and cannot be sought
            yield from self._read(first, may_seek=False)

    def _finite(self, block: np.ndarray) -> np.ndarray:
        if np.isfinite(block).all():
            return block
        self.had_nonfinite = True
        return np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)

    def mono(
        self,
        rate: int = SAMPLE_RATE,
        start: float = 0.0,
        duration: float | None = None,
        loop: bool = False,
    ) -> Iterator[np.ndarray]:
        """Stream a part mixed to mono: float32 [n] at `rate` Hz, ceil(count * rate / file's rate) samples in total.

        Arguments and errors as for `count`. Full scale is -1..1, not clipped. The mix keeps the power of channels of
        opposite phase, see `in_phase`.
        """
        count = self.count(start, duration, loop)
        mixed = self.mixed(self.blocks(start, duration, loop), round(start * self.rate))
        if rate == self.rate:
            return mixed
        return _resample(mixed, self.rate, rate, count)

    def mixed(self, blocks: Iterator[np.ndarray], first: int) -> Iterator[np.ndarray]:
        """Mix blocks of this sound, the first of which begins at the sample `first`, to mono float32 [n]."""
        mix = MonoMix(self.channel_names, self.rate, first)
        return (mix.push(block) for block in blocks)


def open_sound(
    path: Path | str,
    track: str | None = None,
    *,
    strict: bool = False,
    start: float = 0.0,
    duration: float | None = None,
) -> Sound:
    """Open the sound of an audio or video file.

    It is decoded once to count its samples, since headers may be wrong, but for two cases: uncompressed sound in wav,
    aiff, caf, w64 and au is counted by its size; and of a part whose length is given only the end is looked at.

    Args:
        path: any audio or video file.
        track: the sound track, by its number (1 is the first) or language; None: the file's main one.
        strict: refuse what is damaged or truncated, before anything else; else what can be read is played.
        start: in seconds; see `duration`.
        duration: in seconds, if only this part will be read; None: any part may.

    Raises:
        InputError: the path does not exist or is a folder; or the file is empty, no media file, without sound or
            without such a track; if `strict`: it is truncated or damaged.

    """
    path = Path(path)
    form, samples, several = _looked_at(path, track)
    sound = Sound(path, form, None if strict else samples, track=track, strict=strict)
    if several is not None:
        sound.say_tracks(*several)
    if samples is None and not strict:
        sound.check_part(start, duration)
    sound.check_any()
    return sound


def _looked_at(path: Path, track: str | None) -> _Looked:
    """The format; the number of samples, if the size of the file tells; all tracks and the number of the one that is
    taken, if there was a choice.
    """

    def read(ended: Event) -> _Looked:
        with open_track(path, track, ended) as (container, stream, form):
            tracks = tracks_of(container)
            taken = next(one.number for one in tracks if one.index == stream.index)
            several = (tracks, taken) if len(tracks) > 1 and track is None else None
            return form, samples_by_size(path, container, stream), several

    return read_once(read)


def _resample(blocks: Iterator[np.ndarray], source: int, target: int, count: int | None) -> Iterator[np.ndarray]:
    left = math.inf if count is None else -(-count * target // source)
    for block in resample(blocks, source, target):
        part = block if len(block) <= left else block[: int(left)]
        left -= len(part)
        if len(part):
            yield part
    if 0 < left < math.inf:
        yield np.zeros(int(left), np.float32)


def resample(blocks: Iterator[np.ndarray], source: int, target: int) -> Iterator[np.ndarray]:
    """Resample mono blocks float32 [n] from `source` to `target` Hz, with as many samples as the resampler gives."""
    resampler = AudioResampler("flt", "mono", target)
    at = 0
    for block in blocks:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(block[None], np.float32), "flt", "mono")
        frame.sample_rate, frame.pts, frame.time_base = source, at, Fraction(1, source)
        at += len(block)
        for out in resampler.resample(frame):
            yield out.to_ndarray()[0]
    for out in resampler.resample(None):
        yield out.to_ndarray()[0]
