"""Plays the cue list: which cue is next, and when it follows by itself.

It only says which cue is played; the control state makes changes of it, which takes and panels see as all others.
`offer` may be called from any thread, all else belongs to the control loop.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from ..control.addresses import CUE_GO, CUE_GOTO
from ..control.cues import Cue, CueList
from ..control.parameters import Change, Value
from ..errors import ValueRefused
from .shuffle import Shuffle

FOLLOW_ON = "follow-on"
"""Source of changes by which a cue comes by itself."""
LATE_S = 1.0
"""A cue that follows later than this, as after a standstill, does not make the next ones come earlier."""
MISSED = timedelta(hours=1)
"""Times of the day that passed longer ago than this, as while the computer slept, are missed."""
LEAST_S = 0.1
"""Seconds that a cue stays at least, so that a list that loops without waits leaves time for everything else."""
LEAP_S = 2.0
"""The sound file's position moves by less than this between two looks, unless somebody moved it."""
BACK_S = 0.1
"""A step back that is smaller is no movement: positions follow the clock of the sound's blocks, which come unevenly."""


class CuePlayer:
    """The state of a cue list that is played.

    Args:
        cues: the list.
        clock: monotonic time in seconds.
        day: gives the local time.
        rng: source of chance for a random order.

    Attributes:
        cues: the list that is played.
        current: number of the cue that was played last; 0: none yet.
        running: whether cues come by themselves: from GO until stop.
        playlist: whether the first cue follows the last, whatever the list says.
        file: path of the list's file.

    """

    def __init__(
        self,
        cues: CueList | None = None,
        clock: Callable[[], float] = time.monotonic,
        day: Callable[[], datetime] = datetime.now,
        rng: random.Random | None = None,
    ) -> None:
        self.cues = cues or CueList()
        self._clock, self._day, self._shuffle = clock, day, Shuffle(rng)
        self.current, self.running, self.playlist, self.file = 0, False, False, ""
        self._cue: Cue | None = None  # the current one, as it was last if it is no longer in the list
        self._base: float | None = None  # when the current cue began, while its wait runs
        self._asked = False
        self._chosen = 0  # the next one of a random order
        self._offered: CueList | None = None
        self._looked, self._position = day(), -1.0
        self._lost: tuple[float, float] | None = None  # position of timecode that has dropped out, and when that was
        self._stopped = False  # by somebody, so that not even timecode goes on

    # -- what people ask for; each gives the cue to be played, and raises ValueRefused where there is none

    def go(self) -> Cue:
        """The next cue, now; a wait that runs is over."""
        if (cue := self.next) is None:
            raise self._none_left()
        return self._play(cue, self._clock())

    def back(self) -> Cue:
        """The cue before the one that was played last. The next one then waits for GO."""
        before = [cue for cue in self.cues.cues if cue.number < self.current]
        if not before:
            raise ValueRefused("There is no cue before this one", "Go on with /cue/go.")
        cue = self._play(before[-1], self._clock())
        self._base = None
        return cue

    def goto(self, number: int) -> Cue:
        """The cue of that number."""
        if (cue := self.cues.find(number)) is None:
            raise ValueRefused(f"There is no cue {number}", "The tab CUES of the panel has the list.")
        return self._play(cue, self._clock())

    def follow_on(self) -> Cue | None:
        """The next cue, if its time has come and nobody was faster."""
        cue, left = self.next, self.left
        if not self._asked or cue is None or left is None:
            return None
        now = self._clock()
        return self._play(cue, now + left if left > -LATE_S else now)

    def stop(self) -> None:
        """No cue comes by itself any more, until the next GO."""
        self.running, self._base, self._asked, self._stopped = False, None, False, True

    def resume(self, number: int) -> None:
        """Go on as if that cue, whose values hold already, had begun now."""
        if (cue := self.cues.find(number)) is not None:
            self._play(cue, self._clock())

    def _play(self, cue: Cue, at: float) -> Cue:
        self._cue, self.current, self.running, self._stopped = cue, cue.number, True, False
        self._base, self._asked, self._chosen = at, False, 0
        return cue

    def _none_left(self) -> ValueRefused:
        if not self.cues.cues:
            return ValueRefused("There is no cue", "Add some in the panel's tab CUES.")
        return ValueRefused("The cue list has ended", f"/cue/goto {self.cues.cues[0].number} begins it again.")

    # -- what comes next

    @property
    def next(self) -> Cue | None:
        """The cue that GO plays; None at the end."""
        numbers = self.cues.numbers()
        if not numbers:
            return None
        if self.cues.random:
            if self._chosen not in numbers:
                self._chosen = self._shuffle.choose(numbers, self.current)
            return self.cues.find(self._chosen)
        later = [number for number in numbers if number > self.current]
        around = later or (numbers if self.cues.loop or self.playlist else [])
        return self.cues.find(around[0]) if around else None

    @property
    def left(self) -> float | None:
        """Seconds until the next cue follows; None: it waits for GO."""
        wait = self._cue.wait if self._cue is not None else None
        if self._base is None or wait is None or self.next is None:
            return None
        return self._base + max(wait, LEAST_S) - self._clock()

    @property
    def facts(self) -> dict[str, Value]:
        """For panels and bridges. `now`, `next`: number and name of the cue that was played last and of the next, empty
        for none. `left`: seconds until that follows by itself, -1: it waits for GO. `running`, `file`: see above.
        """
        now, following, left = self._cue, self.next, self.left
        return {
            "now": now.label if now else "",
            "next": following.label if following else "",
            "left": -1.0 if left is None else round(max(0.0, left), 1),
            "running": self.running,
            "file": self.file,
        }

    def offer(self, cues: CueList) -> None:
        """The file was changed. Any thread."""
        self._offered = cues

    def look(self, position: float | None, chases: bool = False) -> Change | None:
        """What is due now: the change by which a cue comes by itself.

        position: seconds in the sound file, or by timecode; None where there is none. chases: it is by timecode, which
        needs no GO, and which plays the cue of the place to which it has jumped.
        """
        if self._offered is not None:
            self.cues, self._offered = self._offered, None
            self._cue = self.cues.find(self.current) or self._cue
        left = self.left
        if self.running and not self._asked and left is not None and left <= 0:
            self._asked = True
            return Change(CUE_GO, True, FOLLOW_ON)
        timed = self._of_day() if self.running else 0
        if sound := self._of_sound(position, chases):
            timed = timed or (sound if self.running or (chases and not self._stopped) else 0)
        return Change(CUE_GOTO, timed, FOLLOW_ON) if timed else None

    def _of_day(self) -> int:
        """Number of the cue whose time of the day has come since the last look; 0: none."""
        before, now = self._looked, self._day()
        self._looked = now
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        due: list[tuple[datetime, int]] = []
        for cue in self.cues.cues:
            if cue.at is not None:
                times = (midnight + timedelta(days=day, seconds=cue.at) for day in (-1, 0))
                due += [(at, cue.number) for at in times if before < at <= now and now - at < MISSED]
        return max(due)[1] if due else 0

    def _of_sound(self, position: float | None, chases: bool) -> int:
        """Number of the cue whose time of the sound was passed since the last look; 0: none."""
        if position is None:
            self._lost = (self._position, self._clock()) if chases and self._position >= 0 else self._lost
            self._position = -1.0
            return 0
        ran_on = chases and self._ran_on(position)
        before = self._position
        if 0 < before - position < BACK_S:
            return 0
        self._position = position
        jumped = not (ran_on or 0 <= position - before < LEAP_S)
        start = before
        if jumped:
            start = -1.0 if chases or position < LEAP_S else position
        passed = [(cue.sound, cue.number) for cue in self.cues.cues if cue.sound is not None]
        passed = [one for one in passed if start < one[0] <= position]
        number = max(passed)[1] if passed else 0
        return 0 if jumped and chases and number == self.current else number

    def _ran_on(self, position: float) -> bool:
        """Whether timecode has come back after a drop-out where it would be by now; it goes on from where it was."""
        lost, self._lost = self._lost, None
        if lost is None or abs(lost[0] + self._clock() - lost[1] - position) >= LEAP_S:
            return False
        self._position = min(lost[0], position)
        return True
