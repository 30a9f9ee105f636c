"""Any rate and any channels become stereo at 44.1 kHz."""

import numpy as np
import pytest

from sonorama.engine.audio.in_phase import downmix
from sonorama.engine.audio.to_stereo import ToStereo, stereo_mix
from sonorama.engine.units import SAMPLE_RATE

rng = np.random.default_rng(3)
SURROUND = ("FL", "FR", "FC", "LFE", "BL", "BR")


@pytest.mark.parametrize(
    "names", [("FC",), ("FL", "FR"), SURROUND, (*SURROUND, "SL", "SR"), ("NONE",) * 3, ("FL", "FR", "LFE")]
)
def test_the_mean_of_the_sides_is_the_mono_mix(names: tuple[str, ...]) -> None:
    assert np.allclose(stereo_mix(names).mean(0), downmix(names), atol=1e-6)


def test_left_stays_left() -> None:
    mix = stereo_mix(SURROUND)
    assert mix[0, 0] == mix[1, 1] == 1
    assert mix[0, 1] == mix[1, 0] == mix[0, 5] == mix[1, 4] == 0
    assert mix[0, 2] == mix[1, 2] > 0


def test_one_channel_goes_to_both_sides_and_two_stay() -> None:
    mono, stereo = (rng.standard_normal((n, 500)).astype(np.float32) for n in (1, 2))
    assert np.array_equal(ToStereo(SAMPLE_RATE, 1).push(mono), np.concatenate([mono, mono]))
    assert np.array_equal(ToStereo(SAMPLE_RATE, 2).push(stereo), stereo)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_in_any_blocks(rate: int, channels: int) -> None:
    t = np.arange(rate) / rate
    sound = np.tile(0.5 * np.sin(2 * np.pi * 440 * t), (channels, 1)).astype(np.float32)
    whole = ToStereo(rate, channels).push(sound)
    convert, parts, at = ToStereo(rate, channels), [], 0
    while at < rate:
        n = int(rng.integers(0, 2000))
        parts.append(convert.push(sound[:, at : at + n]))
        at += n
    joined = np.concatenate(parts, axis=1)
    assert np.array_equal(joined, whole)
    assert abs(whole.shape[1] - SAMPLE_RATE) < 400
    middle = whole[:, 2000:-2000]
    spectrum = np.abs(np.fft.rfft(middle[0] * np.hanning(middle.shape[1])))
    assert np.argmax(spectrum) * SAMPLE_RATE / middle.shape[1] == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.01)
    assert np.array_equal(whole[0], whole[1])


def test_broken_samples_are_counted_and_silent() -> None:
    block = np.ones((2, 10), np.float32)
    block[0, 3], block[1, 4], block[1, 5] = np.nan, np.inf, -np.inf
    convert = ToStereo(SAMPLE_RATE, 2)
    out = convert.push(block)
    assert convert.broken == 3
    assert out.sum() == 17
