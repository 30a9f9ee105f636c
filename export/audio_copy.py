"""The source's own packets of sound in a film, neither decoded nor encoded again."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from ..engine.audio.clock import clock_of
from ..engine.audio.decode import open_track
from ..engine.errors import OutputError

_PLAIN = re.compile(r"pcm_[suf](8|16|24|32|64)(le|be)?")
"""Codecs whose packets are samples, one after the other."""
_INSTEAD = "Leave --audio out, or use --audio pcm24 or aac, which cut anywhere."


@dataclass(frozen=True)
class CopiedSound:
    """A part of a file whose packets are copied.

    Attributes:
        path: the file.
        track: which of its sounds, see `tracks.chosen`.
        start: seconds of its timeline at which the part begins.
        duration: seconds; None: to the end.

    """

    path: Path
    track: str | None
    start: Fraction
    duration: Fraction | None


class CopiedTrack:
    """Feeds the packets into one stream of a container, as far as the picture has come.

    Args:
        container: open for writing, before its header is written.
        part: what is copied.

    Raises:
        InputError: the file cannot be read.

    """

    def __init__(self, container: OutputContainer, part: CopiedSound) -> None:
        self._container = container
        self._opened = ExitStack()
        source, stream, _ = self._opened.enter_context(open_track(part.path, part.track))
        self._stream = container.add_stream_from_template(stream)
        self._packets = _packets(source, stream, part)
        self._next = next(self._packets, None)

    def until(self, seconds: Fraction) -> None:
        """Write the packets that begin before this time of the film."""
        while self._next is not None and _begin(self._next) < seconds:
            packet, self._next = self._next, next(self._packets, None)
            packet.stream = self._stream
            self._container.mux(packet)

    def finish(self) -> None:
        """Write the rest."""
        while self._next is not None:
            self.until(_begin(self._next) + 1)
        self._opened.close()


def check_copy(part: CopiedSound, form: str, suffix: str) -> None:
    """Refuse a copy that the container cannot hold, or that would begin within a packet.

    Args:
        part: what is to be copied.
        form: FFmpeg's name of the container.
        suffix: what the user calls it.

    Raises:
        OutputError: it cannot be copied.
        InputError: the file cannot be read.

    """
    with open_track(part.path, part.track) as (source, stream, _):
        name = stream.codec_context.name
        if not _takes(stream, form):
            raise OutputError(f"{suffix} does not take {name}, the sound of {part.path}, as it is", _INSTEAD)
        if part.start and next(_packets(source, stream, part), None) is None:
            message = f"No packet of {name} in {part.path} begins at {float(part.start):.3f} s, so it cannot be copied"
            raise OutputError(message, _INSTEAD)


def _takes(stream: AudioStream, form: str) -> bool:
    """Whether a muxer writes a header for this stream."""
    with av.open(io.BytesIO(), "w", form) as container:
        try:
            container.add_stream_from_template(stream)
            container.start_encoding()
        except (FFmpegError, ValueError):
            return False
    return True


def _packets(source: InputContainer, stream: AudioStream, part: CopiedSound) -> Iterator[Packet]:
    """The packets of the part, with their stamps on the film's clock; none if the part begins within one."""
    base = stream.time_base or Fraction(1, stream.codec_context.sample_rate)
    begin = clock_of(part.path, source, stream).origin + part.start
    end = math.inf if part.duration is None else begin + part.duration
    if part.start:
        source.seek(math.floor(begin / base), stream=stream)
    packets = (packet for packet in source.demux(stream) if packet.pts is not None and packet.size)
    width = _sample_bytes(stream)
    chosen = _plain(packets, stream, begin, end, width) if width else _whole(packets, stream, begin, end, part)
    for packet in chosen:
        packet.pts = (packet.pts or 0) - round(begin / base)
        packet.dts = packet.pts
        yield packet


def _whole(
    packets: Iterator[Packet], stream: AudioStream, begin: Fraction, end: Fraction | float, part: CopiedSound
) -> Iterator[Packet]:
    """Those that begin in the part, whose first one must begin with it."""
    half_a_sample = Fraction(1, 2 * stream.codec_context.sample_rate)
    begun = not part.start
    for packet in packets:
        at = _begin(packet)
        if not begun and at < begin - half_a_sample:
            continue
        if at >= end - half_a_sample or (not begun and at > begin + half_a_sample):
            return
        begun = True
        yield packet


def _plain(
    packets: Iterator[Packet], stream: AudioStream, begin: Fraction, end: Fraction | float, width: int
) -> Iterator[Packet]:
    """Packets of samples of `width` bytes, cut to the part."""
    rate = stream.codec_context.sample_rate
    for packet in packets:
        at, n = _begin(packet), packet.size // width
        first = max(0, round((begin - at) * rate))
        last = n if end == math.inf else min(n, round((end - at) * rate))
        if last <= 0:
            return
        if first >= last:
            continue
        if (first, last) == (0, n):
            yield packet
            continue
        piece = Packet(bytes(packet)[first * width : last * width])
        piece.time_base = packet.time_base
        base = packet.time_base or Fraction(1, rate)
        piece.pts = piece.dts = (packet.pts or 0) + round(Fraction(first, rate) / base)
        piece.duration = round(Fraction(last - first, rate) / base)
        yield piece


def _sample_bytes(stream: AudioStream) -> int:
    """Bytes of one sample of all channels where packets are plain samples, which may be cut anywhere; else 0."""
    found = _PLAIN.fullmatch(stream.codec_context.name)
    return int(found[1]) // 8 * stream.codec_context.layout.nb_channels if found else 0


def _begin(packet: Packet) -> Fraction:
    return (packet.pts or 0) * (packet.time_base or Fraction(1))
