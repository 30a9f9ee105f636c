"""Sizes in wav files and their relatives (RIFF, RF64, Wave64, CAF), read from their chunks."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer

from .read_ahead import Patch

SIZED = {"wav": (12, "<I", False), "w64": (40, "<q", True), "caf": (8, ">q", False)}
"""Of RIFF-like files: where the first chunk begins, how sizes are written, whether they count the chunk's head."""
_MOST_CHUNKS = 10_000  # in front of the sound; a file of zeros looks like nothing but chunks


def samples_by_size(path: Path, container: InputContainer, stream: AudioStream) -> int | None:
    """Samples per channel of a complete wav, w64 or caf of integers, by the size of its data; None for other files."""
    name, codec = container.format.name, stream.codec_context
    if name not in SIZED or not codec.name.startswith(("pcm_s", "pcm_u", "pcm_mulaw", "pcm_alaw")):
        return None
    if size := wrapped_bytes(path):
        return size // frame_size(codec)
    size = path.stat().st_size
    with path.open("rb") as file:
        begin, end = data_span(file, size, b"data", *SIZED[name])
    if not end or end > size:
        return None
    skipped = 4 if name == "caf" else 0  # its edit count
    return (end - begin - skipped) // frame_size(codec)


def wrapped_bytes(path: Path) -> int:
    """Bytes of sound in a wav file of more than 4 GiB whose 32-bit sizes have wrapped; 0 for any other file.

    The data chunk of such a file seems to end 4 GiB or more before the file does, and FFmpeg looks for another chunk in
    all that follows.
    """
    begin, end = _wrapped_span(path)
    return end - begin


def open_size(path: Path) -> list[Patch]:
    """For a wav whose sizes have wrapped: what to read in place of its size, so that it stays open."""
    begin, end = _wrapped_span(path)
    return [Patch(begin - 4, b"\xff" * 4)] if end else []


def _wrapped_span(path: Path) -> tuple[int, int]:
    size = path.stat().st_size
    if size < 1 << 32:
        return 0, 0
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return 0, 0
        begin, end = data_span(file, size, b"data", *SIZED["wav"])
    turns = (size - end) >> 32
    return (begin, end + (turns << 32)) if end and turns else (0, 0)


def data_span(
    file: BinaryIO, size: int, wanted: bytes, start: int, size_format: str, counts_itself: bool
) -> tuple[int, int]:
    """Byte offsets of the content of the chunk `wanted` and of its end; zeros if its size is left open."""
    for name, begin, end in chunks(file, size, start, size_format, counts_itself):
        if name == wanted:
            return (begin, end) if end > begin else (0, 0)
    return 0, 0


def chunks(
    file: BinaryIO, size: int, start: int, size_format: str, counts_itself: bool
) -> Iterator[tuple[bytes, int, int]]:
    """(name, begin, end) of every chunk: the first four bytes of its name, and the byte offsets of its content and of
    its end, which is not behind its begin if the chunk's size is left open. Arguments as of `SIZED`.
    """
    name = 16 if counts_itself else 4  # Wave64 names its chunks by GUIDs
    align = {12: 2, 40: 8, 8: 1}[start]
    head = name + struct.calcsize(size_format)
    wide = 0  # RF64 keeps the size of the data chunk in its ds64 chunk
    for _ in range(_MOST_CHUNKS):
        if start + head > size:
            return
        file.seek(start)
        chunk = file.read(head)
        if len(chunk) < head:  # it has become shorter since its size was taken
            return
        length: int = struct.unpack_from(size_format, chunk, name)[0]
        if chunk[:4] == b"data" and size_format == "<I" and length == 0xFFFFFFFF:
            length = wide
        if chunk[:4] == b"ds64":
            wide = int.from_bytes(file.read(16)[8:], "little")
        step = length if counts_itself else head + length
        yield chunk[:4], start + head, start + step
        if step < head:
            return
        start += -(-step // align) * align


def frame_size(codec: AudioCodecContext) -> int:
    """Bytes of one sample of every channel, of uncompressed sound."""
    digits = re.search(r"\d+", codec.name)
    return codec.layout.nb_channels * (int(digits[0]) if digits else 8) // 8
