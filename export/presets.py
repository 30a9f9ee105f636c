"""The table of output presets: which codec, which pixels, which containers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

from av.codec import codecs_available

from ..engine.errors import OutputError

# OUT's suffix -> FFmpeg's name of the container.
CONTAINERS = MappingProxyType({".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".mxf": "mxf"})
MXF_RATES = tuple(map(Fraction, ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60")))
"""Frames a second that MXF has edit units for."""
STREAM = "nut"
"""FFmpeg's name of the container that goes into a pipe."""
_STREAMS = ("h264", "h264-10bit", "hevc-10bit", "av1", "ffv1")  # what NUT has a tag for
_DEFAULTS = MappingProxyType({".mp4": "h264", ".mov": "prores-422hq", ".mkv": "h264", ".mxf": "dnxhr-hqx", "": "png"})


@dataclass(frozen=True)
class Preset:
    """One way of writing pictures.

    Attributes:
        name: what the user calls it.
        codec: FFmpeg encoder.
        pixels: pixel format handed to the encoder.
        suffixes: containers it fits; for a sequence the one suffix of its files.
        options: encoder options.
        tag: codec tag in mp4 and mov, where editors insist on one.
        deep: more than 8 bits a sample: made from float32 frames only.
        step: (horizontal, vertical) chroma subsampling: the size must be a multiple of it.
        least: (width, height) below which the encoder refuses.
        sequence: a folder of numbered files in place of a film.
        about: one line for lists.
        threads: of the encoder; 0 lets it choose.

    """

    name: str
    codec: str
    pixels: str
    suffixes: tuple[str, ...]
    about: str
    options: tuple[tuple[str, str], ...] = ()
    tag: str | None = None
    deep: bool = True
    step: tuple[int, int] = (1, 1)
    least: tuple[int, int] = (1, 1)
    sequence: bool = False
    threads: int = 0

    @property
    def rgb(self) -> bool:
        """Whether the encoder takes R'G'B'; else Y'CbCr."""
        return self.pixels.startswith(("rgb", "gbr"))


_FILM = (".mp4", ".mov", ".mkv")
_X265 = (("preset", "fast"), ("crf", "18"), ("x265-params", "log-level=none"))
_EXR = (("format", "half"), ("compression", "zip16"))

_ALL = (
    Preset(
        "h264", "libx264", "yuv420p", _FILM, "H.264 8 bit 4:2:0, plays everywhere",
        (("preset", "superfast"), ("crf", "18")), deep=False, step=(2, 2), least=(16, 16), threads=2,
    ),
    Preset(
        "h264-10bit", "libx264", "yuv420p10le", _FILM, "H.264 10 bit 4:2:0",
        (("preset", "fast"), ("crf", "16")), step=(2, 2), least=(16, 16),
    ),
    Preset(
        "hevc-10bit", "libx265", "yuv420p10le", _FILM, "HEVC 10 bit 4:2:0, tagged hvc1",
        _X265, tag="hvc1", step=(2, 2), least=(32, 32),
    ),
    Preset(
        "prores-422hq", "prores_ks", "yuv422p10le", (".mov", ".mkv"), "ProRes 422 HQ 10 bit",
        (("profile", "hq"), ("vendor", "apl0")), tag="apch", step=(2, 1), least=(16, 16),
    ),
    Preset(
        "prores-4444", "prores_ks", "yuv444p10le", (".mov", ".mkv"), "ProRes 4444 10 bit, without alpha",
        (("profile", "4444"), ("vendor", "apl0")), tag="ap4h", least=(16, 16),
    ),
    Preset(
        "dnxhr-hqx", "dnxhd", "yuv422p10le", (".mov", ".mxf"), "DNxHR HQX 10 bit 4:2:2",
        (("profile", "dnxhr_hqx"),), step=(2, 1), least=(256, 120),
    ),
    Preset(
        "ffv1", "ffv1", "yuv444p16le", (".mkv",), "FFV1 16 bit 4:4:4, lossless archive",
        (("level", "3"), ("slices", "4"), ("slicecrc", "1"), ("g", "1")), least=(16, 16),
    ),
    Preset(
        "av1", "libsvtav1", "yuv420p10le", (".mp4", ".mkv"), "AV1 10 bit 4:2:0, small",
        (("preset", "9"), ("crf", "22")), step=(2, 2), least=(64, 64),
    ),
    Preset(
        "dxv", "dxv", "rgba", (".mov",), "DXV 3 (DXT1), for Resolume",
        (("format", "dxt1"),), deep=False, step=(16, 16), least=(16, 16),
    ),
    Preset("hap", "hap", "rgba", (".mov",), "Hap (DXT1), for media servers", deep=False, step=(4, 4), least=(16, 16)),
    Preset("png", "png", "rgb48be", (".png",), "PNG sequence, 16 bit sRGB", sequence=True),
    Preset(
        "tiff16", "tiff", "rgb48le", (".tif",), "TIFF sequence, 16 bit sRGB",
        (("compression_algo", "deflate"),), sequence=True,
    ),
    Preset("exr", "exr", "gbrpf32le", (".exr",), "EXR sequence, half, linear light", _EXR, sequence=True),
)  # fmt: skip

