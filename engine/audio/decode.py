"""Decodes the sound of a file to float blocks, and detects truncated and damaged files."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet

from ..errors import InputError
from .truncation import why_cut_off

PLAYABLE = "Give a sound file (wav, flac, mp3, ogg, m4a ...) or a video with a sound track."
WHOLE = "Copy or download the file again, or convert the readable part: ffmpeg -i IN OUT.wav"

_BLOCK = 8192  # samples; codecs give 100 to 4,000 at a time, and each block has a fixed cost for the consumer


@dataclass(frozen=True)
class SoundFormat:
    """Format of an audio stream.

    Attributes:
        rate: sample rate in Hz.
        channels: number of channels.
        names: FFmpeg's channel names ("FL", "FR", "LFE" ...; "NONE" if the file does not give them).
        layout: FFmpeg's name of the channel layout ("stereo", "7.1", "3 channels" ...).
        codec: FFmpeg's name of the codec.

    """

    rate: int
    channels: int
    names: tuple[str, ...]
    layout: str
    codec: str


def open_container(path: Path) -> tuple[InputContainer, AudioStream, SoundFormat]:
    """Open `path` and find its audio stream. The caller must close the container.

    Raises:
        InputError: the path does not exist, cannot be read or is a folder; or the file is empty, no media file, or
            without an audio stream.

    """
    _check_file(path)
    try:
        # `file:` and the whitelist prevent playlists and special names from reaching the network.
        options = {"protocol_whitelist": "file", "max_size": str(1 << 16)}  # bytes per packet, wav only
        container = av.open(f"file:{path.resolve()}", "r", options=options, metadata_errors="replace")
    except FFmpegError as error:
        message = f"{path} is not a sound or video file, or it is truncated ({error.strerror})"
        raise InputError(message, PLAYABLE) from error
    try:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise InputError(f"{path} contains no sound", PLAYABLE)
        return container, stream, _format(path, stream)
    except InputError:
        container.close()
        raise


def _check_file(path: Path) -> None:
    try:
        info = path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the name and the folder.") from error
    if stat.S_ISDIR(info.st_mode):
        raise InputError(f"{path} is a folder, not a file", PLAYABLE)
    if not stat.S_ISREG(info.st_mode):
        raise InputError(f"{path} is not a regular file", PLAYABLE)
    if info.st_size == 0:
        raise InputError(f"{path} is empty (0 bytes)", PLAYABLE)


def _format(path: Path, stream: AudioStream) -> SoundFormat:
    context = stream.codec_context
    if context is None or not context.sample_rate or not context.layout.nb_channels:
        raise InputError(f"{path} has an audio stream in an unknown format", WHOLE)
    layout = context.layout
    names = tuple(channel.name for channel in layout.channels)
    return SoundFormat(context.sample_rate, layout.nb_channels, names, layout.name, context.name)


def decode(path: Path) -> Iterator[np.ndarray]:
    """Decode the whole sound of `path` in order, in bounded memory.

    Yields:
        Blocks float32 [channels, n] at the file's rate. Full scale is -1..1, not clipped; NaN and inf are kept.

    Raises:
        InputError: as for `open_container`; the file is damaged, has less sound than its header states, or changes its
            format.

    """
    waiting: list[np.ndarray] = []
    for _, piece in decode_stamped(path):
        waiting.append(piece)
        if sum(part.shape[1] for part in waiting) >= _BLOCK:
            yield np.concatenate(waiting, axis=1)
            waiting = []
    if waiting:
        yield np.concatenate(waiting, axis=1)


def decode_stamped(path: Path, gaps: bool = False) -> Iterator[tuple[Fraction | None, np.ndarray]]:
    """Like `decode`, in blocks as small as the codec's, each with its time on the container's clock, in seconds (None
    where the file has no stamps). That clock is the one of the pictures, too. `gaps`: stamps may leave some, as
    those of phones do; otherwise that is sound which is missing.
    """
    container, stream, form = open_container(path)
    with container:
        count, damaged_at, held, first = 0, None, None, None
        packets = _Packets(container, stream)
        for frame in _interleaved(packets.frames(), form):
            if frame is None:
                damaged_at = count if damaged_at is None else damaged_at
                continue
            if damaged_at is not None:
                raise InputError(f"{path} is damaged {damaged_at / form.rate:.2f} s from its start", WHOLE)
            if held is not None:
                yield _stamp(held), _planar(path, held, form)
            held, first = frame, _stamp(frame) if count == 0 else first
            count += frame.samples
        # Undecodable data after the last good packet (tags, padding) is harmless as long as nothing is missing.
        reached = max(count / form.rate, _span(first, held)) if gaps else count / form.rate
        if missing := why_cut_off(path, container, stream, reached, packets.last):
            raise InputError(f"{path} is truncated: {missing}", WHOLE)
        if held is not None:
            yield _stamp(held), _planar(path, held, form)[:, : _played(held, container)]


def _span(first: Fraction | None, last: AudioFrame | None) -> float:
    """Seconds from the first stamp to the end of the last frame; 0 without stamps."""
    end = None if last is None else _stamp(last)
    return 0.0 if first is None or end is None or last is None else float(end - first) + last.samples / last.sample_rate


def _stamp(frame: AudioFrame) -> Fraction | None:
    return None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base


def _played(last: AudioFrame, container: InputContainer) -> int:
    """Number of valid samples in the last frame: mp4 and mov tell how much of it is the encoder's padding."""
    if container.format.name == "mov,mp4,m4a,3gp,3g2,mj2" and last.duration and last.time_base:
        return min(last.samples, max(1, round(last.duration * last.time_base * last.sample_rate)))
    return last.samples


class _Packets:
    """Decodes the packets of one stream; `last` is the latest non-empty packet."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._packets = container.demux(stream)
        self.last: Packet | None = None

    def frames(self) -> Iterator[AudioFrame | None]:
        """Yield each decoded frame, and None where a packet could not be decoded."""
        while True:
            try:
                packet = next(self._packets, None)
                if packet is None:
                    return
                self.last = packet if packet.size else self.last
                frames = packet.decode()
            except EOFError:
                return
            except FFmpegError:
                yield None
                continue
            yield from frames


def _interleaved(frames: Iterator[AudioFrame | None], form: SoundFormat) -> Iterator[AudioFrame | None]:
    """Convert planar frames of 8 or more channels to packed ones, because PyAV 18.1 reads past their planes."""
    packer: AudioResampler | None = None
    for frame in frames:
        if frame is None or form.channels < 8 or not frame.format.is_planar:
            yield frame
            continue
        packer = packer or AudioResampler(frame.format.packed.name, frame.layout, frame.sample_rate)
        for packed in packer.resample(frame):
            packed.duration = frame.duration
            yield packed


def _planar(path: Path, frame: AudioFrame, form: SoundFormat) -> np.ndarray:
    if frame.sample_rate != form.rate or frame.layout.nb_channels != form.channels:
        raise InputError(f"{path} changes its sample rate or channels in the middle", WHOLE)
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, form.channels).T
    if data.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(data, np.float32)
    bias, scale = (128, 128.0) if data.dtype == np.uint8 else (0, 2.0 ** (8 * data.dtype.itemsize - 1))
    return np.ascontiguousarray((data.astype(np.float32) - bias) / np.float32(scale))
