"""Write a folder of numbered pictures, `sound.wav` and `sonorama.json`; another run continues it.

What of the folder is ours, its record says (record.py): nothing else is read, replaced or removed.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from ..engine.audio.audio_file import Sound
from ..engine.errors import InputError, OutputError, one_line
from ..engine.files.atomic import translated
from ..engine.files.exr import Attributes, colour_attributes, time_attributes, with_attributes
from ..engine.files.fingerprint import Hashing
from ..engine.files.record import Record
from ..engine.files.still import encode_still
from .film import Look
from .picture import Converter
from .sidecar import OfAnotherJob, differences, read_sidecar, to_json
from .soundtrack import Soundtrack
from .timecode import timecode_of_frame

log = logging.getLogger(__name__)
SIDECAR = "sonorama.json"
SOUND = "sound.wav"
HASH = "sound_sha256"
PREFIX, FIRST_NUMBER, DIGITS = "frame_", 1, 6
"""Pictures are frame_000001.png and so on."""
_PICTURE = re.compile(r"frame_[0-9]+\.[^.]+")  # what programs take for a picture of the sequence


Facts = Callable[[str | None], Mapping[str, Any]]
"""What the sidecar says (see facts.py), given the sound's hash; None: it is not known yet."""


@contextmanager
def sequence_writer(
    out: Path, look: Look, sound: Sound, blocks: Iterator[np.ndarray], facts: Facts, hashing: Hashing
) -> Iterator[SequenceWriter]:
    """Write pictures into the folder `out`, each complete under its name or not at all.

    A folder that its record and `sonorama.json` say comes from the same job is continued: pictures that are as they
    were written stay, others are painted again. A folder of another job, or with such names that are not on record, is
    refused, so that nothing of it is lost or mixed. What is done when the block is left early stays as well, unless no
    picture was finished: then nothing of it is left behind.

    The first pictures of a long sound are there before its hash is; the sidecar gets it as soon as it is known. Where
    the program ended before that, nothing says which sound the pictures are of: a run of the same job, with a sound of
    that path, removes them and paints them again.

    Args:
        out: the folder; made when missing.
        look: how pictures are written.
        sound: whose rate and channels sound.wav takes.
        blocks: the part of the sound for sound.wav, float32 [channels, n].
        facts: gives what the sidecar says.
        hashing: of the sound.

    Raises:
        OutputError: a folder of another job, or one that cannot be written.

    """
    made = not out.exists()
    record = check_folder(out)
    complete = False
    with translated(out):
        out.mkdir(exist_ok=True)
    try:
        record.open()  # before the hash is waited for, so that another process finds it taken
        if any(map(record.there, record.names)):
            complete = _take_up(out, record, facts, hashing)
        told = _Sidecar(record, facts, hashing, complete)
        told.write()
        if look.audio != "none" and not record.whole(SOUND):
            record.write(SOUND, lambda part: write_sound(part, sound, blocks))
        try:
            yield SequenceWriter(out, look, record, told)
        except BaseException:
            with suppress(OutputError, InputError):  # what ended it is what counts
                told.update()
            raise
        told.finish()
    finally:
        record.close()
        if not record.begun and not any(_PICTURE.fullmatch(name) and record.there(name) for name in record.names):
            _remove(out, record, made)
        for path in record.set_aside:
            log.warning("Changed since it was written, and kept as %s", one_line(path))


def check_folder(out: Path) -> Record:
    """The record of a folder that pictures may be written into.

    Raises:
        OutputError: there is something in it that would be taken for a part of the sequence, and is not on record.

    """
    record = Record(out)
    if not out.is_dir():
        return record
    reserved = [name for name in (SOUND, SIDECAR) if os.path.lexists(out / name)]
    there = [path.name for path in out.iterdir() if _PICTURE.fullmatch(path.name)]
    foreign = sorted(name for name in [*reserved, *there] if name not in record)
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise OutputError(
            f"{out} holds {foreign[0]}{more} of unknown origin", "Choose another folder, or move that away."
        )
    return record


