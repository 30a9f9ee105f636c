"""Another shape without stretching: colours exact, circles round, the middle stays the middle."""

from fractions import Fraction

import numpy as np
import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.picture.scale import FITS, output_size, scaler
from sonorama.engine.picture.test_pattern import CORNERS, TestPattern

SHAPES = [(512, 512), (1920, 1080), (256, 256), (640, 360), (360, 640), (97, 51), (33, 200), (16, 16), (3, 5)]


def test_the_same_size_is_the_same_picture() -> None:
    picture = TestPattern(64, 48).draw(0, 30)
    assert scaler((64, 48), (64, 48))(picture) is picture


@pytest.mark.parametrize("target", SHAPES)
@pytest.mark.parametrize("source", [*SHAPES[1::2], *(pytest.param(one, marks=pytest.mark.soak) for one in SHAPES[::2])])
def test_flat_colours_stay_what_they_are(source: tuple[int, int], target: tuple[int, int]) -> None:
    scale = scaler(source, target)
    for colour in ((255, 0, 0, 255), (0, 255, 0, 255), (17, 130, 251, 255), (255, 255, 255, 255), (0, 0, 0, 255)):
        picture = np.empty((source[1], source[0], 4), np.uint8)
        picture[:] = colour
        out = scale(picture)
        assert out.shape == (target[1], target[0], 4)
        assert out.flags.c_contiguous
        assert (out == colour).all()


@pytest.mark.parametrize("target", SHAPES[:6])
def test_grey_stays_grey(target: tuple[int, int]) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (80, 90, 1), dtype=np.uint8)
    picture = np.concatenate([levels, levels, levels, np.full_like(levels, 255)], axis=2)
    out = scaler((90, 80), target)(picture)
    assert (out[..., 0] == out[..., 1]).all()
    assert (out[..., 0] == out[..., 2]).all()
    assert (out[..., 3] == 255).all()


@pytest.mark.parametrize("target", SHAPES[:6])
@pytest.mark.parametrize("source", SHAPES[:6])
def test_nothing_is_stretched_and_the_middle_stays(source: tuple[int, int], target: tuple[int, int]) -> None:
    """Two ramps say for every pixel where in the source it comes from."""
    (width, height), scale = source, max(Fraction(out, n) for n, out in zip(source, target, strict=True))
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., 0] = np.round((np.arange(width) + 0.5) / width * 255)
    picture[..., 1] = np.round((np.arange(height) + 0.5) / height * 255)[:, None]
    out = scaler(source, target)(picture)
    for colour, size, length in ((0, width, target[0]), (1, height, target[1])):
        places = (np.arange(length) + 0.5 - length / 2) / float(scale) + size / 2
        wanted = np.clip(places / size * 255, 0, 255)
        got = out[..., colour].mean(axis=colour).astype(float)
        inner = slice(length // 10, length - length // 10)
        levels_a_pixel = 255 / size / float(scale)
        assert np.abs(got - wanted)[inner].max() < 1.2 + levels_a_pixel, (colour, np.abs(got - wanted).max())


def test_up_is_up() -> None:
    card = TestPattern(64, 64).draw(0, 30)
    out = scaler((64, 64), (128, 128))(card)
    seen = [tuple(out[y, x, :3]) for y in (4, -5) for x in (4, -5)]
    assert seen == list(CORNERS)


def test_the_picture_is_left_alone_and_the_next_does_not_change_the_last() -> None:
    scale = scaler((64, 64), (100, 50))
    first, second = TestPattern(64, 64).draw(1, 30), TestPattern(64, 64).draw(2, 30)
    kept = first.copy()
    out = scale(first)
    before = out.copy()
    assert (scale(second) != before).any()
    assert (out == before).all()
    assert (first == kept).all()
    assert (scale(first) == before).all()


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not \(48, 64, 4\)"):
        scaler((64, 48), (32, 32))(np.zeros((64, 48, 4), np.uint8))


@pytest.mark.parametrize(
    ("asked", "own", "size"),
    [
        ((0, 0), (448, 256), (448, 256)),
        ((0, 512), (448, 256), (896, 512)),
        ((224, 0), (448, 256), (224, 128)),
        ((100, 100), (448, 256), (100, 100)),
        ((0, 300), (256, 256), (300, 300)),
        ((0, 4096), (8192, 64), (16_384, 4096)),
        ((1, 0), (8192, 64), (1, 1)),
    ],
)
def test_what_is_not_asked_for_follows_the_shape_of_the_world(
    asked: tuple[int, int], own: tuple[int, int], size: tuple[int, int]
) -> None:
    assert output_size({"/out/width": asked[0], "/out/height": asked[1]}, own) == size


def test_an_inset_leaves_the_outermost_pixels_out() -> None:
    picture = np.full((256, 448, 4), 255, np.uint8)
    picture[4:-4, 4:-4, :3] = 90
    for target in ((1920, 1080), (640, 640), (224, 128)):
        assert (scaler((448, 256), target, 4)(picture)[..., :3] == 90).all()
        assert (scaler((448, 256), target)(picture)[..., :3] != 90).any()
    assert scaler((448, 256), (448, 256), 4)(picture) is picture  # not scaled, not cut


@pytest.mark.parametrize("target", [(64, 36), (36, 64), (70, 31), (33, 200), (40, 40)])
def test_all_of_a_picture_is_shown_between_bars_or_mirrored_margins(target: tuple[int, int]) -> None:
    picture = np.full((20, 20, 4), 255, np.uint8)
    picture[..., :3] = np.random.default_rng(1).integers(60, 256, (20, 20, 3), dtype=np.uint8)
    side = min(target)
    whole = scaler((20, 20), (side, side))(picture)
    left, top = (target[0] - side) // 2, (target[1] - side) // 2
    for fit in FITS[1:]:
        out = scaler((20, 20), target, fit=fit)(picture)
        assert out.shape == (target[1], target[0], 4) and out.flags.c_contiguous and (out[..., 3] == 255).all()
        assert np.array_equal(out[top : top + side, left : left + side], whole)
        beside = np.ones(out.shape[:2], bool)
        beside[top : top + side, left : left + side] = False
        if fit == "contain":
            assert not out[beside][:, :3].any()
        elif left:
            assert np.array_equal(out[:, left - 1], whole[:, 0]) and out[beside][:, :3].any()


def test_the_outermost_pixels_stay_out_of_every_fit() -> None:
    picture = np.full((20, 20, 4), 255, np.uint8)
    picture[2:-2, 2:-2, :3] = 50
    for fit in FITS:
        assert scaler((20, 20), (64, 36), 2, fit)(picture)[..., :3].max() == 50


def test_contain_leaves_no_sliver_of_black() -> None:
    """A wide world without its edges, 438x246, is not quite 16:9."""
    out = scaler((448, 256), (1920, 1080), 5, "contain")(np.full((256, 448, 4), 90, np.uint8))
    assert (out[..., :3] == 90).all()


def test_the_parameter_takes_every_fit() -> None:
    assert SHOW["/out/fit"].choices == FITS and SHOW["/out/fit"].earlier == "cover"
