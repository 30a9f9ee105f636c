"""Encodes one picture as the content of a PNG, TIFF or EXR file."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame


def encode_still(frame: VideoFrame, codec: str, options: Mapping[str, str]) -> bytes:
    """Encode a frame with an image codec, whose packet is a complete file.

    Args:
        frame: in a pixel format that the codec supports.
        codec: FFmpeg's name: png, tiff or exr.
        options: the codec's options.

    Raises:
        av.error.FFmpegError: the codec does not support such a picture.
        TypeError: it is not a video codec.

    """
    context = av.CodecContext.create(codec, "w")
    if not isinstance(context, VideoCodecContext):
        raise TypeError(f"{codec} is not a video codec")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
    context.time_base = Fraction(1, 25)
    context.color_range = frame.color_range
    context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
    context.options = dict(options)
    context.thread_count = 1
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))
