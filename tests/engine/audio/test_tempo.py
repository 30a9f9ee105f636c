"""The tempo of music, in the octave that the player wants, and none where there is no beat."""

from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.audio.features import AnalysisSettings, FeatureExtractor
from sonorama.engine.audio.tempo_octave import TempoOctave
from sonorama.engine.units import SAMPLE_RATE

from .music import PADS, drum_and_bass, house, pad, speech

SPEECH = Path(__file__).parents[4] / "shared" / "data" / "audio_unlabelled" / "codec2-examples__0.opus"


def analysed(sound: np.ndarray, settings: AnalysisSettings | None = None) -> FeatureExtractor:
    analysis = FeatureExtractor()
    analysis.push(sound, settings or AnalysisSettings())
    return analysis


def tempi(sound: np.ndarray) -> list[float]:
    """What is reported ten times a second."""
    analysis, found = FeatureExtractor(), list[float]()
    for at in range(0, len(sound), SAMPLE_RATE // 10):
        analysis.push(sound[analysis.samples : at])
        found.append(analysis.at(analysis.samples).bpm)
    return found


def test_174_by_one_key_or_by_the_prior() -> None:
    sound = drum_and_bass(174, 18)
    analysis = analysed(sound[: 10 * SAMPLE_RATE])
    assert analysis.at(analysis.samples).bpm == pytest.approx(87, rel=0.01), "half of it, by the usual prior"
    analysis.shift_octave(1)
    for second in range(10, 18):
        analysis.push(sound[second * SAMPLE_RATE : (second + 1) * SAMPLE_RATE])
        heard = analysis.at(analysis.samples)
        assert heard.bpm == pytest.approx(174, rel=0.01)
        assert abs((heard.beat - analysis.samples / SAMPLE_RATE * 2.9 + 0.5) % 1 - 0.5) < 0.15, "on the beat, too"
    assert analysis.at(analysis.samples).confidence > 0.5
    by_prior = analysed(sound[: 10 * SAMPLE_RATE], AnalysisSettings(prior=174.0))
    assert by_prior.at(by_prior.samples).bpm == pytest.approx(174, rel=0.01)


def test_x2_ends_with_the_tempo_and_comes_back_with_it() -> None:
    analysis = analysed(drum_and_bass(174, 10))
    analysis.shift_octave(1)
    analysis.push(house(120, 14))
    assert analysis.at(analysis.samples).bpm == pytest.approx(120, rel=0.02)
    analysis.push(np.zeros(4 * SAMPLE_RATE, np.float32))
    assert analysis.at(analysis.samples).bpm == 0
    analysis.push(drum_and_bass(171, 14))
    assert analysis.at(analysis.samples).bpm == pytest.approx(171, rel=0.02)


def test_half_counts_every_second_beat() -> None:
    sound = house(120, 16)
    analysis = analysed(sound[: 10 * SAMPLE_RATE])
    analysis.shift_octave(-1)
    phases = []
    for at in range(11 * SAMPLE_RATE, len(sound), SAMPLE_RATE):  # a second is a beat now
        analysis.push(sound[analysis.samples : at])
        assert analysis.at(at).bpm == pytest.approx(60, rel=0.01)
        phases.append(analysis.at(at).beat)
    assert np.ptp((np.array(phases) - phases[0] + 0.5) % 1) < 0.1, "the same one of two all along"
    analysis.shift_octave(1)
    assert analysis.at(len(sound) // SAMPLE_RATE * SAMPLE_RATE - SAMPLE_RATE).bpm


def test_the_octave_of_the_players_choice() -> None:
    octave = TempoOctave()
    assert not octave.shift(1, 0.0), "there is no beat"
    assert octave.shift(1, 87.0)
    for tracked, wanted in ((88.0, 1), (176.0, 0), (90.0, 1), (120.0, 0), (87.0, 1)):
        octave.follow(tracked)
        assert octave.octave == wanted, tracked
    assert octave.shift(1, 87.0)
    assert not octave.shift(1, 87.0), "696 BPM"
    assert octave.shift(-2, 87.0) and octave.wanted == 0.0


def test_taps_are_doubled_and_halved() -> None:
    analysis = analysed(np.zeros(4 * SAMPLE_RATE, np.float32))
    for beat in range(4):
        analysis.tap(beat * SAMPLE_RATE // 2)
    for octaves, bpm in ((1, 240), (-1, 120), (-1, 60), (-1, 30), (-1, 30)):
        analysis.shift_octave(octaves, "tapped")
        assert analysis.at(2 * SAMPLE_RATE, "tapped").bpm == pytest.approx(bpm)


@pytest.mark.parametrize("kind", PADS)
def test_pads_have_no_beat(kind: str) -> None:
    assert not any(tempi(pad(kind, 9)))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_speech_has_no_beat(seed: int) -> None:
    assert not any(tempi(speech(10, seed)))


def test_recorded_speech_has_no_beat() -> None:
    if not SPEECH.exists():
        pytest.skip("no shared data")
    with open_sound(SPEECH) as sound:
        assert np.mean(np.array(tempi(np.concatenate(list(sound.mono(duration=20.0))))) > 0) < 0.02


def test_quiet_music_keeps_its_beat() -> None:
    assert tempi(house(128, 10) * np.float32(0.01))[-1] == pytest.approx(128, rel=0.01)


def test_no_beat_below_the_threshold() -> None:
    sound = house(128, 8)
    sure = analysed(sound).at(len(sound)).confidence
    below, above = (analysed(sound, AnalysisSettings(threshold=sure + by)).at(len(sound)) for by in (-0.1, 0.05))
    assert below.bpm > 0 and above.bpm == 0
    assert above.confidence == pytest.approx(sure, abs=0.05), "shown all the same"
