"""Films of whatever comes into a folder: of each sound one, as soon as its file is whole."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ...engine.cli.main import report
from ...engine.errors import InputError, OutputError, one_line
from ...engine.files.atomic import names_after
from ...engine.files.fingerprint import sha256
from ..render import Progress, RenderJob, RenderReport
from ..sequence import HASH, SIDECAR
from ..sidecar import OfAnotherJob, read_sidecar, sidecar_of
from .film_rows import FilmRow, FilmRows, MakeFilm, TryLater
from .render_queue import film_of
from .watch_record import Made, WatchRecord, job_key
from .whole_files import Signature, WholeFiles, signature

POLL_S = 0.5
"""Seconds between two looks into the folder."""


class Watch:
    """Makes the films of one folder.

    Args:
        folder: where the sounds come in.
        job: of every film, but for sound and out; its out is the folder of the films.
        suffix: of the films; "" for folders of pictures.
        make: makes a film.
        rows: where each film is reported.
        settle: seconds for which a file must have stayed the same.

    """

    def __init__(
        self, folder: Path, job: RenderJob, suffix: str, make: MakeFilm, rows: FilmRows, settle: float
    ) -> None:
        self._folder, self._job, self._suffix, self._rows, self._settle = folder, job, suffix, rows, settle
        self._make_film = make
        self._key = job_key(job)
        self._record = WatchRecord(job.out)
        self._files = WholeFiles(folder, settle)
        self._unreadable = ""

    def forever(self) -> None:
        """Make films until a signal ends it. Films of files on record get no row."""
        while True:
            for sound, found in self._look():
                self._handle(sound, found, tell=False)
            time.sleep(POLL_S)

    def once(self) -> None:
        """Make the films of what is there now, and end; files that others still write into are rows too.

        Raises:
            InputError: the folder cannot be read.

        """
        idle = time.monotonic()
        while True:
            sounds = self._look()
            if self._unreadable:
                raise InputError(self._unreadable, "Choose another folder, or change its permissions.")
            for sound, found in sounds:
                self._handle(sound, found, tell=True)
                idle = time.monotonic()
            waiting = self._files.waiting()
            if not waiting or time.monotonic() - idle > 2 * self._settle + 2 * POLL_S:
                break
            time.sleep(min(POLL_S, self._settle))
        for sound, found in waiting:
            self._rows.unfinished(sound, self._out(sound), "still being written" if found.size else "empty")

    def _look(self) -> list[tuple[Path, Signature]]:
        """What is whole; nothing while the folder cannot be read, which is said once."""
        try:
            sounds = self._files.look()
        except OSError as error:
            message = f"{one_line(self._folder)} cannot be read: {error.strerror}"
            if message != self._unreadable:
                sys.stderr.write(f"{message}\n")
            self._unreadable = message
            return []
        self._unreadable = ""
        return sounds

    def _handle(self, sound: Path, found: Signature, *, tell: bool) -> None:
        if _changed(sound, found):  # while the films before it were made: it need not be whole
            return
        made, content = self._record.find(sound, found, self._key), ""
        if made is None:
            with suppress(OSError):  # making its film says what is wrong with it
                content = sha256(sound)
        made = made or self._record.find_content(content, self._key)
        if made is None:
            self._make(sound, found, content)
            return
        if tell:
            facts = {"frames": made.frames, "seconds": made.seconds}
            self._rows.add(FilmRow(sound, self._job.out / made.film, "was there", facts))
        self._files.handled(sound, found)

    def _make(self, sound: Path, found: Signature, content: str) -> None:
        def make(job: RenderJob, progress: Progress) -> RenderReport:
            try:
                return self._film(job, content, _unless_changed(sound, found, progress))
            except Exception as error:
                if _changed(sound, found):
                    raise TryLater from error
                raise

        job = replace(self._job, sound=sound, out=self._out(sound))
        try:
            row = self._rows.make(job, make)
        except TryLater:
            sys.stderr.write(f"{one_line(sound)} has changed; its film is begun again when it is whole\n")
            return
        self._files.handled(sound, found)
        if content and not row.code:
            self._keep(sound, found, content, row)

    def _keep(self, sound: Path, found: Signature, content: str, row: FilmRow) -> None:
        """Put a film on record; where that fails, the film itself still says what it was made from."""
        try:
            known = (sound.name, found.size, found.changed, content, self._key)
            self._record.add(Made(*known, row.out.name, row.facts["frames"], row.facts["seconds"]))
        except OutputError as error:
            report(error)

    def _out(self, sound: Path) -> Path:
        return film_of(sound, self._job.out, self._suffix)

    def _film(self, job: RenderJob, content: str, progress: Progress) -> RenderReport:
        """Make it under the first of its names that nothing else has: rain.mp4, rain-2.mp4 ..."""
        for out in names_after(job.out):
            if not _taken(out, job.sound, content, pictures=not self._suffix):
                with suppress(OfAnotherJob):
                    return self._make_film(replace(job, out=out), progress)
        raise RuntimeError("names do not end")


def _taken(out: Path, sound: Path, content: str, *, pictures: bool) -> bool:
    """Whether something else has this name than a film of the same sound."""
    sidecar = out / SIDECAR if pictures else sidecar_of(out)
    told = read_sidecar(sidecar)
    if told is not None:
        unknown = told.get(HASH, "") is None and told.get("sound") == str(sound)  # ended before the hash was known
        return told.get(HASH) != content and not unknown
    return out.exists() or out.is_symlink() or sidecar.exists()


def _changed(sound: Path, found: Signature) -> bool:
    try:
        return signature(sound) != found
    except OSError:
        return True


def _unless_changed(sound: Path, found: Signature, progress: Progress) -> Progress:
    def tell(done: int, total: int) -> None:
        if _changed(sound, found):
            raise TryLater
        progress(done, total)

    return tell
