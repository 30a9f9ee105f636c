"""Opens media files, and gives the pictures of a video in order with their stamps; memory does not grow with length."""

from __future__ import annotations

import itertools
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ...engine.errors import InputError

Kind = Literal["video", "photo", "sound"]
CONVERT = "Open it in another program and export it again, or leave it out."
MOST_PIXELS = 200_000_000
"""Larger pictures are refused: decoding one takes gigabytes."""
_NO_MEDIA = ("tty",)  # FFmpeg "plays" text files
_MISSING_S = 0.5  # a video that ends so much earlier than it states is cut off


def open_media(path: Path) -> InputContainer:
    """Open a local media file; the caller closes it. Raises InputError where it is none."""
    try:
        info = path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the name and the folder.") from error
    if not stat.S_ISREG(info.st_mode):
        raise InputError(f"{path} is not a regular file", CONVERT)
    if info.st_size == 0:
        raise InputError(f"{path} is empty (0 bytes)", "Copy it again.")
    try:
        # `file:` and the whitelist prevent playlists and special names from reaching the network.
        options = {"protocol_whitelist": "file"}
        container = av.open(f"file:{path.resolve()}", "r", options=options, metadata_errors="replace")
    except FFmpegError as error:
        message = f"{path} is no video, photo or sound file, or its beginning or end is missing ({error.strerror})"
        raise InputError(message, CONVERT) from error
    if container.format.name in _NO_MEDIA:
        container.close()
        raise InputError(f"{path} is a text file", CONVERT)
    return container


