"""Attributes of an OpenEXR file: colours, frame rate and timecode, put into the header that FFmpeg writes.

The layout is that of "OpenEXR File Layout": name, type, size and value of each attribute, a zero byte, then the table
of offsets, which move along with what is added.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction

_FIXED = 8  # magic number and version
BT709_CHROMATICITIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
"""ITU-R BT.709: x and y of red, green, blue and white."""

Attributes = Mapping[str, tuple[str, bytes]]
"""Name -> (type, value)."""


def colour_attributes() -> Attributes:
    """Attributes of linear light with the primaries of BT.709; nothing is said about how bright white is."""
    return {"chromaticities": ("chromaticities", struct.pack("<8f", *BT709_CHROMATICITIES))}


def time_attributes(fps: Fraction, timecode: tuple[int, int, int, int] | None, drop: bool) -> Attributes:
    """Attributes of a frame's time.

    Args:
        fps: frames a second.
        timecode: (hours, minutes, seconds, frames) of this frame; None for none.
        drop: it is drop-frame timecode.

    """
    found = {"framesPerSecond": ("rational", struct.pack("<iI", fps.numerator, fps.denominator))}
    if timecode is not None:
        found["timeCode"] = ("timecode", struct.pack("<II", smpte_bits(timecode, fps, drop), 0))
    return found


def smpte_bits(timecode: tuple[int, int, int, int], fps: Fraction, drop: bool) -> int:
    """A timecode as SMPTE ST 12-1 packs it for 60 fields, in binary-coded decimals.

    Its two bits for tens of frames end at 39. Above 30 frames a second they count pairs, and the field bit tells the
    second frame of a pair.
    """
    hours, minutes, seconds, frames = timecode
    second_of_pair = 0
    if fps > 30:
        frames, second_of_pair = divmod(frames, 2)
    digits = _decimal(frames) | _decimal(seconds) << 8 | _decimal(minutes) << 16 | _decimal(hours) << 24
    return digits | drop << 6 | second_of_pair << 15


def _decimal(number: int) -> int:
    return number // 10 << 4 | number % 10


def read_attributes(data: bytes) -> tuple[dict[str, tuple[str, bytes]], int]:
    """Attributes of a file with one part, and where the zero byte behind them is.

    Raises:
        ValueError: it is no such file.

    """
    found: dict[str, tuple[str, bytes]] = {}
    at = _FIXED
    try:
        while data[at] != 0:
            name, at = _text(data, at)
            kind, at = _text(data, at)
            (size,) = struct.unpack_from("<i", data, at)
            found[name] = (kind, data[at + 4 : at + 4 + size])
            at += 4 + size
    except (IndexError, struct.error) as error:
        raise ValueError("the header of an OpenEXR file ends too soon") from error
    return found, at


def with_attributes(data: bytes, more: Attributes) -> bytes:
    """The same file with further attributes in place of those of the same name.

    Args:
        data: an OpenEXR file with one part, in scan lines.
        more: what to add.

    Raises:
        ValueError: it is no such file.

    """
    kept, end = read_attributes(data)
    header = b"".join(_attribute(name, *value) for name, value in {**kept, **more}.items())
    first = end + 1
    (chunk,) = struct.unpack_from("<Q", data, first)
    # The first chunk begins where the table ends.
    table = struct.unpack_from(f"<{(chunk - first) // 8}Q", data, first)
    shift = _FIXED + len(header) - end
    moved = struct.pack(f"<{len(table)}Q", *(offset + shift for offset in table))
    return data[:_FIXED] + header + b"\0" + moved + data[first + len(moved) :]


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
