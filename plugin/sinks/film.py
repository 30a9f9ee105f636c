"""Writes a live recording: H.264 video and sound in fragments, playable up to the last complete fragment."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from sonorama import __version__  # relative imports cannot reach the top package from here

from ...engine.errors import SonoramaError
from ...engine.files.encode import SoundStream, synthetic_note, tag_bt709
from ...engine.plugins.interfaces import StreamInfo
from ...engine.units import SAMPLE_RATE, Pixels, Samples
from .commit_file import CommitFile

CODEC = "libx264"
CONTAINERS = {".mp4": "mp4", ".mkv": "matroska"}
"""Suffix -> FFmpeg's name of the container."""
FRAGMENT_S = 1
LEAST_SIDE = 16

# `delay_moov` writes the header with the first fragment, when the encoder's priming is known. An earlier header
# (`empty_moov` alone) has no edit list, and the sound would be 23 ms late.
_OPTIONS = {
    "mp4": {"movflags": "+frag_keyframe+delay_moov+default_base_moof+write_colr", "flush_packets": "1"},
    "matroska": {"cluster_time_limit": str(1000 * FRAGMENT_S), "flush_packets": "1"},
}
# Without B-frames the encoder returns each picture at once, so that less is lost if the process is killed. `ultrafast`
# takes 0.55 times as long as `superfast`, which films have, at the same distance from the frames. A constant quantiser
# takes a quarter to a half off that again: on moving pictures of a world (1280x720) it gives 48.7 dB, where crf 18
# gives 48.2, and files that are 1.1 times as large (docs/performance.md).
_X264 = {"preset": "ultrafast", "qp": "18", "bf": "0"}


class Film:
    """Writes one video file.

    Args:
        path: .mp4 or .mkv, which must not exist.
        info: name, size and rate of the stream; with a sample ring (`info.samples`), the file gets stereo sound at
            44,100 Hz.

    Raises:
        FileExistsError: the file exists.
        OSError, FFmpegError: the file cannot be created.
        SonoramaError: the pictures are too small for H.264.

    """

    def __init__(self, path: Path, info: StreamInfo) -> None:
        self.size = info.width // 2 * 2, info.height // 2 * 2
        """(width, height) in pixels, rounded down to even numbers for 4:2:0."""
        if min(self.size) < LEAST_SIDE:
            message = f"Pictures of {info.width}x{info.height} are too small for H.264"
            raise SonoramaError(message, f"Use at least {LEAST_SIDE}x{LEAST_SIDE}.")
        self._fps = info.fps
        self._frame: VideoFrame | None = None
        self._reformat = VideoReformatter()
        self._file = CommitFile(path)
        try:
            self._open(info)
        except BaseException:
            self._file.close()
            raise

    def _open(self, info: StreamInfo) -> None:
        form = CONTAINERS[self._file.path.suffix.lower()]
        self._container = av.open(self._file, "w", form, container_options=_OPTIONS[form])
        self._picture = self._add_picture()
        self._sound = SoundStream(self._container, SAMPLE_RATE, "stereo", (0.5, 0.5)) if info.samples else None
        made_by = f"sonorama {__version__}" + (f", world {info.world}" if info.world else "")
        self._container.metadata.update(synthetic_note(info.name, made_by))
        self._container.start_encoding()

    def _add_picture(self) -> VideoStream:
        stream = self._container.add_stream(CODEC, rate=self._fps, options=_X264)
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{CODEC} is not a video codec")
        context = stream.codec_context
        context.width, context.height = self.size
        context.pix_fmt = "yuv420p"
        context.time_base = 1 / self._fps
        context.gop_size = max(1, round(FRAGMENT_S * self._fps))
        context.thread_count = max(1, min(4, (os.cpu_count() or 2) // 2))
        tag_bt709(context)
        return stream

    @property
    def samples(self) -> int:
        """Samples per channel written so far."""
        return self._sound.written if self._sound else 0

    def show(self, pixels: Pixels | None, index: int) -> None:
        """Write a picture, uint8 RGBA [H,W,4], as frame number `index` of the film; None repeats the previous one.

        Raises:
            OSError, FFmpegError: it cannot be written.
            ValueError: there is no previous picture.

        """
        if pixels is not None:
            self._frame = self._converted(pixels)
        if self._frame is None:
            raise ValueError("the first picture cannot be a repeat")
        self._frame.pts, self._frame.time_base, self._frame.duration = index, 1 / self._fps, 1
        self._mux(self._picture.encode(self._frame))

    def _converted(self, pixels: Pixels) -> VideoFrame:
        width, height = self.size  # the picture is read in place: a copy of it takes as long as the conversion
        frame = VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels[:height, :width]), "rgba")
        return self._reformat.reformat(
            frame,
            format="yuv420p",
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )

    def play(self, block: Samples) -> None:
        """Append sound, float32 [2,n]. Raises OSError or FFmpegError if it cannot be written."""
        if self._sound is not None:
            self._sound.write(block)
            self._file.commit()

    def _mux(self, packets: list[Packet]) -> None:
        for packet in packets:
            packet.duration = packet.duration or 1  # else a film of one picture would have no duration
            self._container.mux(packet)
        self._file.commit()
        self._file.check_there()

    def finish(self) -> None:
        """Complete the file, or remove it if it has no picture. On OSError or FFmpegError, call `abandon`."""
        if self._frame is None:
            self._file.remove()
            self.abandon()
            return
        self._mux(self._picture.encode(None))
        if self._sound is not None:
            self._sound.finish()
        self._container.close()
        self._file.commit()
        self._file.close()

    def abandon(self) -> None:
        """Truncate the file to its last complete fragment and close it."""
        with contextlib.suppress(OSError):
            self._file.give_up()
        with contextlib.suppress(OSError, FFmpegError):
            self._container.close()
        self._file.close()
