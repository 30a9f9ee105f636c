"""The thread of a gamepad bridge: takes movements, and moves what is held on."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Sequence

from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import TimedOut, ValueRefused, one_line, one_line_error
from sonorama.engine.faults import Faults
from sonorama.engine.plugins.interfaces import BridgePort

from .mapping import Line, Mapped
from .pads import Moved, Pads, known_controls

TURN_S, ADVANCE_S = 0.005, 0.02
START_S = 15.0
SOURCE = "gamepad"


class Worker:
    """The bridge at work, from `start` to `close`.

    Args:
        port: the show.
        lines: the map.
        wanted, dead: see Pads.

    Raises:
        SonoramaError: the map does not fit the show.

    """

    def __init__(self, port: BridgePort, lines: Sequence[Line], wanted: Sequence[str], dead: float) -> None:
        self._port, self._wanted, self._dead = port, wanted, dead
        known = known_controls()
        self._mapped = [Mapped(line, port.table, known) for line in lines]
        self._paths = {one.param.path for one in self._mapped}
        self._values = dict(port.values)
        self._held: dict[str, dict[int, float]] = {}  # control -> gamepad -> where it is, unless at rest
        self._news: queue.SimpleQueue[list[Change]] = queue.SimpleQueue()
        self._faults = Faults()
        self._why: Exception | None = None
        self._ready, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="gamepad", daemon=True)
        self._pads: Pads | None = None

    def start(self) -> None:
        """Begin.

        Raises:
            SonoramaError: SDL does not start, or not in time.

        """
        self._port.subscribe(self._changed)
        self._thread.start()
        if not self._ready.wait(START_S):
            raise TimedOut("SDL takes too long to start", "Try again, with less to do for this machine.")
        if self._why is not None:
            raise self._why

    def close(self) -> None:
        """End; may be called twice."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(3.0)

    @property
    def names(self) -> str:
        """Gamepads that play, in one line."""
        return "" if self._pads is None else one_line(", ".join(self._pads.names))

    def problems(self) -> list[str]:
        """What is wrong now, one line each."""
        lines, pads = self._faults.recent(), self._pads
        if pads is not None:
            unknown = (one_line(name) for name in pads.unknown)
            lines += [f"{name} has a layout that SDL does not know: see docs/control.md" for name in unknown]
            if not pads.names:
                wanted = f" whose name contains {' or '.join(self._wanted)}" if self._wanted else ""
                lines.append(f"No gamepad{wanted} is connected")
        return lines

    def _changed(self, changes: Iterable[Change]) -> None:
        news = [one for one in changes if one.path in self._paths and one.source != SOURCE]
        if news:
            self._news.put(news)

    # --- the thread; SDL wants all of its calls from one

    def _run(self) -> None:
        try:
            self._pads = Pads(self._wanted, self._dead)
        except Exception as error:  # noqa: BLE001 (`start` raises it)
            self._why = error
            return
        finally:
            self._ready.set()
        before = time.monotonic()
        while not self._closing.wait(TURN_S):
            try:
                self._hear_news()
                for moved in self._pads.poll():
                    self._move(moved)
                if (now := time.monotonic()) - before >= ADVANCE_S:
                    self._advance(now - before)
                    before = now
            except Exception as error:  # noqa: BLE001 (whatever one movement does, the next one must be taken)
                self._faults.note("move", f"A movement failed and was skipped: {one_line_error(error)}", error)
        self._pads.close()

    def _hear_news(self) -> None:
        while not self._news.empty():
            for change in self._news.get():
                self._values[change.path] = change.value
                for one in self._mapped:
                    if one.param.path == change.path:
                        one.changed()

    def _move(self, moved: Moved) -> None:
        """Of several gamepads that hold a control, the one that holds it furthest counts."""
        held = self._held.setdefault(moved.control, {})
        before = max(held.values(), key=abs, default=0.0)
        if moved.position:
            held[moved.pad] = moved.position
        else:
            held.pop(moved.pad, None)
        position = max(held.values(), key=abs, default=0.0)
        if position == before:
            return
        hit = [one for one in self._mapped if one.line.control == moved.control]
        made = [(one, one.moved(position, self._values[one.param.path])) for one in hit]
        self._post([(one, value) for one, value in made if value is not None])

    def _advance(self, seconds: float) -> None:
        moving = [one for one in self._mapped if one.moving]
        made = [(one, one.advance(seconds, self._values[one.param.path])) for one in moving]
        self._post([(one, value) for one, value in made if value != self._values[one.param.path]])

    def _post(self, values: Sequence[tuple[Mapped, Value]]) -> None:
        if not values:
            return
        try:
            self._port.post(*(Change(one.param.path, value, SOURCE) for one, value in values))
        except ValueRefused as error:
            self._faults.note("value", f"{error.message}. {error.hint}")
            return
        for one, value in values:
            if not one.param.event:
                self._values[one.param.path] = value
                for other in self._mapped:
                    if other is not one and other.param.path == one.param.path:
                        other.changed()
