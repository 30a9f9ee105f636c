"""From arguments to values: every kind, every type, every entry of the table."""

import math
from functools import partial
from itertools import count
from typing import Any

import pytest

from sonorama.engine.control.accept import valid_change
from sonorama.engine.control.class_addresses import to_slot
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Parameter
from sonorama.engine.osc.counters import OscCounters
from sonorama.engine.osc.patterns import matches
from sonorama.engine.osc.routing import Accepted, Router

ME, YOU = ("127.0.0.1", 50_000), ("127.0.0.1", 50_001)
every = pytest.mark.parametrize("param", SHOW.values(), ids=SHOW)


@pytest.fixture
def tally() -> OscCounters:
    return OscCounters()


@pytest.fixture
def routes(tally: OscCounters) -> Router:
    return Router(SHOW, tally, partial(valid_change, SHOW, names=lambda: {"shore"}))


def heard(routes: Router, path: str, *arguments: Any, sender: tuple[str, int] = ME) -> list[tuple[str, Any]]:
    return [(one.change.path, one.change.value) for one in routes.changes("/sonorama" + path, arguments, sender)]


@every
def test_every_control_hears_its_own_address(routes: Router, param: Parameter) -> None:
    text = {"/sound/input": "device:USB Audio", "/sound/channels": "3,4"}.get(param.path, "shore")
    value: Any = param.choices[-1] if param.choices else text if param.kind == "text" else param.high
    expected = True if param.kind in ("switch", "trigger") else value
    (accepted,) = routes.changes("/sonorama" + param.path, [value], ME)
    assert accepted == Accepted(Change(param.path, expected, "osc:127.0.0.1:50000"), value)
    assert type(accepted.change.value) is type(param.default)


def test_a_target_may_be_the_address_as_it_was_copied(routes: Router, tally: OscCounters) -> None:
    assert heard(routes, "/moves/5/target", "/sonorama/look/drift") == [("/moves/5/target", "/look/drift")]
    assert heard(routes, "/moves/5/target", "/sonorama/look/drfit") == []
    assert "Did you mean /look/drift?" in tally.faults()[0]
    assert heard(routes, "/moves/6/target", "nonsense") == []
    assert all(len(line) < 300 for line in tally.faults())


@every
def test_numbers_are_clamped(routes: Router, param: Parameter) -> None:
    for number in (-1e300, -(2**62), -1, -0.5, 0, 0.3, 1, 2.5, 99, 2**62, 1e300, True, False):
        for address in (param.path, param.path + "/norm"):
            for path, value in heard(routes, address, number):
                assert path == param.path
                assert param.clip(value) == value
                assert type(value) is type(param.default)


@every
def test_a_wrong_type_changes_nothing_and_is_counted(routes: Router, tally: OscCounters, param: Parameter) -> None:
    wrongs = [math.nan, math.inf, -math.inf, b"blob", ["list"]]
    wrongs += [None] if param.kind != "trigger" else []
    wrongs += ["no such word"] if param.kind != "text" or param.load else []
    for wrong in wrongs:
        assert heard(routes, param.path, wrong) == []
    assert tally.counts["wrong_type"] == len(wrongs)
    assert len(tally.faults()) == 1
    assert param.path in tally.faults()[0]


@pytest.mark.parametrize("number", [1.5, 1.5 + 2**-40, 1])
def test_numbers_of_all_types_do(routes: Router, number: float) -> None:
    assert heard(routes, "/motion/coarse/amount", number) == [("/motion/coarse/amount", number)]


def test_norm_goes_along_the_curve(routes: Router) -> None:
    param = SHOW["/motion/coarse/inertia"]
    for position, expected in ((0.5, param.from_norm(0.5)), (-3, param.low), (7.0, param.high)):
        assert heard(routes, param.path + "/norm", position) == [(param.path, expected)]
    assert heard(routes, "/out/freeze/norm", 1) == []


def test_a_choice_takes_its_word_or_its_place(routes: Router) -> None:
    choices = SHOW["/out/flip"].choices
    assert [heard(routes, "/out/flip", place)[0][1] for place in (-1, 0, 1.0, 2, 3, 99)] == [
        choices[0], choices[0], choices[1], choices[2], choices[3], choices[3],
    ]  # fmt: skip
    assert heard(routes, "/out/flip", "vertical") == [("/out/flip", "vertical")]


