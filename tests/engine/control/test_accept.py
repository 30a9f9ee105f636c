"""Values from outside: a valid change, or a refusal that says what to send."""

import math
from typing import Any

import pytest

from sonorama.engine.control.accept import LONGEST_TEXT, plain_names, valid_change
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import ValueRefused

AMOUNT = "/motion/coarse/amount"


def accepted(path: str, value: object, *names: str) -> Value:
    change = valid_change(SHOW, path, value, "test", lambda: names)
    assert change == Change(path, change.value, "test")
    assert type(change.value) is type(SHOW[path].default)
    return change.value


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (AMOUNT, 1, 1.0), (AMOUNT, 99.0, 2.0), (AMOUNT, -1e300, 0.0), (AMOUNT, True, 1.0),
        ("/look/seed", 2.6, 3), ("/look/seed", True, 1), ("/look/seed", -4, 0), ("/look/seed", 1e30, 2**31 - 1),
        ("/look/seed", 10**30, 2**31 - 1), ("/out/freeze", 1, True), ("/out/freeze", 0.0, False),
        ("/out/freeze", 0.2, False), ("/out/freeze", 0.5, True), ("/sound/tap", 1, True), ("/scene/recall", 99, 8),
        ("/motion/mode", "literal", "literal"),
        ("/sound/input", "", ""), ("/sound/input", "device:USB Audio", "device:USB Audio"),
        ("/sound/input", "loopback", "loopback"), ("/sound/channels", "3,4", "3,4"), ("/sound/channels", "", ""),
        ("/look/text", "x" * 5000, "x" * LONGEST_TEXT), ("/look/text", "", ""),
    ],
)  # fmt: skip
def test_the_nearest_allowed_value_of_the_right_type(path: str, value: object, expected: Value) -> None:
    assert accepted(path, value) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/nothing", 1), ("", 1), (AMOUNT, "loud"), (AMOUNT, None), (AMOUNT, [1]), (AMOUNT, {}), (AMOUNT, b"x"),
        (AMOUNT, math.nan), (AMOUNT, math.inf), (AMOUNT, -math.inf), ("/out/blackout", math.nan),
        ("/motion/mode", "mild"), ("/motion/mode", 1), ("/look/text", 5), ("/look/text", "\ud800"),
        ("/moves/1/source", "\ud800"), ("/moves/1/target", "x" * 100_000), ("/x" * 5000, 1), (AMOUNT, 10**400),
        ("/look/seed", -(10**400)), ("/sound/input", "file:/etc/passwd"), ("/sound/input", "tone:120"),
        ("/sound/input", "devices"), ("/sound/channels", "left"), ("/sound/channels", "1,"), ("/sound/channels", "1 2"),
    ],
)  # fmt: skip
def test_what_no_value_is_near_to_is_refused(path: str, value: Any) -> None:
    with pytest.raises(ValueRefused) as refused:
        accepted(path, value)
    assert len(refused.value.message) < 200 and refused.value.hint


@pytest.mark.parametrize("name", ["../up", "a/b", "/etc/passwd", "C:\\x", "x\0y", ".hidden", "", "not-installed"])
def test_a_world_is_opened_by_an_installed_name_only(name: str) -> None:
    names = plain_names({"shore", "../up", "a/b", "C:\\x", "x\0y", ".hidden", ""})
    assert names == {"shore"}
    with pytest.raises(ValueRefused, match="/engine/world does not take"):
        accepted("/engine/world", name, *names)
    assert accepted("/engine/world", "shore", *names) == "shore"


def test_without_names_nothing_is_opened() -> None:
    with pytest.raises(ValueRefused):
        valid_change(SHOW, "/engine/world", "shore", "test")
