"""Features at each frame of a whole sound, and the times of its onsets and beats."""

from fractions import Fraction

import numpy as np
import pytest

from sonorama.engine.audio.feature_track import FeatureTrack
from sonorama.engine.audio.features import METERS, FeatureExtractor
from sonorama.engine.units import SAMPLE_RATE

FPS = Fraction(30000, 1001)
RNG = np.random.default_rng(3)


def click(n: int) -> np.ndarray:
    return 0.9 * np.sin(2 * np.pi * 1000 * np.arange(n) / SAMPLE_RATE)


def burst(n: int) -> np.ndarray:
    return RNG.normal(0, 0.2, n) * np.exp(-np.arange(n) / 2000)


def hits(shape: np.ndarray, at: np.ndarray, seconds: float, floor: float) -> np.ndarray:
    sound = RNG.normal(0, floor, round(seconds * SAMPLE_RATE))
    for sample in at:
        sound[sample : sample + len(shape)] += shape[: len(sound) - sample]
    return sound.astype(np.float32)


@pytest.mark.parametrize("floor", [0.0, 0.003])
@pytest.mark.parametrize("shape", [click(441), burst(8820)])
def test_onsets_are_placed_to_three_milliseconds_and_never_early(shape: np.ndarray, floor: float) -> None:
    """Never early, because a hit at the very beginning of a frame must not be marked in the frame before it."""
    at = 22_050 * np.arange(1, 16) + RNG.integers(0, 2000, 15)
    track = FeatureTrack(FPS, 1)
    track.push(hits(shape, at, 8.5, floor))
    found = np.array([onset.seconds for onset in track.onsets])
    late = np.array([(found - second)[np.abs(found - second).argmin()] for second in at / SAMPLE_RATE])
    assert (late >= 0).all()
    assert (late < 0.003).all()


def test_beats_are_on_the_clicks() -> None:
    at = 22_050 * np.arange(20)
    track = FeatureTrack(FPS, 1)
    track.push(hits(click(441), at, 10.0, 0.0))
    beats = np.array([beat.seconds for beat in track.beats])
    assert len(beats) >= 12
    assert np.allclose(np.diff(beats), 0.5, atol=0.02)
    assert (np.abs((beats + 0.25) % 0.5 - 0.25) < 0.015).all()


def test_rows_are_those_of_the_extractor_at_the_end_of_each_frame() -> None:
    sound = RNG.normal(0, 0.1, 30_000).astype(np.float32)
    track = FeatureTrack(FPS, 20)
    for piece in np.array_split(sound, 7):
        track.push(piece)
    rows = track.finish()
    assert set(rows) == set(METERS)
    extractor = FeatureExtractor()
    extractor.push(np.concatenate([sound, np.zeros(5000, np.float32)]))
    for frame in range(20):
        at = extractor.at(int(frame * SAMPLE_RATE / FPS) + int(SAMPLE_RATE / FPS))
        assert all(rows[name][frame] == np.float32(getattr(at, name)) for name in METERS)