def test_every_1_triggers_and_a_fader_once_for_each_sender(tally: OscCounters) -> None:
    routes = Router(SHOW, tally, clock=count(0.0, 0.2).__next__)
    tap = [("/sound/tap", True)]
    assert [heard(routes, "/sound/tap", number) for number in (0, 1, 1, 1.0, True, 0.0, 1, False, 0.5)] == [
        [], tap, tap, tap, tap, [], tap, [], tap,
    ]  # fmt: skip
    assert [heard(routes, "/sound/tap", number) for number in (0.4, 0.6, 0.7, 1.0, 0.8, 0.4, 0.6)] == [
        [], tap, [], [], [], [], tap,
    ]  # fmt: skip
    assert heard(routes, "/sound/tap", 1, sender=YOU) == tap
    assert heard(routes, "/sound/resync", 1) == [("/sound/resync", True)]


def test_a_channel_that_goes_on_sending_1_acts_once(tally: OscCounters) -> None:
    """As TouchDesigner sends a button that is held, 60 times a second."""
    routes = Router(SHOW, tally, clock=count(0.0, 1 / 60).__next__)
    assert [len(heard(routes, "/sound/tap", number)) for number in (0, 1, *[1] * 300, 0, 1, 1)] == [
        0, 1, *[0] * 300, 0, 1, 0,
    ]  # fmt: skip


def test_a_button_without_release_always_acts(routes: Router) -> None:
    for arguments in ((), (None,), ("bang",), (), ("bang",)):
        assert heard(routes, "/sound/tap", *arguments) == [("/sound/tap", True)]


def test_a_slot_acts_on_every_number_but_0(routes: Router) -> None:
    numbers = (0, 3, 3, 8.0, 9, -1, 0.2, 2.4)
    assert [[value for _, value in heard(routes, "/scene/recall", number)] for number in numbers] == [
        [], [3], [3], [8], [8], [], [], [2],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["../up", "a/b", "/etc/passwd", "C:\\x", "x\0y", ".hidden", "", "not-installed"])
def test_a_world_is_called_by_an_installed_name_only(routes: Router, tally: OscCounters, name: str) -> None:
    assert heard(routes, "/engine/world", name) == []
    assert tally.counts["wrong_type"] == 1
    assert heard(routes, "/engine/world", "shore") == [("/engine/world", "shore")]


def test_no_world_without_a_list_of_them(tally: OscCounters) -> None:
    assert heard(Router(SHOW, tally), "/engine/world", "shore") == []


def test_text_has_a_length(routes: Router) -> None:
    assert heard(routes, "/look/text", "x" * 5000) == [("/look/text", "x" * 1000)]


@pytest.mark.parametrize(
    "pattern",
    [
        "/motion/*/mute",
        "/motion/{coarse,fine}/amount",
        "/moves/[2-4]/depth",
        "/*/*",
        "/motion/*/amount/norm",
        "/so?nd/gain",
    ],
)
def test_a_pattern_reaches_what_it_names(routes: Router, pattern: str) -> None:
    expected = {path for path in SHOW if matches(pattern.removesuffix("/norm"), path)}
    assert expected
    assert {param.path for param, _ in routes.named("/sonorama" + pattern)} == expected
    numbers = [path for path in expected if SHOW[path].kind not in ("text",)]
    assert {path for path, _ in heard(routes, pattern, 1)} == set(numbers)


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/motion/coarse", "/OUT/master", "/x*", "/out/master/", "/out/["]
)
def test_an_unknown_address_is_counted(routes: Router, tally: OscCounters, path: str) -> None:
    assert heard(routes, path, 1.0) == []
    assert tally.counts["unknown"] == 1


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/sonorama/Out/Master", "/sonorama/out/master"),
        ("/sonorama/out/master/", "/sonorama/out/master"),
        ("//sonorama//out/master", "/sonorama/out/master"),
        ("/out/master", "/sonorama/out/master"),
        ("/sonorama/moves/4.000/depth", "/sonorama/moves/4/depth"),
        ("/sonorama/moves/4.0/depth/norm", "/sonorama/moves/4/depth/norm"),
        ("/sonorama/MEANING/raining/mute", "/sonorama/meaning/raining/mute"),
        ("/sonorama/look/trunkation", "/sonorama/look/truncation"),
        ("/sonorama/motion/midd/amount/norm", "/sonorama/motion/mid/amount/norm"),
        ("/1/fader3", None),
        ("/sonorama/picture/nonsense", None),
        ("/sonorama/unknown/3", None),
    ],
)
def test_an_unknown_address_gets_the_one_that_was_meant(
    routes: Router, tally: OscCounters, sent: str, meant: str | None
) -> None:
    assert list(routes.changes(sent, [1.0], ME)) == []
    (line,) = tally.faults()
    assert sent in line
    assert (f"did you mean {meant}?" in line) if meant else ("docs/osc.md" in line)


