"""Kick, snare and hat on patterns whose hits are known."""

import numpy as np
import pytest

from sonorama.engine.audio.drums import DRUMS, KIT, DrumSettings
from sonorama.engine.audio.features import HOP, AnalysisSettings, FeatureExtractor
from sonorama.engine.units import SAMPLE_RATE

from .music import drum_and_bass, house

WARM_S = 3.0


def heights(sound: np.ndarray, settings: AnalysisSettings | None = None) -> dict[str, np.ndarray]:
    """Each drum's envelope at every hop."""
    analysis, rows = FeatureExtractor(), list[list[float]]()
    for at in range(HOP, len(sound), HOP):
        analysis.push(sound[at - HOP : at], settings or AnalysisSettings())
        rows.append([getattr(analysis.at(at), name) for name in DRUMS])
    return dict(zip(DRUMS, np.array(rows).T, strict=True))


def hit_beats(envelope: np.ndarray, bpm: float) -> np.ndarray:
    """Beats at which an envelope rises by more than 0.15, after the first seconds, to a quarter of a beat."""
    hops = np.flatnonzero(np.diff(envelope) > 0.15) + 1
    seconds = hops[hops > WARM_S * 100] / 100
    return np.round(seconds * bpm / 60 * 4) / 4 % 4


@pytest.mark.parametrize(
    ("sound", "bpm", "kicks", "snares"),
    [(house(120, 11), 120, {0, 1, 2, 3}, {1, 3}), (drum_and_bass(174, 11), 174, {0, 2.5}, {1, 3})],
)
def test_each_drum_answers_to_its_own_hits(
    sound: np.ndarray, bpm: float, kicks: set[float], snares: set[float]
) -> None:
    seen = {name: hit_beats(envelope, bpm) for name, envelope in heights(sound).items()}
    for name, own in (("kick", kicks), ("snare", snares)):
        right = np.isin(seen[name], [beat % 4 for one in own for beat in (one, one + 0.25)])  # a hop is 10 ms late
        assert right.mean() > 0.85, name
        assert len(seen[name]) >= 0.9 * len(own) * (len(sound) / SAMPLE_RATE - WARM_S) * bpm / 240, name
    assert len(seen["hat"]) > len(seen["kick"])


def test_the_settings_act() -> None:
    sound = house(120, 6)

    def kicks(settings: DrumSettings) -> np.ndarray:
        return heights(sound, AnalysisSettings(kit={**KIT, "kick": settings}))["kick"][int(WARM_S * 100) :]

    usual = kicks(KIT["kick"])
    assert usual.max() > 0.8
    assert kicks(DrumSettings(30, 110, scale=0.5)).max() == pytest.approx(0.5 * usual.max(), abs=0.1)
    assert kicks(DrumSettings(30, 110, smooth=1.0)).mean() > 1.5 * usual.mean()
    assert kicks(DrumSettings(30, 110, smooth=0.0)).mean() < 0.5 * usual.mean()
    np.testing.assert_array_equal(kicks(DrumSettings(110, 30)), usual)
    assert kicks(DrumSettings(18_000, 20)).mean() != usual.mean()
    assert kicks(DrumSettings(30, 110, gate=1.0)).mean() < usual.mean()
    assert not kicks(DrumSettings(30, 110, scale=0.0)).any()


def test_silence_and_a_held_tone_have_no_hits() -> None:
    tone = (0.3 * np.sin(2 * np.pi * 55 * np.arange(8 * SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)
    for sound in (np.zeros(4 * SAMPLE_RATE, np.float32), tone):
        for envelope in heights(sound).values():
            assert envelope[100:].max() < 0.01
