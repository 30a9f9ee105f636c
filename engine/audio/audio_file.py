"""Streams the sound of any audio or video file that PyAV opens; memory does not grow with its length."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from ..errors import InputError
from ..units import SAMPLE_RATE
from .decode import PLAYABLE, SoundFormat, decode, open_container

# Gain of each loudspeaker in the mono mix: the ITU-R BS.775 stereo downmix, then the mean of left and right.
_FRONT, _CENTRE, _AROUND = 0.5, math.sqrt(0.5), math.sqrt(0.125)
_GAINS = {"FL": _FRONT, "FR": _FRONT, "FLC": _FRONT, "FRC": _FRONT, "DL": _FRONT, "DR": _FRONT}
_GAINS |= {"FC": _CENTRE, "LFE": 0.0, "LFE2": 0.0, "BL": _AROUND, "BR": _AROUND, "SL": _AROUND, "SR": _AROUND}
_GAINS |= {"BC": _AROUND}


class Sound:
    """The sound of one file: its properties, measured by decoding it once, and streams that read it from any position.

    Attributes:
        path: the file.
        rate: sample rate in Hz.
        channels: number of channels.
        samples: exact number of samples per channel, by decoding.
        channel_names: FFmpeg's name of each channel ("FL", "LFE", "NONE" ...).
        layout: FFmpeg's name of the channel layout ("stereo", "7.1", "3 channels" ...).
        codec: FFmpeg's name of the codec.
        had_nonfinite: the file contains NaN or infinite samples; every stream gives 0 for them.

    """

    def __init__(self, path: Path, form: SoundFormat, samples: int, had_nonfinite: bool) -> None:
        self.path = path
        self.rate = form.rate
        self.channels = form.channels
        self.channel_names = form.names
        self.layout = form.layout
        self.codec = form.codec
        self.samples = samples
        self.had_nonfinite = had_nonfinite
        self._streams = ExitStack()

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
    def duration(self) -> Fraction:
        """Exact duration in seconds."""
        return Fraction(self.samples, self.rate)

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
            at = 0
            for block in decode(self.path):
                part = block[:, max(0, first - at) :]
                at += block.shape[1]
                part = part if part.shape[1] <= left else part[:, : int(left)]
                if part.shape[1]:
                    left -= part.shape[1]
                    yield _finite(part)
                if left <= 0:
                    return

    def mono(
        self,
        rate: int = SAMPLE_RATE,
        start: float = 0.0,
        duration: float | None = None,
        loop: bool = False,
    ) -> Iterator[np.ndarray]:
        """Stream a part mixed to mono: float32 [n] at `rate` Hz, ceil(count * rate / file's rate) samples in total.

        Arguments and errors as for `count`. Full scale is -1..1, not clipped.
        """
        count = self.count(start, duration, loop)
        gains = downmix(self.channel_names)
        mixed = (gains @ block for block in self.blocks(start, duration, loop))
        if rate == self.rate:
            return mixed
        return _resample(mixed, self.rate, rate, count)


def open_sound(path: Path | str) -> Sound:
    """Open the sound of an audio or video file and decode it once to count its samples.

    Raises:
        InputError: the path does not exist or is a folder; or the file is empty, no media file, truncated, damaged, or
            without sound.

    """
    path = Path(path)
    container, _, form = open_container(path)
    container.close()
    samples, finite = 0, True
    for block in decode(path):
        samples += block.shape[1]
        finite = finite and bool(np.isfinite(block).all())
    if samples == 0:
        raise InputError(f"{path} contains 0 samples of sound", PLAYABLE)
    return Sound(path, form, samples, not finite)


def downmix(names: tuple[str, ...]) -> np.ndarray:
    """Gains of a mono mix, float32 [channels]; all channels are averaged if one of them is unknown."""
    if not all(name in _GAINS for name in names) or not any(_GAINS[name] for name in names):
        return np.full(len(names), 1 / len(names), np.float32)
    if len(names) == 1:
        return np.ones(1, np.float32)
    return np.array([_GAINS[name] for name in names], np.float32)


def _finite(block: np.ndarray) -> np.ndarray:
    if np.isfinite(block).all():
        return block
    return np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)


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
