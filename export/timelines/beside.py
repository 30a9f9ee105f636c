"""Write the timelines beside a film that `render` made."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from ...engine.errors import OutputError, one_line
from ...engine.files.atomic import write_bytes
from ...engine.take.reader import find_take
from ..curves.analysis import film_curves
from ..curves.markers import MarkerKind, markers
from ..presets import choose
from ..render import Progress, RenderJob, RenderReport, open_job_sound, render
from ..sequence import SIDECAR, SOUND
from ..sidecar import read_sidecar, sidecar_of
from ..timecode import timecode
from .film_timeline import FilmTimeline

_OURS = b"sonorama"
_UNNAMEABLE = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")  # no characters of XML 1.0


@dataclass(frozen=True)
class Timelines:
    """Which timelines to write beside each film.

    Attributes:
        forms: suffixes of files, see options.py.
        markers: what is marked.

    """

    forms: Sequence[str]
    markers: Collection[MarkerKind]

    def make(self, job: RenderJob, progress: Progress) -> RenderReport:
        """`render`, and the timelines; these are written again, if they are not there, when the film was.

        Raises:
            SonoramaError: as `render`; no film, or a foreign file of a timeline's name: before any work.

        """
        self.check(job)
        report = render(job, progress)
        self.write(job, report)
        return report

    def check(self, job: RenderJob) -> None:
        """Refuse what can be refused before the film is made."""
        if job.to_stdout:
            raise OutputError("--timeline goes with a film in a file", "Leave it out, or name a film such as film.mov.")
        if choose(job.preset, job.out).sequence and {*self.forms} - {"otio"}:
            raise OutputError("Only OpenTimelineIO holds picture sequences", "Use --timeline otio, or name a film.")
        if "edl" in self.forms and timecode(job.timecode, job.rate) is None:
            message = f"An EDL counts in timecode, which {job.rate} frames a second do not have"
            raise OutputError(message, "Leave edl out of --timeline.")
        if "mlt" in self.forms and _UNNAMEABLE.search(job.out.name):
            message = f"XML cannot hold the name {one_line(job.out.name)}"
            raise OutputError(message, "Choose another OUT, or leave mlt out of --timeline.")
        for path in self._paths(job, job.out):
            if os.path.lexists(path) and not job.overwrite and not _may_be_ours(path):
                message = f"{one_line(path)}, where a timeline belongs, is a file of unknown origin"
                raise OutputError(message, "Move it away, or choose another OUT.")

    def _paths(self, job: RenderJob, out: Path) -> list[Path]:
        """Beside the film; a folder's whole name counts, since what is behind its dot is no suffix."""
        name = out.name if choose(job.preset, job.out).sequence else out.stem
        return [out.with_name(f"{name}.{form}") for form in self.forms]

    def write(self, job: RenderJob, report: RenderReport) -> None:
        """Write the timelines of a film; those that are there already as they would be written stay.

        Raises:
            OutputError: one is there and says something else, or it cannot be written.

        """
        film = film_timeline(job, report, self.markers)
        contents = {path: _content(film, path) for path in self._paths(job, report.out)}
        for path, content in contents.items():
            if os.path.lexists(path) and not job.overwrite:
                if path.read_bytes() == content:
                    continue
                message = f"{one_line(path)} is the timeline of another film, or was changed"
                pictures = choose(job.preset, job.out).sequence  # --overwrite is for films
                instead = "" if pictures else ", or replace film and timelines with --overwrite"
                raise OutputError(message, f"Move it away{instead}.")
            write_bytes(path, content, new=not job.overwrite)


def _may_be_ours(path: Path) -> bool:
    return path.is_file() and _OURS in path.read_bytes().lower()


def _content(film: FilmTimeline, path: Path) -> bytes:
    if path.suffix == ".mlt":
        from .mlt import as_mlt

        return as_mlt(film, path.parent)
    from .otio_files import as_edl, as_fcp7, as_otio

    return {".otio": as_otio, ".edl": as_edl, ".xml": as_fcp7}[path.suffix](film)


def film_timeline(job: RenderJob, report: RenderReport, kinds: Collection[MarkerKind]) -> FilmTimeline:
    """The timeline of a film that was just made, or was there."""
    take = find_take(job.sound)
    job = replace(job, fps=report.fps, out=report.out)
    with open_job_sound(job, take) as sound:
        if take is not None:
            job = replace(job, pre_roll=0.0)
        marks = markers(film_curves(job, sound), kinds) if kinds else []
    preset = choose(job.preset, job.out)
    pictures = preset.suffixes[0] if preset.sequence else ""
    told = read_sidecar(report.out / SIDECAR if pictures else sidecar_of(report.out)) or {}
    own = report.out / SOUND if pictures else report.out
    path, first, rate, channels = _sound_of(job, own, sound.path, report.fps)
    return FilmTimeline(
        report.out.absolute(), report.fps, report.frames, told.get("timecode"), report.size,
        path, first, rate, channels, marks, pictures,
    )  # fmt: skip


def _sound_of(job: RenderJob, own: Path, sound: Path, fps: Fraction) -> tuple[Path | None, int, int, int]:
    """(file, its frame at which the part begins, Hz, channels) of what is heard: the film's own, or else the sound."""
    for path, first in ((own, 0), (sound, round(Fraction(job.start) * fps))):
        if not path.exists():  # a sequence without its sound
            continue
        with av.open(f"file:{path}") as container:
            stream = next(iter(container.streams.audio), None)
            if stream is not None and not (path == sound and job.loop):
                return path.absolute(), first, stream.codec_context.sample_rate, stream.codec_context.channels
    return None, 0, 0, 0
