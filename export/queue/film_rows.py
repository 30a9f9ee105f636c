"""What came of each film of a list: a table at the end, or one JSON line a film as soon as it is done."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from ...engine.cli.main import EXIT_REFUSED, explain, note_nonfinite
from ...engine.cli.progress import Progress, raise_interruption
from ...engine.errors import needing_extra, one_line, one_line_error
from ..commands import as_text, report_facts

if TYPE_CHECKING:
    from ..render import Progress as TellProgress
    from ..render import RenderJob, RenderReport

State = Literal["made", "was there", "failed", "unfinished"]
MakeFilm = Callable[["RenderJob", "TellProgress"], "RenderReport"]


class TryLater(Exception):
    """The film cannot be made as yet."""


@dataclass(frozen=True)
class FilmRow:
    """One film.

    Attributes:
        sound: what it is made from.
        out: the film, or where it should have been.
        state: `made` now, `was there` already, `failed`, or `unfinished`: the sound is still being written.
        facts: what --json says about the film, see `report_facts`; empty for one that is not there.
        error: what is wrong, in one line.
        code: exit code of the command on its account.

    """

    sound: Path
    out: Path
    state: State
    facts: dict[str, Any]
    error: str = ""
    code: int = 0

    def as_json(self) -> str:
        """One line."""
        told = {"sound": str(self.sound), "out": str(self.out), "state": self.state, **self.facts}
        return json.dumps(told | ({"error": self.error} if self.error else {})) + "\n"

    def cells(self) -> tuple[str, ...]:
        """Its row of the table."""
        length = f"{self.facts['seconds']:.2f} s" if "seconds" in self.facts else "-"
        what = f"{self.state}: {self.error}" if self.error else self.state
        return one_line(self.sound), one_line(self.out), str(self.facts.get("frames", "-")), length, what


class FilmRows:
    """The rows so far. As a context manager, writes the table when left, also by a signal.

    Args:
        as_json: write one JSON line for each row at once, and no table.
        debug: write the tracebacks of films that failed.

    """

    def __init__(self, *, as_json: bool, debug: bool) -> None:
        self._as_json, self._debug = as_json, debug
        self.rows: list[FilmRow] = []

    @property
    def code(self) -> int:
        """Exit code: 1 if any film met a fault of the program, else 2 if any failed, else 0."""
        codes = {row.code for row in self.rows} - {0}
        return min(codes, default=0)

    def add(self, row: FilmRow) -> None:
        """Add a row."""
        self.rows.append(row)
        if self._as_json:
            sys.stdout.write(row.as_json())
            sys.stdout.flush()

    def make(self, job: RenderJob, make: MakeFilm) -> FilmRow:
        """Make a film and add its row; whatever is wrong with it is written to stderr, and is no error here.

        Raises:
            TryLater: `make` did; there is no row then.

        """
        try:
            with needing_extra(), Progress(f"render {one_line(job.sound.name)}") as progress:
                report = make(job, progress)
        except TryLater:
            raise
        except Exception as error:  # noqa: BLE001 (one bad file does not stop the others)
            raise_interruption()  # which may have become that error on its way up
            row = FilmRow(job.sound, job.out, "failed", {}, one_line_error(error), explain(error, self._debug))
        else:
            sys.stderr.write(as_text(report))
            if report.had_nonfinite:
                note_nonfinite(job.sound)
            state = "was there" if report.was_there else "made"
            row = FilmRow(job.sound, report.out, state, report_facts(report))
        self.add(row)
        return row

    def unfinished(self, sound: Path, out: Path, why: str) -> None:
        """Add the row of a sound that is not whole."""
        self.add(FilmRow(sound, out, "unfinished", {}, f"the file is {why}", EXIT_REFUSED))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._as_json and not (error is not None and not self.rows):
            with suppress(OSError):  # the terminal may have gone
                sys.stdout.write(table(self.rows))
                sys.stdout.flush()


def table(rows: list[FilmRow]) -> str:
    """Rows as text in columns, and a line that counts them."""
    failed = sum(bool(row.code) for row in rows)
    films = f"{len(rows)} {'film' if len(rows) == 1 else 'films'}"
    counted = f"{films}, {failed} of them not made\n" if failed else f"{films}\n"
    if not rows:
        return counted
    cells = [("sound", "film", "frames", "length", ""), *(row.cells() for row in rows)]
    wide = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = [
        f"{sound:{wide[0]}}  {out:{wide[1]}}  {frames:>{wide[2]}}  {length:>{wide[3]}}  {what}".rstrip()
        for sound, out, frames, length, what in cells
    ]
    return "\n".join(lines) + f"\n\n{counted}"
