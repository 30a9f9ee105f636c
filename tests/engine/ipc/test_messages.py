"""Messages keep what they say on the way, and whatever arrives in their place does no harm."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sonorama.engine.ipc.message_codec import LENIENT, decode, encode
from sonorama.engine.ipc.messages import (
    MESSAGES,
    Applied,
    Change,
    Changed,
    Hello,
    Message,
    RendererStatus,
    Set,
    Start,
    Status,
    Values,
    message_type,
)

PAGE = Path(__file__).parents[3] / "docs" / "channel.md"
CHANGES = [Change("/look/seed", 7, "panel"), Change("/a/b", 1.0, "scene", 2.5), Change("/c", True, "x"),
           Change("/look/text", 'grün \n "', "osc:1.2.3.4:5")]  # fmt: skip
SAMPLES: dict[str, Any] = {
    "str": "x", "int": 3, "float": 0.5, "bool": True, "list[Change]": CHANGES, "list[float]": [0.25, 1.0],
    "dict[str, Value]": {"/a": 1, "/b": 1.0, "/c": False, "/d": "x"}, "list[tuple[str, Value]]": [("/a", 1.0)],
    "list[tuple[str, Value, str]]": [("/a", 1, "osc")], "Value": "shore", "dict[str, float]": {"/a": 0.5},
    "dict[str, str]": {"/a": "lfo"}, "tuple[float, ...]": (0.5,) * 32, "tuple[str, ...]": ("no room",),
    "tuple[tuple[str, float], ...]": (("rain", 0.5),), "tuple[bool, ...]": (True, False) * 4,
    "list[tuple[int, list[Change]]]": [(3, CHANGES)], "tuple[int, int] | None": (5, 7350),
    "list[tuple[int, int]]": [(12, 9)],
}  # fmt: skip


def sample(kind: type[Message]) -> Message:
    """One with all fields set."""
    names: dict[str, Any] = {}
    for base in kind.__mro__:
        names = dict(getattr(base, "__annotations__", {})) | names
    return kind(**{name: SAMPLES[str(names[name])] for name in kind.__struct_fields__})


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_message_arrives_as_it_was_sent(kind: type[Message]) -> None:
    sent = sample(kind)
    line = encode(sent)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert json.loads(line)["type"] == message_type(kind.__name__)
    got = decode(line)
    assert got == sent and type(got) is kind
    if isinstance(got, Applied):
        assert [type(one.value) for one in got.changes] == [int, float, bool, str]


def test_every_message_stands_in_the_list() -> None:
    def below(kind: type[Message]) -> set[type[Message]]:
        return {kind} | {one for sub in kind.__subclasses__() for one in below(sub)}

    assert {kind.__name__ for kind in below(Message)} == {kind.__name__ for kind in MESSAGES} | {"Message", "Measured"}


def test_the_page_lists_every_message_and_field() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sections = {part.split("`", 1)[0]: part for part in page.split("\n### `")[1:]}
    assert set(sections) == {message_type(kind.__name__) for kind in MESSAGES}
    for kind in MESSAGES:
        own = sections[message_type(kind.__name__)]
        own += page if issubclass(kind, Status | RendererStatus) else ""  # they share a table
        for field in msgspec.structs.fields(kind):
            assert f"| `{field.name}` |" in own, (kind.__name__, field.name)


def decoded(**fields: Any) -> Message | None:
    return decode(json.dumps(fields).encode())


def test_of_a_status_what_does_not_fit_is_left_out() -> None:
    odd = decoded(type="status", fps="many", scores=[1, ["a"], ["rain", 7], ["x", None]], mel="x", effective=3,
               faults=None, scenes=[True] * 9, late=3, level=0.5, drivers={"/a": 1, "/b": "lfo"},
               newer=[1])  # fmt: skip
    assert odd == Status(scores=(("rain", 1.0),), scenes=(True,) * 8, late=3, level=0.5, drivers={"/b": "lfo"})
    assert isinstance(odd, Status) and len(odd.mel) == 32 and odd.db == -120.0
    assert decoded(type="status") == Status()


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ([["/a", 1], [1, 2], ["/b"], ["/c", None], ["/d", [1]], None, 5, ["/e", 1, 2], ["/f", True]],
         [("/a", 1), ("/f", True)]),
        ([["/a", 10**400]], [("/a", 10**400)]),
        ([], []),
    ],
)  # fmt: skip
def test_of_a_set_the_entries_that_fit_are_left(changes: Any, left: Any) -> None:
    assert decoded(type="set", changes=changes) == Set(left)


def test_what_a_newer_show_says_besides_is_passed_over() -> None:
    assert decoded(type="hello", name="x", osc_port="none", colour=3) == Hello(name="x")
    assert decoded(type="values", values={"/a": None, "/b": 2.0, "/c": [1]}) == Values({"/b": 2.0})
    assert decoded(type="changed", changes=[["/a", 1, "osc"], ["/b", 2], 5]) == Changed([("/a", 1, "osc")])


@pytest.mark.parametrize("kind", [kind for kind in MESSAGES if kind not in LENIENT.values()])
def test_within_a_show_nothing_is_left_out(kind: type[Message]) -> None:
    whole = json.loads(encode(sample(kind)))
    for name in kind.__struct_fields__:
        assert decoded(**{**whole, name: {"odd": [None]}}) is None, name


@pytest.mark.parametrize(
    "line", [b"", b"7", b"[1]", b"null", b'"set"', b"{", b'{"type":"set","changes":[["/a",1e400]]}']
)
def test_what_is_no_object_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(line)


def test_depth_is_limited() -> None:
    for line in (b'{"type":"start","x":' + b"[" * 100_000, b'{"a":' * 100_000, b'{"type":' + b"[" * 100_000):
        with pytest.raises((RecursionError, ValueError)):
            decode(line)


def test_a_start_of_few_words_is_whole() -> None:
    start = decoded(type="start", values={"/a": 1.0}, state_file="x")
    assert start == Start(values={"/a": 1.0}, state_file="x")
    assert isinstance(start, Start) and start.fresh is None and start.journal == []
