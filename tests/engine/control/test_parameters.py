"""Posting, gliding, modulating: on a table of our own, so that it does not move with the instrument."""

import json
import threading

import pytest

from sonorama.engine.control.parameter_state import ParameterState
from sonorama.engine.control.parameters import Change, Parameter, show
from sonorama.engine.errors import ValueRefused

SLOW = Parameter("/a/slow", 0.0, "Glides.", -10.0, 10.0, glide=0.5)
QUICK = Parameter("/a/quick", 1.0, "Jumps.", 0.0, 4.0)
COUNT = Parameter("/a/count", 3, "Whole.", 0, 9)
LIGHT = Parameter("/a/light", False, "On or off.")
WORD = Parameter("/a/word", "calm", "One of two.", choices=("calm", "wild"))
TABLE = {param.path: param for param in (SLOW, QUICK, COUNT, LIGHT, WORD)}


def seen(params: ParameterState, param: Parameter, dt: float, steps: int = 1) -> float:
    """Effective value of a number after some steps."""
    values = [params.step(dt)[param.path] for _ in range(steps)]
    assert not isinstance(values[-1], str)
    return values[-1]


def post(params: ParameterState, param: Parameter, value: float | str) -> None:
    params.post(Change(param.path, value, "test"))


def test_starts_at_the_given_values_without_a_glide() -> None:
    effective = ParameterState(TABLE, {"/a/slow": 4.0, "/a/quick": 99.0}).step(1 / 30)
    assert (effective["/a/slow"], effective["/a/quick"], effective["/a/count"]) == (4.0, 4.0, 3)


def test_nothing_changes_before_the_next_step() -> None:
    params = ParameterState(TABLE)
    before = params.step(1 / 30)
    post(params, QUICK, 2.0)
    assert before["/a/quick"] == 1.0
    assert params.step(1 / 30)["/a/quick"] == 2.0


def test_last_value_of_an_address_wins() -> None:
    params = ParameterState(TABLE)
    for value in (2.0, 3.0, 0.5):
        post(params, QUICK, value)
    assert params.step(1 / 30)["/a/quick"] == 0.5


def test_glide_is_half_way_after_its_half_life() -> None:
    params = ParameterState(TABLE)
    post(params, SLOW, 8.0)
    assert params.step(0.5)["/a/slow"] == pytest.approx(4.0)
    assert params.step(0.5)["/a/slow"] == pytest.approx(6.0)


@pytest.mark.parametrize("fps", [24, 30, 60, 120])
def test_glide_does_not_depend_on_the_frame_rate(fps: int) -> None:
    params = ParameterState(TABLE)
    post(params, SLOW, 8.0)
    assert seen(params, SLOW, 1 / fps, steps=fps) == pytest.approx(6.0, abs=1e-9)


def test_glide_ends_exactly_at_the_target() -> None:
    params = ParameterState(TABLE)
    post(params, SLOW, 7.3)
    assert seen(params, SLOW, 0.5, steps=60) == 7.3


def test_modulation_rides_on_a_glide() -> None:
    params = ParameterState(TABLE)
    post(params, SLOW, 8.0)
    params.modulate({"/a/slow": -0.05})  # of the range, which is 20 wide
    assert params.step(0.5)["/a/slow"] == pytest.approx(3.0)
    params.modulate({})
    assert params.step(0.5)["/a/slow"] == pytest.approx(6.0)  # it never touched the base


@pytest.mark.parametrize("path", ["/a/count", "/a/light", "/a/word", "/a/nothing"])
def test_only_continuous_controls_are_modulated(path: str) -> None:
    with pytest.raises(ValueRefused, match=path):
        ParameterState(TABLE).modulate({path: 1.0})


def test_a_morph_is_a_straight_line_and_ends_on_its_target() -> None:
    params = ParameterState(TABLE)
    params.post(Change("/a/slow", 8.0, "scene", over=1.0))
    seen = [params.step(0.25)["/a/slow"] for _ in range(5)]
    assert seen == pytest.approx([2.0, 4.0, 6.0, 8.0, 8.0])


def test_a_hand_ends_a_morph() -> None:
    params = ParameterState(TABLE)
    params.post(Change("/a/slow", 8.0, "scene", over=10.0))
    params.step(1.0)
    post(params, SLOW, 0.8)
    assert params.step(50.0)["/a/slow"] == pytest.approx(0.8)


def test_events_hold_for_one_step_and_queue() -> None:
    table = {
        p.path: p
        for p in (Parameter("/a/hit", False, "Acts.", event=True), Parameter("/a/go", 0, "Goes.", 0, 8, event=True))
    }
    params = ParameterState(table)
    for path, value in (("/a/hit", True), ("/a/hit", False), ("/a/go", 3), ("/a/go", 5), ("/a/hit", True)):
        params.post(Change(path, value, "test"))
    assert params.step(0.1) == {"/a/hit": True, "/a/go": 3}
    assert params.step(0.1) == {"/a/hit": True, "/a/go": 5}
    assert params.step(0.1) == {"/a/hit": False, "/a/go": 0}


def test_a_snapshot_goes_on_where_it_was() -> None:
    one, other = ParameterState(TABLE), ParameterState(TABLE)
    post(one, SLOW, 8.0)
    one.step(0.3)
    one.post(Change("/a/slow", -3.0, "scene", over=2.0))
    one.step(0.3)
    other.restore(json.loads(json.dumps(one.snapshot())))
    assert [one.step(0.4) for _ in range(8)] == [other.step(0.4) for _ in range(8)]


def test_posts_from_many_threads_while_stepping() -> None:
    params = ParameterState(TABLE)
    threads = [threading.Thread(target=_post_many, args=(params, name)) for name in ("/a/quick", "/a/count") * 3]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert 0.0 <= seen(params, QUICK, 1 / 30) <= 4.0
    for thread in threads:
        thread.join()
    effective = params.step(1 / 30)
    assert (effective["/a/quick"], effective["/a/count"]) == (3, 3)


def _post_many(params: ParameterState, path: str) -> None:
    for i in range(5000):
        params.post(Change(path, i % 4, "test"))
    params.post(Change(path, 3, "test"))


@pytest.mark.parametrize(
    ("value", "text"), [(True, "on"), (2**31 - 1, "2147483647"), (0.5, "0.5"), (24.0, "24"), ("calm", "calm")]
)
def test_values_are_shown_as_people_write_them(value: float | str, text: str) -> None:
    assert show(value) == text
