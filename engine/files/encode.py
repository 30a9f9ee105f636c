"""What every film has: colour tags, a note on where its picture comes from, a stream for its sound."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

BT709, LIMITED = 1, 1
"""Code points of ITU-T H.273, and FFmpeg's number for the limited range."""
SYNTHETIC = "trainedAlgorithmicMedia"
"""Of the IPTC's digital source types: made by a trained model."""

_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_AAC_BITS = 128_000  # a second and channel


def tag_bt709(context: VideoCodecContext) -> None:
    """Say that Y'CbCr of limited range, BT.709 throughout, is what goes in."""
    context.colorspace, context.color_range = BT709, LIMITED
    context.color_primaries, context.color_trc = BT709, BT709


def synthetic_note(title: str, made_by: str) -> dict[str, str]:
    """Metadata of a container: a title, and that the picture is synthetic and what made it."""
    said = f"Synthetic picture, made by {made_by}. Digital source type: {SYNTHETIC}."
    return {"title": title, "comment": said, "description": said}


class SoundStream:
    """One stream of sound in a container, exact to the sample from time 0 on.

    mp4 gets AAC (what players of mp4 read; its priming is cut by the edit list), every other container PCM of
    24 bits. AAC keeps rate and channels where it can, else it takes 48 kHz or a mono mix.

    Args:
        container: open for writing, before its header is written.
        rate: samples a second of what is written.
        layout: FFmpeg's name for the channels of what is written.
        gains: float32 [channels] of the mono mix.

    """

    def __init__(self, container: OutputContainer, rate: int, layout: str, gains: Sequence[float] | np.ndarray) -> None:
        self.written = 0
        """Samples so far."""
        self._container = container
        self._rate, self._layout = rate, layout
        self._gains: np.ndarray | None = None
        self._aac = "mp4" in container.format.name.split(",")
        self._stream = self._add_aac(np.asarray(gains, np.float32)) if self._aac else self._add_pcm()

    def _add_pcm(self) -> AudioStream:
        stream = self._container.add_stream("pcm_s24le", rate=self._rate)
        stream.codec_context.layout = self._layout
        stream.codec_context.format = "s32"
        return stream

    def _add_aac(self, gains: np.ndarray) -> AudioStream:
        rate = self._rate if self._rate in _AAC_RATES else 48000
        if not _aac_takes(rate, self._layout):
            self._gains, self._layout = gains, "mono"
        # The slower search takes as long as painting the picture does, and 128 kbit/s do not need it.
        stream = self._container.add_stream("aac", rate=rate, options={"aac_coder": "fast"})
        stream.codec_context.layout = self._layout
        stream.codec_context.bit_rate = _AAC_BITS * stream.codec_context.layout.nb_channels
        return stream

    def write(self, block: np.ndarray) -> None:
        """Append float32 [channels, n]; what is past full scale clips.

        Raises:
            OSError, FFmpegError: it cannot be written.

        """
        if self._gains is not None:
            block = (self._gains @ block)[None]
        frame = _float_frame(block, self._layout) if self._aac else _pcm24_frame(block, self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self.written, Fraction(1, self._rate)
        self.written += block.shape[1]
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder still holds. Raises as `write`."""
        self._container.mux(self._stream.encode(None))


def _float_frame(block: np.ndarray, layout: str) -> AudioFrame:
    # Interleaved: PyAV 18.1 reads past the planes of a planar frame of 8 channels.
    return AudioFrame.from_ndarray(np.ascontiguousarray(block.T).reshape(1, -1), "flt", layout)


def _pcm24_frame(block: np.ndarray, layout: str) -> AudioFrame:
    """Round to 24 bits; what is past full scale clips. The samples sit in the upper bits of 32."""
    scaled = np.rint(block.T.astype(np.float64) * 2**23).clip(-(2**23), 2**23 - 1)
    packed = scaled.astype(np.int32).reshape(1, -1) << 8
    return AudioFrame.from_ndarray(packed, "s32", layout)


def _aac_takes(rate: int, layout: str) -> bool:
    context = CodecContext.create("aac", "w")
    if not isinstance(context, AudioCodecContext):
        return False
    context.sample_rate, context.layout, context.format = rate, layout, "fltp"
    try:
        context.open()
    except FFmpegError:
        return False
    return True
