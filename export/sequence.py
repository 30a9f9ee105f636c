"""Write a folder of numbered pictures, `sound.wav` and `sonorama.json`; another run continues it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from ..engine.audio.audio_file import Sound
from ..engine.errors import OutputError
from ..engine.files.atomic import replacing, translated, write_bytes
from ..engine.files.still import encode_still
from .film import Look
from .picture import Converter
from .sidecar import differences, to_json
from .soundtrack import Soundtrack

SIDECAR = "sonorama.json"
SOUND = "sound.wav"


@contextmanager
def sequence_writer(
    out: Path, look: Look, sound: Sound, blocks: Iterator[np.ndarray], facts: Mapping[str, Any]
) -> Iterator[SequenceWriter]:
    """Write pictures into the folder `out`, each complete under its name or not at all.

    A folder that `sonorama.json` says comes from the same job is continued: pictures that are there stay. A
    folder of another job is refused, so that nothing of it is lost or mixed. What is done when the block is
    left early stays as well, unless no picture was finished: then nothing of it is left behind.

    Args:
        out: the folder; made when missing.
        look: how pictures are written.
        sound: whose rate and channels sound.wav takes.
        blocks: the part of the sound for sound.wav, float32 [channels, n].
        facts: what the sidecar says; see `sidecar.facts`.

    Raises:
        OutputError: a folder of another job, or one that cannot be written.

    """
    made = not out.exists()
    writer = SequenceWriter(out, look)
    _check_same_job(out, writer.suffix, facts)
    try:
        with translated(out):
            out.mkdir(exist_ok=True)
        write_bytes(out / SIDECAR, to_json(facts))
        if not (out / SOUND).exists():
            write_sound(out / SOUND, sound, blocks)
        yield writer
    finally:
        if not any(out.glob(f"frame_*{writer.suffix}")):
            _remove(out, made)


class SequenceWriter:
    """Pictures on their way into one folder; made by `sequence_writer`."""

    def __init__(self, out: Path, look: Look) -> None:
        self._out = out
        self._preset = look.preset
        self._convert = Converter(look.preset, look.source, look.size, look.fit)
        self._frames = 0
        self.suffix = look.preset.suffixes[0]

    def path(self, index: int) -> Path:
        """Name of a picture; `index` counts from 0, names from 1."""
        return self._out / f"frame_{index + 1:06}{self.suffix}"

    def have(self, n_frames: int) -> frozenset[int]:
        """Which of the first `n_frames` pictures are there already."""
        return frozenset(index for index in range(n_frames) if self.path(index).exists())

    def write(self, frame: np.ndarray | None) -> None:
        """Write the next picture, float32 0..1 [height, width, 3]; None leaves the one that is there.

        Raises:
            OutputError: it cannot be written.
            ValueError: another shape or type.

        """
        path = self.path(self._frames)
        self._frames += 1
        if frame is None:
            return
        with translated(path):
            data = encode_still(self._convert(frame), self._preset.codec, dict(self._preset.options))
        write_bytes(path, data)


def write_sound(out: Path, sound: Sound, blocks: Iterator[np.ndarray]) -> None:
    """Write a wav of 24 bits (RF64 past 4 GB), atomically.

    Raises:
        OutputError: it cannot be written.

    """
    with replacing(out) as part, translated(out):
        container = av.open(str(part), "w", "wav", container_options={"rf64": "auto"})
        try:
            track = Soundtrack(container, sound, blocks)
            track.finish()
            container.close()
        finally:
            with suppress(OSError, FFmpegError):
                container.close()


def _check_same_job(out: Path, suffix: str, facts: Mapping[str, Any]) -> None:
    sidecar = out / SIDECAR
    if sidecar.exists():
        changed = differences(_read(sidecar), facts)
        if changed:
            message = f"{out} holds frames of another job: {', '.join(changed)} differ"
            raise OutputError(message, "Choose another folder, or delete this one to start again.")
    elif any(out.glob("frame_*")):
        raise OutputError(f"{out} holds frames of unknown origin", "Choose another folder, or empty it.")


def _read(sidecar: Path) -> dict[str, Any]:
    """What a sidecar says; nothing when it is no sidecar of ours."""
    try:
        told = json.loads(sidecar.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _remove(out: Path, made: bool) -> None:
    for name in (SIDECAR, SOUND):
        (out / name).unlink(missing_ok=True)
    if made:
        with suppress(OSError):  # somebody else put a file into it
            out.rmdir()
