"""MIDI learn, takeover, buttons, encoders and lights, with the messages that controllers send."""

import json
from pathlib import Path

import pytest

from sonorama.plugin.bridges.midi.mapping import Encoding, steps
from sonorama.plugin.bridges.midi.takeover import Takeover

from .controls import Desktop

DRIFT, SEED = "/look/drift", "/look/seed"


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    return Desktop(tmp_path)


def knob(number: int, *values: int) -> list[str]:
    return [f"control_change channel=0 control={number} value={value}" for value in values]


def note(number: int, *velocities: int) -> list[str]:
    return [f"note_on channel=9 note={number} velocity={velocity}" for velocity in velocities]


def test_the_next_control_is_mapped_and_nothing_else_moves_meanwhile(desktop: Desktop) -> None:
    desktop.learn(f"/sonorama{DRIFT}", *knob(7, 3, 4, 9))
    assert desktop.session.learned == f"cc 7 channel 1 of nano -> {DRIFT}"
    assert desktop.value("/midi/learn") == "" and desktop.value(DRIFT) == 0.0
    desktop.cc(7, 0, 127)
    assert desktop.value(DRIFT) == 1.0
    desktop.cc(8, 20)
    assert desktop.value(DRIFT) == 1.0
    desktop.send(*knob(7, 20), port="other")
    assert desktop.value(DRIFT) == 1.0, "the same controller on another port is another control"
    desktop.show.set("/midi/learn", DRIFT)
    desktop.show.set("/midi/forget", True)
    desktop.cc(7, 0)
    assert desktop.value(DRIFT) == 1.0 and desktop.value("/midi/learn") == ""
    assert desktop.faults == []


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        ("/look/drifft", "There is no parameter /look/drifft. Did you mean /sonorama/look/drift?"),
        ("/meaning/raining/mute", "There is no parameter /meaning/raining/mute."),
        ("/scene/recall", "/scene/recall needs a value to map. Say which, such as: /scene/recall 1"),
        ("/scene/recall x", "/scene/recall does not take 'x'. Say a whole number 0 to 8."),
        ("/moves/1/source kik", "/moves/1/source does not take 'kik'."),
    ],
)
def test_what_cannot_be_learned_is_said(desktop: Desktop, wish: str, line: str) -> None:
    desktop.learn(wish, *knob(1, 5))
    assert len(desktop.faults) == 1 and desktop.faults[0].startswith(f"MIDI learn: {line}")
    assert not desktop.path.exists() and desktop.value("/midi/learn") == ""


def test_pads_recall_scenes_switch_and_choose(desktop: Desktop) -> None:
    desktop.learn("/scene/recall 3", *note(36, 90, 0))
    desktop.learn("/out/blackout", *note(37, 90, 0))
    desktop.learn("/moves/1/source kick", *note(38, 90))
    desktop.learn("/sound/tap", *knob(20, 127, 0))
    desktop.learn("/look/text a storm over rocks", *note(39, 1))
    del desktop.show.posted[:]
    desktop.send(*note(36, 90, 0), *note(37, 1, 0), *note(38, 70, 0), *knob(20, 127, 0, 127), *note(39, 9, 0))
    posted = [(one.path, one.value) for one in desktop.show.posted]
    assert posted == [
        ("/scene/recall", 3), ("/out/blackout", True), ("/moves/1/source", "kick"),
        ("/sound/tap", True), ("/sound/tap", True), ("/look/text", "a storm over rocks"),
    ]  # fmt: skip
    desktop.send(*note(37, 1, 0))
    assert desktop.value("/out/blackout") is False, "a switch changes at each press"


def test_a_button_that_holds_its_state_sets_it(desktop: Desktop) -> None:
    desktop.learn("/out/freeze", *knob(30, 127))
    desktop.cc(30, 127)
    assert desktop.value("/out/freeze") is True
    desktop.cc(30, 0)
    assert desktop.value("/out/freeze") is False


def test_a_key_hits_with_its_velocity(desktop: Desktop) -> None:
    desktop.learn("/out/master", *note(40, 100, 0))
    desktop.send(*note(40, 127))
    assert desktop.value("/out/master") == 1.0
    desktop.send("note_off channel=9 note=40 velocity=64")
    assert desktop.value("/out/master") == 0.0


def test_pick_up_waits_until_the_knob_passes_the_value(desktop: Desktop) -> None:
    desktop.learn(DRIFT, *knob(7, 3, 4, 9))
    desktop.show.set(DRIFT, 0.5)
    desktop.cc(7, 10, 20, 60)
    assert desktop.value(DRIFT) == 0.5
    desktop.cc(7, 66)
    assert desktop.value(DRIFT) == pytest.approx(66 / 127)
    desktop.cc(7, 100)
    desktop.show.set(DRIFT, 0.1)  # a scene, another controller
    desktop.cc(7, 98)
    assert desktop.value(DRIFT) == 0.1


