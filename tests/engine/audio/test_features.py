"""Loudness, bands, onsets and the beat on sounds whose truth is known."""

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.audio.features import HOP, AnalysisSettings, FeatureExtractor, Features
from sonorama.engine.units import SAMPLE_RATE

rng = np.random.default_rng(7)


def clicks(bpm: float, seconds: float, first: float = 0.31) -> tuple[np.ndarray, np.ndarray]:
    """(sound, the samples at which its clicks begin)."""
    sound = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    starts = (np.arange(first, seconds - 0.05, 60 / bpm) * SAMPLE_RATE).astype(int)
    n = np.arange(400)
    click = 0.5 * np.sin(2 * np.pi * 1500 * n / SAMPLE_RATE) * np.exp(-n / 80)
    for start in starts:
        sound[start : start + 400] += click.astype(np.float32)
    return sound, starts


def drums(bpm: float, seconds: float) -> np.ndarray:
    """A kick on every beat, a snare on two and four, hats on the eighths, over a chord and a little noise."""
    sound = 0.01 * rng.standard_normal(round(seconds * SAMPLE_RATE))
    t = np.arange(len(sound)) / SAMPLE_RATE
    sound += 0.05 * sum(np.sin(2 * np.pi * hz * t) for hz in (220, 277.2, 329.6))
    n = np.arange(6000)
    kick = 0.7 * np.sin(2 * np.pi * (50 * n / SAMPLE_RATE + 2 * (1 - np.exp(-n / 800)))) * np.exp(-n / 2500)
    snare = 0.3 * rng.standard_normal(6000) * np.exp(-n / 1500)
    hat = 0.12 * np.diff(rng.standard_normal(6001)) * np.exp(-n / 300)
    for eighth in range(int(seconds * bpm / 30) - 1):
        at = round(eighth * 30 / bpm * SAMPLE_RATE)
        sound[at : at + 6000] += hat + (kick if eighth % 2 == 0 else 0) + (snare if eighth % 4 == 2 else 0)
    return sound.astype(np.float32)


def rises(sound: np.ndarray, sensitivity: float = 0.5) -> list[int]:
    """Samples at which the onset envelope jumps up after it was falling."""
    analysis, found, before = FeatureExtractor(), [], 0.0
    for start in range(0, len(sound) - HOP, HOP):
        analysis.push(sound[start : start + HOP], AnalysisSettings(sensitivity))
        now = analysis.at(start + HOP).onset
        if now > before and (not found or start + HOP - found[-1] > 3 * HOP):
            found.append(start + HOP)
        before = now
    return found


def bits(features: Features) -> bytes:
    return np.array([getattr(features, name) for name in Features.__slots__]).tobytes()


@pytest.mark.parametrize("bpm", [75, 100, 120, 140, 160])
def test_the_beat_of_a_click_track(bpm: float) -> None:
    sound, starts = clicks(bpm, 14)
    analysis = FeatureExtractor()
    analysis.push(sound[: 8 * SAMPLE_RATE])
    for at in range(8 * SAMPLE_RATE, len(sound), 1470):
        analysis.push(sound[analysis.samples : at])
        heard = analysis.at(at)
        assert heard.bpm == pytest.approx(bpm, rel=0.02)
        error = (heard.beat - (at - starts[0]) / SAMPLE_RATE * bpm / 60 + 0.5) % 1 - 0.5
        assert abs(error) * 60 / bpm < 0.040


@pytest.mark.parametrize("bpm", [96, 128])
def test_the_beat_of_drums(bpm: float) -> None:
    sound = drums(bpm, 14)
    analysis, errors = FeatureExtractor(), []
    for at in range(0, len(sound), 1470):
        analysis.push(sound[analysis.samples : at])
        heard = analysis.at(at)
        if at > 8 * SAMPLE_RATE:
            assert heard.bpm == pytest.approx(bpm, rel=0.02)
            errors.append(abs((heard.beat - at / SAMPLE_RATE * bpm / 60 + 0.5) % 1 - 0.5) * 60 / bpm)
    assert max(errors) < 0.040


def test_the_beat_follows_a_new_tempo() -> None:
    sound = np.concatenate([clicks(100, 12)[0], clicks(133, 14)[0]])
    analysis = FeatureExtractor()
    analysis.push(sound)
    assert analysis.at(analysis.samples).bpm == pytest.approx(133, rel=0.02)


