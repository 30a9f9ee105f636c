"""Reads real clips: the ground truth that participants see first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ...engine.errors import InputError, one_line
from ...engine.files.encode import BT709

_HINT = "Give a video file that FFmpeg reads, such as mp4, mov, mkv or webm."
_UNTAGGED, _HD = 2, 720


@dataclass(frozen=True)
class Clip:
    """A real clip.

    Attributes:
        path: the file.
        size: (width, height) as displayed.
        seconds: length of its picture.

    """

    path: Path
    size: tuple[int, int]
    seconds: float


def clip_of(folder: Path, name: str) -> Path:
    """The file of a folder that is called like a sound, whatever its suffix.

    Raises:
        InputError: none or several are.

    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}", "Name a folder of real clips with --reference.")
    found = sorted(path for path in folder.iterdir() if path.stem == name and path.is_file())
    if not found:
        raise InputError(f"{folder} has no clip for the sound {name}", f"Add one, such as {name}.mp4, or leave it out.")
    if len(found) > 1:
        message = f"{folder} has several clips for the sound {name}: {found[0].name} and {found[1].name}"
        raise InputError(message, "Leave one of them.")
    return found[0]


def open_clip(path: Path) -> Clip:
    """Read the size and length of a clip.

    Raises:
        InputError: it is no video, or damaged.

    """
    with _opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise InputError(f"{path} contains no picture", _HINT)
        turned = first.rotation % 180 != 0
        size = (first.height, first.width) if turned else (first.width, first.height)
    with _opened(path) as (container, stream):
        stamps = [
            (packet.pts * stream.time_base, (packet.duration or 0) * stream.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None and stream.time_base is not None
        ]
    if not stamps:
        raise InputError(f"{path} has pictures without times", _HINT)
    seconds = max(at + lasts for at, lasts in stamps) - min(at for at, _ in stamps)
    return Clip(path, size, float(seconds))


def clip_frames(clip: Clip, fps: Fraction, n_frames: int) -> Iterator[np.ndarray]:
    """Pictures uint8 [height, width, 3], exactly `n_frames`: of each time t / fps the one that is shown then.

    Raises:
        InputError: the clip is damaged.

    """
    made, shown, start = 0, None, None
    with _opened(clip.path) as (container, stream):
        for frame in container.decode(stream):
            time = Fraction(frame.pts or 0) * (frame.time_base or 1)
            start = time if start is None else start
            while shown is not None and made < n_frames and made / fps < time - start:
                yield shown
                made += 1
            if made == n_frames:
                return
            shown = _upright(frame)
    if shown is None:
        raise InputError(f"{clip.path} contains no picture", _HINT)
    for _ in range(made, n_frames):
        yield shown


def _upright(frame: VideoFrame) -> np.ndarray:
    untagged = frame.colorspace == _UNTAGGED and frame.height >= _HD  # which players take for BT.709
    picture = frame.reformat(format="rgb24", src_colorspace=BT709 if untagged else None).to_ndarray()
    return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Turns errors of FFmpeg inside the block into InputError."""
    try:
        # `file:` and the whitelist prevent playlists and special names from reaching the network.
        options = {"protocol_whitelist": "file"}
        with av.open(f"file:{path.resolve()}", "r", options=options, metadata_errors="replace") as container:
            stream = container.streams.best("video")
            if not isinstance(stream, VideoStream):
                raise InputError(f"{path} contains no picture", _HINT)
            yield container, stream
    except (FFmpegError, UnicodeError) as error:
        raise InputError(f"{path} cannot be read as a video: {one_line(error)}", _HINT) from error
