"""Takes read again: what is cut, damaged or strange is read as far as it goes, or refused in two lines."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from sonorama.engine.audio.sample_ring import SampleRingWriter
from sonorama.engine.errors import InputError, SonoramaError
from sonorama.engine.take.reader import Take, read_take

from .take_helpers import VALUES, make
from .take_helpers import ring as ring


@pytest.fixture
def kept(ring: SampleRingWriter, tmp_path: Path) -> Path:
    return make(tmp_path / "x.take", ring)


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_take(folder)
    assert len(str(caught.value).splitlines()) == 2
    return caught.value.message


def edit(folder: Path, **changed: Any) -> None:
    told = json.loads((folder / "take.json").read_text())
    (folder / "take.json").write_text(json.dumps({**told, **changed}))


def test_the_last_line_may_be_cut_anywhere(kept: Path) -> None:
    path = kept / "events.jsonl"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    with_it, without = read_take(kept), None
    for end in range(first - 1, 0, -7):
        path.write_bytes(whole[:end])
        without = read_take(kept)
        assert len(without.changes.get(3, [])) in (0, 2)
    assert without is not None
    assert not without.changes
    path.write_bytes(whole + bytes(500))  # what a power cut leaves of a file that grew
    assert read_take(kept).changes == with_it.changes


@pytest.mark.parametrize(
    "line",
    [
        "words",
        "{}",
        "[]",
        '{"frame": 1}',
        '{"frame": -1, "sample": 0}',
        '{"frame": 1.0, "sample": 0}',
        '{"frame": true, "sample": 0}',
        '{"frame": 1e400, "sample": 0}',
        '{"frame": 99999999999999999999999, "sample": 0}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", 1, "osc"]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/sed", 1, "osc", 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", "one", "osc", 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", [1], "osc", 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", NaN, "osc", 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", 1e999, "osc", 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/truncation", -1e999, "osc", 0]]}',
        '{"frame": 1, "sample": 0, "fresh": {"/look/truncation": 1e999}}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", 1, 2, 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", 1, "osc", -1]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", 1, "osc", 1e999]]}',
        '{"frame": 1, "sample": 0, "set": [["/moves/1/source", "telepathy", "osc", 0]]}',
        '{"frame": 1, "sample": 0, "deaf": [5, 3]}',
        '{"frame": 1, "sample": 0, "deaf": 5}',
        '{"frame": 1, "sample": 0, "held": [[3, 3]]}',
        '{"frame": 1, "sample": 0, "held": [[3]]}',
        '{"frame": 1, "sample": 0, "held": 5}',
        '{"frame": 1, "sample": 0, "fresh": []}',
        '{"frame": 1, "sample": 0, "fresh": {"/look/sed": 1}}',
        '{"frame": 1, "sample": 0, "opened": ["shore"]}',
        '{"frame": 1, "sample": 0, "set": "x"}',
        '{"frame": 1, "sample": 0, "device": ["cpu"]}',
        '{"frame": 1, "sample": 0, "precision": 16}',
        '{"frame": 1, "sample": 0, "restart": "one"}',
        "[" * 100_000,
        "\udcff",
        "1" * 5000,
    ],
)
def test_a_damaged_line_is_refused_by_its_number(kept: Path, line: str) -> None:
    path = kept / "events.jsonl"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], line.encode("utf-8", "surrogateescape"), *lines[1:]]))
    assert refused(kept).startswith(f"Line 2 of {path} is damaged: ")
    assert "_change" not in refused(kept)


def test_events_of_later_versions_are_passed_over(kept: Path) -> None:
    with (kept / "events.jsonl").open("a") as file:
        file.write('{"frame": 1, "sample": 0, "smell": "lavender"}\n')
    assert read_take(kept).changes


@pytest.mark.parametrize(
    "changed",
    [
        {"format": "sonorama-world"},
        {"version": 2},
        {"version": "1"},
        {"fps": "0"},
        {"fps": "-30"},
        {"fps": 30},
        {"fps": "30/0"},
        {"fps": "1e999999999"},
        {"rate": 48000},
        {"size": [1]},
        {"size": "64x64"},
        {"size": [0, 64]},
        {"size": [64, -1]},
        {"size": [True, 64]},
        {"size": [99_999_999, 256]},
        {"size": [256, 16_385]},
        {"world": "tiny"},
        {"world": {"name": "tiny"}},
        {"values": []},
        {"values": {"/look/sed": 1}},
        {"values": {"/look/seed": "one"}},
        {"values": {"/look/text": "\ud800"}},
        {"state": "../../secret"},
        {"frame": -1},
        {"sample": None},
        {"end": {"frame": 1}},
        {"end": 7},
        {"device": None},
        {"begun": 2026},
        {"seed": "one"},
    ],
)
def test_a_damaged_beginning_is_refused(kept: Path, changed: dict[str, Any]) -> None:
    edit(kept, **changed)
    assert str(kept / "take.json") in refused(kept)


@pytest.mark.parametrize("name", ["take.json", "events.jsonl", "audio.wav"])
def test_what_is_missing_or_foreign_is_refused(kept: Path, name: str) -> None:
    path = kept / name
    data = path.read_bytes()
    path.unlink()
    assert str(path) in refused(kept)
    path.mkdir()
    assert str(path) in refused(kept)
    path.rmdir()
    path.write_bytes(b"\xff\xfe\0words\n" + data[:50])
    assert str(path) in refused(kept)


def test_the_largest_and_the_smallest_size_are_read(kept: Path) -> None:
    edit(kept, size=[16_384, 1])
    assert read_take(kept).start.size == (16_384, 1)


def test_parameters_newer_than_the_take_leave_its_picture_as_it_was(kept: Path) -> None:
    edit(kept, values={"/look/seed": 5})
    assert read_take(kept).start.values == VALUES | {"/look/seed": 5, "/look/travel": 0.0, "/look/sway": 0.0}


def test_without_an_end_it_ends_where_its_sound_does(kept: Path) -> None:
    edit(kept, end=None)
    events = kept / "events.jsonl"
    events.write_bytes(b'{"frame": 10, "sample": 14700, "set": [["/engine/fps", 60.0, "osc", 0.0]]}\n')
    take = read_take(kept)
    assert (take.whole, take.end_frame, take.end_sample) == (False, 10 + 40, 14700 + 40 * 735)
    assert take.length == take.end_sample + 735
    events.write_bytes(
        b'{"frame": 10, "sample": 14700, "fresh": {"/engine/fps": 25.0}}\n'
        b'{"frame": 99, "sample": 999999, "set": [["/engine/fps", 60.0, "osc", 0.0]]}\n'
    )
    take = read_take(kept)
    assert (take.end_frame, take.end_sample) == (10 + 16, 14700 + 16 * 1764)


def test_an_end_past_the_sound_does_not_count(kept: Path) -> None:
    edit(kept, end={"frame": 10**12, "sample": 10**12})
    take = read_take(kept)
    assert (take.whole, take.end_frame, take.end_sample) == (False, 30, 30 * 1470)


@pytest.mark.parametrize("name", ["take.json", "events.jsonl", "audio.wav"])
def test_no_damage_gets_through_as_anything_else(kept: Path, name: str) -> None:
    """Takes with some bytes changed, cut out or doubled: each is read, or refused in two lines."""
    path, dice = kept / name, random.Random(name)
    data = path.read_bytes()[:12_000]
    (kept / "audio.wav").write_bytes((kept / "audio.wav").read_bytes()[:4000])
    read = 0
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            at, length = dice.randrange(min(len(data), 100) if name == "audio.wav" else len(data)), dice.randint(0, 9)
            new = dice.choice([bytes(dice.choices(range(256), k=length)), damaged[at : at + length] * 2, b"", b"9"])
            damaged[at : at + length] = new
        path.write_bytes(damaged)
        try:
            take = read_take(kept)
        except SonoramaError as error:
            assert isinstance(error, InputError)
            assert len(str(error).splitlines()) == 2
        else:
            assert isinstance(take, Take)
            assert take.length > 0
            read += 1
    assert 0 < read < 300
