"""The file of cues: what is read of it, what is left out, and that no file does harm."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from sonorama.engine.control.cues import (
    Cue,
    CueList,
    clock_time,
    length,
    parse_cues,
    read_cues,
    show_clock,
    show_length,
)
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.errors import InputError, ValueRefused

SEED = "/look/seed"
WHOLE = {
    "loop": True,
    "random": False,
    "cues": [
        {"number": 5, "name": "  Drop ", "scene": 2, "morph": 4, "wait": "1:30", "sound": "3:20.5"},
        {"number": 2, "set": {SEED: 7, "/out/blackout": True, "/meaning/rain/mute": True}, "at": "21:30"},
        {"scene": 1},
    ],
}


def test_cues_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "night.cues.json"
    path.write_text(json.dumps(WHOLE))
    values = {SEED: 7, "/out/blackout": True, "/meaning/rain/mute": True}
    assert read_cues(path, SHOW) == CueList(
        (
            Cue(2, values=values, at=77_400),
            Cue(3, scene=1),
            Cue(5, "Drop", 2, morph=4.0, wait=90.0, sound=200.5),
        ),
        loop=True,
    )
    assert read_cues(tmp_path / "none.json", SHOW) == CueList()


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"scene": 9}, "'9' is no scene"),
        ({"scene": True}, "is no scene"),
        ({"wait": -1}, "'-1' is no length of time"),
        ({"wait": float("nan")}, "is no length of time"),
        ({"at": "24:00"}, "'24:00' is no time of the day"),
        ({"at": 7}, "is no time of the day"),
        ({"name": "x" * 65}, "too long"),
        ({"name": "\x1b[31m" + "x" * 65}, "cannot be seen"),
        ({"morf": 2}, "'morf' is not known. Did you mean morph?"),
        ({"Wait": 2}, "'Wait' is not known. Did you mean wait?"),
        ({"set": [1]}, "is no object of addresses"),
        ({"set": {"/look/glow": 1, SEED: 3}}, "'/look/glow' is left out"),
        ({"set": {"/scene/store": 1}}, "'/scene/store' is left out"),
        ({"set": {SEED: [1]}}, "'/look/seed' is left out"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_read(entry: dict[str, Any], fault: str) -> None:
    found = parse_cues({"cues": [{"number": 4, **entry}, {"scene": 3}]}, SHOW, "x.json")
    assert found.numbers() == [4, 5] and found.cues[1] == Cue(5, scene=3)
    assert fault in found.faults[0] and found.faults[0].startswith("x.json: cue 4: ") and len(found.faults) == 1


def test_notes_of_people_are_no_faults() -> None:
    found = parse_cues({"cues": [{"number": 1, "note": "blue gel", "lamp": 3}], "venue": "hall"}, SHOW)
    assert found == CueList((Cue(1),))


@pytest.mark.parametrize(("key", "value"), [("loop", "no"), ("random", 1)])
def test_switches_of_the_list_are_true_or_false(key: str, value: object) -> None:
    found = parse_cues({key: value, "cues": [{}]}, SHOW, "x.json")
    assert found.faults == (f"x.json: {key}: '{value}' is neither true nor false",)
    assert not found.loop and not found.random


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "notepad.json"
    path.write_text('{"cues": [{"name": "\u00e4"}]}', encoding="utf-8-sig")
    assert read_cues(path, SHOW).cues == (Cue(1, "\u00e4"),)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b'{\n"cues": [}', "line 2: Expecting value"),
        ('{"a": 1}'.encode("utf-16"), "no text in UTF-8"),
        (b"[]", "no JSON object"),
        (b"[" * 100_000, "too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
    ],
)
def test_what_is_no_cue_list_is_said_for_people(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "night.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"night\.json is not a valid cue list") as caught:
        read_cues(path, SHOW)
    assert reason in caught.value.message and caught.value.hint == "Correct it in a text editor."
    (tmp_path / ".older").mkdir()
    (tmp_path / ".older" / "night.json.1").touch()
    with pytest.raises(InputError) as caught:
        read_cues(path, SHOW)
    assert caught.value.hint == f"Older versions are in {tmp_path / '.older'}."


@pytest.mark.parametrize("row", [{"number": 1}, {"number": 0}, {"number": 10_000}, {"number": "2"}, {"number": 1.5}, 7])
def test_a_cue_without_a_number_of_its_own_is_left_out(row: object) -> None:
    found = parse_cues({"cues": [{"number": 1, "scene": 1}, row]}, SHOW)
    assert found.cues == (Cue(1, scene=1),) and "a cue is left out" in found.faults[0]


def test_times_are_written_as_people_do() -> None:
    assert [clock_time(text) for text in ("0:00", "9:05", "23:59:59")] == [0, 32_700, 86_399]
    assert [length(said) for said in (2, 0.5, "90", "1:30", "1:00:00.25")] == [2, 0.5, 90, 90, 3600.25]
    for said in ("", "x", "1:2:3:4", True, None, 1e9, "-1"):
        with pytest.raises(ValueRefused):
            length(said)
    dice = random.Random(1)
    for _ in range(200):
        seconds = round(dice.uniform(0, 9000), dice.randrange(4))
        assert length(show_length(seconds)) == pytest.approx(seconds, abs=1e-3)
        second = dice.randrange(86_400)
        assert clock_time(show_clock(second)) == second
    assert (show_length(None), show_clock(None), show_length(90.0), show_length(3605.5)) == (
        "",
        "",
        "1:30",
        "1:00:05.5",
    )


def test_no_file_does_harm(tmp_path: Path) -> None:
    path, good, dice = tmp_path / "x.json", json.dumps(WHOLE).encode(), random.Random(2)
    cases = [b"", b"[]", b'{"cues": 3}', b'{"cues": {"a": 1}}', b'{"cues": [[[[[[[[[[1]]]]]]]]]]}', b" " * (2 << 20)]
    for _ in range(300):
        bent = bytearray(good)
        for _ in range(dice.randint(1, 5)):
            bent[dice.randrange(len(bent))] = dice.randrange(256)
        cases.append(bytes(bent))
    refused = 0
    for case in cases:
        path.write_bytes(case)
        try:
            found = read_cues(path, SHOW)
        except InputError:
            refused += 1
            continue
        assert found.numbers() == sorted(set(found.numbers()))
        assert all(cue.wait is None or cue.wait >= 0 for cue in found.cues)
    assert 50 < refused < len(cases)
