"""The cue list of a show: read from its file, read again when the file changes, and played."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..control.addresses import CUE_GO
from ..control.cues import cue_file, read_cues
from ..control.events import ShowEvents
from ..control.live_table import SHOW
from ..control.parameters import Change
from ..errors import InputError, SonoramaError, ValueRefused
from .cue_player import CuePlayer
from .plan import ShowPlan

LOOK_S = 0.5
"""Seconds between two looks at the file."""


class CueFile:
    """Follows the file of a cue list.

    Args:
        path: of the file; need not exist.
        player: gets the list.
        fault: called with (kind, line) when something cannot be read.

    """

    def __init__(self, path: Path, player: CuePlayer, fault: Callable[[str, str], None]) -> None:
        self.path, self._player, self._fault = path, player, fault
        self._seen: tuple[int, int, int] | None = None
        self._is_missing = False
        self._due = 0.0

    def look(self) -> None:
        """Read the list if the file is another than before. It waits for the disk. A list that cannot be read is said,
        and the one before is played on; so it is where the file is missing at one look only, since editors write a file
        anew under its name.
        """
        try:
            facts = self.path.stat()
            now = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        except OSError:
            now = None
        was_missing, self._is_missing = self._is_missing, now is None
        if now == self._seen or (now is None and not was_missing):
            return
        self._seen = now
        try:
            cues = read_cues(self.path, SHOW)
        except SonoramaError as error:
            self._fault("cues", f"{error.message}. {error.hint}")
            return
        for line in cues.faults[:1]:
            more = f" (and {len(cues.faults) - 1} more)" if len(cues.faults) > 1 else ""
            self._fault("cues", line.rstrip(".") + more)
        self._player.offer(cues)

    def is_due(self) -> bool:
        """Whether it is time to look."""
        due = time.monotonic() >= self._due
        if due:
            self._due = time.monotonic() + LOOK_S
        return due


def open_player(plan: ShowPlan, fault: Callable[[str, str], None]) -> tuple[CuePlayer, CueFile]:
    """The player of a plan's cue list, and its file. A show that is resumed goes on without a list that it cannot have.

    Raises:
        SonoramaError: the file that the plan names is missing or cannot be read, or a playlist has no cue.

    """
    player = CuePlayer()
    file = CueFile(plan.cues or cue_file(plan.name), player, fault)
    player.playlist, player.file = plan.play, str(file.path.absolute())
    try:
        _check(plan, file.path, fault)
    except SonoramaError as error:
        if not plan.resumed:
            raise
        fault("cues", f"{error.message}. {error.hint}")
    file.look()
    player.look(None)
    if plan.cue:
        player.resume(plan.cue)
    return player, file


def _check(plan: ShowPlan, path: Path, fault: Callable[[str, str], None]) -> None:
    if plan.cues is not None and not plan.cues.is_file():
        raise InputError(f"{plan.cues} is no file", "Name a file of cues; docs/live.md describes it.")
    if plan.cues is None and not plan.play:
        return
    cues, play = read_cues(path, SHOW), plan.play
    if play and not cues.cues:
        hint = f"{cues.faults[0]}." if cues.faults else "Write some; docs/live.md describes the file."
        raise ValueRefused(f"There is no cue in {path}", hint)
    still = [cue.label for cue in cues.cues if cue.wait is None]
    if play and still:
        fault("playlist", f"Cue {still[0]} has no wait: it stays until GO or the time of another cue")


def play_cues(
    plan: ShowPlan,
    player: CuePlayer,
    file: CueFile,
    position_s: Callable[[], float | None],
    chases: Callable[[], bool],
    post: Callable[[Change], None],
    write: Callable[[str, Callable[[], None]], None],
    events: ShowEvents,
) -> None:
    """Let cues come when they are due, and changes of the file take effect.

    Args:
        plan: of the show.
        player: from `open_player`.
        file: from there, too.
        position_s: gives the second of the sound file that is heard, or of the timecode, or None.
        chases: whether it is of timecode.
        post: called with the change by which a cue comes by itself.
        write: called with (kind, job) for what waits for the disk, in another thread.
        events: of the show.

    """

    def look(_: object) -> None:
        if (change := player.look(position_s(), chases())) is not None:
            post(change)

    def follow_file(_: object) -> None:
        if file.is_due():
            write("cue list", file.look)

    events.meters.subscribe(look, "cue list")
    events.status.subscribe(look, "cue list")
    events.status.subscribe(follow_file, "cue list")
    if plan.play and not plan.cue:
        post(Change(CUE_GO, True, "command line"))
