"""Scenes: what they keep, how they come back, and that no file of them does harm."""

import json
import random
from pathlib import Path

import pytest

from sonorama.engine.control import presets
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameter_state import ParameterState
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.control.scenes import SLOTS, SceneBank
from sonorama.engine.errors import OutputError, ValueRefused

AMOUNT, SEED, TEXT = "/motion/coarse/amount", "/look/seed", "/look/text"
TRAVEL, SWAY = "/look/travel", "/look/sway"
DEFAULTS: dict[str, Value] = {path: param.default for path, param in SHOW.items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "night.scenes.json"


def test_a_scene_is_picture_and_motion(path: Path) -> None:
    bank = SceneBank(path)
    bank.store(1, DEFAULTS)
    kept = {change.path for change in bank.recall(1, 0)}
    groups = {path.split("/")[1] for path in kept}
    assert groups == {"look", "axis", "motion", "moves", "picture", "sound", "blend"}
    assert sum(path.startswith("/blend/") for path in kept) == 4  # not what its points are
    assert {path for path in kept if path.startswith("/sound/")} == {"/sound/gain", "/sound/follow", "/sound/onset"}
    assert not any(SHOW[path].event or SHOW[path].load for path in kept)
    assert {path for path in SHOW if path.startswith(("/look/", "/motion/", "/moves/"))} <= kept


def test_it_comes_back_over_the_morph_time(path: Path) -> None:
    bank = SceneBank(path)
    bank.store(8, DEFAULTS | {AMOUNT: 0.25, SEED: 77, TEXT: "sea", "/motion/fine/mute": True})
    assert bank.stored == (False,) * 7 + (True,)
    changes = {change.path: change for change in bank.recall(8, 2.0)}
    assert changes[AMOUNT] == Change(AMOUNT, 0.25, "scene", 2.0)
    assert changes[SEED] == Change(SEED, 77, "scene", 0.0)
    params = ParameterState(SHOW)
    for change in changes.values():
        params.post(change)
    seen = [params.step(0.5) for _ in range(4)]
    assert [values[AMOUNT] for values in seen] == pytest.approx([1 - 0.75 * part for part in (0.25, 0.5, 0.75, 1)])
    assert (seen[0][SEED], seen[0][TEXT], seen[0]["/motion/fine/mute"]) == (77, "sea", True)


def test_an_empty_slot_recalls_nothing(path: Path) -> None:
    bank = SceneBank(path)
    assert (bank.recall(3, 1.0), bank.stored, bank.fault) == ([], (False,) * SLOTS, "")
    assert not path.exists()


@pytest.mark.parametrize("slot", [0, 9, -1, 10**30])
def test_there_are_eight(path: Path, slot: int) -> None:
    bank = SceneBank(path)
    with pytest.raises(ValueRefused, match="no scene"):
        bank.store(slot, DEFAULTS)
    with pytest.raises(ValueRefused, match="no scene"):
        bank.recall(slot, 1.0)
    assert not path.exists() and not any(bank.stored)


def test_the_next_show_of_the_name_has_them(path: Path) -> None:
    bank = SceneBank(path)
    for slot in range(1, SLOTS + 1):
        bank.store(slot, DEFAULTS | {AMOUNT: slot / 10})
    bank.store(2, DEFAULTS | {AMOUNT: 1.9})
    again = SceneBank(path)
    assert (again.stored, again.fault) == ((True,) * SLOTS, "")
    assert all(again.recall(slot, 0.5) == bank.recall(slot, 0.5) for slot in range(1, SLOTS + 1))
    assert json.loads(presets.older(path, 1).read_text())["2"][AMOUNT] == 0.2
    assert len(list(presets.older(path, 1).parent.iterdir())) == 8


def test_a_disk_that_does_not_take_it(path: Path) -> None:
    bank = SceneBank(path)
    bank.store(1, DEFAULTS)
    (path.parent / ".older").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be saved"):
        bank.store(1, DEFAULTS | {AMOUNT: 0.5})
    assert Change(AMOUNT, 0.5, "scene", 0.0) in bank.recall(1, 0), "it holds while the show lasts"
    assert Change(AMOUNT, 1.0, "scene", 0.0) in SceneBank(path).recall(1, 0)


def test_what_it_does_not_know_stays_in_the_file(path: Path) -> None:
    said = {
        "1": {AMOUNT: 0.5, "/look/glow": 0.3, SEED: "x", "/out/record": True, "/out/blackout": True, "/engine/fps": 24},
        "2": [], "9": {AMOUNT: 1}, "01": {}, "name": "set of May",
    }  # fmt: skip
    path.write_text(json.dumps(said))
    bank = SceneBank(path)
    assert bank.recall(1, 0) == [Change(AMOUNT, 0.5, "scene", 0.0)]
    assert bank.stored == (True,) + (False,) * 7
    assert bank.fault == "night.scenes.json: '1 /look/glow' is left out, and 8 more"
    bank.store(2, DEFAULTS)
    written = json.loads(path.read_text())
    assert {key: written[key] for key in said if key != "2"} == {key: said[key] for key in said if key != "2"}


def test_values_that_are_none_are_not_stored(path: Path) -> None:
    bank = SceneBank(path)
    bank.store(1, {AMOUNT: 99.0, SEED: "x", "/nothing": 1, "/out/blackout": True, TEXT: "\ud800"})
    assert bank.recall(1, 0) == [Change(AMOUNT, 2.0, "scene", 0.0)]


def test_no_file_does_harm(path: Path) -> None:
    bank = SceneBank(path)
    bank.store(1, DEFAULTS | {TEXT: "sea"})
    bank.store(5, {AMOUNT: 0.5})
    good = path.read_bytes()
    dice = random.Random(1)
    nested = [b'{"1":' * n + b"1" + b"}" * n for n in (20, 500, 5000)]
    cases = [b"", b"[]", b"3", *nested, b"\xff", b'{"1": {"/look/seed": 1e999, "/sound/gain": NaN}}', b" " * (2 << 20)]
    cases.append(b'{"1": {"/look/seed": ' + b"9" * 400 + b', "/look/text": "\\ud800"}, "\\ud800": 1}')
    for _ in range(300):
        bent = bytearray(good)
        for _ in range(dice.randint(1, 6)):
            bent[dice.randrange(len(bent))] = dice.randrange(256)
        cases.append(bytes(bent))
    faults = 0
    for case in cases:
        path.write_bytes(case)
        bank = SceneBank(path)
        faults += bool(bank.fault)
        bank.fault.encode()
        for slot in range(1, SLOTS + 1):
            assert all(SHOW[c.path].clip(c.value) == c.value for c in bank.recall(slot, 1.0))
        bank.store(3, {AMOUNT: 0.1})
        assert SceneBank(path).stored[2]
    assert faults > 100


def test_storing_after_a_broken_file_loses_nothing(path: Path) -> None:
    path.write_bytes(b'{"1": {"/look/seed": 3')
    bank = SceneBank(path)
    assert "night.scenes.json is not a valid file of scenes" in bank.fault
    bank.store(2, DEFAULTS)
    assert presets.older(path, 1).read_bytes() == b'{"1": {"/look/seed": 3'
    path.write_text('{"1": {"/look/seed": NaN}}')
    SceneBank(path).store(2, DEFAULTS)
    assert SceneBank(path).stored[1]


def test_a_folder_in_the_way_is_a_fault(path: Path) -> None:
    path.mkdir()
    bank = SceneBank(path)
    assert path.name in bank.fault
    with pytest.raises(OutputError):
        bank.store(1, DEFAULTS)
    assert bank.stored[0]


def test_the_mixer_is_kept_by_class(path: Path) -> None:
    here, elsewhere = ("rain", "fire"), ("fire", "sea", "rain")
    bank = SceneBank(path)
    bank.store(1, DEFAULTS | {"/meaning/1/amount": 0.5, "/meaning/2/mute": True}, here)
    assert json.loads(path.read_text())["1"]["/meaning/fire/mute"] is True
    values = {one.path: one.value for one in SceneBank(path).recall(1, 0, elsewhere) if "/meaning/" in one.path}
    assert values["/meaning/1/mute"] is True and values["/meaning/3/amount"] == 0.5
    assert (values["/meaning/2/amount"], values["/meaning/2/mute"], values["/meaning/1/amount"]) == (1.0, False, 1.0)


def test_targets_in_the_mixer_are_kept_by_class(path: Path) -> None:
    SceneBank(path).store(1, DEFAULTS | {"/moves/1/target": "/meaning/2/amount"}, ("rain", "fire"))
    said = json.loads(path.read_text())
    assert said["1"]["/moves/1/target"] == "/meaning/fire/amount"
    bank = SceneBank(path)
    assert bank.fault == ""
    values = {one.path: one.value for one in bank.recall(1, 0, ("fire",))}
    assert values["/moves/1/target"] == "/meaning/1/amount"
    path.write_text(json.dumps({"1": said["1"] | {"/moves/1/target": "/meaning/fire/colour"}}))
    assert "/moves/1/target" in SceneBank(path).fault


def test_a_scene_from_before_the_mixer_leaves_it_as_it_is(path: Path) -> None:
    path.write_text(json.dumps({"1": {AMOUNT: 0.25}}))
    assert [one.path for one in SceneBank(path).recall(1, 0, ("rain",))] == [AMOUNT]


def test_a_wrong_value_of_a_class_is_left_out(path: Path) -> None:
    path.write_text(json.dumps({"1": {"/meaning/rain/amount": "loud", "/meaning/rain/floor": 7, "/meaning/rain/x": 1}}))
    bank = SceneBank(path)
    assert "/meaning/rain/amount" in bank.fault
    values = {one.path: one.value for one in bank.recall(1, 0, ("rain",))}
    assert values["/meaning/1/floor"] == 1.0 and values["/meaning/1/amount"] == 1.0


@pytest.mark.parametrize(("address", "usual"), [(TRAVEL, 0.5), (SWAY, 0.4)])
def test_a_scene_from_before_travel_or_sway_stands_and_others_do_not(path: Path, address: str, usual: float) -> None:
    old = {path: value for path, value in DEFAULTS.items() if path.startswith("/look/") and path != address}
    path.write_text(json.dumps({"1": old, "2": old | {address: 0.7}}))
    bank = SceneBank(path)
    bank.store(3, DEFAULTS)
    assert [{c.path: c.value for c in bank.recall(slot, 0)}[address] for slot in (1, 2, 3)] == [0.0, 0.7, usual]


def test_so_does_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "night.look.json"
    for said, values in (
        ({SEED: 7, "/look/drift": 0.1}, {SEED: 7, "/look/drift": 0.1, TRAVEL: 0.0, SWAY: 0.0}),
        ({SEED: 7, "/look/drift": 0.1, TRAVEL: 0.2}, {SEED: 7, "/look/drift": 0.1, TRAVEL: 0.2, SWAY: 0.0}),
        ({SEED: 7, "/look/drift": 0.1, SWAY: 0.2}, {SEED: 7, "/look/drift": 0.1, TRAVEL: 0.0, SWAY: 0.2}),
        ({SEED: 7}, {SEED: 7}),
    ):
        file.write_text(json.dumps(said))
        assert presets.load(file, SHOW) == (values, [])


NAME, COLOUR = "/scene/2/name", "/scene/2/colour"


def test_names_and_colours_are_kept_beside_the_scenes(path: Path) -> None:
    bank = SceneBank(path)
    bank.store(1, DEFAULTS)
    bank.label({NAME: "Night one", COLOUR: "blue", "/look/seed": 3})
    bank.write()
    again = SceneBank(path)
    assert (again.labels, again.fault, again.stored[0]) == ({NAME: "Night one", COLOUR: "blue"}, "", True)
    again.store(2, DEFAULTS)
    again.label({NAME: "", COLOUR: "blue"})
    again.write()
    assert SceneBank(path).labels == {NAME: "", COLOUR: "blue"}
    assert "labels" not in {change.path for change in again.recall(2, 0)}


def test_labels_that_are_none_stay_in_the_file(path: Path) -> None:
    said = {"labels": {"2": {"name": "a  b", "colour": "beige", "icon": 7}, "3": 5, "9": {"name": "x"}}}
    path.write_text(json.dumps(said))
    bank = SceneBank(path)
    assert bank.labels == {NAME: "a b"}
    assert bank.fault == "night.scenes.json: '/scene/2/colour' is left out, and 1 more"
    bank.label({COLOUR: "red"})
    bank.write()
    labels = json.loads(path.read_text())["labels"]
    assert labels == {"2": {"name": "a  b", "colour": "red", "icon": 7}, "3": 5, "9": {"name": "x"}}
    path.write_text(json.dumps({"labels": [1]}))
    assert "'labels' is left out" in SceneBank(path).fault
