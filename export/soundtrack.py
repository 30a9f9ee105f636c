"""The original sound beside the picture: every channel, its own rate, exact to the sample."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.container import OutputContainer
from av.error import FFmpegError

from ..engine.media import Sound, downmix

_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_AAC_BITS = 128_000  # a second and channel
_USUAL = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


class Soundtrack:
    """Feeds one sound stream of a container, as far as the picture has come.

    mp4 gets AAC (what players of mp4 read; its priming is cut by the edit list), every other container PCM of
    24 bits. AAC keeps the source's rate and channels where it can, else 48 kHz or the mono mix.

    Args:
        container: open for writing, before its header is written.
        sound: where the samples come from.
        blocks: float32 [channels, n] at the sound's rate.

    """

    def __init__(self, container: OutputContainer, sound: Sound, blocks: Iterator[np.ndarray]) -> None:
        self._container = container
        self._blocks = blocks
        self._rate = sound.rate
        self._layout = _layout(sound)
        self._done = 0
        aac = "mp4" in container.format.name.split(",")
        self._aac = aac
        self._stream = self._add_aac(sound) if aac else self._add_pcm(sound)

    def _add_pcm(self, sound: Sound) -> AudioStream:
        stream = self._container.add_stream("pcm_s24le", rate=sound.rate)
        stream.codec_context.layout = self._layout
        stream.codec_context.format = "s32"
        return stream

    def _add_aac(self, sound: Sound) -> AudioStream:
        rate = sound.rate if sound.rate in _AAC_RATES else 48000
        if not _aac_takes(rate, self._layout):
            gains, blocks = downmix(sound.channel_names), self._blocks
            self._blocks = ((gains @ block)[None] for block in blocks)
            self._layout = "mono"
        # The slower search takes as long as painting the picture does, and 128 kbit/s do not need it.
        stream = self._container.add_stream("aac", rate=rate, options={"aac_coder": "fast"})
        stream.codec_context.layout = self._layout
        stream.codec_context.bit_rate = _AAC_BITS * stream.codec_context.layout.nb_channels
        return stream

    def until(self, seconds: Fraction) -> None:
        """Write the sound up to this time of the film."""
        while self._done < seconds * self._rate:
            block = next(self._blocks, None)
            if block is None:
                return
            self._container.mux(self._stream.encode(self._frame(block)))

    def finish(self) -> None:
        """Write the rest and what the encoder still holds."""
        for block in self._blocks:
            self._container.mux(self._stream.encode(self._frame(block)))
        self._container.mux(self._stream.encode(None))

    def _frame(self, block: np.ndarray) -> AudioFrame:
        frame = _float_frame(block, self._layout) if self._aac else _pcm24_frame(block, self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._done, Fraction(1, self._rate)
        self._done += block.shape[1]
        return frame


def _float_frame(block: np.ndarray, layout: str) -> AudioFrame:
    # Interleaved: PyAV 18.1 reads past the planes of a planar frame of 8 channels.
    return AudioFrame.from_ndarray(np.ascontiguousarray(block.T).reshape(1, -1), "flt", layout)


def _pcm24_frame(block: np.ndarray, layout: str) -> AudioFrame:
    """Round to 24 bits; what is past full scale clips. The samples sit in the upper bits of 32."""
    scaled = np.rint(block.T.astype(np.float64) * 2**23).clip(-(2**23), 2**23 - 1)
    packed = scaled.astype(np.int32).reshape(1, -1) << 8
    return AudioFrame.from_ndarray(packed, "s32", layout)


def _layout(sound: Sound) -> str:
    """The source's channel layout, or the usual one for its number of channels where it states none."""
    if "NONE" in sound.channel_names and sound.channels <= len(_USUAL):
        return _USUAL[sound.channels - 1]
    return sound.layout


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
