"""Begins to read a file in its middle, where its stamps or its codec allow it, in place of decoding all before.

PCM, FLAC and ALAC need nothing from before, so a part has the bits of the whole. Other codecs carry a state along: they
are decoded from the beginning where the part begins within ten minutes of it, which gives the bits of the whole; later
parts begin with three seconds that are decoded and left out. mp3 and AAC in ADTS have no index: the headers of
their frames are read one after the other, which takes a second for thirteen hours; where one of them is damaged, the
file is decoded from the beginning, since nothing else tells how much of it cannot be heard.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from threading import Event
from typing import NamedTuple

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from .clock import COUNTED, EXACT_CODECS, MP4, Clock
from .frame_walk import frame_at

_NEAR_S = 600
_PRE_ROLL_S = 3
_EXACT_PRE_ROLL_S = Fraction(1, 2)
_WALKED = ("mp3", "aac")
"""FFmpeg's names of formats that are nothing but frames."""


class SeekMissed(Exception):
    """A file has to be read from its beginning after all, and opened again for that."""


class Sought(NamedTuple):
    """A file was sought. later: what is to be added to the stamps of its packets from then on, in their unit."""

    later: int = 0


def begin(
    path: Path, container: InputContainer, stream: AudioStream, clock: Clock, first: int, ended: Event
) -> Sought | None:
    """Get ready to read from about the sample `first` of the timeline on; None: from the beginning.

    Where it was sought, the stamp of the first frame tells its position. ended: see `read_ahead.FileView`.

    Raises:
        SeekMissed: see there.

    """
    rate, name, base = stream.codec_context.sample_rate, container.format.name, stream.time_base
    if base is None:
        return None
    exact = stream.codec_context.name.startswith(EXACT_CODECS) and (Fraction(1, rate) / base).denominator == 1
    if exact and name in (*COUNTED, MP4, "nut", "mxf"):
        wanted = first > rate
        return _seek(container, stream, clock, base, Fraction(first, rate) - _EXACT_PRE_ROLL_S) if wanted else None
    if first <= _NEAR_S * rate:
        return None
    target = Fraction(first, rate) - _PRE_ROLL_S
    if name in _WALKED:
        return _walk(path, container, stream, (target + clock.origin) / base, ended)
    return _seek(container, stream, clock, base, target)


def _seek(
    container: InputContainer, stream: AudioStream, clock: Clock, base: Fraction, second: Fraction
) -> Sought | None:
    try:
        container.seek(round((second + clock.origin) / base), stream=stream)
    except FFmpegError:  # no index, or one that is damaged
        return None
    return Sought()


def _walk(path: Path, container: InputContainer, stream: AudioStream, stamp: Fraction, ended: Event) -> Sought:
    """Seek to the frame before a stamp by the headers of all frames. SeekMissed where these are not all alike."""
    try:
        packet = next(container.demux(stream), None)
        if packet is None or not packet.size or packet.pos is None or not packet.duration:
            raise SeekMissed
        number = int((stamp - (packet.pts or 0)) / packet.duration)
        at = frame_at(path, stream.codec_context.name, packet.pos, number, ended)
        if at is None:
            raise SeekMissed
        container.seek(at, stream=stream, unsupported_byte_offset=True)
    except FFmpegError as error:
        raise SeekMissed from error
    return Sought(number * packet.duration)