def kind_of(path: Path) -> Kind:
    """What a file is. Raises InputError where it is none of these, or a picture that cannot be read whole."""
    with closing(open_media(path)) as container:
        stream = picture_stream(container)
        if stream is None:
            if not container.streams.audio:
                raise InputError(f"{path} contains neither pictures nor sound", CONVERT)
            return "sound"
        if len([s for s in container.streams.video if s.disposition & Disposition.dependent]) > 1:
            raise InputError(f"{path} is a photo in tiles (HEIC)", "Export it as JPEG, PNG or TIFF.")
        if stream.width * stream.height > MOST_PIXELS:
            raise InputError(f"{path} has {stream.width} x {stream.height} pixels, too many", "Make it smaller.")
        if not stream.width or not stream.height:
            raise InputError(f"{path} has pictures in a format that cannot be read", CONVERT)
        still = container.format.name.endswith("_pipe") or container.format.name == "image2"
        return "photo" if still or (stream.frames == 1 and not container.streams.audio) else "video"


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The stream of pictures; None where there is only a cover picture, or nothing."""
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        return None
    return stream


@dataclass(frozen=True)
class Geometry:
    """How coded pictures are shown.

    Attributes:
        width, height: as coded, in pixels.
        pixel_aspect: width of a pixel / its height.
        turns: quarter turns counterclockwise (display matrix, Exif orientation).

    """

    width: int
    height: int
    pixel_aspect: Fraction
    turns: int

    @property
    def shown(self) -> tuple[int, int]:
        """(width, height) upright, with square pixels."""
        wide = max(1, round(self.width * self.pixel_aspect))
        return (self.height, wide) if self.turns % 2 else (wide, self.height)


def geometry_of(frame: VideoFrame, stream: VideoStream) -> Geometry:
    """How the pictures of a stream are shown; mirrored display matrices count as their rotation only."""
    aspect = stream.sample_aspect_ratio
    return Geometry(frame.width, frame.height, aspect or Fraction(1), round(frame.rotation / 90) % 4)


class Film:
    """The pictures of one video, in order of their stamps.

    Attributes:
        path: the file.
        geometry: how they are shown.
        transfer: FFmpeg's number of the transfer characteristic.
        interlaced: whether the first frame is.
        seconds: stated length, None where the file states none.
        problem: after `frames` has ended, what could not be read; empty where all was.

    """

    def __init__(self, path: Path) -> None:
        self.path, self.problem = path, ""
        with closing(open_media(path)) as container:
            stream = picture_stream(container)
            if stream is None:
                raise InputError(f"{path} contains no pictures", CONVERT)
            self.seconds = _stated_seconds(stream)
            if self.seconds is None and container.duration:
                self.seconds = container.duration / av.time_base
            first = next(_decoded(container, stream), None)
            if first is None:
                raise InputError(f"{path}: no picture of it can be decoded", CONVERT)
            self.geometry, self.transfer = geometry_of(first, stream), first.color_trc
            self.interlaced = first.interlaced_frame

    def frames(self) -> Iterator[tuple[Fraction, VideoFrame]]:
        """Yield (time in s on the container's clock, frame). Frames whose stamps go back are left out."""
        bad = disordered = 0
        first = last = None
        period = Fraction(1, 25)
        with closing(open_media(self.path)) as container:
            stream = picture_stream(container)
            if stream is None:
                return
            stream.thread_type = "AUTO"
            period = 1 / stream.average_rate if stream.average_rate else period
            for frame in _decoded(container, stream, damaged := list[int]()):
                time = _time(frame, last, period)
                if last is not None and time <= last:
                    disordered += 1
                    continue
                first, last = time if first is None else first, time
                yield time, frame
            bad = len(damaged)
            stated = _stated_seconds(stream)
        reached = float(last - first + period) if first is not None and last is not None else 0.0
        self.problem = _problem(bad, disordered, stated, reached)

    def samples(self, count: int) -> Iterator[VideoFrame]:
        """A few frames, evenly over the length; fewer where the file cannot be searched, but one at least."""
        found = 0
        for frame in self._searched(count):
            found += 1
            yield frame
        if not found:
            yield from (frame for _, frame in itertools.islice(self.frames(), 1))

    def _searched(self, count: int) -> Iterator[VideoFrame]:
        with closing(open_media(self.path)) as container:
            stream = picture_stream(container)
            if stream is None:
                return
            begin = (container.start_time or 0) / av.time_base
            for i in range(count if self.seconds else 1):
                try:
                    if self.seconds:
                        container.seek(int((begin + self.seconds * (i + 0.5) / count) * av.time_base))
                    frame = next(container.decode(stream), None)
                except (FFmpegError, StopIteration):
                    continue
                if frame is not None:
                    yield frame


def photo(path: Path) -> tuple[VideoFrame, Geometry]:
    """Decode a photo. Raises InputError where that fails, also for a part of it."""
    with closing(open_media(path)) as container:
        stream = picture_stream(container)
        if stream is not None and stream.codec_context.name == "mjpeg":  # what is missing of a JPEG would be green
            stream.codec_context.options = {"err_detect": "explode"}
        frame = None if stream is None else next(_decoded(container, stream), None)
        if frame is None or stream is None:
            raise InputError(f"{path}: its picture is cut off, damaged or of an unknown kind", CONVERT)
        return frame, geometry_of(frame, stream)


def _decoded(container: InputContainer, stream: VideoStream, damaged: list[int] | None = None) -> Iterator[VideoFrame]:
    """Frames that are whole; `damaged` gets an entry for every packet or frame that is not."""
    damaged = [] if damaged is None else damaged
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            frames = packet.decode()
        except EOFError:
            return
        except FFmpegError:
            damaged.append(1)
            if len(damaged) > 1000:
                return
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame) and not frame.is_corrupt:
                yield frame
            else:
                damaged.append(1)


def _time(frame: VideoFrame, last: Fraction | None, period: Fraction) -> Fraction:
    """Its stamp; one period after the last where it has none."""
    if frame.pts is not None and frame.time_base is not None:
        return frame.pts * frame.time_base
    return Fraction(0) if last is None else last + period


def _stated_seconds(stream: VideoStream) -> float | None:
    """Length of the stream itself, as its container states it."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    tag = stream.metadata.get("DURATION", "")  # Matroska, "HH:MM:SS.nnn": when the stream ends
    parts = tag.split(":")
    if len(parts) != 3:
        return None
    try:
        end = 3600 * float(parts[0]) + 60 * float(parts[1]) + float(parts[2])
        return end - max(0.0, float((stream.start_time or 0) * (stream.time_base or 0)))
    except ValueError:
        return None


def _problem(bad: int, disordered: int, stated: float | None, reached: float) -> str:
    found = []
    if stated is not None and reached < stated - max(_MISSING_S, 0.02 * stated):
        found.append(f"it states {stated:.1f} s, but its pictures end after {reached:.1f} s")
    if bad:
        found.append(f"{bad} damaged pictures were left out")
    if disordered:
        found.append(f"{disordered} pictures whose stamps go back were left out")
    return ", ".join(found)
