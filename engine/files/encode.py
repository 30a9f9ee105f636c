"""Parts common to all video files: colour tags, metadata that marks the picture as synthetic, and an audio stream."""

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
"""BT.709 in ITU-T H.273 (for matrix, primaries and transfer), and FFmpeg's number for limited range."""
SYNTHETIC = "trainedAlgorithmicMedia"
"""IPTC digital source type for media made by a trained model."""

_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_MXF_RATE = 48000  # FFmpeg's MXF muxer takes no other
_AAC_LAYOUTS = {"5.1(side)": "5.1", "5.0(side)": "5.0", "quad(side)": "quad"}
"""AAC's channel configurations have one pair of surrounds. Others are written as a table (PCE), from which
some players take the LFE for a back centre."""
_AAC_BITS = 128_000  # per second and channel


def tag_bt709(context: VideoCodecContext) -> None:
    """Tag a video codec's input as BT.709 Y'CbCr with limited range."""
    context.colorspace, context.color_range = BT709, LIMITED
    context.color_primaries, context.color_trc = BT709, BT709


def synthetic_note(title: str, made_by: str) -> dict[str, str]:
    """Container metadata: the title, and a note that the picture is synthetic and what made it."""
    note = f"Synthetic picture, made by {made_by}. Digital source type: {SYNTHETIC}."
    return {"title": title, "comment": note, "description": note}


class SoundStream:
    """The audio stream of a container, sample-accurate from time 0.

    Unless told otherwise it is AAC in mp4, whose players read that (an edit list cuts the encoder's priming), and
    24-bit PCM in other containers. If AAC does not support the rate or the layout, 48 kHz or a mono mix is written.
    MXF has 48 kHz always.

    Args:
        container: open for writing; its header is not written yet.
        rate: sample rate in Hz of the blocks written.
        layout: FFmpeg's name of their channel layout.
        gains: gains of the mono mix, float32 [channels].
        codec: "aac" or "pcm24"; None: the usual one of the container.

    """

    def __init__(
        self,
        container: OutputContainer,
        rate: int,
        layout: str,
        gains: Sequence[float] | np.ndarray,
        codec: str | None = None,
    ) -> None:
        self.written = 0
        """Samples per channel written so far."""
        self._container = container
        self._rate, self._layout = rate, layout
        self._gains: np.ndarray | None = None
        self._aac = codec == "aac" if codec is not None else "mp4" in container.format.name.split(",")
        self._stream = self._add_aac(np.asarray(gains, np.float32)) if self._aac else self._add_pcm()

    def _add_pcm(self) -> AudioStream:
        rate = _MXF_RATE if self._container.format.name == "mxf" else self._rate
        stream = self._container.add_stream("pcm_s24le", rate=rate)
        stream.codec_context.layout = self._layout
        stream.codec_context.format = "s32"
        return stream

    def _add_aac(self, gains: np.ndarray) -> AudioStream:
        rate = self._rate if self._rate in _AAC_RATES else 48000
        self._layout = _AAC_LAYOUTS.get(self._layout, self._layout)
        if not _aac_takes(rate, self._layout):
            self._gains, self._layout = gains, "mono"
        # The slower coder takes as long as rendering the pictures, and is not needed at 128 kbit/s per channel.
        stream = self._container.add_stream("aac", rate=rate, options={"aac_coder": "fast"})
        stream.codec_context.layout = self._layout
        stream.codec_context.bit_rate = _AAC_BITS * stream.codec_context.layout.nb_channels
        return stream

    def write(self, block: np.ndarray) -> None:
        """Append a block float32 [channels, n]; samples beyond full scale are clipped.

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
        """Flush the encoder. Raises as `write`."""
        self._container.mux(self._stream.encode(None))


def _float_frame(block: np.ndarray, layout: str) -> AudioFrame:
    # Packed, because PyAV 18.1 reads past the planes of planar frames of 8 channels.
    return AudioFrame.from_ndarray(np.ascontiguousarray(block.T).reshape(1, -1), "flt", layout)


def _pcm24_frame(block: np.ndarray, layout: str) -> AudioFrame:
    """Round to 24 bits in the upper bits of 32; samples beyond full scale are clipped."""
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
