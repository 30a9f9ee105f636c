"""The bridges of a show, and the port through which each of them sees it (interfaces/bridges.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from ..control.accept import Accept, valid_change
from ..control.live_table import SHOW
from ..control.parameters import Change, Parameter, Value
from ..errors import SonoramaError, one_line_error
from ..faults import Faults
from ..osc.bridge import installed_names
from ..plugins.interfaces import Bridge
from ..plugins.registry import BRIDGES, PluginUnknown, make

FAST = ("/out/blackout", "/out/freeze", "/out/panic")
"""Parameters that overtake everything that waits."""
_ACCEPT = partial(valid_change, SHOW, names=installed_names)


class Port:
    """The show as one bridge sees it; see BridgePort.

    Args:
        name: of the show.
        values: the value that was set last at every address.
        post: takes a valid change; any thread, never waits.
        fast: as `post`, for changes of FAST.
        accept: makes a valid change of what a bridge asks for; by default with the names of installed worlds.

    """

    table: Mapping[str, Parameter] = SHOW

    def __init__(
        self,
        name: str,
        values: Callable[[], Mapping[str, Value]],
        post: Callable[[Change], None],
        fast: Callable[[Change], None],
        accept: Accept = _ACCEPT,
    ) -> None:
        self.name = name
        self._values, self._accept, self._post, self._fast = values, accept, post, fast
        self.changed: list[Callable[[Iterable[Change]], None]] = []
        self.metered: list[Callable[[Mapping[str, Value]], None]] = []

    @property
    def values(self) -> Mapping[str, Value]:
        """See BridgePort."""
        return dict(self._values())

    def post(self, change: Change) -> None:
        """See BridgePort.

        Raises:
            ValueRefused: see BridgePort.

        """
        accepted = replace(self._accept(change.path, change.value, change.source), over=change.over)
        (self._fast if change.path in FAST else self._post)(accepted)

    def subscribe(self, callback: Callable[[Iterable[Change]], None]) -> None:
        """See BridgePort."""
        self.changed.append(callback)

    def subscribe_meters(self, callback: Callable[[Mapping[str, Value]], None]) -> None:
        """See BridgePort."""
        self.metered.append(callback)


class BridgeRunner:
    """Starts, feeds and stops the bridges of a show. A bridge that fails costs its own message only.

    Args:
        specs: `NAME` or `NAME:ARGUMENT` each.
        port: makes a port.
        faults: where to report what goes wrong.

    Raises:
        SonoramaError: an unknown bridge, one that does not load, or an argument that it refuses.

    """

    def __init__(self, specs: Sequence[str], port: Callable[[], Port], faults: Faults) -> None:
        self._faults = faults
        self._bridges: list[tuple[str, Bridge, Port]] = []
        for spec in specs:
            name, _, argument = spec.partition(":")
            self._bridges.append((name, make(BRIDGES, name, argument), port()))

    def start(self) -> None:
        """Start all.

        Raises:
            SonoramaError: one cannot be opened; those before it were stopped.

        """
        try:
            for name, bridge, port in self._bridges:
                try:
                    bridge.start(port)
                except SonoramaError:
                    raise
                except Exception as error:
                    message = f"The bridge {name} does not start: {one_line_error(error)}"
                    raise PluginUnknown(message, "Leave it out, and tell its authors.") from error
        except SonoramaError:
            self.close()
            raise

    def publish(self, changes: list[Change]) -> None:
        """Tell all of changes that now hold."""
        for name, _, port in self._bridges:
            for callback in port.changed:
                self._guarded(name, callback, changes)

    def send_values(self, values: Mapping[str, Value]) -> None:
        """Tell all of meters and words: address to value."""
        for name, _, port in self._bridges:
            for callback in port.metered:
                self._guarded(name, callback, values)

    def _guarded(self, name: str, callback: Callable[[Any], object], value: object) -> None:
        try:
            callback(value)
        except Exception as error:  # noqa: BLE001 (a plug-in may raise anything, and the show goes on)
            self._faults.note(f"bridge {name}", f"The bridge {name} failed: {one_line_error(error)}", error)

    @property
    def facts(self) -> dict[str, Value]:
        """What all of them publish, as far as its name begins with the bridge's and `_`; of two bridges of one name the
        first.
        """
        facts: dict[str, Value] = {}
        for name, bridge, _ in self._bridges:
            self._guarded(name, lambda one: facts.update({**one.facts, **facts}), bridge)
        starts = tuple(f"{name.replace('-', '_')}_" for name, _, _ in self._bridges)
        return {fact: value for fact, value in facts.items() if fact.startswith(starts)}

    def faults(self) -> list[str]:
        """What went wrong in all of them, one line each."""
        lines: list[str] = []
        for name, bridge, _ in self._bridges:
            self._guarded(name, lambda one: lines.extend(map(str, one.faults())), bridge)
        return lines

    def close(self) -> None:
        """Stop all; may be called twice."""
        for name, bridge, _ in self._bridges:
            self._guarded(name, lambda one: one.stop(), bridge)
