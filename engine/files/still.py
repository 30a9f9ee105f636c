"""One picture as the bytes of a finished file: PNG, TIFF or EXR."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame


def encode_still(frame: VideoFrame, codec: str, options: Mapping[str, str]) -> bytes:
    """Encode one frame with an intra codec whose packet is a whole file.

    Raises:
        av.error.FFmpegError: the codec cannot hold such a picture.

    """
    context = av.CodecContext.create(codec, "w")
    if not isinstance(context, VideoCodecContext):
        raise TypeError(f"{codec} makes no pictures")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
    context.time_base = Fraction(1, 25)
    context.color_range = frame.color_range
    context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
    context.options = dict(options)
    context.thread_count = 1
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))
