"""What a bridge does wrong costs itself, never the show."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sonorama.engine.control.events import ShowEvents
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change
from sonorama.engine.errors import SonoramaError, ValueRefused
from sonorama.engine.faults import Faults
from sonorama.engine.plugins.registry import BRIDGES, names
from sonorama.engine.show.bridges import OWNERS, BridgeRunner, Port, say_unplayed

BAD = """
class Bad:
    def __init__(self, argument):
        self.argument, self.facts = argument, {"bad_port": 5, "fps": 9}
    def start(self, port):
        if self.argument == "stuck":
            raise OSError("no bus")
        port.subscribe(lambda changes: 1 / 0)
        port.subscribe_meters(lambda values: 1 / 0)
    def faults(self):
        return ["a line"] if self.argument != "mute" else 1 / 0
    def stop(self):
        raise RuntimeError("will not")
"""


@pytest.fixture(autouse=True)
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    info = tmp_path / "bad-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sonorama.bridges]\nbad = bad_bridge:Bad\n")
    (tmp_path / "bad_bridge.py").write_text(BAD)


def ports(faults: Faults | None = None, events: ShowEvents | None = None) -> Callable[[str], Port]:
    events = events or ShowEvents(faults or Faults())
    return lambda bridge: Port("test", {}, lambda change: None, events, bridge)


def test_one_that_is_given_twice() -> None:
    with pytest.raises(ValueRefused, match="--bridge bad:a is given twice"):
        BridgeRunner(["bad:a", "bad:a"], ports(), Faults())
    assert BridgeRunner(["bad:a", "bad:b"], ports(), Faults()).faults() == ["a line", "a line"]
    with pytest.raises(ValueRefused, match="The bridge ltc is given twice"):
        BridgeRunner(["ltc:1", "ltc:2"], ports(), Faults())


def test_its_failures_are_faults_of_the_show() -> None:
    faults = Faults()
    events = ShowEvents(faults)
    runner = BridgeRunner(["bad:mute"], ports(events=events), faults)
    runner.start()
    for publish in (
        lambda: events.changed.publish([Change("/look/seed", 1, "x")]),
        lambda: events.measured.publish({"/sound/level": 0.5}),
    ):
        faults.clear("bridge bad")
        publish()
        assert faults.recent() == ["The bridge bad failed: ZeroDivisionError: division by zero"]
    faults.clear("bridge bad")
    assert runner.faults() == []
    runner.close()
    assert faults.recent() == ["The bridge bad failed: RuntimeError: will not"]


def test_facts_begin_with_its_name() -> None:
    runner = BridgeRunner(["bad"], ports(), Faults())
    assert runner.facts == {"bad_port": 5}
    assert runner.faults() == ["a line"]


def test_one_that_cannot_start_is_two_lines() -> None:
    with pytest.raises(SonoramaError, match="The bridge bad does not start: OSError: no bus") as caught:
        BridgeRunner(["bad:stuck"], ports(), Faults()).start()
    assert len(str(caught.value).splitlines()) == 2
    with pytest.raises(SonoramaError, match="There is no bridge called 'bat'") as caught:
        BridgeRunner(["bat"], ports(), Faults())
    assert caught.value.hint == "Did you mean bad?"


@pytest.mark.parametrize(
    ("path", "value"),
    [("/no/such", 1), ("/look/seed", "x"), ("/look/seed", float("nan")), ("/engine/world", "/etc/passwd"),
     ("/engine/world", "nowhere"), ("/engine/device", "abacus")],
)  # fmt: skip
def test_the_port_refuses_what_no_bridge_may_set(path: str, value: object) -> None:
    with pytest.raises(ValueRefused):
        ports()("test").post(Change(path, value, "test"))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("bridges", "said"), [((), True), (("query", "midi-clock"), True), (("midi:virtual=1",), False)]
)
def test_parameters_of_a_bridge_that_is_not_there_are_said_to_do_nothing(bridges: tuple[str, ...], said: bool) -> None:
    faults = Faults()
    events = ShowEvents(faults)
    say_unplayed(bridges, events, faults)
    events.changed.publish([Change("/look/seed", 1, "x"), Change("/midi/learn", "", "x")])
    assert faults.recent() == []
    events.changed.publish([Change("/midi/learn", "/look/drift", "x")])
    wanted = ["/midi/learn does nothing: this show was started without --bridge midi."]
    assert faults.recent() == wanted * said


def test_every_bridge_with_parameters_below_its_name_is_known() -> None:
    assert {name for name in names(BRIDGES, ()) if any(path.startswith(f"/{name}/") for path in SHOW)} == OWNERS