@pytest.mark.parametrize(
    ("sent", "range_"), [("/sonorama/moves/9/source", "1 to 8"), ("/sonorama/blend/0/seed", "1 to 8")]
)
def test_a_number_too_many_gets_the_numbers_there_are(
    routes: Router, tally: OscCounters, sent: str, range_: str
) -> None:
    heard(routes, sent.removeprefix("/sonorama"), 1.0)
    assert tally.faults()[0].endswith(f": there are {range_}")


def test_of_many_unknown_addresses_each_is_named(routes: Router, tally: OscCounters) -> None:
    for number in range(5000):
        heard(routes, f"/unknown/{number % 7}", 1.0)
    assert [f"/sonorama/unknown/{number}" in line for number, line in enumerate(tally.faults())] == [True] * 7
    for number in range(5000):
        heard(routes, f"/further/{number}", 1.0)
    assert len(tally.faults()) == 9
    assert tally.counts["unknown"] == 10_000
    assert heard(routes, "/*/nothing", 1) == []


@pytest.mark.parametrize(
    ("sent", "on"), [(0.0, False), (0.49, False), (0.5, True), (0.51, True), (1, True), (-1, False)]
)
def test_floats_switch_at_a_half(routes: Router, sent: float, on: bool) -> None:
    assert heard(routes, "/motion/mid/mute", sent) == [("/motion/mid/mute", on)]
    assert heard(routes, "/sound/tap", sent) == ([("/sound/tap", True)] if on else [])


def test_words_of_a_choice_in_any_letters(routes: Router) -> None:
    assert heard(routes, "/moves/4/source", "Bass") == [("/moves/4/source", "bass")]
    assert heard(routes, "/moves/4/source", "BEAT") == [("/moves/4/source", "beat")]
    assert heard(routes, "/moves/4/target", "/sonorama/Look/Drift") == [("/moves/4/target", "/look/drift")]


def test_a_refused_value_is_named_with_its_type(routes: Router, tally: OscCounters) -> None:
    heard(routes, "/out/master", "loud")
    heard(routes, "/motion/mid/amount", b"x")
    heard(routes, "/motion/coarse/amount", None)
    assert [line.partition(": ")[2] for line in tally.faults()] == [
        "/out/master does not take ,s 'loud'. Send 0 to 1.",
        "/motion/mid/amount does not take a blob (,b). Send 0 to 2.",
        "/motion/coarse/amount does not take a message without a value. Send 0 to 2.",
    ]


def test_faults_are_limited_and_fade() -> None:
    now = 100.0
    tally = OscCounters(lambda: now)
    for number in range(1000):
        tally.count("unknown", f"fault {number}")
    assert tally.faults() == ["fault 0"]
    now += 6.0
    assert tally.faults() == ["fault 999 (and 998 more before it)"]
    now += 2.0
    tally.count("unknown", "another")
    assert tally.faults() == ["fault 999 (and 998 more before it)"]
    now += 4.0
    assert tally.faults() == ["another"]
    now += 20.0
    assert tally.faults() == []
    assert tally.counts["unknown"] == 1001


def test_memory_of_senders_and_patterns_is_bounded(routes: Router) -> None:
    for port in range(10_000):
        heard(routes, "/sound/tap", 1, sender=("127.0.0.1", port))
        heard(routes, f"/*/{port}")
    assert len(routes._pressed) <= 4096
    assert len(routes._named) <= 256


def test_a_class_stands_for_its_slot(tally: OscCounters) -> None:
    def accept(path: str, value: object, source: str) -> Change:
        return valid_change(SHOW, to_slot(path, ("rain", "fire")), value, source)

    routes = Router(SHOW, tally, accept)
    assert heard(routes, "/meaning/fire/amount", 0.5) == [("/meaning/2/amount", 0.5)]
    assert heard(routes, "/meaning/fire/amount/norm", 1.0) == [("/meaning/2/amount", 2.0)]
    assert heard(routes, "/meaning/rain/mute", 1) == [("/meaning/1/mute", True)]
    assert heard(routes, "/meaning/sea/mute", 1) == heard(routes, "/meaning/rain/mute/norm", 1) == []
    assert heard(routes, "/meaning/rain/colour", 1) == []
    assert tally.counts["wrong_type"] == 1 and "no class 'sea'" in tally.faults()[0]
