"""Beat tracking in an onset curve: tempo by autocorrelation, phase by folding, and a loop that stabilises both.

Causal. Time is measured in hops of 10 ms, phase in beats (0 on the beat, rising to 1).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..control.sound_table import PRIOR, THRESHOLD
from ..units import Float64Array
from .tempo_octave import TempoOctave

HOPS_A_SECOND = 100
SLOWEST, FASTEST = 60.0, 180.0
"""Lowest and highest tempo found, in beats per minute."""
SPAN = 800
"""Length in hops of the curve that is analysed: 8 s."""
FIRST, EVERY = 300, 20
"""Hops before the first analysis, and between analyses."""
LOST = 0.55
"""Part of the confidence at which a beat is found below which it is lost."""
WEAKEST, CLEAR = 0.1, 0.2
"""Height of the curve's peaks up to which they are no beat, and from which they surely may be: pads swell and beat
against each other periodically, but weakly."""
BLURRED, SHARP = 2.0, 3.5
"""The same for the height of the peaks as a multiple of the curve's mean."""
LATE = 1.3
"""Hops from an onset to the centre of its peak in the curve, measured with clicks."""
_BINS = 48
_MULTIPLES = 4
_STATE = ("count", "phase", "step", "confidence", "strange_tempo", "strange_phase", "new_step", "quiet")

_TEMPI = np.arange(SLOWEST, FASTEST + 0.25, 0.5)
_LAGS = (60.0 * HOPS_A_SECOND / _TEMPI)[:, None] * np.arange(1, _MULTIPLES + 1)
_WHOLE = _LAGS.astype(np.int64)
_PART = _LAGS - _WHOLE
_TURN = 2 * np.pi


class BeatTracker:
    """Tracks the beat of an onset curve that is pushed value by value.

    Attributes:
        phase, step: as tracked: beats since the last beat, 0..1, at the end of the last hop, and beats per hop; both 0
            without a beat.
        confidence: periodicity of the last seconds times the clarity of the onsets, 0..1.
        prior: centre of the tempo prior, in beats per minute.
        threshold: confidence above which a beat is found, 0..1.

    """

    def __init__(self) -> None:
        self._curve = np.zeros(SPAN)
        self.count = 0
        self.phase = self.step = self.confidence = 0.0
        self.new_step = 0.0
        self.strange_tempo = self.strange_phase = self.quiet = 0
        self.prior, self.threshold = PRIOR, THRESHOLD
        self._octave = TempoOctave()
        self._beats = 0  # tracked beats passed, modulo 4, which tell the beats of a halved tempo apart

    @property
    def bpm(self) -> float:
        """Beats per minute as tracked; 0 without a beat."""
        return self.step * HOPS_A_SECOND * 60

    @property
    def beat(self) -> tuple[float, float]:
        """(beats since the last beat 0..1, beats per hop) in the octave that the player chose."""
        if not self.step:
            return 0.0, 0.0
        factor = 2.0**self._octave.octave
        return (self._beats + self.phase) * factor % 1.0, self.step * factor

    def shift_octave(self, octaves: int) -> bool:
        """Double (1) or halve (-1) the tempo for as long as it plays; False where that cannot be."""
        return self._octave.shift(octaves, self.bpm)

    def push(self, value: float, silent: bool) -> None:
        """Add a hop of onset strength `value` >= 0; after 2 s of `silent` hops the beat is lost."""
        self._curve[self.count % SPAN] = value
        self.count += 1
        self.quiet = self.quiet + 1 if silent else 0
        self._turn(self.step)
        if self.quiet > 2 * HOPS_A_SECOND:
            self.confidence = self.step = self.phase = 0.0
        elif self.count >= FIRST and self.count % EVERY == 0:
            self._analyse()

    def _turn(self, beats: float) -> None:
        """Advance the phase by a part of a beat, or set it back by one."""
        position = self._beats + self.phase + beats
        self.phase = (self.phase + beats) % 1.0
        self._beats = round(position - self.phase) % 4

    def _recent(self) -> Float64Array:
        """The last 8 s of the curve, oldest first, minus its mean, clipped at 0, smoothed over three hops."""
        at = self.count % SPAN
        curve = np.concatenate([self._curve[at:], self._curve[:at]])[-min(self.count, SPAN) :]
        curve = np.maximum(curve - curve.mean(), 0.0)
        padded = np.concatenate([[0.0], curve, [0.0]])
        return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]

    def _analyse(self) -> None:
        curve = self._recent()
        step, confidence = _tempo(curve, self.step, self.prior)
        confidence *= _clarity(curve, self._mean())
        self.confidence += 0.35 * (confidence - self.confidence)
        if self.step == 0.0:
            if min(self.confidence, confidence) > self.threshold:
                self.step = step
                self.phase = _phase(curve, step, None)
        elif self.confidence < LOST * self.threshold:
            self.step = self.phase = 0.0
        else:
            self._hold_tempo(step)
            self._hold_phase(_phase(curve, self.step, self.phase))
        self._octave.follow(self.bpm)

    def _mean(self) -> float:
        """Of the curve, over the last 8 s."""
        return float(self._curve.sum()) / min(self.count, SPAN)

    def _hold_tempo(self, step: float) -> None:
        if abs(step / self.step - 1) < 0.06:
            self.step += 0.3 * (step - self.step)
            self.strange_tempo = 0
            return
        same = self.strange_tempo > 0 and abs(step / self.new_step - 1) < 0.04
        self.strange_tempo = self.strange_tempo + 1 if same else 1
        self.new_step = step
        if self.strange_tempo >= 5:
            self.step, self.strange_tempo = step, 0

    def _hold_phase(self, measured: float) -> None:
        error = (measured - self.phase + 0.5) % 1.0 - 0.5
        self.strange_phase = self.strange_phase + 1 if abs(error) > 0.2 else 0
        if self.strange_phase >= 6:
            self.phase, self.strange_phase = measured, 0
        elif not self.strange_phase:
            self._turn(0.3 * error)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """The complete state."""
        numbers = np.array([float(getattr(self, name)) for name in _STATE])
        octave = np.array([self._octave.octave, self._octave.wanted, self._beats, self.prior, self.threshold])
        return {"beat.curve": self._curve.copy(), "beat.numbers": numbers, "beat.octave": octave}

    def restore(self, state: dict[str, npt.NDArray[np.generic]]) -> None:
        """Continue from a state returned by `snapshot`."""
        self._curve = np.array(state["beat.curve"], np.float64)
        for name, value in zip(_STATE, state["beat.numbers"].tolist(), strict=True):
            setattr(self, name, type(getattr(self, name))(value))
        if "beat.octave" in state:  # not in states of earlier versions
            octave, self._octave.wanted, beats, self.prior, self.threshold = state["beat.octave"].tolist()
            self._octave.octave, self._beats = int(octave), int(beats)


