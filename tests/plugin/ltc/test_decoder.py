"""Linear timecode that libltc made is decoded, through what cables and tapes do to it."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from sonorama.engine.control.timecode import Timecode
from sonorama.engine.units import Samples
from sonorama.plugin.bridges.ltc.decoder import Decoder

from .libltc import timecode

NTSC = Fraction(30_000, 1001)
RATE, FRAMES = 48_000, 50
START = (10, 59, 58, 20)
WITHOUT = 3
"""Frames that the decoder may need until it knows where a frame begins."""


def decoded(sound: Samples, rate: int = RATE, block: int = 512) -> Iterator[tuple[Timecode, int]]:
    decoder = Decoder(rate)
    for first in range(0, sound.size, block):
        for label, end in decoder.push(sound[first : first + block]):
            yield label, first + end


def check(sound: Samples, fps: Fraction, rate: int = RATE, block: int = 512) -> None:
    """All labels but the first ones come, one after another, each at the end of its frame."""
    found = list(decoded(sound, rate, block))
    assert len(found) >= FRAMES - 1 - WITHOUT  # the last frame ends with the next one's first change
    first = Timecode(*START, round(fps), fps == NTSC)
    for label, end in found:
        count = (end + 1) / (rate / fps)
        assert label.second - first.second == pytest.approx((count - 1) / fps, abs=0.2e-3 + 2 / rate), label
        assert (label.fps, label.drop) == (round(fps), fps == NTSC)


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), NTSC, Fraction(30)], ids=str)
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_all_rates(fps: Fraction, rate: int) -> None:
    check(timecode(rate, fps, START, FRAMES), fps, rate)


@pytest.mark.parametrize("block", [480, 700, 4096])
def test_blocks_of_any_length(block: int) -> None:
    check(timecode(RATE, Fraction(25), START, FRAMES), Fraction(25), block=block)


def test_turned_round_quiet_with_hum_and_noise() -> None:
    clean = timecode(RATE, Fraction(25), START, FRAMES)
    time = np.arange(clean.size) / RATE
    dirty = -0.05 * clean + 0.004 * np.sin(2 * np.pi * 50 * time) + np.random.default_rng(1).normal(0, 0.003, time.size)
    check((dirty + 0.02).astype(np.float32), Fraction(25))


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_tapes_that_run_slowly_or_fast(speed: float) -> None:
    """The frames of a second are guessed until one has ended."""
    sound = timecode(RATE / speed, Fraction(25), START, FRAMES)
    found = [label for label, _ in decoded(sound)]
    first = next(number for number, label in enumerate(found) if label.frames == 0)
    assert len(found) >= FRAMES - 1 - WITHOUT
    assert np.diff([label.second for label in found[first:]]) == pytest.approx(0.04)


def test_it_is_found_again_after_a_gap() -> None:
    one = timecode(RATE, Fraction(25), START, 10)
    sound = np.concatenate([one[3000:], np.zeros(5000, np.float32), one])
    assert len(list(decoded(sound))) >= 2 * (9 - WITHOUT)


def test_other_sounds_are_no_timecode() -> None:
    dice = np.random.default_rng(2)
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE * 4) / RATE)
    for sound in (dice.normal(0, 0.2, RATE * 4), tone, np.zeros(RATE), np.sign(tone)):
        assert list(decoded(sound.astype(np.float32))) == []


def test_seconds_of_labels() -> None:
    assert Timecode(1, 0, 10, 12, 24).second == 3610.5
    assert Timecode(0, 1, 0, 2, 30, True).second == pytest.approx(1800 * 1001 / 30_000)
    assert Timecode(0, 10, 0, 0, 30, True).second == pytest.approx(600, abs=1e-3)
    assert str(Timecode(1, 2, 3, 4, 30, True)) == "01:02:03;04" and str(Timecode(1, 2, 3, 4, 25)) == "01:02:03:04"
    assert not Timecode(0, 0, 0, 25, 25).valid and not Timecode(24, 0, 0, 0, 25).valid
