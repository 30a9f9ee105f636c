"""The picture's effects: colour, contrast, kaleidoscope, trail and strobe, each against what it should do by itself."""

import numpy as np
import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Value
from sonorama.engine.picture.blend import plain
from sonorama.engine.picture.effects import PictureEffects
from sonorama.engine.picture.output_controls import OutputControls
from sonorama.engine.units import SAMPLE_RATE, Pixels

from .flash_analyser import flashes

DEFAULTS: dict[str, Value] = {path: param.default for path, param in SHOW.items()}
RNG = np.random.default_rng(4)
FRAME = SAMPLE_RATE // 30


def settings(**values: Value) -> dict[str, Value]:
    return DEFAULTS | {f"/picture/{name}": value for name, value in values.items()}


def noise(height: int = 32, width: int = 56) -> Pixels:
    picture = RNG.integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


def applied(picture: Pixels, **values: Value) -> Pixels:
    before = picture.copy()
    out = PictureEffects().apply(picture, settings(**values), FRAME)
    assert out.shape == picture.shape and out.dtype == np.uint8 and (out[..., 3] == 255).all()
    np.testing.assert_array_equal(picture, before, "what was painted stays")
    return out


def luma(picture: Pixels) -> np.ndarray:
    return picture[..., :3] @ np.array([0.213, 0.715, 0.072])


def test_without_effects_it_is_the_picture_itself() -> None:
    picture = noise()
    assert PictureEffects().apply(picture, DEFAULTS, 0) is picture


def test_colour() -> None:
    calm = (100 + noise() // 8).astype(np.uint8)
    calm[..., 3] = 255
    grey = applied(calm, saturation=0.0)
    assert np.ptp(grey[..., :3], axis=2).max() <= 1
    assert np.abs(luma(grey) - luma(calm)).max() <= 1
    turned = applied(calm, hue=120.0)
    assert np.abs(luma(turned) - luma(calm)).max() <= 2 and np.abs(turned.astype(int) - calm).mean() > 2
    assert np.abs(applied(turned, hue=-120.0).astype(int) - calm).max() <= 2, "and back"
    np.testing.assert_array_equal(applied(calm, hue=180.0), applied(calm, hue=-180.0))
    flat = applied(noise(), contrast=0.0)
    assert set(np.unique(flat[..., :3])) == {128}
    hard = applied(plain(8, 8, 100), contrast=2.0)
    assert np.abs(hard[..., :3] - (127.5 + 2 * (100 - 127.5))).max() <= 0.5


@pytest.mark.parametrize("segments", [1, 2, 6, 16])
def test_a_kaleidoscope_repeats_a_mirrored_sector(segments: int) -> None:
    picture = noise(65, 65)
    out = applied(picture, kaleidoscope=segments)
    assert np.mean(out != out[::-1]) < 0.01, "mirrored about the horizontal axis, but for ties of rounding"
    assert {*map(bytes, out.reshape(-1, 4))} <= {*map(bytes, picture.reshape(-1, 4))}, "pixels of the picture"
    np.testing.assert_array_equal(out[32, 40], picture[32, 40], "to the right of the centre it is the picture")
    if segments == 2:
        assert np.mean(out != out[:, ::-1]) < 0.01


def test_a_trail_halves_in_its_half_life_at_any_rate() -> None:
    for frames in (15, 30):
        effects, step = PictureEffects(), SAMPLE_RATE // 2 // frames
        out = effects.apply(plain(8, 8, 240), settings(trail=0.5), 0)
        for frame in range(1, frames + 1):
            out = effects.apply(plain(8, 8, 0), settings(trail=0.5), frame * step)
        assert abs(int(out[0, 0, 0]) - 120) <= 2
        for frame in range(frames * 12):
            out = effects.apply(plain(8, 8, 0), settings(trail=0.5), (frames + frame) * step)
        assert out[..., :3].max() == 0, "and ends at nothing"


def test_a_trail_begins_anew_after_a_pause_another_size_or_off() -> None:
    effects, white, black = PictureEffects(), plain(8, 8, 255), plain(8, 8, 0)
    effects.apply(white, settings(trail=1.0), 0)
    assert effects.apply(black, settings(trail=1.0), 5 * SAMPLE_RATE)[0, 0, 0] == 0
    effects.apply(white, settings(trail=1.0), 6 * SAMPLE_RATE)
    assert effects.apply(plain(9, 5, 0), settings(trail=1.0), 6 * SAMPLE_RATE + FRAME).max(axis=(0, 1))[0] == 0
    effects.apply(white, settings(trail=1.0), 7 * SAMPLE_RATE)
    assert effects.apply(black, settings(), 7 * SAMPLE_RATE + FRAME) is black
    assert effects.apply(black, settings(trail=1.0), 7 * SAMPLE_RATE + 2 * FRAME)[0, 0, 0] == 0


def test_a_trail_that_grows_leaves_the_centre() -> None:
    dot = plain(65, 65, 0)
    dot[28:37, 28:37, :3] = 255
    effects = PictureEffects()
    out = effects.apply(dot, settings(trail=2.0, trail_zoom=4.0), 0)
    for frame in range(1, 16):
        out = effects.apply(plain(65, 65, 0), settings(trail=2.0, trail_zoom=4.0), frame * FRAME)
    assert out[32, 24, 0] > 100 and out[32, 4, 0] < 20


def test_the_strobe_stays_within_three_flashes_a_second() -> None:
    def played(guard: bool) -> list[Pixels]:
        values = settings(strobe=1.0, strobe_rate=10.0) | {"/out/flash_guard": guard}
        effects, controls = PictureEffects(), OutputControls(64, 64)
        pictures = [effects.apply(plain(64, 64, 255), values, frame * FRAME) for frame in range(120)]
        return [controls.apply(one, values, at / 30, 1 / 30) for at, one in enumerate(pictures)]

    assert flashes(played(False), 30)["light"] > 3
    assert flashes(played(True), 30)["light"] <= 3


def test_in_full_depth_they_are_the_same_but_finer() -> None:
    pictures = [noise() for _ in range(4)]
    own = settings(hue=30.0, contrast=1.2, trail=0.5, trail_zoom=1.3, kaleidoscope=4, strobe=0.3)
    eight, deep = PictureEffects(), PictureEffects()
    for number, picture in enumerate(pictures, 1):
        painted = picture[..., :3].astype(np.float32) / np.float32(255)
        before = painted.copy()
        out = deep.apply_deep(painted, own, number * FRAME)
        expected = eight.apply(picture, own, number * FRAME)[..., :3]
        assert out.dtype == np.float32 and np.abs(out * 255 - expected).max() <= 0.501
        assert np.array_equal(painted, before)
    fine = np.full((8, 8, 3), 0.5 + 1 / 4096, np.float32)
    assert deep.apply_deep(fine, DEFAULTS, 0) is fine
    assert PictureEffects().apply_deep(fine, settings(saturation=0.5), 0) == pytest.approx(fine, abs=1e-6)