def test_takeover_none_and_scale() -> None:
    jump, scale = Takeover(), Takeover()
    assert jump.moved(0.9, 0.2, "none", 0.01) == 0.9
    assert scale.moved(0.5, 0.2, "scale", 0.01) == 0.2, "the first movement says where the knob is"
    at = scale.moved(0.75, 0.2, "scale", 0.01)
    assert at is not None and at == pytest.approx(0.2 + 0.8 * 0.5)
    assert scale.moved(1.0, at, "scale", 0.01) == pytest.approx(1.0), "both reach the end at once"
    assert scale.moved(0.4, 1.0, "scale", 0.01) == pytest.approx(0.4), "and stay together"
    down = Takeover()
    down.moved(0.5, 0.8, "scale", 0.01)
    assert down.moved(0.25, 0.8, "scale", 0.01) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("encoding", "up", "down", "up_3"),
    [("twos-complement", 1, 127, 3), ("offset", 65, 63, 67), ("sign-magnitude", 1, 65, 3)],
)
def test_encoders(desktop: Desktop, encoding: Encoding, up: int, down: int, up_3: int) -> None:
    assert [steps(encoding, raw) for raw in (up, down, up_3)] == [1, -1, 3]
    desktop.learn(SEED, *knob(16, up, up, down, down))
    assert json.loads(desktop.path.read_text())["mappings"][0]["encoding"] == encoding
    desktop.cc(16, up, up, up_3, down)
    assert desktop.value(SEED) == 5
    desktop.learn(DRIFT, *knob(17, up, up, up, down))
    desktop.cc(17, *[up] * 127)
    assert desktop.value(DRIFT) == pytest.approx(1.0)


def test_a_knob_that_is_turned_slowly_is_no_encoder(desktop: Desktop) -> None:
    desktop.learn(DRIFT, *knob(7, 1, 2, 3, 4, 3, 2))
    assert "encoding" not in json.loads(desktop.path.read_text())["mappings"][0]


def test_14_bits_nrpn_and_pitch_bend(desktop: Desktop) -> None:
    pair = [*knob(1, 64), *knob(33, 5), *knob(1, 64), *knob(33, 9)]
    desktop.learn(DRIFT, *pair)
    desktop.show.set("/midi/takeover", "none")
    desktop.send(*knob(1, 64), *knob(33, 1))
    assert desktop.value(DRIFT) == pytest.approx((64 * 128 + 1) / 16383)
    wide = [*knob(99, 2), *knob(98, 5), *knob(6, 10), *knob(38, 3)]
    desktop.learn("/look/truncation", *wide)
    desktop.send(*knob(6, 127), *knob(38, 127))
    assert desktop.value("/look/truncation") == 1.2
    desktop.learn("/out/master", "pitchwheel channel=2 pitch=100", "pitchwheel channel=2 pitch=300")
    desktop.send("pitchwheel channel=2 pitch=-8192")
    assert desktop.value("/out/master") == 0.0
    kinds = [one["kind"] for one in json.loads(desktop.path.read_text())["mappings"]]
    assert kinds == ["cc14", "nrpn", "bend"]
    desktop.lights()
    desktop.show.set("/out/master", 1.0)
    desktop.show.set(DRIFT, 1.0)
    assert desktop.lights() == [
        "pitchwheel channel=2 pitch=8191",
        "control_change channel=0 control=1 value=127", "control_change channel=0 control=33 value=127",
    ]  # fmt: skip


def test_lights_follow_everybody(desktop: Desktop) -> None:
    desktop.learn(DRIFT, *knob(7, 3, 4, 9))
    desktop.learn("/out/freeze", *note(37, 90, 0))
    desktop.learn("/moves/1/source kick", *note(38, 90, 0))
    desktop.lights()
    desktop.show.set(DRIFT, 0.5)
    assert desktop.lights() == ["control_change channel=0 control=7 value=64"]
    desktop.cc(7, 60, 65)
    assert desktop.lights() == [], "the knob stands there already"
    desktop.send(*note(37, 90, 0))
    assert desktop.lights() == ["note_on channel=9 note=37 velocity=127"], "also by its own press"
    desktop.show.set("/moves/1/source", "kick")
    assert desktop.lights() == ["note_on channel=9 note=38 velocity=127"]
    desktop.show.set("/midi/feedback", False)
    desktop.show.set("/moves/1/source", "off")
    assert desktop.lights() == []
    desktop.show.set("/midi/feedback", True)
    assert len(desktop.lights()) == 3, "all of them are renewed"


def test_any_bytes(desktop: Desktop) -> None:
    """Whatever a controller sends, values stay in their ranges."""
    desktop.learn(DRIFT, *knob(7, 3, 4, 9))
    desktop.learn(SEED, *knob(6, 1, 1, 1))
    for value in range(128):
        for number in (6, 7, 38, 39, 96, 97, 98, 99, 100, 101, 120, 123, 127):
            desktop.cc(number, value)
    assert 0.0 <= float(desktop.value(DRIFT)) <= 1.0
    assert desktop.faults == []
