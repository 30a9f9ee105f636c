"""Writes the sound of a file as mono FLAC at 44.1 kHz, sample for sample where its stamps say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from ...engine.audio.audio_file import resample
from ...engine.audio.decode import decode_stamped, read_format
from ...engine.audio.in_phase import MonoMix
from ...engine.errors import InputError
from ...engine.files.atomic import translated
from ...engine.units import SAMPLE_RATE

_TOLERANCE_S = 0.03  # by which stamps of good files jitter
_LONGEST_GAP_S = 600  # a longer one is a false stamp
_SHORTEST_S = 0.2
_SILENT = 1e-4  # root mean square, -80 dB


@dataclass
class Soundtrack:
    """What was written.

    Attributes:
        start: time of its first sample in s on the container's clock, by which pictures are shown, too.
        rate: sample rate of the source in Hz.
        samples: number of samples written, at 44.1 kHz.
        problem: what could not be read; empty where all was.

    """

    start: Fraction
    rate: int
    samples: int = 0
    problem: str = ""


def write_soundtrack(out: Path, path: Path) -> Soundtrack:
    """Write the sound of `path`; gaps between its stamps become silence, and what overlaps is left out.

    Of a damaged or truncated file what can be read is written.

    Raises:
        InputError: there is no sound, none that can be read, less than 0.2 s, or nothing but silence.
        OutputError: it cannot be written.

    """
    form = read_format(path)
    track, power = Soundtrack(Fraction(0), form.rate), 0.0
    blocks = resample(_placed(path, MonoMix(form.names, form.rate), track), form.rate, SAMPLE_RATE)
    with translated(out):  # around what writes only: errors of reading are no fault of `out`
        flac = _Flac(out)
    try:
        for block in blocks:
            power += float(np.square(block, dtype=np.float64).sum())
            track.samples += len(block)
            with translated(out):
                flac.write(block)
    finally:
        with translated(out):
            flac.close()
    if track.samples < _SHORTEST_S * SAMPLE_RATE:
        raise InputError(f"{path} has {track.samples / SAMPLE_RATE:.2f} s of sound that can be read", "Leave it out.")
    if not power > _SILENT**2 * track.samples:
        raise InputError(f"{path} has a sound track, but it is silent", "Leave it out, or record again.")
    return track


class _Flac:
    """A mono FLAC file of 16 bits."""

    def __init__(self, out: Path) -> None:
        self._container = av.open(f"file:{out}", "w", "flac")
        stream = self._container.add_stream("flac", rate=SAMPLE_RATE)
        assert isinstance(stream, AudioStream)  # noqa: S101 (flac codes sound)
        self._stream, self._written = stream, 0
        stream.codec_context.layout, stream.codec_context.format = "mono", "s16"

    def write(self, block: np.ndarray) -> None:
        whole = np.rint(np.clip(block, -1, 1) * 32767).astype(np.int16)
        frame = AudioFrame.from_ndarray(whole[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._written, Fraction(1, SAMPLE_RATE)
        self._written += len(whole)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        if self._written:
            self._container.mux(self._stream.encode(None))
        self._container.close()


def _placed(path: Path, mix: MonoMix, track: Soundtrack) -> Iterator[np.ndarray]:
    """Mono blocks at the source's rate, placed by their stamps; an error after the first block ends them."""
    written = 0
    begun = False
    try:
        for stamp, block in decode_stamped(path, gaps=True):
            if not begun:
                track.start, begun = stamp or Fraction(0), True
            part = mix.push(np.nan_to_num(block, posinf=0, neginf=0))
            late = 0 if stamp is None else round((stamp - track.start) * track.rate) - written
            if late > _LONGEST_GAP_S * track.rate:
                track.problem = f"its sound has a gap of {late / track.rate:.0f} s and was left out from there"
                return
            if late > _TOLERANCE_S * track.rate:
                written += late
                yield from _silence(late)
            elif late < -_TOLERANCE_S * track.rate:
                part = part[-late:]
            written += len(part)
            if len(part):
                yield part
    except InputError as error:
        if not written:
            raise
        track.problem = error.message.removeprefix(f"{path} ")


def _silence(samples: int) -> Iterator[np.ndarray]:
    for at in range(0, samples, 1 << 16):
        yield np.zeros(min(1 << 16, samples - at), np.float32)
