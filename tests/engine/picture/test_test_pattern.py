"""The test card shows what is wrong with a picture: order of colours, up and down, aspect, frames that are missing."""

import os
import time
from fractions import Fraction

import numpy as np
import pytest

from sonorama.engine.ipc.frame_map import FrameMap
from sonorama.engine.ipc.shared_paths import inner_name
from sonorama.engine.picture.test_pattern import BAR_TOP, BARS, CORNERS, TRACK_BOTTOM, TRACK_TOP, TestPattern
from sonorama.engine.show.test_pattern_renderer import TestPatternRenderer
from sonorama.engine.units import Pixels

SIZES = [(512, 512), (1920, 1080), (256, 256), (640, 360), (360, 640), (1000, 333), (64, 64)]


def corners(card: Pixels) -> list[tuple[int, ...]]:
    return [tuple(map(int, card[y, x, :3])) for y in (0, -1) for x in (0, -1)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_corners_tell_every_flip_and_swap(width: int, height: int) -> None:
    card = TestPattern(width, height).draw(0, 30)
    assert card.shape == (height, width, 4)
    assert card.dtype == np.uint8
    assert (card[..., 3] == 255).all()
    assert corners(card) == list(CORNERS)
    swapped = card[..., [2, 1, 0, 3]]
    others = [corners(other) for other in (card[::-1], card[:, ::-1], card[::-1, ::-1], swapped)]
    assert all(other != list(CORNERS) for other in others)
    assert len(set(CORNERS)) == 4


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_bars_are_in_the_order_that_is_told(width: int, height: int) -> None:
    card = TestPattern(width, height).draw(0, 30)
    row = round(BAR_TOP * height)
    seen = [tuple(map(int, card[row, round((0.11 + 0.1 * index) * width), :3])) for index in range(len(BARS))]
    assert seen == [colour for _, colour in BARS]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_circle_is_round(width: int, height: int) -> None:
    card = TestPattern(width, height).draw(0, 30)
    radius = 0.4625 * min(width, height)
    for angle in np.radians([0, 40, 130, 180]):  # where nothing else is drawn
        y, x = round(height / 2 - np.sin(angle) * radius), round(width / 2 + np.cos(angle) * radius)
        patch = card[y - 1 : y + 2, x - 1 : x + 2, :3]
        assert (patch == 255).all(axis=2).any(), np.degrees(angle)


def test_the_arrow_points_up() -> None:
    card = TestPattern(512, 512).draw(0, 30)[:, :, :3]
    white = (card == 255).all(axis=2)
    widths = white[32:80, 200:312].sum(axis=1)
    assert (np.diff(widths) >= 0).all()
    assert widths[0] < 6 < 90 < widths[-1]


def test_every_frame_has_its_number_and_each_digit_its_own_look() -> None:
    card = TestPattern(256, 256)
    looks = {card.draw(frame, 1000)[90:130].tobytes() for frame in range(10)}
    assert len(looks) == 10
    assert (card.draw(123456, 30) == card.draw(123456, 30)).all()
    assert card.draw(10**9, 30).shape == (256, 256, 4)


def test_the_number_is_read_from_left_to_right() -> None:
    card = TestPattern(512, 512)
    first, second = card.draw(0, 10**9), card.draw(1, 10**9)
    changed = np.flatnonzero((first != second).any(axis=(0, 2)))
    assert changed.min() > 512 * 0.6, "the last digit is the one that changed"


@pytest.mark.parametrize("fps", [24, 25.0, Fraction(30000, 1001), 60])
def test_the_bar_runs_to_the_right_once_a_second(fps: Fraction | float) -> None:
    card = TestPattern(640, 360)
    row = round((TRACK_TOP + TRACK_BOTTOM) / 2 * 360)
    places = [int(np.flatnonzero(card.draw(frame, fps)[row, :, 0] == 255).mean()) for frame in range(int(fps))]
    steps = np.diff(places)
    assert (steps > 0).all()
    assert steps.max() - steps.min() <= 1
    assert places[-1] > 640 * 0.9


def test_frames_are_pictures_of_their_own() -> None:
    card = TestPattern(64, 64)
    first = card.draw(0, 30)
    kept = first.copy()
    first[:] = 7
    assert (card.draw(0, 30) == kept).all()


def test_smallest_and_too_small() -> None:
    assert TestPattern(16, 16).draw(3, 24).shape == (16, 16, 4)
    with pytest.raises(ValueError, match="8x64"):
        TestPattern(8, 64)


def test_a_card_that_plays_follows_another_size() -> None:
    name, values = f"card-{os.getpid()}", {"/out/width": 64, "/out/height": 64, "/engine/fps": 60.0}
    player = TestPatternRenderer(name, values, lambda: 0)
    player.start()
    try:
        with FrameMap(inner_name(name)) as seen:
            # A slider that is drawn up from 0 passes sizes that are too small for the card.
            for asked, wanted in ((64, 64), (64, 64)), ((1, 100), (16, 100)), ((320, 200), (320, 200)):
                values["/out/width"], values["/out/height"] = asked
                end = time.monotonic() + 20.0
                while (slot := seen.newest()) is None or slot.pixels.shape != (wanted[1], wanted[0], 4):
                    assert time.monotonic() < end, "it stays as it was"
                    time.sleep(0.01)
                assert corners(slot.pixels) == list(CORNERS)
    finally:
        player.close()