class _Sidecar:
    """The sidecar of one folder, which gets the sound's hash when it is known."""

    def __init__(self, record: Record, facts: Facts, hashing: Hashing, complete: bool) -> None:
        self._record, self._facts, self._hashing = record, facts, hashing
        self._complete = complete

    def write(self) -> None:
        """Write what is known, unless it is complete."""
        if not self._complete:
            self._tell(self._hashing.known)

    def update(self) -> None:
        """Write the hash if it has come."""
        if not self._complete and (known := self._hashing.known) is not None:
            self._tell(known)

    def finish(self) -> None:
        """Wait for the hash, and write it."""
        if not self._complete:
            self._tell(self._hashing.result())

    def _tell(self, sound_sha256: str | None) -> None:
        self._record.write(SIDECAR, lambda part: _write(part, to_json(self._facts(sound_sha256))))
        self._complete = sound_sha256 is not None


class SequenceWriter:
    """Pictures on their way into one folder; made by `sequence_writer`."""

    def __init__(self, out: Path, look: Look, record: Record, told: _Sidecar) -> None:
        self._out, self._record, self._told = out, record, told
        self._look, self._preset = look, look.preset
        self._convert = Converter(look.preset, look.source, look.size, look.fit, look.inset)
        self._frames = 0
        self._suffix = look.preset.suffixes[0]

    def name(self, index: int) -> str:
        """Name of a picture; `index` counts from 0, names from 1."""
        return f"{PREFIX}{index + FIRST_NUMBER:0{DIGITS}}{self._suffix}"

    def have(self, n_frames: int) -> frozenset[int]:
        """Which of the first `n_frames` pictures are there already, as they were written."""
        return frozenset(index for index in range(n_frames) if self._record.whole(self.name(index)))

    def write(self, frame: np.ndarray | None) -> None:
        """Write the next picture, float32 0..1 [height, width, 3]; None leaves the one that is there.

        Raises:
            OutputError: it cannot be written.
            ValueError: another shape or type.

        """
        index = self._frames
        name = self.name(index)
        self._frames += 1
        if frame is None:
            return
        with translated(self._out / name):
            data = encode_still(self._convert(frame), self._preset.codec, dict(self._preset.options))
        if self._preset.codec == "exr":
            data = with_attributes(data, {**colour_attributes(), **self._time(index)})
        if self._look.signing is not None:
            data = self._look.signing.picture(data, self._suffix)
        self._record.write(name, lambda part: _write(part, data))
        self._told.update()

    def _time(self, index: int) -> Attributes:
        first, fps = self._look.timecode, self._look.fps
        at = None if first is None else timecode_of_frame(first, fps, index)
        return time_attributes(fps, at, drop=first is not None and ";" in first)


def write_sound(out: Path, sound: Sound, blocks: Iterator[np.ndarray]) -> None:
    """Write a wav of 24 bits (RF64 past 4 GB).

    Raises:
        OutputError: it cannot be written.

    """
    with translated(out):
        container = av.open(f"file:{out}", "w", "wav", container_options={"rf64": "auto"})
        try:
            track = Soundtrack(container, sound, blocks)
            track.finish()
            container.close()
        finally:
            with suppress(OSError, FFmpegError):
                container.close()


def _write(part: Path, data: bytes) -> None:
    with translated(part):
        part.write_bytes(data)


def _take_up(out: Path, record: Record, facts: Facts, hashing: Hashing) -> bool:
    """Go on with what is there: whether its sound is known for this one. If not, pictures and sound.wav are removed.

    Raises:
        OutputError: it is of another job.

    """
    another = "Choose another folder, or delete this one to start again."
    if not record.whole_or_before(SIDECAR):
        raise OutputError(f"{out} may hold frames of another job: {SIDECAR} is not as it was written", another)
    told = read_sidecar(out / SIDECAR) or {}
    hashed = told.get(HASH, "") is not None
    wanted = facts(told.get(HASH))
    changed = differences(told, wanted)  # before the hash is waited for
    if not hashed and told.get("sound") != wanted["sound"]:
        changed = [*changed, "sound"]
    if hashed and not changed:
        changed = differences(told, facts(hashing.result()))
    if changed:
        raise OfAnotherJob(f"{out} holds frames of another job: {', '.join(changed)} differ", another)
    if not hashed:
        with translated(out):
            record.remove(name for name in record.names if name != SIDECAR)
    return hashed


def _remove(out: Path, record: Record, made: bool) -> None:
    with suppress(OSError):  # gone already
        record.undo()
    if made:
        with suppress(OSError):  # somebody else put a file into it
            out.rmdir()
