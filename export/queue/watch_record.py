"""Which sounds of a watched folder have their film: `sonorama.watch` in the folder of the films."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...engine.control.assignments import start_values
from ...engine.control.live_table import FILM
from ...engine.errors import OutputError
from ...engine.files.atomic import write_bytes
from ...engine.files.fingerprint import MADE_BY
from ...engine.files.lock import only_one
from ..render import RenderJob
from ..sidecar import to_json
from .whole_files import Signature

RECORD = "sonorama.watch"
_KIND = "films of watched folders"
_NOT_THE_FILM = ("sound", "out", "command", "overwrite", "to_stdout", "jobs", "ray")


@dataclass(frozen=True)
class Made:
    """A film that was made.

    Attributes:
        sound: name of its file.
        bytes, changed: size and time of that file, by which it is known without reading it.
        sha256: of its content.
        job: see `job_key`.
        film: its name.
        frames, seconds: its length.

    """

    sound: str
    bytes: int
    changed: int
    sha256: str
    job: str
    film: str
    frames: int
    seconds: float


class WatchRecord:
    """The record of one folder of films; always whole on disk.

    Raises:
        OutputError: a file of its name is something else.

    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / RECORD
        self._made: list[Made] = []
        if os.path.lexists(self._path):
            self._made = _read(self._path)

    def find(self, sound: Path, as_it_is: Signature, job: str) -> Made | None:
        """The film of a file that has not changed since."""
        known = (sound.name, as_it_is.size, as_it_is.changed, job)
        return next((one for one in self._made if (one.sound, one.bytes, one.changed, one.job) == known), None)

    def find_content(self, sha256: str, job: str) -> Made | None:
        """The film of a content, under whatever name."""
        return next((one for one in self._made if (one.sha256, one.job) == (sha256, job)), None)

    def add(self, made: Made) -> None:
        """Put a film on record. Raises OutputError."""
        self._made.append(made)
        films = [asdict(one) for one in self._made]
        write_bytes(self._path, to_json({"made_by": MADE_BY, "record_of": _KIND, "films": films}))


def _read(path: Path) -> list[Made]:
    try:
        told = json.loads(path.read_text("utf-8"))
        if not path.is_symlink() and told["made_by"] == MADE_BY and told["record_of"] == _KIND:
            return [Made(**one) for one in told["films"]]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        pass
    raise OutputError(f"{path} is no record of sonorama's", "Choose another folder, or move that file away.")


def job_key(job: RenderJob) -> str:
    """A hash of all that was asked for but the sound: equal for equal films of equal sounds.

    Only what differs from the defaults counts, so that parameters that later versions add change nothing.
    """
    standard = start_values((), FILM)
    asked: dict[str, Any] = {}
    for one in fields(job):
        value = getattr(job, one.name)
        default = one.default if one.default_factory is MISSING else one.default_factory()
        if one.name == "values":
            value = {path: said for path, said in sorted(value.items()) if standard.get(path) != said}
        if one.name not in _NOT_THE_FILM and value != default:
            asked[one.name] = value
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


@contextmanager
def only_watch(folder: Path) -> Iterator[None]:
    """Keep a second watch from writing into a folder.

    Raises:
        OutputError: there is one already.

    """
    if os.name == "nt":  # where a folder cannot be opened, and nothing is locked
        yield
        return
    refused = OutputError(f"Another sonorama watch writes into {folder}", "End it first, or choose another folder.")
    with only_one(os.open(folder, os.O_RDONLY), refused):
        yield
