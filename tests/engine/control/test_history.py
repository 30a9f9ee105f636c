"""Undo: steps as a person sees them, fifty of them, and never blackout, freeze or recording."""

import pytest

from sonorama.engine.control.history import STEPS, History, Step
from sonorama.engine.control.parameters import Change, Value

A, B, C = "/look/truncation", "/look/drift", "/meaning/1/amount"


class Hand:
    """Somebody who changes values, at times of the test."""

    def __init__(self) -> None:
        self.now = 0.0
        self.values: dict[str, Value] = {A: 0.0, B: 0.0, C: 1.0, "/out/blackout": False}
        self.history = History(lambda: self.now)

    def make(self, *changes: tuple[str, Value], source: str = "panel", after: float = 1.0) -> None:
        self.now += after
        made = [Change(path, value, source) for path, value in changes]
        self.history.note(made, self.values)
        self.values.update(changes)

    def undo(self) -> dict[str, Value]:
        return self._turn(self.history.undo(self.values), "undo")

    def redo(self) -> dict[str, Value]:
        return self._turn(self.history.redo(self.values), "redo")

    def _turn(self, step: Step | None, source: str) -> dict[str, Value]:
        before = {} if step is None else step.before
        self.history.note([Change(*item, source) for item in before.items()], self.values)  # as with every change
        self.values.update(before)
        return dict(before)


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_changes_come_back_last_first_and_can_be_made_again(hand: Hand) -> None:
    hand.make((A, 0.5))
    hand.make((B, 0.2))
    hand.make((A, 0.7))
    assert [hand.undo() for _ in range(4)] == [{A: 0.5}, {B: 0.0}, {A: 0.0}, {}]
    assert [hand.redo() for _ in range(4)] == [{A: 0.5}, {B: 0.2}, {A: 0.7}, {}]
    hand.undo()
    hand.make((B, 0.9))
    assert hand.redo() == {}  # after another change there is nothing to make again
    assert hand.undo() == {B: 0.2}


def test_a_drag_a_scene_and_a_preset_are_one_change_each(hand: Hand) -> None:
    for number in range(100):
        hand.make((A, number / 100), after=0.02)
    hand.make((A, 0.1), (B, 0.1), (C, 0.1), source="scene")
    hand.make((A, 0.3))
    for path in (B, C):
        hand.make((path, 0.3), after=0.01)
    assert hand.undo() == {A: 0.1, B: 0.1, C: 0.1}
    assert hand.undo() == {A: 0.99, B: 0.0, C: 1.0}
    assert hand.undo() == {A: 0.0}


def test_a_stream_beside_a_hand_is_one_change(hand: Hand) -> None:
    for number in range(60):
        hand.make((B, number / 60), source="osc:10.0.0.1:9000", after=0.03)
        if number % 20 == 10:
            hand.make((A, number / 60), after=0.001)
    assert [set(hand.undo()) for _ in range(5)] == [{A}, {A}, {A}, {B}, set()]


def test_fifty_are_kept(hand: Hand) -> None:
    for number in range(1, STEPS + 11):
        hand.make((A, float(number)))
    undone = [hand.undo() for _ in range(STEPS + 1)]
    assert STEPS == 50 and undone[-2:] == [{A: 10.0}, {}]


def test_what_is_no_change_of_a_hand_is_left_out(hand: Hand) -> None:
    hand.make((A, 0.5))
    hand.make(("/out/blackout", True))
    hand.make((A, 0.5))  # the value it has
    hand.make(("/scene/store", 1))
    hand.make((B, 3.0), source="renderer")
    assert hand.undo() == {A: 0.0} and hand.undo() == {}


def test_the_mixer_is_forgotten_with_its_world(hand: Hand) -> None:
    hand.make((C, 0.5))
    hand.make((A, 0.5), (C, 0.7), source="scene")
    hand.history.forget_mixer()
    assert hand.undo() == {A: 0.0} and hand.undo() == {}


def test_a_sound_at_a_point_is_undone_with_what_it_replaced() -> None:
    before: dict[str, Value] = {
        "/blend/2/seed": 5, "/blend/2/text": "storm", "/blend/2/code": "", "/blend/2/sound": "", A: 0.0,
    }  # fmt: skip
    history = History(lambda: 0.0)
    history.note([Change("/blend/2/sound", "rain.wav", "panel")], before)
    found = before | {"/blend/2/seed": 9, "/blend/2/text": "", "/blend/2/sound": "rain.wav"}
    step = history.undo(found)
    assert step is not None and step.before == {path: value for path, value in before.items() if path != A}
