"""The aspect of a data set, black borders, and the part of a picture that is kept."""

import numpy as np
import pytest

from sonorama.engine.errors import ValueRefused
from sonorama.training.footage.crops import (
    choose_aspect,
    choose_crop,
    crop_size,
    cut,
    parse_aspect,
    ratio,
    without_borders,
)
from sonorama.training.footage.picture import Box

from .media import scene


def test_the_most_common_aspect_is_chosen() -> None:
    assert choose_aspect([(1920, 1080), (1280, 720), (640, 480)]) == "16:9"
    assert choose_aspect([(1080, 1920), (1080, 1920), (1920, 1080)]) == "9:16"
    assert choose_aspect([(512, 510), (4032, 3024), (4000, 3000)]) == "4:3"
    assert choose_aspect([(100, 100), (1920, 1080)]) == "16:9"


@pytest.mark.parametrize("text", ["", "16", "16:0", "a:b", "16:9:2", "99:1", "1.5:1"])
def test_what_is_no_aspect_is_refused(text: str) -> None:
    with pytest.raises(ValueRefused, match="--aspect"):
        parse_aspect(text)


def test_aspects_are_reduced() -> None:
    assert parse_aspect("448x256") == "7:4" and ratio("7:4") == 1.75


def letterboxed(bar: int) -> np.ndarray:
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[bar : 90 - bar] = scene(1, (160, 90 - 2 * bar))
    return picture


def test_black_borders_are_cut_away() -> None:
    box = without_borders([letterboxed(12), letterboxed(12)])
    assert (box.left, box.width) == (0, 1)
    assert box.top == pytest.approx(12 / 90, abs=0.012) and box.height == pytest.approx(66 / 90, abs=0.024)


def test_a_dark_sky_and_a_dark_film_have_no_borders() -> None:
    night = scene(1, (160, 90))
    night[:40] = 4
    assert without_borders([night]) == Box()
    assert without_borders([np.full((90, 160, 3), 9, np.uint8)]) == Box()


@pytest.mark.parametrize("shown", [(1920, 1080), (1080, 1920), (640, 480), (1000, 1000), (333, 777)])
@pytest.mark.parametrize("aspect", ["16:9", "9:16", "1:1", "7:4"])
def test_crops_have_the_aspect_and_the_full_extent_of_one_side(shown: tuple[int, int], aspect: str) -> None:
    box = choose_crop(shown, Box(), ratio(aspect), [scene(2, (shown[0] // 8, shown[1] // 8))])
    wide, high = shown[0] * box.width, shown[1] * box.height
    assert wide / high == pytest.approx(ratio(aspect))
    assert max(box.width, box.height) == pytest.approx(1)
    size = crop_size(shown, box, ratio(aspect), 256)
    assert min(size) <= 256 and size[0] <= wide + 1 and size[1] <= high + 1
    assert size[0] / size[1] == pytest.approx(ratio(aspect), rel=0.02)


def test_the_middle_is_kept_unless_there_is_more_detail_elsewhere() -> None:
    even = scene(3, (160, 90), 12)
    assert choose_crop((160, 90), Box(), 1.0, [even]).left == pytest.approx((1 - 90 / 160) / 2)
    right = np.full((90, 160, 3), 128, np.uint8)
    right[:, 100:] = np.random.default_rng(0).integers(0, 255, (90, 60, 3))
    box = choose_crop((160, 90), Box(), 1.0, [right])
    assert box.left == pytest.approx(1 - 90 / 160)
    assert cut(right, box).shape[:2] == (90, 90)
