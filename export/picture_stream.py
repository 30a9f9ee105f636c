"""The picture stream of a film: FFmpeg's encoders, and the one for Hap."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol

from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..engine.files.encode import tag_bt709
from . import hap
from .presets import STREAM, Preset

_GBR, _FULL = 0, 2  # ITU-T H.273, and FFmpeg's number for full range


class PictureStream(Protocol):
    """Frames in, packets out."""

    def encode(self, picture: VideoFrame | None, /) -> Iterable[Packet]:
        """Packets that are ready; None: those that the encoder still holds."""
        ...


def add_picture(
    container: OutputContainer, preset: Preset, size: tuple[int, int], fps: Fraction, timecode: str | None
) -> PictureStream:
    """Add the picture stream to a container whose header is not written yet.

    Args:
        container: open for writing.
        preset: which encoder.
        size: (width, height) of the pictures.
        fps: frames a second.
        timecode: of the first frame; None for none.

    """
    if preset.codec == hap.CODEC:
        return _HapStream(container, size, fps, timecode)
    os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints its settings to stderr unless told: errors only
    options = {"field_order": "progressive", **dict(preset.options)}
    stream = container.add_stream(preset.codec, rate=fps, options=options)
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{preset.codec} makes no pictures")
    context = stream.codec_context
    context.width, context.height = size
    context.sample_aspect_ratio = Fraction(1)
    context.pix_fmt = preset.pixels
    context.time_base = 1 / fps
    tag_bt709(context)
    if preset.rgb:
        context.colorspace, context.color_range = _GBR, _FULL
    context.thread_count = preset.threads
    if container.format.name == STREAM:  # which knows no time before 0: B-frames would begin the film two frames late
        context.max_b_frames = 0
    if preset.tag and container.format.name in ("mp4", "mov"):
        context.codec_tag = preset.tag
    if timecode:
        stream.metadata["timecode"] = timecode
    return stream


class _HapStream:
    """Hap's packets, made here and muxed by FFmpeg."""

    def __init__(self, container: OutputContainer, size: tuple[int, int], fps: Fraction, timecode: str | None) -> None:
        stream = container.add_mux_stream(hap.CODEC, fps, width=size[0], height=size[1], time_base=1 / fps)
        if not isinstance(stream, VideoStream):
            raise TypeError("hap makes no pictures")
        if timecode:
            stream.metadata["timecode"] = timecode
        self._stream, self._tick = stream, 1 / fps

    def encode(self, picture: VideoFrame | None) -> list[Packet]:
        """See PictureStream; from rgba."""
        if picture is None:
            return []
        packet = Packet(hap.hap_frame(picture.to_ndarray()[..., :3]))
        packet.stream, packet.is_keyframe = self._stream, True
        packet.pts = packet.dts = picture.pts
        packet.time_base = self._tick
        return [packet]