def test_the_beat_ends_with_the_music() -> None:
    analysis = FeatureExtractor()
    analysis.push(clicks(120, 10)[0])
    assert analysis.at(analysis.samples).bpm > 0
    analysis.push(np.zeros(5 * SAMPLE_RATE, np.float32))
    heard = analysis.at(analysis.samples)
    assert (heard.bpm, heard.beat, heard.confidence) == (0, 0, 0)


def test_onsets_come_at_once_and_all_of_them() -> None:
    sound, starts = clicks(97, 12)
    found = rises(sound)
    assert len(found) == len(starts)
    late = (np.array(found) - starts) / SAMPLE_RATE
    assert (late > 0).all()
    assert late.max() < 0.020


def test_a_frame_loop_sees_every_onset() -> None:
    sound, starts = clicks(130, 8)
    analysis = FeatureExtractor()
    seen = [0.0]
    for at in range(1470, len(sound), 1470):  # 30 frames a second
        analysis.push(sound[analysis.samples : at])
        seen.append(analysis.at(at).onset)
    frames = np.array(seen)
    for start in starts[:-1]:
        assert frames[start // 1470 + 1 : start // 1470 + 3].max() > 0.5


def test_sensitivity() -> None:
    sound = drums(110, 8) + (0.05 * rng.standard_normal(8 * SAMPLE_RATE)).astype(np.float32)
    few, usual, many = (len(rises(sound, value)) for value in (0.0, 0.5, 1.0))
    assert few < usual < many


def test_silence_is_zero() -> None:
    analysis = FeatureExtractor()
    for _ in range(100):
        analysis.push(np.zeros(4410, np.float32))
        assert analysis.at(analysis.samples) == Features(0, 0, 0, 0, 0, 0, 0, -100.0, 0)


def test_broken_samples_are_silence() -> None:
    clean, broken = clicks(120, 3)[0], clicks(120, 3)[0]
    clean[5000:5300], broken[5000:5300:3] = 0, np.nan
    broken[5001:5300:3], broken[5002:5300:3] = np.inf, -np.inf
    one, other = FeatureExtractor(), FeatureExtractor()
    one.push(clean)
    other.push(broken)
    assert bits(one.at(one.samples)) == bits(other.at(other.samples))


def test_everything_stays_in_range() -> None:
    analysis = FeatureExtractor()
    for scale in (1e-6, 1e-3, 1.0, 1e3, 3e38, 1.0):
        with np.errstate(over="ignore"):
            analysis.push((rng.standard_normal(SAMPLE_RATE) * scale).astype(np.float32))
        for at in range(analysis.samples - SAMPLE_RATE, analysis.samples, 999):
            heard = analysis.at(at)
            values = [heard.level, heard.bass, heard.mid, heard.high, heard.onset, heard.beat, heard.confidence]
            assert all(0 <= value <= 1 for value in values)


@pytest.mark.parametrize(("hz", "band"), [(60, "bass"), (800, "mid"), (6000, "high")])
def test_bands(hz: float, band: str) -> None:
    """A tone that comes and goes fills its own band and leaves the others."""
    t = np.arange(8 * SAMPLE_RATE) / SAMPLE_RATE
    sound = (0.3 * np.sin(2 * np.pi * hz * t) * (np.sin(2 * np.pi * 0.5 * t) ** 2)).astype(np.float32)
    analysis = FeatureExtractor()
    analysis.push(sound)
    heard = [analysis.at(at) for at in range(4 * SAMPLE_RATE, 8 * SAMPLE_RATE, 1470)]
    of = {name: np.array([getattr(features, name) for features in heard]) for name in ("bass", "mid", "high")}
    own = of.pop(band)
    assert own.max() > 0.85
    assert own.min() < 0.25
    assert all(np.median(other) < np.median(own) - 0.3 for other in of.values())


def test_level_is_loudness() -> None:
    levels = []
    for db in (-50, -30, -10):
        analysis = FeatureExtractor()
        analysis.push((10 ** (db / 20) * np.sign(np.sin(np.arange(SAMPLE_RATE) * 0.05))).astype(np.float32))
        heard = analysis.at(SAMPLE_RATE)
        assert heard.db == pytest.approx(db, abs=0.1)
        levels.append(heard.level)
    assert np.allclose(levels, [1 / 6, 0.5, 5 / 6], atol=0.01)


def test_the_same_for_any_chunks() -> None:
    sound = drums(123, 9)
    whole, parts = FeatureExtractor(), FeatureExtractor()
    whole.push(sound)
    at = 0
    while at < len(sound):
        n = int(rng.choice([0, 1, 7, 64, 441, 512, 1024, 5000]))
        parts.push(sound[at : at + n])
        at += n
    for sample in range(0, len(sound), 1000):
        assert bits(whole.at(sample)) == bits(parts.at(sample))
    one, other = whole.snapshot(), parts.snapshot()
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_restored_it_goes_on_as_never_interrupted() -> None:
    sound = drums(118, 10)
    one = FeatureExtractor()
    one.push(sound[: 6 * SAMPLE_RATE + 123])
    one.tap(5 * SAMPLE_RATE)
    one.tap(5 * SAMPLE_RATE + 20_000)
    one.resync(6 * SAMPLE_RATE)
    one.shift_octave(-1)
    state = {name: np.array(value) for name, value in one.snapshot().items()}
    other = FeatureExtractor()
    other.push(rng.standard_normal(12345).astype(np.float32))
    other.restore(state)
    for analysis in (one, other):
        analysis.tap(5 * SAMPLE_RATE + 40_000)
        analysis.push(sound[6 * SAMPLE_RATE + 123 :], AnalysisSettings(0.8))
    for sample in range(SAMPLE_RATE, len(sound), 700):
        assert bits(one.at(sample)) == bits(other.at(sample))
        assert bits(one.at(sample, "tapped")) == bits(other.at(sample, "tapped"))
    assert all(np.array_equal(value, other.snapshot()[name]) for name, value in one.snapshot().items())


def test_a_snapshot_is_a_copy() -> None:
    analysis = FeatureExtractor()
    state = analysis.snapshot()
    analysis.push(drums(120, 4))
    fresh = FeatureExtractor().snapshot()
    assert all(np.array_equal(state[name], fresh[name]) for name in fresh)


def test_tapping() -> None:
    analysis = FeatureExtractor()
    analysis.push(np.zeros(6 * SAMPLE_RATE, np.float32))
    analysis.tap(SAMPLE_RATE)
    assert analysis.at(2 * SAMPLE_RATE, "tapped").bpm == 0
    for tap in (1.5, 1.5, 2.02, 2.49, 3.0):  # one of them bounces
        analysis.tap(round(tap * SAMPLE_RATE))
    heard = analysis.at(round(3.25 * SAMPLE_RATE), "tapped")
    assert heard.bpm == pytest.approx(120)
    assert heard.beat == pytest.approx(0.5, abs=0.001)
    assert analysis.at(round(3.25 * SAMPLE_RATE)).bpm == 0
    analysis.resync(round(3.6 * SAMPLE_RATE))
    assert analysis.at(round(4.1 * SAMPLE_RATE), "tapped").beat == pytest.approx(0, abs=0.001)
    analysis.tap(6 * SAMPLE_RATE)  # after a pause a new count begins
    assert analysis.at(6 * SAMPLE_RATE, "tapped").bpm == pytest.approx(120)


def test_resync_moves_the_heard_beat() -> None:
    sound, starts = clicks(120, 14)
    analysis = FeatureExtractor()
    analysis.push(sound[: 10 * SAMPLE_RATE])
    off = int(starts[18]) + SAMPLE_RATE // 4  # half a beat later
    analysis.resync(off)
    analysis.push(sound[10 * SAMPLE_RATE :])
    error = (analysis.at(off + 4 * SAMPLE_RATE).beat + 0.5) % 1 - 0.5
    assert abs(error) < 0.05


def test_what_is_not_there_is_refused() -> None:
    analysis = FeatureExtractor()
    analysis.push(np.zeros(12 * SAMPLE_RATE, np.float32))
    for sample in (-1, 12 * SAMPLE_RATE + 1, SAMPLE_RATE):
        with pytest.raises(ValueError, match="outside"):
            analysis.at(sample)


def test_noise_has_no_beat() -> None:
    analysis = FeatureExtractor()
    analysis.push((0.1 * rng.standard_normal(40 * SAMPLE_RATE)).astype(np.float32))
    heard = [analysis.at(at) for at in range(31 * SAMPLE_RATE, 40 * SAMPLE_RATE, 4410)]
    assert max(features.confidence for features in heard) < 0.2
    assert all(features.bpm == 0 for features in heard)


def test_real_rain_has_no_steady_beat(pytestconfig: pytest.Config) -> None:
    with open_sound(pytestconfig.rootpath / "examples" / "rain.ogg") as sound:
        analysis, beats = FeatureExtractor(), []
        for block in sound.mono(duration=40.0, loop=True):
            analysis.push(block)
            beats.append(analysis.at(analysis.samples).bpm > 0)
    assert np.mean(beats) < 0.1