def _clarity(curve: Float64Array, mean: float) -> float:
    """How far the peaks of a curve less its mean are hits, 0..1."""
    rank = len(curve) - 1 - len(curve) // 33
    height = float(np.partition(curve, rank)[rank])  # reached by the highest 3 %
    sharp = height / mean if mean > 0 else 0.0
    return _between(height, WEAKEST, CLEAR) * _between(sharp, BLURRED, SHARP)


def _between(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _tempo(curve: Float64Array, held: float, prior: float) -> tuple[float, float]:
    """Estimate (beats per hop, periodicity 0..1).

    Args:
        curve: the onset curve, less its mean.
        held: current tempo in beats per hop, or 0.
        prior: centre of the tempo prior, in beats per minute.

    """
    n = len(curve)
    spectrum = np.fft.rfft(curve - curve.mean(), 2 * SPAN)
    related = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:n] / np.arange(n, 0, -1)
    if related[0] <= 1e-9:
        return prior / 60 / HOPS_A_SECOND, 0.0
    seen = 0.7 * n > _WHOLE
    lags = np.where(seen, _WHOLE, 0)
    at = (related[lags] * (1 - _PART) + related[lags + 1] * _PART) * seen
    scores = at.sum(1) / seen.sum(1) / related[0]
    stay = 1 + 0.2 * np.exp(-0.5 * np.square((_TEMPI / (held * 6000) - 1) / 0.04)) if held else 1.0
    likely = np.exp(-0.5 * np.square(np.log2(_TEMPI / prior) / 0.9))
    best = int((scores * likely * stay).argmax())
    tempo = _TEMPI[best] + 0.5 * _top(*scores[best - 1 : best + 2]) if 0 < best < len(scores) - 1 else _TEMPI[best]
    return float(tempo) / 60 / HOPS_A_SECOND, float(min(max(scores[best], 0.0), 1.0))


def _phase(curve: Float64Array, step: float, held: float | None) -> float:
    """Beats since the last beat: the maximum of the curve folded at `step` beats per hop."""
    age = np.arange(len(curve) - 1, -1, -1)
    position = ((age + LATE) * step) % 1.0 * _BINS
    low = position.astype(np.int64) % _BINS
    weight = curve * 0.5 ** (age / 250)
    part = position - np.floor(position)
    folded = np.bincount(low, weight * (1 - part), _BINS) + np.bincount((low + 1) % _BINS, weight * part, _BINS)
    folded = np.roll(folded, 1) + 2 * folded + np.roll(folded, -1)
    if held is not None:
        folded = folded * (1 + 0.2 * np.cos(_TURN * (np.arange(_BINS) / _BINS - held)))
    best = int(folded.argmax())
    near = (best + np.arange(-1, 2)) % _BINS
    return float((best + _top(*folded[near])) / _BINS % 1.0)


def _top(left: float, middle: float, right: float) -> float:
    """Position -0.5..0.5 of the maximum of the parabola through three neighbouring values."""
    curve = left - 2 * middle + right
    return min(0.5, max(-0.5, 0.5 * (left - right) / curve)) if curve < 0 else 0.0
