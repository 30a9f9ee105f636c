"""Begins to read a file in its middle, where its stamps or its codec allow it, in place of decoding all before.

PCM, FLAC and ALAC need nothing from before, so a part has the bits of the whole. Other codecs carry a state along: they
are decoded from the beginning where the part begins within ten minutes of it, which gives the bits of the whole; later
parts begin with three seconds that are decoded and left out. Formats without an index (mp3, AAC in ADTS) are walked
packet by packet by FFmpeg.
"""

from __future__ import annotations

from fractions import Fraction

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from .clock import COUNTED, EXACT_CODECS, MP4, Clock

_NEAR_S = 600
_PRE_ROLL_S = 3
_EXACT_PRE_ROLL_S = Fraction(1, 2)


def begin(container: InputContainer, stream: AudioStream, clock: Clock, first: int) -> bool:
    """Get ready to read from about the sample `first` of the timeline on; whether the file was sought.

    Where it was, the stamp of the first frame tells its position.
    """
    rate, name, base = stream.codec_context.sample_rate, container.format.name, stream.time_base
    if base is None:
        return False
    exact = stream.codec_context.name.startswith(EXACT_CODECS) and (Fraction(1, rate) / base).denominator == 1
    if exact and name in (*COUNTED, MP4, "nut", "mxf"):
        return first > rate and _seek(container, stream, clock, base, Fraction(first, rate) - _EXACT_PRE_ROLL_S)
    if first <= _NEAR_S * rate:
        return False
    target = Fraction(first, rate) - _PRE_ROLL_S
    return _seek(container, stream, clock, base, target)


def _seek(container: InputContainer, stream: AudioStream, clock: Clock, base: Fraction, second: Fraction) -> bool:
    try:
        container.seek(round((second + clock.origin) / base), stream=stream)
    except FFmpegError:  # no index, or one that is damaged
        return False
    return True
