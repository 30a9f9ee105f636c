"""A small stage in place of a world, and FFmpeg's own tools as second readers."""

import json
import subprocess
import wave
from collections.abc import Container, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from sonorama.engine.control.parameters import Value
from sonorama.export.frame_source import OpenFrameSource


class PatternSource:
    """Paints a fixed picture with a bright column that steps right each frame; hears all of the sound."""

    world, version, sha256, device, inset = "card", "7", "5a" * 32, "cpu", 0
    licence = "CC BY 4.0"

    def __init__(self, picture: np.ndarray) -> None:
        self.picture = picture
        self.size = (picture.shape[1], picture.shape[0])
        self.painted = 0
        self.heard = 0

    def frames(
        self, blocks: Iterable[np.ndarray], n_frames: int, have: Container[int] = ()
    ) -> Iterator[np.ndarray | None]:
        """See sonorama.export.frame_source.Stage."""
        for block in blocks:
            assert block.dtype == np.float32
            assert block.ndim == 1
            self.heard += len(block)
        for index in range(n_frames):
            if index in have:
                yield None
                continue
            self.painted += 1
            frame = self.picture.copy()
            frame[:, index % self.size[0]] = 1
            yield frame


def maker(stage: PatternSource) -> OpenFrameSource:
    """The stage as `render` wants it: made when everything else is checked."""

    def make(world: str, values: Mapping[str, Value], fps: Fraction, device: str) -> PatternSource:
        return stage

    return make


def write_wav(path: Path, sound: np.ndarray, rate: int) -> Path:
    """16 bits; float [channels, n]."""
    with wave.open(str(path), "wb") as file:
        file.setparams((sound.shape[0], 2, rate, sound.shape[1], "NONE", ""))
        file.writeframes((np.clip(sound.T, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def probe(path: Path) -> dict[str, Any]:
    """What ffprobe says of a file, with "video" and "audio" picked out of its streams."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-count_frames", "-of", "json"]
    told = json.loads(subprocess.run([*command, str(path)], check=True, capture_output=True).stdout)
    streams = {stream.get("codec_type"): stream for stream in told["streams"]}
    return {"video": streams.get("video"), "audio": streams.get("audio"), **told}


def pixels(path: Path, form: str, size: tuple[int, int]) -> np.ndarray:
    """Frames as FFmpeg decodes them, [frames, height, width, channels] ("gray*": one channel)."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(path),
        "-map",
        "0:v",
        "-f",
        "rawvideo",
        "-pix_fmt",
        form,
        "-",
    ]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    dtype = {"rgb24": "u1", "gray": "u1", "rgb48le": "<u2", "gray16le": "<u2", "gbrpf32le": "<f4"}[form]
    data = np.frombuffer(raw, dtype)
    width, height = size
    if form == "gbrpf32le":
        return data.reshape(-1, 3, height, width)[:, [2, 0, 1]].transpose(0, 2, 3, 1)
    return data.reshape(-1, height, width, 1 if form.startswith("gray") else 3)


def samples(path: Path, channels: int, rate: int | None = None) -> np.ndarray:
    """The sound as FFmpeg decodes it, at its place on the film's clock: float32 [n, channels]."""
    place = ["-af", "aresample=async=1:first_pts=0"]
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a", *place, "-f", "f32le"]
    command += ["-ar", str(rate)] if rate else []
    raw = subprocess.run([*command, "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, "<f4").reshape(-1, channels)
