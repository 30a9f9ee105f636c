"""Detects truncated audio files by the length that their containers and codecs state."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from .clock import EXACT_CODECS, stated_end, xing
from .frame_size import frame_bytes
from .riff import SIZED, data_span

# Containers whose header states the duration of each stream; for others FFmpeg estimates it from the bit rate.
_STATE_LENGTH = ("aiff", "au", "flac", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "ogg", "tta", "wv")
# Broadcast streams: a recording of one may start and stop anywhere, even within a frame.
_ENDLESS = ("mpeg", "mpegts")
_MAY_BE_OPEN = (
    "aiff",
    "au",
    "caf",
    "mpegts",
    "w64",
    "wav",
)  # may be written to a pipe, and then the last packet is often incomplete
_TS_PACKETS = (188, 192, 204)  # bytes per packet: plain, with a time code (m2ts), with error correction
_SLACK_EXACT, _SLACK_CODED = 0.001, 0.25  # seconds by which a stream may be shorter than stated: PCM, FLAC / others
_OGG_TAIL = 1 << 17  # bytes: longer than two of the longest Ogg pages (65,307)
_RIFF_SLACK = 64  # bytes; writers disagree on whether padding and the first 8 bytes count


def why_cut_off(
    path: Path, container: InputContainer, stream: AudioStream, seconds: float, last: Packet | None
) -> str | None:
    """Describe what is missing from a file; None if it appears complete.

    It could be decoded up to the stamp `seconds`, which is the end of the packet `last`.
    """
    stated = _stated_seconds(path, container, stream)
    slack = _SLACK_EXACT if stream.codec_context.name.startswith(EXACT_CODECS) else _SLACK_CODED
    if stated is not None and seconds < stated - slack:
        return f"its header states {stated:.2f} s, but only {seconds:.2f} s could be read"
    short = _missing_bytes(path, container.format.name)
    if short > 0:
        return f"its header states {short} bytes more than the file has"
    if container.format.name == "ogg" and not _ogg_is_closed(path):
        return "its last Ogg page is missing"
    if container.format.name == "mpegts" and all(path.stat().st_size % size for size in _TS_PACKETS):
        return "its last packet is incomplete"
    return None if last is None else _unfinished(last, container, stream)


def _unfinished(last: Packet, container: InputContainer, stream: AudioStream) -> str | None:
    """Describe the last packet if it is shorter than its container or frame header states; None if it is complete."""
    if container.format.name not in _MAY_BE_OPEN and last.is_corrupt:
        return "its last packet is incomplete"
    wanted = frame_bytes(stream.codec_context.name, bytes(last)[:8])
    if container.format.name not in _ENDLESS and wanted is not None and last.size < wanted:
        return f"its last frame has {last.size} of {wanted} bytes"
    return None


def _stated_seconds(path: Path, container: InputContainer, stream: AudioStream) -> float | None:
    """The stamp at which a stream ends by its header, in seconds; None if that is only an estimate or is not stated."""
    name = container.format.name
    if name not in _STATE_LENGTH and not (name == "mp3" and _mp3_states_length(path)):
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float((stream.duration + max(0, stream.start_time or 0)) * stream.time_base)
    if (end := stated_end(stream)) is not None:
        return float(end)
    if len(container.streams) == 1 and container.duration is not None:
        return container.duration / av.time_base
    return None


def _mp3_states_length(path: Path) -> bool:
    """Whether there is a Xing, Info or VBRI header that counts the frames; some were written before that was known."""
    header = xing(path)
    return header is not None and header.frames > 0


def _ogg_is_closed(path: Path) -> bool:
    """Whether the last Ogg page is complete and has the end-of-stream flag (RFC 3533, section 6)."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _OGG_TAIL))
        tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return False
    segments = tail[at + 27 : at + 27 + tail[at + 26]]
    whole = len(segments) == tail[at + 26] and len(tail) >= at + 27 + len(segments) + sum(segments)
    return whole and bool(tail[at + 5] & 4)


def _missing_bytes(path: Path, container: str) -> int:
    """Bytes by which the outermost or the data chunk extends past the end of the file; <= 0 if it does not.

    FFmpeg silently clips such a chunk to the file. Recorders that write to a pipe leave the size open (0, all ones or
    -1), which is not damage.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if container == "avi":
            return int.from_bytes(file.read(8)[4:], "little") + 8 - size - _RIFF_SLACK
        if container in SIZED:
            return data_span(file, size, b"data", *SIZED[container])[1] - size
        if container == "matroska,webm":
            return _segment_end(file) - size
    return 0


def _segment_end(file: BinaryIO) -> int:
    """End of a Matroska file's Segment element as a byte offset; 0 if its size is left open."""
    end = 0
    for identity in (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"):  # the EBML header, then the Segment
        file.seek(end)
        head = file.read(12)
        bits = 9 - head[4].bit_length() if len(head) == 12 else 0  # the leading zero bits give the number of bytes
        if head[:4] != identity or not 1 <= bits <= 8:
            return 0
        length = int.from_bytes(head[4 : 4 + bits], "big") & ((1 << 7 * bits) - 1)
        if length == (1 << 7 * bits) - 1:
            return 0
        end += 4 + bits + length
    return end
