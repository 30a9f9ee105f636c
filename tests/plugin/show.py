"""A show for tests of bridges: its values follow what a bridge posts."""

from collections.abc import Callable, Iterable, Mapping

from sonorama.engine.control.accept import valid_change
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Parameter, Value
from sonorama.engine.units import Samples


class Show:
    """What BridgePort says, in one thread. second: what `second_at` adds to the monotonic time."""

    table: Mapping[str, Parameter] = SHOW
    name = "test"

    def __init__(self, second: float = 0.0) -> None:
        self._values: dict[str, Value] = {path: param.default for path, param in SHOW.items()}
        self.posted: list[Change] = []
        self.batches: list[tuple[Change, ...]] = []
        self.tell: list[Callable[[Iterable[Change]], None]] = []
        self.taken: dict[int, Callable[[Samples, int, int], None]] = {}
        self._second = second

    @property
    def values(self) -> Mapping[str, Value]:
        return dict(self._values)

    def post(self, *changes: Change) -> None:
        accepted = [valid_change(SHOW, one.path, one.value, one.source) for one in changes]
        self.batches.append(tuple(accepted))
        self.posted += accepted
        self._values |= {one.path: one.value for one in accepted if not SHOW[one.path].event}
        for callback in self.tell:
            callback(accepted)

    def set(self, path: str, value: Value) -> None:
        """Somebody else changes a value."""
        self.post(Change(path, value, "osc"))

    def subscribe(self, callback: Callable[[Iterable[Change]], None]) -> None:
        self.tell.append(callback)

    def subscribe_meters(self, callback: Callable[[Mapping[str, Value]], None]) -> None:
        del callback

    def take_channel(self, number: int, callback: Callable[[Samples, int, int], None]) -> None:
        self.taken[number] = callback

    def second_at(self, monotonic_ns: int) -> float:
        return monotonic_ns / 1e9 + self._second