PRESETS = MappingProxyType({preset.name: preset for preset in _ALL})


def choose(name: str | None, out: Path, to_stdout: bool = False) -> Preset:
    """The preset for OUT: the named one, or the one that its suffix (none: a folder) stands for.

    Raises:
        OutputError: an unknown name, a suffix that says nothing, a preset that does not fit the container.

    """
    if to_stdout:
        return _of_stream("h264" if name is None else name)
    suffix = "" if out.is_dir() else out.suffix.lower()
    preset = _named(name) if name is not None else _default(out, suffix)
    if preset.sequence and suffix not in CONTAINERS:
        return preset
    if suffix not in preset.suffixes:
        fits = "a folder" if preset.sequence else " or ".join(preset.suffixes)
        others = ", ".join(p.name for p in _ALL if suffix in p.suffixes and not p.sequence)
        hint = f"Write it to {fits}" + (f", or use a preset for {suffix}: {others}." if others else ".")
        raise OutputError(f"Preset {preset.name} does not fit {out}", hint)
    return preset


def _named(name: str) -> Preset:
    if name not in PRESETS:
        raise OutputError(f"There is no preset {name}", f"Presets: {', '.join(PRESETS)}.")
    return _encodable(PRESETS[name])


def _encodable(preset: Preset) -> Preset:
    if preset.codec not in codecs_available:
        raise OutputError(f"This PyAV has no encoder {preset.codec}", "Choose another preset, or install PyAV's wheel.")
    return preset


def _of_stream(name: str) -> Preset:
    preset = _named(name)
    if name not in _STREAMS:
        raise OutputError(f"Preset {name} does not fit a stream", f"Name a file with -o, or use {', '.join(_STREAMS)}.")
    return preset


def _default(out: Path, suffix: str) -> Preset:
    if suffix not in _DEFAULTS:
        hint = "Name it .mp4, .mov, .mkv or .mxf, or name a folder (no suffix) for a sequence."
        raise OutputError(f"Cannot tell what to write into {out}", hint)
    return _encodable(PRESETS[_DEFAULTS[suffix]])


def check_size(preset: Preset, size: tuple[int, int]) -> None:
    """Refuse a picture size (width, height) that the preset cannot hold.

    Raises:
        OutputError: says which size would do.

    """
    width, height = size
    if width < 1 or height < 1:
        raise OutputError(f"Size {width}x{height} holds no picture", "Give a size such as 1920x1080.")
    if width > 16384 or height > 16384:
        raise OutputError(f"Size {width}x{height} is too large", "Use at most 16384 on a side.")
    good = tuple(max(-(-n // s) * s, least) for n, s, least in zip(size, preset.step, preset.least, strict=True))
    if good != (width, height):
        why = f"needs sizes from {preset.least[0]}x{preset.least[1]}" + _multiples(preset.step)
        raise OutputError(
            f"Preset {preset.name} {why}: {width}x{height} does not fit", f"Use {good[0]}x{good[1]} instead."
        )


def _multiples(step: tuple[int, int]) -> str:
    if max(step) > 2:
        return f" in multiples of {max(step)}"
    sides = [side for side, n in zip(("width", "height"), step, strict=True) if n == 2]
    return f" with an even {' and '.join(sides)}" if sides else ""


def check_rate(out: Path, fps: Fraction) -> None:
    """Refuse a frame rate that the container of OUT cannot hold.

    Raises:
        OutputError: says which rates would do.

    """
    if out.suffix.lower() == ".mxf" and fps not in MXF_RATES:
        raise OutputError(
            f"MXF holds no film of {fps} frames a second", f"Use {', '.join(map(str, MXF_RATES))}, or name a .mov."
        )
