"""Audio features for modulation: loudness, frequency bands, onsets, the beat and drums.

Causal, on a fixed grid: hop h ends at sample (h + 1) * HOP. Every hop is computed separately, so the result does not
depend on the sizes of the blocks pushed, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..control.sound_table import PRIOR, THRESHOLD
from ..units import SAMPLE_RATE, Float64Array, Samples
from .beat_tracker import BeatTracker
from .build_up import BuildUp
from .drums import DRUMS, KIT, Drums, DrumSettings
from .tempo_octave import FASTEST, SLOWEST

HOP = 441
"""Samples per hop: 10 ms."""
FEATURES = ("level", "bass", "mid", "high", "onset", "beat")
METERS = (*FEATURES, "bpm", "confidence", *DRUMS, "build", "drop")
LIVE_METERS = (*METERS, "bar", "phrase")
"""Those of a show, which counts bars from its last resync or drop."""
SILENCE_DB = -100.0
HISTORY = 1024
"""Number of past hops available to `at`: 10 s."""

State = dict[str, npt.NDArray[np.generic]]

_WINDOW = 1024  # samples per spectrum: 23 ms
_AT_ONCE = 64  # hops that are computed together at most
_LOUD = 5  # hops per loudness value: 50 ms
_BANDS_HZ = (30.0, 150.0, 2000.0, 16000.0)
_GAMMA = 1000.0
_COLUMNS = ("level", "bass", "mid", "high", "onset", "phase", "step", "confidence", "db", *DRUMS, "build", "drop")
_ONSET, _DB = _COLUMNS.index("onset"), _COLUMNS.index("db")
HIT_ONSET, HIT_RISE_DB, HIT_LOUD_DB = 0.5, 6.0, -55.0
"""A hit: an onset of that strength, after which the sound is so much louder than before, and louder than that."""
HIT_BEFORE, HIT_AFTER = 3, 8
"""Hops before and after an onset whose loudness is compared."""
HIT_LATENCY = 470
"""Samples from a hit to the end of the hop that shows it, at most; measured with clicks."""
_TAPS, _TAP_PAUSE = 8, 2.5  # taps that are averaged, seconds after which a new series begins
_NUMBERS = (
    "samples", "_last", "_level", "_onset", "_mean", "_spread", "_peak", "_shift", "_tap_period", "_tap_at",
)  # fmt: skip


def _hann(n: int) -> Float64Array:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    return window * (2 / window.sum())  # a full-scale sine has magnitude 1


def _onset_edges() -> npt.NDArray[np.int64]:
    """First FFT bins of the onset curve's bands, about six per octave from 40 Hz to 16 kHz."""
    return np.unique(np.round(np.geomspace(40, 16_000, 52) * _WINDOW / SAMPLE_RATE).astype(np.int64))


_HANN = _hann(_WINDOW)
_BAND_EDGES = np.array([math.ceil(hz * _WINDOW / SAMPLE_RATE) for hz in _BANDS_HZ])
_ONSET_EDGES = _onset_edges()
_LOW_BANDS = int((_ONSET_EDGES * SAMPLE_RATE / _WINDOW < 180).sum())


def _decay(half_life: float) -> float:
    """Decay factor per hop for a half-life in seconds."""
    return 0.5 ** (HOP / SAMPLE_RATE / half_life)


_LEVEL_FALL, _ONSET_FALL, _BAND_FALL = _decay(0.08), _decay(0.12), _decay(0.06)
_TOP_RISE, _TOP_FALL = _decay(0.1), _decay(8.0)
_FLOOR_FALL, _FLOOR_RISE = _decay(0.4), _decay(8.0)
_SLOW, _PEAK_FALL = _decay(0.5), _decay(4.0)


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """How sound is analysed.

    Attributes:
        onset: sensitivity, 0 (only the strongest onsets) to 1 (every onset).
        prior: tempo around which the beat is sought, in BPM.
        threshold: confidence above which there is a beat, 0..1.
        kit: settings of kick, snare and hat.

    """

    onset: float = 0.5
    prior: float = PRIOR
    threshold: float = THRESHOLD
    kit: Mapping[str, DrumSettings] = field(default_factory=lambda: KIT)


