"""The file of mappings is never lost."""

import json
from pathlib import Path

import pytest

from sonorama.engine.errors import OutputError
from sonorama.plugin.bridges.midi.mapping import Mapping

from .controls import Desktop


def learn(desktop: Desktop, address: str, number: int) -> None:
    desktop.session.file.learn(Mapping(address=address, port="nano", kind="cc", channel=1, number=number))


def addresses(path: Path) -> list[str]:
    return [one["address"] for one in json.loads(path.read_text())["mappings"]]


def test_it_is_read_again(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    learn(desktop, "/look/drift", 7)
    again = Desktop(tmp_path)
    again.cc(7, 0, 127)
    assert again.value("/look/drift") == 1.0


def test_what_another_program_wrote_meanwhile_stays(tmp_path: Path) -> None:
    one, other = Desktop(tmp_path), Desktop(tmp_path)
    learn(one, "/look/drift", 7)
    learn(other, "/look/truncation", 8)
    assert addresses(one.path) == ["/look/drift", "/look/truncation"]
    assert one.session.file.read() and len(one.session.file.mapped) == 2
    assert not one.session.file.read()


def test_entries_that_mean_nothing_here_stay_and_are_said(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    entries = [
        {"address": "/of/a/plugin", "kind": "cc", "channel": 1, "number": 3, "colour": "red"},
        {"address": "/look/drift", "kind": "wheel", "channel": 1},
    ]
    desktop.path.write_text(json.dumps({"format": "sonorama-midi", "mappings": entries}))
    desktop.session.file.read()
    assert (
        len(desktop.session.file.faults) == 2 and "There is no parameter /of/a/plugin" in desktop.session.file.faults[0]
    )
    learn(desktop, "/look/truncation", 8)
    assert json.loads(desktop.path.read_text())["mappings"][:2] == entries
    assert desktop.session.file.forget("/look/truncation") == 1
    assert json.loads(desktop.path.read_text())["mappings"] == entries


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": 0}, {"channel": 17}, {"channel": "1"}, {"channel": 1.5}, {"number": -1}, {"number": 128},
        {"kind": "cc14", "number": 32}, {"kind": "nrpn", "number": 16_384}, {"kind": "bend", "number": 1},
        {"low": -0.1}, {"high": 1.1}, {"high": 1e999}, {"value": "loud"}, {"value": [1]},
        {"encoding": "gray"}, {"press": "hold"}, {"port": None},
    ],
)  # fmt: skip
def test_an_entry_that_no_control_can_be_is_said_and_the_others_play(tmp_path: Path, wrong: dict[str, object]) -> None:
    desktop = Desktop(tmp_path)
    right = {"address": "/look/drift", "kind": "cc", "channel": 1, "number": 7}
    entries = json.dumps([right | {"number": 9} | wrong, right])
    desktop.path.write_text(f'{{"format": "sonorama-midi", "mappings": {entries}}}'.replace("Infinity", "1e999"))
    desktop.session.file.read()
    assert len(desktop.session.file.faults) == len(desktop.session.file.mapped) == 1
    desktop.cc(7, 0, 127)
    assert desktop.value("/look/drift") == 1.0
    desktop.session.show()


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "else", "mappings": []}', "\udcff", "[" * 5000])
def test_a_file_that_cannot_be_read_is_renamed(tmp_path: Path, text: str) -> None:
    desktop = Desktop(tmp_path)
    said = text.encode(errors="surrogateescape")
    desktop.path.write_bytes(said)
    desktop.session.file.read()
    assert "holds no MIDI mappings" in desktop.session.file.faults[0]
    learn(desktop, "/look/drift", 7)
    assert (tmp_path / "test.midi.unreadable.json").read_bytes() == said
    assert addresses(desktop.path) == ["/look/drift"] and desktop.session.file.faults == []


@pytest.mark.parametrize("text", ["", "{", '{"format": "sonorama-midi", "mappings": [', None])
def test_mappings_play_on_while_the_file_is_written_or_has_a_mistake(tmp_path: Path, text: str | None) -> None:
    desktop = Desktop(tmp_path)
    learn(desktop, "/look/drift", 7)
    said = desktop.path.read_text()
    desktop.path.unlink() if text is None else desktop.path.write_text(text)
    assert not desktop.session.file.read() or desktop.session.file.faults[0].endswith("and those before play")
    desktop.cc(7, 0, 127)
    assert desktop.value("/look/drift") == 1.0
    desktop.path.write_text(said)
    desktop.session.file.read()
    assert len(desktop.session.file.mapped) == 1 and desktop.session.file.faults == []
    desktop.path.unlink()
    desktop.session.file.read()
    desktop.session.file.read()
    assert desktop.session.file.mapped == [], "it is really gone"


def test_learning_beside_a_mistake_loses_nothing(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    learn(desktop, "/look/drift", 7)
    desktop.path.write_text("{")
    desktop.session.file.read()
    learn(desktop, "/look/truncation", 8)
    assert addresses(desktop.path) == ["/look/drift", "/look/truncation"] and desktop.session.file.faults == []
    assert (tmp_path / "test.midi.unreadable.json").read_text() == "{"


def test_a_file_that_can_be_read_again_is_no_fault(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    learn(desktop, "/look/drift", 7)
    desktop.path.rename(tmp_path / "kept")
    desktop.path.mkdir()
    desktop.session.file.read()
    assert desktop.session.file.faults[0].endswith("Allow it; those before play meanwhile")
    desktop.path.rmdir()
    (tmp_path / "kept").rename(desktop.path)
    desktop.session.file.read()
    assert desktop.session.file.faults == [] and len(desktop.session.file.mapped) == 1


def test_older_versions_are_kept(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    for number, address in enumerate(("/look/drift", "/look/truncation", "/out/master")):
        learn(desktop, address, number)
    assert addresses(tmp_path / ".older" / "test.midi.json.1") == ["/look/drift", "/look/truncation"]


def test_a_disk_that_is_full_costs_no_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = Desktop(tmp_path)
    learn(desktop, "/look/drift", 7)

    def full(path: Path, said: object) -> None:
        del said
        raise OutputError(f"{path.name} cannot be saved: no space", "Make room.")

    monkeypatch.setattr("sonorama.engine.control.presets.save", full)
    desktop.learn("/look/truncation", "control_change control=8 value=3")
    assert "cannot be saved" in desktop.faults[0]
    desktop.cc(8, 0, 127)
    assert desktop.value("/look/truncation") == 1.2, "it holds until the show ends"
    assert addresses(desktop.path) == ["/look/drift"]
