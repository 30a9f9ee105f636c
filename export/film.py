"""Write one film: picture and sound into mp4, mov, mkv, mxf, or NUT into a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame

from ..engine.audio.audio_file import Sound
from ..engine.cli.abandoned import abandon
from ..engine.files.atomic import replacing, temporary, to_disk, translated
from ..engine.files.fingerprint import MADE_BY, fingerprint
from .audio_copy import CopiedSound
from .picture import Converter, Fit
from .picture_stream import add_picture
from .presets import CONTAINERS, STREAM, Preset
from .provenance import Signing
from .scheduling import scheduling_kept
from .sidecar import sidecar_of, to_json
from .soundtrack import Audio, add_track

_MOV = MappingProxyType({"movflags": "+write_colr+faststart"})
_OPTIONS = MappingProxyType({"mp4": _MOV, "mov": _MOV, "mxf": MappingProxyType({"store_user_comments": "1"})})
"""Muxer options by FFmpeg's name of the container. faststart: the index in front, as the web wants it."""


@dataclass(frozen=True)
class Look:
    """How a film or a sequence is written.

    Attributes:
        preset: codec and pixels.
        source: (width, height) of the frames that come in.
        size: (width, height) that go out.
        fit: how the one is brought into the other.
        fps: frames a second, exact.
        timecode: of the first frame; None for none.
        metadata: for the container, such as `comment` and `description`.
        inset: outermost pixels of the frames, on every side, that are left out.
        audio: sound of a film; None: the usual one of its container.
        signing: signs the film, or each picture; None: not signed.

    """

    preset: Preset
    source: tuple[int, int]
    size: tuple[int, int]
    fit: Fit
    fps: Fraction
    timecode: str | None
    metadata: Mapping[str, str]
    inset: int = 0
    audio: Audio | CopiedSound | None = None
    signing: Signing | None = None


@contextmanager
def film_writer(
    out: Path,
    look: Look,
    sound: Sound,
    blocks: Iterator[np.ndarray],
    facts: Callable[[], Mapping[str, Any]],
    overwrite: bool,
) -> Iterator[VideoWriter]:
    """Write a film and its sidecar: leaving the block cleanly completes both, any other way leaves nothing.

    Args:
        out: final name; its suffix names the container.
        look: how it is written.
        sound: whose rate and channels the sound stream takes.
        blocks: the part of the sound to put beside the picture, float32 [channels, n].
        facts: gives what the sidecar says, besides the size and the hash of the film; asked once the film is whole.
        overwrite: replace a film that is there.

    Raises:
        OutputError: one of them cannot be written, or a file of that name has come meanwhile.

    """
    sidecar = sidecar_of(out)
    with (
        replacing(out, new=not (overwrite and out.exists()), keep=True) as film,
        replacing(sidecar, new=not sidecar.exists()) as told,
    ):
        # Written now already, so that a full disk is known before the work; it takes its name before the film does, so
        # that no crash leaves a film without one.
        _tell(told, sidecar, {"made_by": MADE_BY})
        with _signed(out, film, look.signing) as unsigned, video_writer(out, look, sound, blocks, unsigned) as writer:
            yield writer
        with translated(out):
            to_disk(film)
            made = fingerprint(film)
        _tell(told, sidecar, {**facts(), "film": made})


@contextmanager
def _signed(out: Path, film: Path, signing: Signing | None) -> Iterator[Path]:
    """Where the film is written to; at a clean end of the block it is in `film`, signed."""
    if signing is None:
        yield film
        return
    with temporary(out) as unsigned:
        yield unsigned
        with translated(out):
            signing.file(unsigned, film, out.suffix.lower())


def _tell(part: Path, sidecar: Path, facts: Mapping[str, Any]) -> None:
    with translated(sidecar):
        part.write_bytes(to_json(facts))


@contextmanager
def video_writer(
    out: Path, look: Look, sound: Sound, blocks: Iterator[np.ndarray], into: Path | str | None = None
) -> Iterator[VideoWriter]:
    """Write a film: leaving the block cleanly completes it.

    Args:
        out: its name; the suffix names the container, any other one NUT, which needs no seeking.
        look: how it is written.
        sound: whose rate and channels the sound stream takes.
        blocks: the part of the sound to put beside the picture, float32 [channels, n].
        into: what is written in place of `out` for now, a part file or a pipe.

    Raises:
        OutputError: it cannot be written, at any time.
        BrokenPipeError: who reads the pipe has left.

    """
    form = CONTAINERS.get(out.suffix.lower(), STREAM)
    with translated(out):
        to = into or out
        # A name such as `a:b` would be taken for a protocol.
        name = f"file:{to}" if isinstance(to, Path) else to
        container = av.open(name, "w", form, container_options=dict(_OPTIONS.get(form, {})))
    with ExitStack() as ending:
        ending.callback(_close, container)
        try:
            with translated(out):
                writer = VideoWriter(out, container, look, sound, blocks)
            yield writer
            writer.finish()
        except KeyboardInterrupt:
            if sys.platform != "win32":  # where a file that is open cannot be removed
                ending.pop_all()
                abandon(container)
            raise


def _close(container: OutputContainer) -> None:
    with suppress(OSError, FFmpegError):  # after `finish` there is nothing left to close
        container.close()


class VideoWriter:
    """Frames and sound on their way into one open container; made by `video_writer`."""

    def __init__(
        self, out: Path, container: OutputContainer, look: Look, sound: Sound, blocks: Iterator[np.ndarray]
    ) -> None:
        self._out = out
        self._fps = look.fps
        self._convert = Converter(look.preset, look.source, look.size, look.fit, look.inset)
        self._frames = 0
        self._container = container
        self._picture = add_picture(container, look.preset, look.size, look.fps, look.timecode)
        self._track = add_track(container, sound, blocks, look.audio)
        container.metadata.update(_metadata(look.metadata, container.format.name))
        with scheduling_kept():
            container.start_encoding()

    def have(self, n_frames: int) -> frozenset[int]:
        """Which of the first `n_frames` frames need not be painted: none, a film is never continued."""
        return frozenset()

    def write(self, frame: np.ndarray | None) -> None:
        """Append one frame [height, width, 3]: float32 0..1, or uint8 where the preset has 8 bits.

        Raises:
            OutputError: it cannot be written.
            ValueError: another shape or type.

        """
        if frame is None:
            raise ValueError("a film needs every frame")
        picture = self._convert(frame)
        picture.pts, picture.time_base, picture.duration = self._frames, 1 / self._fps, 1
        self._frames += 1
        with translated(self._out):
            self._encode(picture)
            self._track.until(self._frames / self._fps)

    def finish(self) -> None:
        """Write what the encoders still hold, the rest of the sound, and the index."""
        with translated(self._out):
            self._encode(None)
            self._track.finish()
            self._container.close()

    def _encode(self, picture: VideoFrame | None) -> None:
        for packet in self._picture.encode(picture):
            packet.duration = packet.duration or 1  # a film of one frame has no second one to tell its length
            if picture is None and self._frames < 3:  # not reordered; x265 leaves their decoding times uninitialised
                packet.dts = packet.pts
            self._container.mux(packet)


def _metadata(told: Mapping[str, str], form: str) -> dict[str, str]:
    """The same facts under the names that FFmpeg's muxer of this container writes."""
    if form != "mxf":
        return dict(told)
    return {f"comment_{name.capitalize()}": text for name, text in told.items()}
