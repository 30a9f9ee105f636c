"""A queue of changes that keeps the last value of every parameter, and all events in order, up to a limit."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping

from .parameters import Change, Parameter, Value


class ChangeQueue:
    """Changes that wait to be applied.

    One thread takes; any thread may add. There are no locks: every step is a single operation on a dict or a deque,
    and only the thread that takes removes anything.

    Args:
        table: the parameters, which say what is an event.
        events: how many events wait at most; later ones are dropped. None: all of them wait.

    """

    EVENTS = 64
    """Default of `events`."""

    def __init__(self, table: Mapping[str, Parameter], events: int | None = EVENTS) -> None:
        self._table, self._bound = table, events
        self._values: dict[str, Change] = {}
        self._events: deque[Change] = deque()

    def add(self, changes: Iterable[Change]) -> None:
        """Let changes wait. An event with a value of 0 (a button let go, slot 0) asks for nothing and is left out.

        Raises:
            KeyError: an address that is not in the table; see `accept.py` for values from outside.

        """
        for change in changes:
            if not self._table[change.path].event:
                self._values[change.path] = change
            elif change.value and (self._bound is None or len(self._events) < self._bound):
                self._events.append(change)

    def take(self) -> list[Change]:
        """Everything that waits: values in the order in which their parameters were first asked for, then events."""
        return [*self._take_values(), *self._take_events()]

    def take_frame(self) -> list[Change]:
        """The changes of one frame: all values, and the first event of each address; further events keep waiting."""
        fired: dict[str, Change] = {}
        later: list[Change] = []
        for event in self._take_events():
            if event.path in fired:
                later.append(event)
            else:
                fired[event.path] = event
        self._events.extendleft(reversed(later))  # before what was added meanwhile
        return [*self._take_values(), *fired.values()]

    def settle(self, later: Collection[str] = ()) -> dict[str, Value]:
        """Take the values of all addresses but those of `later`, by address, such as a renderer can start with."""
        values = {path: change.value for path, change in self._values.items() if path not in later}
        for path in values:
            del self._values[path]
        return values

    @property
    def events(self) -> tuple[Change, ...]:
        """The events that wait, oldest first."""
        return tuple(self._events)

    def _take_values(self) -> list[Change]:
        return [self._values.pop(path) for path in list(self._values)]

    def _take_events(self) -> list[Change]:
        return [self._events.popleft() for _ in range(len(self._events))]
