"""Render a sound or a take into a film or a folder of pictures: all is checked first, then frames stream through."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.audio.audio_file import Sound, open_sound
from ..engine.audio.source_timecode import source_timecode
from ..engine.errors import InputError, OutputError, ValueRefused
from ..engine.files.fingerprint import Hashing
from ..engine.pipeline.film_pipeline import MOST_AHEAD_S
from ..engine.take.reader import Take, find_take
from ..engine.units import DEFAULT_WORLD
from .audio_copy import CopiedSound, check_copy
from .effects import check_effects
from .facts import claim_of, facts_of, facts_of_take, metadata_of, values_of
from .farm.of_job import farm_of
from .film import Look, VideoWriter, film_writer, video_writer
from .film_part import Without, film_part, frame_start
from .frame_source import OpenFrameSource, Played, world_frame_source
from .output_path import check_place, check_stdout, piped
from .picture import FITS, Fit
from .presets import CONTAINERS, Preset, check_rate, check_size, choose
from .provenance import Signer, Signing, check_signing
from .sequence import Facts, SequenceWriter, check_folder, sequence_writer
from .sidecar import check_film, is_made, sidecar_of
from .soundtrack import Audio, check_audio
from .timecode import carried, timecode

if TYPE_CHECKING:
    from ..engine.control.parameters import Value

Progress = Callable[[int, int], None]
Paint = Callable[[Container[int]], Iterator[np.ndarray | None]]
"""Indices of frames that nobody needs -> every frame of the film, None for those."""
DEFAULT_FPS = Fraction(30)


@dataclass(frozen=True)
class RenderJob:
    """One film to make.

    Attributes:
        sound: any audio or video file, or the folder of a take, which is played as it was performed: without
            `seed`, `text`, `values` and `loop`.
        out: .mp4, .mov, .mkv or a folder. A film that is there already stays: the same job leaves it alone, any
            other one is refused.
        world: name or path; None: shore, or the take's.
        fps: frames a second, exact; None: 30, or the take's.
        size: (width, height); None: the world's own, or the take's.
        fit: how the world's frame fills another shape.
        seed, text: short for the values /look/seed and /look/text; None leaves `values` as they are.
        preset: name in `presets.PRESETS`; None: what the suffix of `out` stands for.
        values: address -> value; the others stand as in a show, with its modulators.
        start, duration: part of the sound or take, seconds; a sound that ends first ends the film. The part of a sound
            begins with the frame that is nearest to `start`, unless `pre_roll` is 0.
        loop: repeat the part until `duration` is full.
        device: auto, cpu, cuda or ort; None: auto, or what the take was played on.
        clean: a take without its output controls.
        as_played: a take in the precisions in which it was played, see /engine/precision; else exactly, as all films.
        timecode: of the first frame; None: that of the sound's file, else zero.
        track, strict: of the sound, see open_sound.
        look_ahead: how much of the sound after a frame it may know, seconds: with 0 it follows the sound as a show
            does; None: as much as helps, see engine/pipeline/film_pipeline.py. Not for takes.
        pre_roll: seconds of the sound before `start` that are stepped through, see `film_part`. Not for takes.
        audio: sound of the film: copy, pcm24, aac or none; None: aac in mp4, pcm24 in all others.
        sign, key: PEM files of a certificate chain and its private key, to sign what is made (C2PA); None: not signed.
        jobs: processes that paint, which does not change the film; with `ray` workers there, 0: one for each processor.
        ray: address of a Ray cluster that paints. Both not for takes.
        command: for the sidecar.
        overwrite: replace a film that is there, when the new one is complete; not for folders.
        to_stdout: write the film into standard output, as NUT and without a sidecar; `out` is nothing then.

    """

    sound: Path
    out: Path
    world: str | None = None
    fps: Fraction | None = None
    size: tuple[int, int] | None = None
    fit: Fit = "cover"
    seed: int | None = None
    text: str | None = None
    preset: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    start: float = 0.0
    duration: float | None = None
    loop: bool = False
    device: str | None = None
    clean: bool = False
    as_played: bool = False
    timecode: str | None = None
    track: str | None = None
    strict: bool = False
    look_ahead: float | None = None
    pre_roll: float | None = None
    audio: Audio | None = None
    sign: Path | None = None
    key: Path | None = None
    jobs: int = 1
    ray: str | None = None
    command: tuple[str, ...] = field(default_factory=lambda: tuple(sys.argv))
    overwrite: bool = False
    to_stdout: bool = False

    @property
    def rate(self) -> Fraction:
        """Frames a second of the film."""
        return DEFAULT_FPS if self.fps is None else self.fps


@dataclass(frozen=True)
class RenderReport:
    """What came of it: frames, seconds of film, seconds it took, where, (width, height), rate, device.

    had_nonfinite: the sound held NaN or infinite samples, which were played as silence.
    was_there: the same job had made it before, and it was left alone.
    """

    frames: int
    seconds: float
    wall_seconds: float
    out: Path
    size: tuple[int, int]
    fps: Fraction
    device: str
    had_nonfinite: bool = False
    was_there: bool = False


def render(
    job: RenderJob, progress: Progress | None = None, open_source: OpenFrameSource | None = None
) -> RenderReport:
    """Make the film of a job.

    The film is as long as its part of the sound: ceil(samples * fps / rate) frames. Nothing appears under the
    name OUT before it is complete, and nothing is left behind when rendering fails or is interrupted. A
    folder of pictures keeps those that are complete; the same job continues it.

    Args:
        job: what to make.
        progress: called with (frames done, frames in all).
        open_source: makes what paints, in place of the world; for tests.

    Raises:
        InputError: the sound cannot be used.
        OutputError: OUT cannot be written, or preset, size and OUT do not go together.
        WorldError: the world cannot be used.

    """
    begun = time.monotonic()
    take = find_take(job.sound)
    if take is not None:
        job = replace(job, fps=take.fps if job.fps is None else job.fps, size=job.size or take.start.size)
    preset = _check(job, take)
    signer = _signer(job, preset)
    with open_job_sound(job, take) as sound, Hashing(sound.path) as hashing:
        if take is None and job.pre_roll != 0:
            job = replace(job, start=frame_start(sound, job.start, job.rate))
        audio = _audio(job, take)
        n_frames = count_frames(sound, job)
        played, paint = (
            painting(job, sound, n_frames, open_source) if take is None else _replayed(job, take, preset, n_frames)
        )
        size = job.size or played.size
        check_size(preset, size)
        look = replace(_look(job, played, take, preset, size, signer), audio=audio)

        def facts(sound_sha256: str | None) -> dict[str, Any]:
            return facts_of(job, sound, played, look, n_frames, sound_sha256) | facts_of_take(job, take)

        may_be_there = not (preset.sequence or job.to_stdout or job.overwrite) and sidecar_of(job.out).exists()
        was_there = may_be_there and is_made(job.out, facts(hashing.result()))
        if not was_there:
            with _writer(job, look, sound, facts, hashing) as writer:
                was_there = not _paint(writer, paint, n_frames, progress)
    seconds = float(n_frames / job.rate)
    wall = time.monotonic() - begun
    return RenderReport(n_frames, seconds, wall, job.out, size, job.rate, played.device, sound.had_nonfinite, was_there)


def _look(
    job: RenderJob, played: Played, take: Take | None, preset: Preset, size: tuple[int, int], signer: Signer | None
) -> Look:
    at_its_own_size = take is not None and size == played.size  # which stays as it was
    return Look(
        preset,
        played.size,
        size,
        job.fit,
        job.rate,
        _timecode(job, take),
        metadata_of(job, played, take),
        inset=0 if at_its_own_size else played.inset,
        signing=None if signer is None else Signing(signer, claim_of(job, played)),
    )


def check_job(job: RenderJob) -> None:
    """Refuse what can be refused before any work, for a caller that has work of its own to do first.

    Raises:
        SonoramaError: as `render`.

    """
    take = find_take(job.sound)
    preset = _check(job, take)
    _signer(job, preset)
    _audio(job, take)


def open_job_sound(job: RenderJob, take: Take | None) -> Sound:
    """The sound of a job. Raises InputError."""
    if take is None:
        part = None if job.loop or job.duration is None else job.duration + MOST_AHEAD_S + 2.0
        return open_sound(job.sound, job.track, strict=job.strict, start=job.start, duration=part)
    from .replay import TakeSound

    return TakeSound(take)


def painting(
    job: RenderJob, sound: Sound, n_frames: int, open_source: OpenFrameSource | None = None
) -> tuple[Played, Paint]:
    """What paints the first frames of a film of a sound; `job.start` is the time of a frame."""
    ahead = math.inf if job.look_ahead is None else job.look_ahead
    opened = open_source or partial(
        world_frame_source, look_ahead_s=ahead, open_farm=farm_of(job.jobs, job.ray, job.device or "auto")
    )
    played = opened(DEFAULT_WORLD if job.world is None else job.world, values_of(job), job.rate, job.device or "auto")
    part = film_part(sound, job.rate, job.start, job.duration, job.loop, job.pre_roll)
    mono = part.mono(min(ahead, MOST_AHEAD_S))

    def paint(have: Container[int]) -> Iterator[np.ndarray | None]:
        total = part.before + n_frames
        return islice(played.frames(mono, total, Without(part.before, have)), part.before, None)

    return played, paint


def _replayed(job: RenderJob, take: Take, preset: Preset, n_frames: int) -> tuple[Played, Paint]:
    from .replay import TakeFrameSource, Worlds, note_gaps

    note_gaps(take)
    as_it_left = job.size == take.start.size and job.fit == "cover" and not preset.deep
    worlds = Worlds(take, job.world, job.device)
    played = TakeFrameSource(
        take, worlds, job.rate, job.start, clean=job.clean, as_played=job.as_played, as_it_left=as_it_left
    )
    return played, lambda have: played.frames(n_frames, have)


def count_frames(sound: Sound, job: RenderJob) -> int:
    """Frames of the film: ceil(samples * fps / rate) of its part of the sound.

    Raises:
        InputError: a part outside the sound; a loop without end.

    """
    samples = sound.count(job.start, job.duration, job.loop)
    if samples is None:
        raise InputError("A loop without a duration never ends", "Give --duration as well.")
    return math.ceil(samples * job.rate / sound.rate)


def _check(job: RenderJob, take: Take | None) -> Preset:
    """Refuse everything that can be refused before the sound is decoded and the world loaded."""
    preset = choose(job.preset, job.out, job.to_stdout)
    _check_kind(job, take)
    if job.rate <= 0:
        raise OutputError(f"{job.rate} frames a second make no film", "Use a rate such as 30 or 30000/1001.")
    if not (preset.sequence or job.to_stdout):
        check_rate(job.out, job.rate)
    if job.fit not in FITS:
        raise OutputError(f"There is no fit {job.fit}", f"Use {', '.join(FITS)}.")
    if job.size is not None:
        check_size(preset, job.size)
    timecode(job.timecode, job.rate)
    if job.to_stdout:
        check_stdout()
    else:
        _check_out(job, preset)
    return preset


def _signer(job: RenderJob, preset: Preset) -> Signer | None:
    suffix = preset.suffixes[0] if preset.sequence else job.out.suffix.lower()
    return check_signing(job.sign, job.key, "" if job.to_stdout else suffix)


def _audio(job: RenderJob, take: Take | None) -> Audio | CopiedSound | None:
    suffix = "" if job.to_stdout else job.out.suffix.lower()
    check_audio(job.audio, suffix if suffix in CONTAINERS else "")
    if job.audio != "copy":
        return job.audio
    if take is not None or job.loop:
        what = "a loop" if take is None else "a take"
        raise ValueRefused(f"--audio copy does not go with {what}", "Leave it out: the sound is encoded then.")
    duration = None if job.duration is None else Fraction(job.duration)
    part = CopiedSound(job.sound, job.track, Fraction(job.start), duration)
    check_copy(part, CONTAINERS[suffix], suffix)
    return part


def _check_out(job: RenderJob, preset: Preset) -> None:
    check_place(job.out, job.sound, preset.sequence)
    if not preset.sequence:
        check_film(job.out, job.overwrite)
        return
    check_folder(job.out)
    if job.overwrite:
        message = f"{job.out} is a folder of pictures, and --overwrite is for films"
        raise OutputError(message, "Leave --overwrite out, or choose another folder.")


def _check_kind(job: RenderJob, take: Take | None) -> None:
    """Refuse what does not go with a take, or only with one."""
    if take is None:
        for option, given in (("--clean", job.clean), ("--as-played", job.as_played)):
            if given:
                raise ValueRefused(f"{option} is for takes, and {job.sound} is a sound", f"Leave {option} out.")
        check_effects(values_of(job))
        return
    sound_options = {"--look-ahead": job.look_ahead, "--pre-roll": job.pre_roll, "--track": job.track, "--ray": job.ray}
    for option, given in (sound_options | {"--jobs": None if job.jobs == 1 else job.jobs}).items():
        if given is not None:
            raise ValueRefused(f"{option} is for sounds, and {job.sound} is a take", f"Leave {option} out.")
    if job.values or job.loop or job.seed is not None or job.text is not None:
        message = f"{job.sound} is a take: --set, --seed, --text and --loop do not go with it"
        raise ValueRefused(message, f"Leave them out, or render its sound: {take.audio}")
    if not job.to_stdout and job.out.exists() and job.out.samefile(job.sound):
        raise OutputError(f"{job.out} is the take itself", "Choose another OUT.")


def _timecode(job: RenderJob, take: Take | None) -> str | None:
    """What was asked for; else that of the sound's file; else zero."""
    source = None if job.timecode is not None or take is not None else source_timecode(job.sound)
    return carried(source, job.rate, job.start) or timecode(job.timecode, job.rate)


@contextmanager
def _writer(
    job: RenderJob, look: Look, sound: Sound, facts: Facts, hashing: Hashing
) -> Iterator[VideoWriter | SequenceWriter]:
    blocks = sound.blocks(job.start, job.duration, job.loop)
    if look.preset.sequence:
        with sequence_writer(job.out, look, sound, blocks, facts, hashing) as writer:
            yield writer
        return
    if job.to_stdout:
        with piped() as pipe, video_writer(job.out, look, sound, blocks, pipe) as writer:
            yield writer
        return
    with film_writer(job.out, look, sound, blocks, lambda: facts(hashing.result()), overwrite=job.overwrite) as writer:
        yield writer


def _paint(
    writer: VideoWriter | SequenceWriter,
    paint: Paint,
    n_frames: int,
    progress: Progress | None,
) -> bool:
    """Paint what is missing; whether anything was."""
    have = writer.have(n_frames)
    if len(have) == n_frames:
        return False
    done = 0
    for frame in paint(have):
        writer.write(frame)
        done += 1
        if progress is not None:
            progress(done, n_frames)
    if done != n_frames:
        raise RuntimeError(f"the frame source painted {done} of {n_frames} frames")
    return True
