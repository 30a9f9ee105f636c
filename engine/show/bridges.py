"""Bridges of a show, and the port through which a bridge reads and sets parameters (plugins/interfaces/bridges.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from ..audio.block_reader import TakeBlock
from ..control.accept import Accept, valid_change
from ..control.addresses import OUT_BLACKOUT, OUT_FREEZE, OUT_PANIC
from ..control.events import ShowEvents
from ..control.live_table import SHOW
from ..control.parameters import Change, Parameter, Value
from ..errors import SonoramaError, ValueRefused, one_line_error
from ..faults import Faults
from ..osc.bridge import installed_names, osc_argument
from ..plugins.interfaces import Bridge
from ..plugins.registry import BRIDGES, PluginUnknown, make
from .control_state import ControlState
from .plan import ShowPlan
from .sound import SoundInput

FAST = (OUT_BLACKOUT, OUT_FREEZE, OUT_PANIC)
"""Parameters that act ahead of all changes that wait."""
OWNERS = frozenset({"midi", "ableton"})
"""Bridges that have parameters of their own, below their names."""
_ACCEPT = partial(valid_change, SHOW, names=installed_names)


def _seconds(monotonic_ns: int) -> float:
    return monotonic_ns / 1e9


class Port:
    """The show as one bridge sees it; see BridgePort.

    Args:
        name: of the show.
        values: the value that was set last at every address.
        post: takes valid changes that belong together; any thread, never waits.
        events: of the show; changes of FAST are published as urgent before they are posted.
        bridge: name of the bridge.
        accept: makes a valid change of what a bridge asks for; by default with the names of installed worlds.
        second_at: monotonic nanoseconds -> second of the show's sound; by default that of the monotonic clock.
        take_channel: see BridgePort; by default there is no input.

    """

    table: Mapping[str, Parameter] = SHOW

    def __init__(
        self,
        name: str,
        values: Mapping[str, Value],
        post: Callable[..., None],
        events: ShowEvents,
        bridge: str,
        accept: Accept = _ACCEPT,
        second_at: Callable[[int], float] = _seconds,
        take_channel: Callable[[int, TakeBlock], None] = lambda _, __: None,
    ) -> None:
        self.name, self._second_at, self._take_channel = name, second_at, take_channel
        self._values, self._accept, self._post = values, accept, post
        self._events, self._bridge = events, f"bridge {bridge}"

    @property
    def values(self) -> Mapping[str, Value]:
        """See BridgePort."""
        return dict(self._values)

    def post(self, *changes: Change) -> None:
        """See BridgePort.

        Raises:
            ValueRefused: see BridgePort; then none of them is taken.

        """
        accepted = [replace(self._accept(one.path, one.value, one.source), over=one.over) for one in changes]
        for one in accepted:
            if one.path in FAST:
                self._events.urgent.publish(one)
        self._post(*accepted)

    def second_at(self, monotonic_ns: int) -> float:
        """See BridgePort."""
        return self._second_at(monotonic_ns)

    def take_channel(self, number: int, callback: TakeBlock) -> None:
        """See BridgePort."""
        self._take_channel(number, callback)

    def subscribe(self, callback: Callable[[Iterable[Change]], None]) -> None:
        """See BridgePort."""
        self._events.changed.subscribe(callback, self._bridge)

    def subscribe_meters(self, callback: Callable[[Mapping[str, Value]], None]) -> None:
        """See BridgePort."""
        self._events.measured.subscribe(callback, self._bridge)


class BridgeRunner:
    """Starts and stops the bridges of a show, and asks them for facts and faults; a bridge that raises is reported.

    Args:
        specs: `NAME` or `NAME:ARGUMENT` each.
        make_port: makes a port for the bridge of this name.
        faults: where to report what goes wrong.

    Raises:
        SonoramaError: an unknown bridge, one that does not load or is given twice, or an argument that it refuses.

    """

    def __init__(self, specs: Sequence[str], make_port: Callable[[str], Port], faults: Faults) -> None:
        self._faults = faults
        self._bridges: list[tuple[str, Bridge, Port]] = []
        twice = [spec for spec in specs if specs.count(spec) > 1]
        if twice:
            raise ValueRefused(f"--bridge {twice[0]} is given twice", "Once is enough.")
        for spec in specs:
            name, _, argument = spec.partition(":")
            bridge = make(BRIDGES, name, argument)
            if getattr(bridge, "once", False) and name in [other for other, _, _ in self._bridges]:
                raise ValueRefused(f"The bridge {name} is given twice, and runs once only", "Leave one of them out.")
            self._bridges.append((name, bridge, make_port(name)))

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

    def _guarded(self, name: str, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 (a plug-in may raise anything, and the show goes on)
            self._faults.note(f"bridge {name}", f"The bridge {name} failed: {one_line_error(error)}", error)

    @property
    def facts(self) -> dict[str, Value]:
        """What all of them publish, as far as its name begins with the bridge's and `_`; of two bridges of one name the
        first.
        """
        facts: dict[str, Value] = {}
        for name, bridge, _ in self._bridges:
            self._guarded(name, partial(_add_facts, facts, bridge))
        starts = tuple(f"{name.replace('-', '_')}_" for name, _, _ in self._bridges)
        return {fact: value for fact, value in facts.items() if fact.startswith(starts)}

    def faults(self) -> list[str]:
        """What went wrong in all of them, one line each."""
        lines: list[str] = []
        for name, bridge, _ in self._bridges:
            self._guarded(name, partial(_add_faults, lines, bridge))
        return lines

    def close(self) -> None:
        """Stop all; may be called twice."""
        for name, bridge, _ in self._bridges:
            self._guarded(name, bridge.stop)


def _add_facts(facts: dict[str, Value], bridge: Bridge) -> None:
    facts.update({**bridge.facts, **facts})


def _add_faults(lines: list[str], bridge: Bridge) -> None:
    lines.extend(map(str, bridge.faults()))


def say_unplayed(specs: Iterable[str], events: ShowEvents, faults: Faults) -> None:
    """Report a change of a parameter that belongs to a bridge which the show does not have."""
    missing = OWNERS - {spec.partition(":")[0] for spec in specs}

    def changed(changes: Iterable[Change]) -> None:
        for path in (c.path for c in changes if c.value != SHOW[c.path].default):
            if (owner := path.split("/")[1]) in missing:
                line = f"{path} does nothing: this show was started without --bridge {owner}."
                faults.note(f"no bridge {owner}", line)

    events.changed.subscribe(changed, "bridges that are missing")


def open_bridges(
    plan: ShowPlan, control_state: ControlState, post: Callable[..., None], events: ShowEvents, faults: Faults,
    sound: SoundInput,
) -> BridgeRunner:  # fmt: skip
    """OSC and the bridges of a plan, not started yet; see Port and BridgeRunner."""

    def make_port(bridge: str) -> Port:
        values, accept = control_state.values, control_state.accept
        return Port(plan.name, values, post, events, bridge, accept, sound.second_at, sound.capture.take_channel)

    osc = osc_argument(plan.osc_port, plan.osc_out, plan.osc_host, plan.osc_allow)
    say_unplayed(plan.bridges, events, faults)
    return BridgeRunner([f"osc:{osc}", *plan.bridges], make_port, faults)