@dataclass(frozen=True, slots=True)
class Features:
    """Audio features at one sample.

    Attributes:
        level: loudness, 0 (-60 dBFS and below) to 1 (0 dBFS).
        bass, mid, high: level of each band, 0..1, relative to its own range in the last seconds.
        onset: 1 at a strong onset, with a half-life of 120 ms.
        beat: beat phase, 0 on the beat rising to 1; 0 without a beat.
        bpm: beats per minute; 0 without a beat.
        db: RMS level of the last 50 ms in dBFS (0 for a full-scale square wave), at least -100.
        confidence: in the beat: periodicity and clarity of the onsets of the last 8 s, 0..1.
        kick, snare, hat: 1 at a strong hit of the drum, then falling.
        build: how far the sound rises over the last seconds, 0..1.
        drop: 1 where the bass comes back after a while, then falling.
        bar: 1 to 4, in the frame pipeline only (pipeline/modulators.py counts); 0 without a beat.
        phrase: position in 16 bars, 0..1, likewise.

    """

    level: float
    bass: float
    mid: float
    high: float
    onset: float
    beat: float
    bpm: float
    db: float
    confidence: float = 0.0
    kick: float = 0.0
    snare: float = 0.0
    hat: float = 0.0
    build: float = 0.0
    drop: float = 0.0
    bar: float = 0.0
    phrase: float = 0.0


_USUAL = AnalysisSettings()


