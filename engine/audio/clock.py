"""What the time stamps of a file mean: where its timeline begins, and which samples are the encoder's own.

Second 0 of a film is second 0 of its file's timeline, by which the file's pictures are shown, too. Formats whose stamps
mean something place every block by them; elementary streams (mp3, wav, flac ...) are counted from their first sample.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from .matroska import codec_delay
from .mp4_boxes import tagged_delay
from .read_ahead import Patch
from .riff import frame_size, wrapped_bytes

MP4, MATROSKA = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
COUNTED = ("wav", "w64", "aiff", "caf", "au", "flac")
"""Formats without stamps in which FFmpeg computes the position of every block to the sample."""
EXACT_CODECS = ("pcm_", "flac", "alac")
"""Begins of FFmpeg's names of codecs that keep every sample, need nothing from before and add nothing."""
_FROM_ZERO = (MP4, MATROSKA, "nut", "flv")
_FROM_FIRST = ("mpegts", "mpeg", "asf", "mxf", "ogg")  # their clocks begin anywhere
_LATEST_S = 60  # a timeline on which everything begins later than that was cut out of a longer one
_LAVC_PRIMING = {"aac": 1024, "libmp3lame": 1105, "libfdk_aac": 2048}


@dataclass(frozen=True)
class Clock:
    """Meaning of the stamps of one sound stream.

    Attributes:
        stamped: blocks are placed by their stamps; else they follow one another.
        origin: the stamp, in seconds, of second 0 of the timeline.
        priming: samples to leave out at the beginning of the stream, put there by the encoder. FFmpeg leaves out those
            of mp4's edit lists, of Matroska's CodecDelay, of Opus and of LAME by itself.
        padding: samples to leave out at its end.
        end: the stamp, in seconds, at which the sound ends, to 1 ms; None: where the last block does.

    """

    stamped: bool
    origin: Fraction
    priming: int = 0
    padding: int = 0
    end: Fraction | None = None
    total: int | None = None
    """Samples from second 0 on at most; None: all."""
    may_pause: bool = True
    """Whether stamps may leave a hole in a file that is whole; Ogg's may not (RFC 3533)."""


def clock_of(path: Path, container: InputContainer, stream: AudioStream) -> Clock:
    """The clock of a stream, from the file's headers."""
    name = container.format.name
    if name == MATROSKA:
        return _matroska(path, container, stream)
    if name == MP4:
        delay, total = tagged_delay(container, stream)
        return Clock(True, _zero(container) + Fraction(delay, stream.codec_context.sample_rate), total=total)
    if name in _FROM_ZERO:
        return Clock(True, _zero(container))
    if name in _FROM_FIRST:
        return Clock(True, _first(container), may_pause=name != "ogg")
    origin = (stream.start_time or 0) * (stream.time_base or Fraction(1))
    return Clock(False, origin, padding=_lame_padding(path) if name == "mp3" else 0, total=_wrapped_total(path, stream))


def _wrapped_total(path: Path, stream: AudioStream) -> int | None:
    size = wrapped_bytes(path)
    return size // frame_size(stream.codec_context) if size else None


def _first(container: InputContainer) -> Fraction:
    return Fraction(container.start_time or 0, av.time_base)


def _zero(container: InputContainer) -> Fraction:
    first = _first(container)
    return first if first > _LATEST_S else Fraction(0)


def _matroska(path: Path, container: InputContainer, stream: AudioStream) -> Clock:
    """FFmpeg obeys CodecDelay in the header (RFC 9559, 5.1.4.1.25): it takes it off every stamp, and off the samples.

    Its own muxer did not write it for AAC and mp3 before 2025 and moved all stamps instead, so that the encoder's first
    samples begin at 0; the codec's name in the ENCODER tag tells how many these are.
    """
    rate = stream.codec_context.sample_rate
    origin, end = _zero(container), stated_end(stream)
    if stream.codec_context.name in ("opus", "vorbis"):
        return Clock(True, origin)
    delay = codec_delay(path, stream.index)
    if delay:
        return Clock(True, origin, end=None if end is None else end - delay)
    made_by = re.fullmatch(r"Lavc\S* (\w+)", stream.metadata.get("ENCODER", ""))
    priming = _LAVC_PRIMING.get(made_by[1], 0) if made_by else 0
    moved = Fraction(priming, rate) if not stream.start_time else Fraction(0)
    return Clock(True, origin + moved, priming, end=end)


def stated_end(stream: AudioStream) -> Fraction | None:
    """Matroska's DURATION tag, "HH:MM:SS.nnn": the stamp at which the stream ends, in seconds."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    return None if match is None else 3600 * int(match[1]) + 60 * int(match[2]) + Fraction(match[3])


def _lame_padding(path: Path) -> int:
    """Samples at the end of an mp3 that LAME put there, where its header counts no frames: FFmpeg leaves them then."""
    header = xing(path)
    if header is None or header.frames or not header.padding:
        return 0
    return max(0, header.padding - 529)  # the delay of every decoder, which the first samples were cut by, too


@dataclass(frozen=True)
class Xing:
    """The header frame of an mp3.

    Attributes:
        frames: frames that follow; 0 if it does not say, or was written before they were known.
        padding: samples that LAME added at the end.
        constant: offset in bytes of the word by which it says that all frames have one bit rate; 0 if it does not.

    """

    frames: int
    padding: int
    constant: int = 0


def xing(path: Path) -> Xing | None:
    """The Xing, Info or VBRI header in the first frame after the ID3 tag; None if there is none."""
    begin = 0
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3":
            begin = file.seek(10 + sum((byte & 0x7F) << (7 * (3 - i)) for i, byte in enumerate(head[6:10])))
        else:
            file.seek(0)
        first = file.read(2048)
    if (at := first.find(b"VBRI")) >= 0:
        return Xing(int.from_bytes(first[at + 14 : at + 18], "big"), 0)
    at = max(first.find(b"Xing"), first.find(b"Info"))
    if at < 0:
        return None
    flags = int.from_bytes(first[at + 4 : at + 8], "big")
    frames = int.from_bytes(first[at + 8 : at + 12], "big") if flags & 1 else 0
    lame = at + 8 + 4 * bool(flags & 1) + 4 * bool(flags & 2) + 100 * bool(flags & 4) + 4 * bool(flags & 8)
    padding = int.from_bytes(first[lame + 21 : lame + 24], "big") & 0xFFF if first[lame : lame + 1] == b"L" else 0
    return Xing(frames, padding, begin + at if first[at : at + 4] == b"Info" and first[:1] == b"\xff" else 0)


def exact_seeking(path: Path) -> list[Patch]:
    """What FFmpeg should read so that it seeks an mp3 of constant bit rate frame by frame, not by its bytes."""
    header = xing(path)
    return [Patch(header.constant, b"Xing")] if header is not None and header.constant else []
