"""Output controls: always a complete picture, black only during a blackout, and no work while nothing changes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Value
from sonorama.engine.picture.output_controls import SLATE, OutputControls
from sonorama.engine.picture.test_pattern import TestPattern
from sonorama.engine.units import Pixels

DEFAULTS: dict[str, Value] = {path: param.default for path, param in SHOW.items() if path.startswith("/out/")}
UNGUARDED: dict[str, Value] = {**DEFAULTS, "/out/flash_guard": False}
DT = 1 / 30


class Show:
    """A Finish with its clock."""

    def __init__(self, width: int = 64, height: int = 48, **values: Value) -> None:
        self.finish, self.now = OutputControls(width, height), 100.0
        self.values = UNGUARDED.copy()
        self.set(**values)

    def set(self, **values: Value) -> None:
        self.values.update({f"/out/{name}": value for name, value in values.items()})
        assert self.values.keys() <= SHOW.keys()

    def tick(self, pixels: Pixels | None = None, dt: float = DT) -> Pixels:
        self.now += dt
        out = self.finish.apply(pixels, self.values, self.now, dt)
        assert out.dtype == np.uint8
        assert out.flags.c_contiguous
        assert (out[..., 3] == 255).all()
        return out


@pytest.fixture
def card() -> Pixels:
    return TestPattern(64, 48).draw(5, 30)


def noise(seed: int, width: int = 64, height: int = 48) -> Pixels:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


def grey(picture: Pixels, level: int = SLATE) -> bool:
    return bool((picture[..., :3] == level).all())


def test_before_the_first_picture_there_is_the_slate() -> None:
    show = Show(slate=1.0)
    for _ in range(100):
        out = show.tick()
        assert out.shape == (48, 64, 4)
        assert grey(out)


@pytest.mark.parametrize("guard", [False, True])
def test_with_default_values_it_is_the_picture_itself(card: Pixels, guard: bool) -> None:
    show = Show(flash_guard=guard)
    assert show.tick(card) is card
    assert show.tick() is card
    other = card.copy()
    assert show.tick(other) is other


@pytest.mark.parametrize("flip", ["none", "horizontal", "vertical", "both"])
def test_flips(card: Pixels, flip: str) -> None:
    wanted = {"none": card, "horizontal": card[:, ::-1], "vertical": card[::-1], "both": card[::-1, ::-1]}
    assert (Show(flip=flip).tick(card) == wanted[flip]).all()
    assert (Show(flip=flip, freeze=True).tick(card) == wanted[flip]).all()


@pytest.mark.parametrize("master", [0.0, 0.001, 0.25, 0.5, 0.731, 0.999, 1.0])
def test_master_is_brightness(master: float) -> None:
    picture = noise(0, 301, 77)
    kept = picture.copy()
    out = Show(301, 77, master=master).tick(picture)
    wanted = picture[..., :3].astype(float) * master
    assert np.abs(out[..., :3] - wanted).max() <= 1.0
    assert (picture == kept).all(), "never changed in place"


def test_master_and_flip_together(card: Pixels) -> None:
    out = Show(master=0.5, flip="horizontal").tick(card)
    assert np.abs(out[..., :3] - card[:, ::-1, :3] * 0.5).max() <= 1.0


def test_one_picture_is_worked_on_once(card: Pixels) -> None:
    show = Show(master=0.5)
    first = show.tick(card)
    assert show.tick() is first
    assert show.tick(card) is first
    show.set(master=0.4)
    second = show.tick()
    assert second is not first
    assert second.max() <= 255
    assert (first[..., :3] >= second[..., :3]).all()


def test_what_was_given_out_never_changes() -> None:
    show = Show()
    given: list[tuple[Pixels, Pixels]] = []
    settings: list[dict[str, Value]] = [
        {"master": 0.3}, {"flip": "both"}, {"freeze": True}, {"blackout": True}, {"freeze": False, "blackout": False},
        {"flash_guard": True}, {"slate": 0.01, "master": 1.0}, {"flip": "none"},
    ]  # fmt: skip
    for turn, changes in enumerate(settings):
        show.set(**changes)
        for step in range(4):
            out = show.tick(noise(turn * 10 + step) if step % 2 else None)
            given.append((out, out.copy()))
    assert all((out == kept).all() for out, kept in given)


@pytest.mark.parametrize("guard", [False, True])
def test_blackout_is_black_at_once_and_wins(card: Pixels, guard: bool) -> None:
    show = Show(flash_guard=guard, slate=0.1)
    show.tick(card)
    for changes in ({}, {"freeze": True}, {"flip": "both"}, {"master": 1.0}):
        show.set(blackout=True, **changes)
        assert grey(show.tick(card), 0)
        assert grey(show.tick(), 0)
    show.set(blackout=False, flip="none", freeze=False, slate=0.0)
    assert any(show.tick(card) is card for _ in range(60))


def test_blackout_before_the_first_picture_is_black_too() -> None:
    assert grey(Show(blackout=True).tick(), 0)


def test_freeze_keeps_the_picture_and_lets_go_to_the_newest(card: Pixels) -> None:
    show = Show()
    show.tick(card)
    show.set(freeze=True)
    assert show.tick(noise(1)) is card
    assert show.tick(noise(2)) is card
    show.set(master=0.5)
    assert np.abs(show.tick()[..., :3] - card[..., :3] * 0.5).max() <= 1.0
    show.set(master=1.0)
    assert show.tick() is card
    show.set(freeze=False)
    assert (show.tick() == noise(2)).all()


def test_frozen_before_the_first_picture_means_frozen_on_the_first(card: Pixels) -> None:
    show = Show(freeze=True)
    assert grey(show.tick())
    assert show.tick(card) is card
    assert show.tick(noise(1)) is card


def test_slate_fades_in_over_two_seconds_and_out_quickly(card: Pixels) -> None:
    show = Show(slate=1.0)
    show.tick(card)
    for _ in range(29):
        assert show.tick() is card
    levels = [show.tick()[..., :3].astype(int) for _ in range(66)]
    steps = [np.abs(b - a).max() for a, b in itertools.pairwise(levels)]
    assert max(steps) <= 6, "no jump"
    assert grey(levels[-1].astype(np.uint8))
    assert not grey(levels[40].astype(np.uint8))
    for _ in range(300):
        assert grey(show.tick())
    assert [show.tick(card) is card for _ in range(8)] == [False] * 7 + [True]


def test_slate_zero_never_comes(card: Pixels) -> None:
    show = Show(slate=0.0)
    show.tick(card)
    assert all(show.tick() is card for _ in range(1000))


def test_a_frozen_picture_does_not_fade_to_the_slate(card: Pixels) -> None:
    show = Show(slate=0.5)
    show.tick(card)
    show.set(freeze=True)
    assert all(show.tick() is card for _ in range(100))


def test_pictures_of_another_size_are_followed() -> None:
    show = Show(flash_guard=True)
    show.tick(noise(0))
    large = noise(1, 120, 90)
    assert show.tick(large).shape == large.shape
    show.set(freeze=True)
    kept = show.tick()
    small = noise(2, 32, 24)
    frozen = show.tick(small)
    assert frozen.shape == small.shape
    assert abs(float(frozen.mean()) - float(kept.mean())) < 4, "the same picture, smaller"
    show.set(blackout=True)
    assert grey(show.tick(), 0)
    assert show.tick().shape == small.shape


def test_the_guard_is_there_by_default_and_can_be_switched_off() -> None:
    black, white = (np.full((48, 64, 4), level, np.uint8) for level in (0, 255))
    black[..., 3] = 255

    def swings(guard: bool) -> int:
        show = Show(flash_guard=guard)
        means = [show.tick((black, white)[frame % 2])[..., :3].mean() for frame in range(30)]
        return int((np.abs(np.diff(means)) > 100).sum())

    assert DEFAULTS["/out/flash_guard"] is True
    assert swings(False) == 29
    assert swings(True) <= 7
