"""The mix to mono keeps the power of what is of opposite phase, and every bit of what is not."""

from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.audio.in_phase import MonoMix
from sonorama.engine.audio.to_stereo import ToStereo

DATA = Path(__file__).parents[2] / "data/editor"
NOISE = (0.2 * np.random.default_rng(5).standard_normal((2, 48_000))).astype(np.float32)


def level(x: np.ndarray) -> float:
    return float(np.sqrt(np.square(x, dtype=np.float64).mean()))


def mixed(block: np.ndarray, names: tuple[str, ...] = ("FL", "FR"), sizes: tuple[int, ...] = ()) -> np.ndarray:
    mix = MonoMix(names, 48_000)
    return np.concatenate([mix.push(part) for part in np.split(block, np.cumsum(sizes), axis=1)])


def test_opposite_phase_is_as_loud_as_one_channel() -> None:
    left = NOISE[0]
    out = mixed(np.stack([left, -left]))
    assert np.array_equal(out[3000:], left[3000:])
    assert not out[:2400].any()  # the first window is measured


@pytest.mark.parametrize("other", [NOISE[0], NOISE[1], -0.6 * NOISE[0] + 0.8 * NOISE[1], np.zeros_like(NOISE[0])])
def test_other_sound_keeps_its_bits(other: np.ndarray) -> None:
    block = np.stack([NOISE[0], other])
    assert np.array_equal(mixed(block), np.float32(0.5) * block[0] + np.float32(0.5) * block[1])


def test_any_blocks_give_the_same_bits() -> None:
    turning = np.stack([NOISE[0], np.where(np.arange(48_000) // 9000 % 2, 1, -1).astype(np.float32) * NOISE[0]])
    assert np.array_equal(mixed(turning), mixed(turning, sizes=(1, 700, 2399, 5000, 7, 12_000)))


def test_surrounds_of_opposite_phase_and_the_lfe_are_heard() -> None:
    names = ("FL", "FR", "FC", "LFE", "SL", "SR")
    block = np.zeros((6, 48_000), np.float32)
    block[4], block[5] = NOISE[0], -NOISE[0]
    assert level(mixed(block, names)[3000:]) > 0.5 * level(NOISE[0])
    block[:] = 0
    block[3] = NOISE[0]
    assert level(mixed(block, names)) > 0.3 * level(NOISE[0])


def test_silence_between_hits_changes_nothing() -> None:
    hits = NOISE[0] * (np.arange(48_000) % 12_000 < 4000)
    out = mixed(np.stack([hits, -hits]))
    assert np.array_equal(out[12_000:], hits[12_000:].astype(np.float32))


def test_a_file_of_opposite_phase() -> None:
    with open_sound(DATA / "anti-phase.flac") as sound:
        mono = np.concatenate(list(sound.mono(sound.rate)))
        left = np.concatenate(list(sound.blocks()), axis=1)[0]
    assert level(mono[5000:]) == pytest.approx(level(left[5000:]), rel=1e-3)


def test_live_too() -> None:
    block = np.stack([NOISE[0], -NOISE[0]])
    out = ToStereo(44_100, 2).push(block)
    assert level(out.mean(0)[5000:]) == pytest.approx(level(NOISE[0][5000:]), rel=1e-3)
