"""Taking datagrams apart: what is let through, what is not and why, and how long it takes over the worst."""

import struct
import time
from pathlib import Path

import pytest

from sonorama.engine.osc.messages import parse
from sonorama.engine.osc.patterns import matches
from sonorama.engine.osc.validation import unpack

from .osc_helpers import KILLERS, NEGATIVE, STARS, bundle, message, parsed, text

CASES = Path(__file__).parents[2] / "data" / "vj"
COLOUR = ("/sonorama/unknown/colour", ",r")
GOOD = message("/sonorama/out/master", "f", 0.5)


@pytest.mark.parametrize(
    "packet",
    [
        GOOD,
        message("/a"),
        text("/a"),
        message("/a", "ifhdTFsNb", 1, 0.5, 2, 0.25, "word", b"12345"),
        message("/a", "b", b""),
        bundle(),
        bundle(GOOD, GOOD),
        bundle(bundle(bundle(bundle(GOOD)))),
        bundle(*[GOOD] * 257),
        bundle(*[bundle(*[GOOD] * 128)] * 2),
        bundle(*[message("/a", "T")] * 4096),
        message("/" + "*" * 8, "i", 1),
        message("/" + "a" * 254, "i", 1),
        message("/a", "T" * 256),
    ],
)
def test_what_is_whole_passes_unchanged(packet: bytes) -> None:
    messages, refused = unpack(packet)
    assert not refused
    assert len(messages) == packet.count(b",") + (packet == text("/a"))
    assert all(parse(one) is not None and one.data in packet for one in messages)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"/",
        b"/abc",
        GOOD[:-1],
        GOOD[:-4],
        GOOD + b"\0\0\0\0",
        b"abc\0,\0\0\0",
        text("/a") + text("f"),
        message("/\xe9", "i", 1),
        message("/a", "c") + b"\0\0\0a",
        message("/a", "r") + b"\0\0\0a",
        message("/a", "[T]"),
        text("/a") + text(",s") + b"abcd",
        text("/a") + text(",s") + text(b"\xff\xfe"),
        text("/a") + text(",b") + struct.pack(">i", -1),
        text("/a") + text(",b") + struct.pack(">i", 2**31 - 1),
        text("/a") + text(",b") + struct.pack(">i", 8) + b"\0\0\0\0",
        b"#bundle\0",
        b"#bundle\0\0\0\0\0",
        NEGATIVE,
        b"#bundle\0" + struct.pack(">Qi", 1, 0),
        b"#bundle\0" + struct.pack(">Qi", 1, 6) + b"/a\0\0\0\0\0\0",
        b"#bundle\0" + struct.pack(">Qi", 1, 400) + GOOD,
        bundle(bundle(bundle(bundle(bundle(GOOD))))),
        bundle(b"what\0\0\0\0"),
        STARS,
        message("/" + "*" * 9, "i", 1),
        message("/" + "a" * 255, "i", 1),
        message("/a", "T" * 257),
    ],
)
def test_what_is_broken_or_too_much_does_not(packet: bytes) -> None:
    messages, refused = unpack(packet)
    assert messages == []
    assert len(refused) == 1
    assert refused[0].reason


def test_a_refused_message_costs_its_neighbours_nothing() -> None:
    packet = bundle(GOOD, message("/a/colour", "fr", 0.5) + b"\0\0\0a", bundle(b"what\0\0\0\0", GOOD), GOOD)
    messages, refused = unpack(packet)
    assert [one.data for one in messages] == [GOOD] * 3
    (colour, other) = refused
    assert colour[:2] == ("/a/colour", ",fr")
    assert "'r'" in colour.reason
    assert other[:2] == ("", "")


def test_what_comes_before_a_wrong_size_counts() -> None:
    messages, refused = unpack(bundle(GOOD, GOOD)[:-4])
    assert [one.data for one in messages] == [GOOD]
    assert "wrong size" in refused[0].reason


@pytest.mark.parametrize(
    ("name", "count", "refused"), [("osc-bundle-257.bin", 257, []), ("osc-bundle-one-colour.bin", 10, [COLOUR])]
)
def test_bundles_of_other_programs(name: str, count: int, refused: list[tuple[str, str]]) -> None:
    contents = unpack((CASES / name).read_bytes())
    assert len(contents.messages) == count
    assert [one[:2] for one in contents.refused] == refused


def test_symbols_are_strings_and_impulses_nil() -> None:
    messages = parsed(bundle(message("/a", "SiI", "word", 3)))
    assert [(one.address, one.arguments) for one in messages] == [("/a", ["word", 3, None])]


def test_order_and_time_tags_of_nested_bundles() -> None:
    at = 1_000_000_000.5
    packet = bundle(message("/a"), bundle(message("/b"), message("/c"), at=at), message("/d"), at=1.0)
    assert [(one.address, one.at) for one in parsed(packet)] == [("/a", 1.0), ("/b", at), ("/c", at), ("/d", 1.0)]
    assert parsed(bundle(message("/a")))[0].at == 0.0


@pytest.mark.parametrize(
    "packet", [*KILLERS, bundle(*[GOOD] * 250), b"#bundle\0" * 8000, message("/a", "s", "x" * 60_000)]
)
def test_the_worst_takes_no_time(packet: bytes) -> None:
    spent = []
    for _ in range(5):
        begun = time.perf_counter()
        unpack(packet)
        spent.append(time.perf_counter() - begun)
    assert min(spent) < 0.005


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("/a/b", ["/a/b"], ["/a/bc", "/a", "/a/b/c"]),
        ("/a/*", ["/a/b", "/a/"], ["/a", "/a/b/c"]),
        ("/*/b", ["/a/b"], ["/a/c"]),
        ("/a*c*e", ["/ace", "/abcde", "/acce"], ["/abcd", "/acef", "/bace"]),
        ("/?", ["/a"], ["/", "/ab"]),
        ("/[a-c]x", ["/ax", "/cx"], ["/dx", "/x"]),
        ("/[!a-c]x", ["/dx"], ["/ax", "/x"]),
        ("/[a-]x", ["/ax", "/-x"], ["/bx"]),
        ("/{bass,mid}", ["/bass", "/mid"], ["/high", "/bassmid"]),
        ("/{a,ab}c*", ["/ac", "/abc", "/abcd"], ["/abd"]),
        ("/{,x}y", ["/y", "/xy"], ["/xxy"]),
        ("/a[b", [], ["/ab", "/a[b"]),
        ("/a{b", [], ["/ab", "/a{b"]),
        ("/a]", [], ["/a", "/a]"]),
    ],
)
def test_address_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [address for address in yes if not matches(pattern, address)] == []
    assert [address for address in no if matches(pattern, address)] == []


def test_patterns_do_not_backtrack() -> None:
    begun = time.perf_counter()
    assert not matches("/" + "*a" * 120 + "b", "/" + "a" * 250)
    assert not matches("/" + "{a,aa}" * 40 + "b", "/" + "a" * 250)
    assert time.perf_counter() - begun < 1.0
