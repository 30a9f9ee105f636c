"""Opens sound and video files and decodes one sound track to float blocks; timeline.py places them in time."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Event

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet

from ..errors import InputError
from .clock import MP4
from .covers import hidden_covers
from .mp4_boxes import hidden_delays
from .read_ahead import FileView, Patches, read_once
from .riff import open_size
from .tracks import chosen, listed, tracks_of
from .truncation import why_cut_off

PLAYABLE = "Give a sound file (wav, flac, mp3, ogg, m4a ...) or a video with a sound track."
WHOLE = "Copy or download the file again, or convert the readable part: ffmpeg -i IN OUT.wav"

_BUFFER = 1 << 16  # bytes that FFmpeg reads at once
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBE")
"""What may stand between the frames of mp3 files that were joined, and is no damage."""


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


@contextmanager
def open_track(
    path: Path, track: str | None = None, ended: Event | None = None, patches: Patches = ()
) -> Iterator[tuple[InputContainer, AudioStream, SoundFormat]]:
    """Open `path` and find a sound track; it is closed at the end of the block.

    Args:
        path: any sound or video file.
        track: which track, see `tracks.chosen`; None: FFmpeg's choice.
        ended: see `FileView`.
        patches: see `FileView`.

    Raises:
        InputError: the path does not exist, cannot be read or is a folder; or the file is empty, no media file, or
            without such a track.

    """
    _check_file(path)
    otherwise = [*open_size(path), *hidden_covers(path), *hidden_delays(path), *patches]
    with (
        closing(FileView(path, ended, otherwise)) as view,
        _container(path, view) as container,
    ):
        stream = _stream(path, container, track)
        yield container, stream, _format(path, stream)


def _container(path: Path, view: FileView) -> InputContainer:
    # The whitelist keeps playlists from reading other files and the network.
    options = {"protocol_whitelist": "", "max_size": str(1 << 16)}  # bytes per packet, wav only
    try:
        return av.open(view, "r", options=options, metadata_errors="replace", buffer_size=_BUFFER)
    except FFmpegError as error:
        message = f"{path} is not a sound or video file, or it is truncated ({error.strerror})"
        raise InputError(message, PLAYABLE) from error


def _stream(path: Path, container: InputContainer, wanted: str | None) -> AudioStream:
    best = container.streams.best("audio")
    if not isinstance(best, AudioStream):
        raise InputError(f"{path} contains no sound", PLAYABLE)
    tracks = tracks_of(container)
    track = chosen(tracks, wanted, best.index)
    if track is None:
        raise InputError(f"{path} has no sound track {wanted}", f"It has: {listed(tracks)}.")
    stream = container.streams[track.index]
    assert isinstance(stream, AudioStream)  # noqa: S101 (tracks_of lists only those)
    return stream


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


def read_format(path: Path, track: str | None = None) -> SoundFormat:
    """The format of a sound track. Raises as `open_track`."""

    def read(ended: Event) -> SoundFormat:
        with open_track(path, track, ended) as (_, _, form):
            return form

    return read_once(read)


def decode_stamped(path: Path, gaps: bool = False) -> Iterator[tuple[Fraction | None, np.ndarray]]:
    """Decode the whole sound of `path` in order, in blocks float32 [channels, n] as small as the codec's, each with its
    stamp on the container's clock in seconds (None where the file has no stamps). `timeline.decode` places them.

    Args:
        path: any sound or video file.
        gaps: stamps may leave some, as those of phones do; otherwise that is sound which is missing.

    Raises:
        InputError: as for `open_track`; the file is damaged, lacks sound that its header states, or changes its format.

    """
    with open_track(path) as (container, stream, form):
        count, damaged_at, held, first = 0, None, None, None
        packets = Packets(container, stream)
        for frame in packed(packets.frames(), form):
            if frame is None:
                damaged_at = count if damaged_at is None else damaged_at
                continue
            if damaged_at is not None:
                raise InputError(f"{path} is damaged {damaged_at / form.rate:.2f} s from its start", WHOLE)
            if held is not None:
                yield stamp_of(held), samples_of(path, held, form)
            held, first = frame, stamp_of(frame) if count == 0 else first
            count += frame.samples
        # Undecodable data after the last good packet (tags, padding) is harmless as long as nothing is missing.
        reached = max(count / form.rate, _span(first, held)) if gaps else count / form.rate
        if missing := why_cut_off(path, container, stream, reached + float(first or 0), packets.last):
            raise InputError(f"{path} is truncated: {missing}", WHOLE)
        if held is not None:
            yield stamp_of(held), samples_of(path, held, form)[:, : played(held, container)]


def _span(first: Fraction | None, last: AudioFrame | None) -> float:
    """Seconds from the first stamp to the end of the last frame; 0 without stamps."""
    end = None if last is None else stamp_of(last)
    return 0.0 if first is None or end is None or last is None else float(end - first) + last.samples / last.sample_rate


def stamp_of(frame: AudioFrame) -> Fraction | None:
    """A frame's time on the container's clock in seconds; None if it has none."""
    return None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base


def played(last: AudioFrame, container: InputContainer) -> int:
    """Number of valid samples in the last frame: mp4 and mov tell how much of it is the encoder's padding."""
    if container.format.name == MP4 and last.duration and last.time_base:
        return min(last.samples, max(1, round(last.duration * last.time_base * last.sample_rate)))
    return last.samples


class Packets:
    """Decodes the packets of one stream. later: what is added to their stamps, in the stream's unit.

    Attributes:
        last: the latest packet that was not empty.

    """

    def __init__(self, container: InputContainer, stream: AudioStream, later: int = 0) -> None:
        self._packets, self._later = container.demux(stream), later
        self.last: Packet | None = None

    def frames(self) -> Iterator[AudioFrame | None]:
        """Yield each decoded frame, and None where a packet could not be decoded."""
        while True:
            packet = None
            try:
                packet = next(self._packets, None)
                if packet is None:
                    return
                self.last = packet if packet.size else self.last
                if self._later and packet.pts is not None:
                    packet.pts += self._later
                frames = packet.decode()
            except EOFError:
                return
            except FFmpegError:
                if packet is None or not bytes(packet)[:8].startswith(_TAGS):
                    yield None
                continue
            yield from frames


def packed(frames: Iterator[AudioFrame | None], form: SoundFormat) -> Iterator[AudioFrame | None]:
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


def samples_of(path: Path, frame: AudioFrame, form: SoundFormat) -> np.ndarray:
    """The samples of a frame, float32 [channels, n]; full scale is -1..1, not clipped; NaN and inf are kept.

    Raises:
        InputError: it has another rate or number of channels than the frames before.

    """
    if frame.sample_rate != form.rate or frame.layout.nb_channels != form.channels:
        raise InputError(f"{path} changes its sample rate or channels in the middle", WHOLE)
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, form.channels).T
    if data.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(data, np.float32)
    out = data.astype(np.float32, order="C")
    if data.dtype == np.uint8:
        out -= 128
    out *= np.float32(2.0 ** (1 - 8 * data.dtype.itemsize))
    return out
