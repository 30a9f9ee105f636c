"""When a training ends."""

import pytest

from sonorama.training.train.schedule import Schedule, in_words


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_step_tells_its_own_pace_and_that_of_those_after_it() -> None:
    clock = Clock()
    schedule = Schedule({"a": 100.0, "b": 200.0, "c": 50.0}, clock)
    assert schedule.remaining() == 350
    schedule.at("a", 0.0)
    clock.now += 1
    assert schedule.remaining() == pytest.approx(349)
    clock.now += 99
    schedule.at("a", 0.5)
    assert schedule.remaining() == pytest.approx(100 + 250)  # half of it took 100 s; nothing is over yet
    clock.now += 100
    schedule.at("b", 0.0)  # a took twice as long as expected
    assert schedule.remaining() == pytest.approx(400 + 100)
    clock.now += 100
    schedule.at("b", 0.5)
    assert schedule.remaining() == pytest.approx(100 + 100)
    schedule.at("c", 1.0)
    assert schedule.remaining() == pytest.approx(0, abs=1)


def test_a_training_that_goes_on_in_the_middle_of_a_step() -> None:
    clock = Clock()
    schedule = Schedule({"a": 100.0, "b": 100.0}, clock)
    schedule.at("a", 0.8)
    assert schedule.remaining() == pytest.approx(120)
    clock.now += 10
    schedule.at("a", 0.9)
    assert schedule.remaining() == pytest.approx(110)


def test_a_step_of_no_length_says_nothing_of_the_others() -> None:
    clock = Clock()
    schedule = Schedule({"a": 0.01, "b": 100.0}, clock)
    schedule.at("a", 0.0)
    schedule.at("a", 1.0)
    clock.now += 20
    schedule.at("b", 0.0)
    assert schedule.remaining() == pytest.approx(100)


def test_names_that_are_not_expected_change_nothing() -> None:
    schedule = Schedule({"a": 100.0})
    schedule.at("of another package", 0.5)
    assert schedule.remaining() == 100


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(20, "less than a minute"), (240, "about 4 min"), (3599, "about 1 h 00 min"), (12_000, "about 3 h 20 min")],
)
def test_lengths_of_time(seconds: float, said: str) -> None:
    assert in_words(seconds) == said