class FeatureExtractor:
    """Computes features of mono sound pushed in blocks, and gives them at any sample of the last 10 s."""

    def __init__(self, begin: int = 0) -> None:
        """Start with silence; `begin` is the index of the first sample that will be pushed."""
        self.samples = begin
        self._rest = np.zeros(begin % HOP)
        self._window = np.zeros(_WINDOW)
        self._loud = np.zeros(_LOUD)  # energy of each of the last hops
        self._before = np.zeros((2, len(_ONSET_EDGES)))  # log band magnitudes of the last even and the last odd hop
        self._tops, self._floors, self._bands = [-20.0] * 3, [-50.0] * 3, [0.0] * 3
        self._level = self._onset = self._mean = self._spread = self._peak = self._last = 0.0
        self._beat, self._drums = BeatTracker(), Drums(SAMPLE_RATE / _WINDOW)
        self._build = BuildUp()
        self._shift = self._tap_period = self._tap_at = 0.0
        self._taps: list[int] = []
        self._history = np.zeros((HISTORY, len(_COLUMNS)))
        self._history[:, _DB] = SILENCE_DB

    def push(self, samples: Samples, settings: AnalysisSettings = _USUAL) -> None:
        """Add sound. NaN and infinite samples count as silence.

        Args:
            samples: mono float32 [n] at 44,100 Hz, any n; full scale is -1..1.
            settings: for the hops that end in the block.

        """
        self._beat.prior, self._beat.threshold = settings.prior, settings.threshold
        clean = np.where(np.isfinite(samples), samples, 0).astype(np.float64)
        have = np.concatenate([self._rest, np.clip(clean, -4.0, 4.0)])
        first = self.samples // HOP
        self.samples += len(samples)
        whole = self.samples // HOP - first
        for k in range(0, whole, _AT_ONCE):
            self._hops(first + k, have[k * HOP : min(k + _AT_ONCE, whole) * HOP], settings)
        self._rest = have[whole * HOP :].copy()

    def _hops(self, first: int, sound: Float64Array, settings: AnalysisSettings) -> None:
        """The hops from number `first` on that `sound` consists of. What they do not need of each other is computed
        together, each hop's numbers as if alone.
        """
        have, count = np.concatenate([self._window, sound]), len(sound) // HOP
        self._window = have[-_WINDOW:].copy()
        step = have.itemsize * HOP
        windows = np.ndarray((count, _WINDOW), have.dtype, have, step, (step, have.itemsize))
        spectra = np.fft.rfft(windows * _HANN)
        power = spectra.real**2 + spectra.imag**2
        loud = np.add.reduce((sound * sound).reshape(-1, HOP), axis=1).tolist()
        energies = np.add.reduceat(power[:, : _BAND_EDGES[-1]], _BAND_EDGES[:-1], axis=1).tolist()
        roots = self._drums.roots(power, settings.kit)
        flux = self._flux(power, first % 2)
        for k, of_hop in enumerate(zip(loud, energies, roots, *flux, strict=True)):
            self._hop(first + k, of_hop, settings)

    def _hop(
        self, hop: int, of_hop: tuple[float, list[float], list[float], float, float], settings: AnalysisSettings
    ) -> None:
        """of_hop: energy, energies of the bands, of the drums (`Drums.roots`), flux of all and of the low bands."""
        self._loud[hop % _LOUD], energies, roots, flux, low = of_hop
        db = max(SILENCE_DB, 10 * math.log10(sum(self._loud.tolist()) / (_LOUD * HOP) + 1e-12))
        self._level = max(min(max(1 + db / 60, 0.0), 1.0), self._level * _LEVEL_FALL)
        bass_db, high_db = self._follow_bands(energies)
        self._follow_onsets(flux, min(max(settings.onset, 0.0), 1.0))
        drums = self._drums.step(roots, hop % 2, settings.kit)
        build = self._build.step(bass_db, high_db)
        beat = self._beat
        beat.push(flux + 0.5 * low, db < -60)
        if beat.step == 0.0:
            self._shift = 0.0
        row = (self._level, *self._bands, self._onset, *beat.beat, beat.confidence, db, *drums, *build)
        self._history[hop % HISTORY] = row

    def _follow_bands(self, energies: list[float]) -> tuple[float, float]:
        """Follow the three bands; the levels of the low and the high one in dB."""
        levels = []
        for i, energy in enumerate(energies):
            levels.append(db := 10 * math.log10(energy + 1e-12))
            top, floor = self._tops[i], self._floors[i]
            if db > -70:  # silence says nothing about the range
                top = db + (top - db) * (_TOP_RISE if db > top else _TOP_FALL)
                floor = db + (floor - db) * (_FLOOR_FALL if db < floor else _FLOOR_RISE)
                floor = min(floor, top - 12.0)
                self._tops[i], self._floors[i] = top, floor
            gate = min(max((db + 75) / 15, 0.0), 1.0)
            value = min(max((db - floor) / (top - floor), 0.0), 1.0) * gate
            self._bands[i] = max(value, self._bands[i] * _BAND_FALL)
        return levels[0], levels[-1]

    def _flux(self, power: Float64Array, odd: int) -> tuple[list[float], list[float]]:
        """Spectral flux of (all bands, low bands), by hop: mean rise of the log magnitudes over two hops.

        power: of the hops [k,n]. odd: parity of the first one.
        """
        now = np.log1p(_GAMMA * np.sqrt(np.add.reduceat(power, _ONSET_EDGES, axis=1)))
        known = np.concatenate([self._before[[odd, 1 - odd]], now])
        before = known[:-2]
        old = before.copy()  # maximum of each band and its neighbours, so that a gliding note is not an onset
        np.maximum(old[:, 1:], before[:, :-1], out=old[:, 1:])
        np.maximum(old[:, :-1], before[:, 1:], out=old[:, :-1])
        rise = np.maximum(now - old, 0.0)
        next_odd = (odd + len(now)) % 2
        self._before[[next_odd, 1 - next_odd]] = known[-2:]
        low = np.add.reduce(rise[:, :_LOW_BANDS], axis=1) / _LOW_BANDS
        return (np.add.reduce(rise, axis=1) / rise.shape[1]).tolist(), low.tolist()

    def _follow_onsets(self, flux: float, sensitivity: float) -> None:
        dull = 1 - sensitivity
        threshold = self._mean + (1.5 + 5 * dull) * self._spread + 0.02 + 0.16 * dull
        self._peak = max(flux, self._peak * _PEAK_FALL)
        self._onset *= _ONSET_FALL
        if flux > threshold and flux > self._last:
            self._onset = max(self._onset, 0.35 + 0.65 * flux / self._peak)
        self._last = flux
        self._mean = flux + (self._mean - flux) * _SLOW
        self._spread = abs(flux - self._mean) + (self._spread - abs(flux - self._mean)) * _SLOW

    def at(self, sample: int, tempo: Literal["heard", "tapped"] = "heard") -> Features:
        """The features at `sample`: those of the last hop that ended before it, with the beat advanced to the sample.

        Args:
            sample: index of a sample, at most 10 s before `samples`.
            tempo: use the beat tracked in the sound (`heard`), or the tapped one (`tapped`), once there are two taps.

        Raises:
            ValueError: the sample was not pushed yet, or is too old.

        """
        if not max(0, self.samples - (HISTORY - 1) * HOP) <= sample <= self.samples:
            raise ValueError(f"sample {sample} is outside the last 10 s before {self.samples}")
        hop = sample // HOP - 1
        if hop < 0:
            return Features(0.0, 0.0, 0.0, 0.0, 0.0, *self._tapped(sample, tempo), SILENCE_DB)
        level, bass, mid, high, onset, phase, step, confidence, db, *drums = self._history[hop % HISTORY].tolist()
        beat, bpm = self._tapped(sample, tempo)
        if not bpm and step:
            beat = (phase + (sample % HOP) / HOP * step + self._shift) % 1.0
            bpm = step * 60 * SAMPLE_RATE / HOP
        return Features(level, bass, mid, high, onset, beat, bpm, db, confidence, *drums)

    def hits(self, first: int, last: int) -> list[int]:
        """Where strong sounds begin: samples, first < sample <= last, of onsets after which it is HIT_RISE_DB louder
        than before. Both ends at most 10 s before `samples`; what came in the last 80 ms is not known yet.
        """
        low, high = max(first // HOP, self.samples // HOP - HISTORY + HIT_BEFORE + 2), self.samples // HOP - HIT_AFTER
        rows = self._history[np.arange(low - HIT_BEFORE - 1, high + HIT_AFTER) % HISTORY]
        onset, db = rows[:, _ONSET], rows[:, _DB]
        found = list[int]()
        for hop in range(low, high):
            k = hop - low + HIT_BEFORE + 1
            begins = (hop + 1) * HOP - HIT_LATENCY
            if first < begins <= last and onset[k] > max(onset[k - 1], HIT_ONSET):
                loud = float(db[k : k + HIT_AFTER].max())
                if loud > HIT_LOUD_DB and loud - float(db[k - HIT_BEFORE]) >= HIT_RISE_DB:
                    found.append(begins)
        return found

    def _tapped(self, sample: int, tempo: str) -> tuple[float, float]:
        if tempo != "tapped" or not self._tap_period:
            return 0.0, 0.0
        return (sample - self._tap_at) / self._tap_period % 1.0, 60 * SAMPLE_RATE / self._tap_period

    def tap(self, sample: int) -> None:
        """Record a tap of the beat at `sample`. Two taps give a tempo (24 to 400 BPM), more refine it."""
        if self._taps and not 0.15 * SAMPLE_RATE <= sample - self._taps[-1] <= _TAP_PAUSE * SAMPLE_RATE:
            if 0 <= sample - self._taps[-1] < 0.15 * SAMPLE_RATE:
                return  # a double trigger
            self._taps = []
        self._taps = [*self._taps, sample][-_TAPS:]
        if len(self._taps) >= 2:
            self._tap_period = (self._taps[-1] - self._taps[0]) / (len(self._taps) - 1)
            self._tap_at = float(sample)

    def resync(self, sample: int) -> None:
        """Set the phase of the tapped and of the tracked beat to 0 at `sample`; the tracked one keeps it until lost."""
        self._tap_at = float(sample)
        hop = min(sample // HOP, self.samples // HOP) - 1
        if hop >= 0:
            phase, step = self._history[hop % HISTORY, 5:7].tolist()
            self._shift = -(phase + (sample / HOP - hop - 1) * step) % 1.0

    def shift_octave(self, octaves: int, tempo: Literal["heard", "tapped"] = "heard") -> None:
        """Double (1) or halve (-1) the tempo that is used, for as long as it plays; without effect where there is none,
        or beyond 30 to 360 BPM.
        """
        if tempo == "tapped" and self._tap_period:
            bpm = 60 * SAMPLE_RATE / self._tap_period * 2.0**octaves
            self._tap_period /= 2.0**octaves if SLOWEST <= bpm <= FASTEST else 1.0
        elif self._beat.shift_octave(octaves):
            self._shift = self._shift * 2.0**octaves % 1.0

    def snapshot(self) -> State:
        """The complete state: an extractor that restores it continues like this one, bit for bit."""
        return {
            "numbers": np.array([float(getattr(self, name)) for name in _NUMBERS]),
            "rest": self._rest.copy(),
            "window": self._window.copy(),
            "loud": self._loud.copy(),
            "before": self._before.copy(),
            "ranges": np.array([self._tops, self._floors, self._bands]),
            "taps": np.array(self._taps, np.int64),
            "history": self._history.copy(),
            "drums": self._drums.snapshot(),
            "build": self._build.snapshot(),
            **self._beat.snapshot(),
        }

    def restore(self, state: State) -> None:
        """Continue from a state returned by `snapshot`."""
        for name, value in zip(_NUMBERS, state["numbers"].tolist(), strict=True):
            setattr(self, name, type(getattr(self, name))(value))
        self._rest, self._window, self._loud, self._before, self._history = (
            np.array(state[name], np.float64) for name in ("rest", "window", "loud", "before", "history")
        )
        if (missing := len(_COLUMNS) - self._history.shape[1]) > 0:  # in states of earlier versions
            self._history = np.pad(self._history, ((0, 0), (0, missing)))
        if "build" in state:
            self._drums.restore(state["drums"])
            self._build.restore(state["build"])
        self._tops, self._floors, self._bands = (list(map(float, row)) for row in state["ranges"].tolist())
        self._taps = [int(tap) for tap in state["taps"].tolist()]
        self._beat.restore(state)
