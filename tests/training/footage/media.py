"""Writes small media files with known content: scenes, stamps, rotation, colour tags, sound."""

import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

CLOCK = Fraction(1, 1000)


def scene(seed: int, size: tuple[int, int] = (128, 72), cells: int = 6) -> np.ndarray:
    """A picture uint8 [H,W,3] of soft coloured patches that differ from seed to seed."""
    rng = np.random.default_rng(seed)
    wide, high = size
    y, x = np.linspace(0, cells - 1.001, high), np.linspace(0, cells - 1.001, wide)
    grid = rng.uniform(20, 235, (cells, cells, 3))
    j, i = y.astype(int), x.astype(int)
    v, u = (y - j)[:, None, None], (x - i)[None, :, None]
    top = grid[j][:, i] * (1 - u) + grid[j][:, i + 1] * u
    low = grid[j + 1][:, i] * (1 - u) + grid[j + 1][:, i + 1] * u
    return np.rint(top * (1 - v) + low * v).astype(np.uint8)


def moving(seed: int, count: int, step: int = 1, size: tuple[int, int] = (128, 72)) -> list[np.ndarray]:
    """A scene that moves to the left by `step` pixels a frame."""
    whole = scene(seed, (size[0] + count * step, size[1]))
    return [np.ascontiguousarray(whole[:, i * step : i * step + size[0]]) for i in range(count)]


def regular(count: int, fps: int = 25) -> list[Fraction]:
    """Stamps of a constant frame rate."""
    return [Fraction(i, fps) for i in range(count)]


def noise(seconds: float, rate: int = 44100, seed: int = 0, level: float = 0.2) -> np.ndarray:
    """White noise float32 [n]."""
    return (np.random.default_rng(seed).standard_normal(int(seconds * rate)) * level).clip(-1, 1).astype(np.float32)


@dataclass
class Sound:
    """Mono samples float32 [n] that begin at `start` s; `gaps`: before which sample so many seconds are missing."""

    samples: np.ndarray
    rate: int = 44100
    start: float = 0.0
    codec: str = "pcm_s16le"
    gaps: Mapping[int, float] = field(default_factory=dict)


@dataclass
class Coding:
    """How pictures are coded; trc, primaries, matrix and full: their colour tags."""

    codec: str = "ffv1"
    pix_fmt: str = "bgr0"
    options: Mapping[str, str] = field(default_factory=dict)
    trc: int | None = None
    matrix: int | None = None
    rotation: float | None = None
    pixel_aspect: Fraction | None = None


MP4 = Coding("libx264", "yuv444p", {"qp": "0", "preset": "ultrafast"})


def write_video(
    path: Path, frames: Sequence[np.ndarray | VideoFrame], times: Sequence[Fraction] | None = None,
    sound: Sound | None = None, coding: Coding | None = None,
) -> Path:  # fmt: skip
    """Write a video; the suffix chooses the container. Default: FFV1, 25 fps, no sound."""
    coding, times = coding or Coding(), times or regular(len(frames))
    path.parent.mkdir(parents=True, exist_ok=True)
    form = {".ts": "mpegts", ".mkv": "matroska", ".mov": "mov", ".mp4": "mp4"}[path.suffix]
    with av.open(f"file:{path}", "w", form) as container:
        picture = _picture_stream(container, frames[0], coding)
        track = _sound_stream(container, sound) if sound else None
        for frame, time in zip(frames, times, strict=True):
            whole = frame if isinstance(frame, VideoFrame) else VideoFrame.from_ndarray(frame, "rgb24")
            if whole.format.name != coding.pix_fmt:
                whole = whole.reformat(format=coding.pix_fmt, dst_colorspace=1)
            whole.pts, whole.time_base = round(time / CLOCK), CLOCK
            container.mux(picture.encode(whole))
        container.mux(picture.encode(None))
        if sound and track:
            for frame in _sound_frames(sound):
                container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return path


def _picture_stream(container: OutputContainer, first: np.ndarray | VideoFrame, coding: Coding) -> VideoStream:
    stream = container.add_stream(coding.codec, rate=25, options=dict(coding.options))
    assert isinstance(stream, VideoStream)
    high, wide = (first.height, first.width) if isinstance(first, VideoFrame) else first.shape[:2]
    stream.width, stream.height, stream.pix_fmt = wide, high, coding.pix_fmt
    stream.codec_context.time_base = CLOCK
    if coding.trc is not None:
        stream.codec_context.color_trc, stream.codec_context.color_primaries = coding.trc, 9
        stream.codec_context.colorspace, stream.codec_context.color_range = coding.matrix or 9, 1
    elif coding.pix_fmt.startswith("yuv"):
        stream.codec_context.colorspace = 1
    if coding.pixel_aspect is not None:
        stream.codec_context.sample_aspect_ratio = coding.pixel_aspect
    if coding.rotation is not None:
        stream.set_display_rotation(coding.rotation)
    return stream


def _sound_stream(container: OutputContainer, sound: Sound) -> AudioStream:
    stream = container.add_stream(sound.codec, rate=sound.rate)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = "mono"
    stream.codec_context.time_base = Fraction(1, sound.rate)
    return stream


def _sound_frames(sound: Sound) -> list[AudioFrame]:
    frames, missing = [], 0.0
    form = {"pcm_s16le": "s16", "mp2": "s16", "aac": "fltp"}[sound.codec]
    for at in range(0, len(sound.samples), 1152):
        missing += sound.gaps.get(at, 0.0)
        part = sound.samples[None, at : at + 1152]
        data = part if form == "fltp" else np.rint(part * 32767).astype(np.int16)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(data), form, "mono")
        frame.sample_rate, frame.time_base = sound.rate, Fraction(1, sound.rate)
        frame.pts = at + round((sound.start + missing) * sound.rate)
        frames.append(frame)
    return frames


def write_sound(path: Path, samples: np.ndarray, rate: int = 44100) -> Path:
    """Write a mono wav file of 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.rint(samples * 32767).astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16,
                       b"data", len(data))  # fmt: skip
    path.write_bytes(head + data)
    return path


def write_photo(path: Path, picture: np.ndarray, form: str = "rgb24", **options: str) -> Path:
    """Write a photo with FFmpeg's own tool, so that another program reads and writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    high, wide = picture.shape[:2]
    extra = [part for name, value in options.items() for part in (f"-{name}", value)]
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", form, "-s", f"{wide}x{high}", "-i", "-",
               *extra, "-frames:v", "1", str(path)]  # fmt: skip
    subprocess.run(command, input=picture.tobytes(), check=True)
    return path


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with the Exif tag 0x112."""
    tiff = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
