"""Interface of bridges: remote control by a network protocol or a device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ...control.parameters import Change, Parameter, Value
    from ...units import Samples


class BridgePort(Protocol):
    """The show as a bridge sees it: every parameter, to read, to set and to follow. Any thread may use it.

    Attributes:
        table: every parameter of the show by its address, such as `/motion/coarse/amount`, with its range and unit.
        name: of the show.

    """

    table: Mapping[str, Parameter]
    name: str

    @property
    def values(self) -> Mapping[str, Value]:
        """The value that was set last at every address; a copy."""
        ...

    def post(self, *changes: Change) -> None:
        """Ask for a change: `Change(address, value, source)`, where `source` says who asks, such as `midi`.
        Never waits. Numbers are clipped to the parameter's range. Blackout, freeze and panic act at once. Several
        changes act at the same frame.

        Raises:
            ValueRefused: no such address, or a value of the wrong type, or one that only a person at this machine may
                give, such as a path. Tell the sender; nothing else happens.

        """
        ...

    def subscribe(self, callback: Callable[[Iterable[Change]], None]) -> None:
        """Call `callback(changes)` with every change that now holds, whoever asked for it (also this bridge itself, so
        compare `source`). It is called from the show's control thread and must not wait.
        """
        ...

    def subscribe_meters(self, callback: Callable[[Mapping[str, Value]], None]) -> None:
        """Call `callback(values)` with what the show measures, by address: `/sound/level` and the other features with
        every frame; `/heard/1/label`, `/engine/fps`, `/health` and the like ten times a second. Must not wait.
        """
        ...

    def take_channel(self, number: int, callback: Callable[[Samples, int, int], None]) -> None:
        """Take a channel (from 1) of the show's input for this bridge, such as one with timecode: it is no longer part
        of the show's sound. `callback(samples, rate, captured_ns)` is called with each of its blocks, float32 [n] at
        `rate` Hz, and the monotonic nanoseconds of its last sample, from the thread that captures; it must not wait.
        Call this in `start`.
        """
        ...

    def second_at(self, monotonic_ns: int) -> float:
        """The second of the show's sound that is captured at a moment of `time.monotonic_ns()`, to some milliseconds;
        an external clock says by it when its beats are (`/clock/origin`).
        """
        ...


@runtime_checkable
class Bridge(Protocol):
    """A way to control the show from outside (`--bridge NAME:ARGUMENT`); OSC is one.

    The entry point (group `sonorama.bridges`) is a factory: `factory(argument: str) -> Bridge`, usually the class
    itself. The factory only reads the argument, and raises SonoramaError for a wrong one; sockets and devices are
    opened by `start`. A bridge runs threads of its own. What goes wrong in them must not end them. A bridge with an
    attribute `once = True` may be given once only.
    """

    @property
    def facts(self) -> Mapping[str, Value]:
        """What other programs should know while it runs, such as `{"osc_port": 9123}`: published in the show's session
        file and status. Names begin with the bridge's own and `_`; others are left out. Read from other threads, often.
        """
        ...

    def start(self, port: BridgePort) -> None:
        """Open sockets or devices and begin.

        Raises:
            SonoramaError: it cannot be opened; the show does not begin then.

        """
        ...

    def faults(self) -> Iterable[str]:
        """What went wrong in the last seconds, one line each; shown to the player. Called ten times a second."""
        ...

    def stop(self) -> None:
        """End threads and close everything; may be called twice, and without `start`."""
        ...
