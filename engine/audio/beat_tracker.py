"""The beat in a curve of onsets: tempo by its autocorrelation, phase by folding it, a loop that holds both.

Causal. Time is counted in hops of 10 ms, phase in beats (0 on the beat, rising to 1).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

HOPS_A_SECOND = 100
SLOWEST, FASTEST, USUAL = 60.0, 180.0, 120.0
SPAN = 800
"""Hops of the curve that are looked at: 8 s."""
FIRST, EVERY = 300, 20
"""Hops before the first look, and between looks."""
FOUND, LOST = 0.22, 0.12
"""Confidence from which there is a beat, and below which it is gone."""
LATE = 1.3
"""Hops from a hit to the middle of its peak in the curve, measured with clicks."""
_BINS = 48
_MULTIPLES = 4
_STATE = ("count", "phase", "step", "confidence", "strange_tempo", "strange_phase", "new_step", "quiet")

_TEMPI = np.arange(SLOWEST, FASTEST + 0.25, 0.5)
_LAGS = (60.0 * HOPS_A_SECOND / _TEMPI)[:, None] * np.arange(1, _MULTIPLES + 1)
_WHOLE = _LAGS.astype(np.int64)
_PART = _LAGS - _WHOLE
_PRIOR = np.exp(-0.5 * np.square(np.log2(_TEMPI / USUAL) / 0.9))
_TURN = 2 * np.pi


class BeatTracker:
    """Push the curve value by value; read `phase`, `bpm`, `confidence`.

    Attributes:
        phase: beats since the last beat, 0 to 1, as of the end of the last hop; 0 without a beat.
        step: beats a hop; 0 without a beat.
        confidence: 0 to 1, how periodic the last seconds were.

    """

    def __init__(self) -> None:
        self._curve = np.zeros(SPAN)
        self.count = 0
        self.phase = self.step = self.confidence = 0.0
        self.new_step = 0.0
        self.strange_tempo = self.strange_phase = self.quiet = 0

    @property
    def bpm(self) -> float:
        """Beats a minute; 0 while there is no beat."""
        return self.step * HOPS_A_SECOND * 60

    def push(self, value: float, silent: bool) -> None:
        """One hop more. value >= 0: how much began in it. silent: nothing was to be heard in it."""
        self._curve[self.count % SPAN] = value
        self.count += 1
        self.quiet = self.quiet + 1 if silent else 0
        self.phase = (self.phase + self.step) % 1.0
        if self.quiet > 2 * HOPS_A_SECOND:
            self.confidence = self.step = self.phase = 0.0
        elif self.count >= FIRST and self.count % EVERY == 0:
            self._look()

    def _recent(self) -> Array:
        """The curve so far, oldest first, above its mean, smoothed over three hops."""
        at = self.count % SPAN
        curve = np.concatenate([self._curve[at:], self._curve[:at]])[-min(self.count, SPAN) :]
        curve = np.maximum(curve - curve.mean(), 0.0)
        padded = np.concatenate([[0.0], curve, [0.0]])
        return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]

    def _look(self) -> None:
        curve = self._recent()
        step, confidence = _tempo(curve, self.step)
        self.confidence += 0.35 * (confidence - self.confidence)
        if self.step == 0.0:
            if min(self.confidence, confidence) > FOUND:
                self.step = step
                self.phase = _phase(curve, step, None)
        elif self.confidence < LOST:
            self.step = self.phase = 0.0
        else:
            self._hold_tempo(step)
            self._hold_phase(_phase(curve, self.step, self.phase))

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
            self.phase = (self.phase + 0.3 * error) % 1.0

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything it knows, for `restore`."""
        numbers = np.array([float(getattr(self, name)) for name in _STATE])
        return {"beat.curve": self._curve.copy(), "beat.numbers": numbers}

    def restore(self, state: dict[str, npt.NDArray[np.generic]]) -> None:
        """Go on as the tracker that gave `state`."""
        self._curve = np.array(state["beat.curve"], np.float64)
        for name, value in zip(_STATE, state["beat.numbers"].tolist(), strict=True):
            setattr(self, name, type(getattr(self, name))(value))


def _tempo(curve: Array, held: float) -> tuple[float, float]:
    """(beats a hop, confidence 0 to 1) of the tempo that explains the curve best; `held` is the one so far, or 0."""
    n = len(curve)
    spectrum = np.fft.rfft(curve - curve.mean(), 2 * SPAN)
    related = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:n] / np.arange(n, 0, -1)
    if related[0] <= 1e-9:
        return 60.0 / USUAL / HOPS_A_SECOND, 0.0
    seen = 0.7 * n > _WHOLE
    lags = np.where(seen, _WHOLE, 0)
    at = (related[lags] * (1 - _PART) + related[lags + 1] * _PART) * seen
    scores = at.sum(1) / seen.sum(1) / related[0]
    stay = 1 + 0.2 * np.exp(-0.5 * np.square((_TEMPI / (held * 6000) - 1) / 0.04)) if held else 1.0
    best = int((scores * _PRIOR * stay).argmax())
    tempo = _TEMPI[best] + 0.5 * _top(*scores[best - 1 : best + 2]) if 0 < best < len(scores) - 1 else _TEMPI[best]
    return float(tempo) / 60 / HOPS_A_SECOND, float(min(max(scores[best], 0.0), 1.0))


def _phase(curve: Array, step: float, held: float | None) -> float:
    """Beats since the last beat, as of now: where the curve, folded at `step` beats a hop, is highest."""
    age = np.arange(len(curve) - 1, -1, -1)
    place = ((age + LATE) * step) % 1.0 * _BINS
    low = place.astype(np.int64) % _BINS
    weight = curve * 0.5 ** (age / 250)
    part = place - np.floor(place)
    folded = np.bincount(low, weight * (1 - part), _BINS) + np.bincount((low + 1) % _BINS, weight * part, _BINS)
    folded = np.roll(folded, 1) + 2 * folded + np.roll(folded, -1)
    if held is not None:
        folded = folded * (1 + 0.2 * np.cos(_TURN * (np.arange(_BINS) / _BINS - held)))
    best = int(folded.argmax())
    near = (best + np.arange(-1, 2)) % _BINS
    return float((best + _top(*folded[near])) / _BINS % 1.0)


def _top(left: float, middle: float, right: float) -> float:
    """Where between -0.5 and 0.5 a parabola through three heights is highest."""
    curve = left - 2 * middle + right
    return min(0.5, max(-0.5, 0.5 * (left - right) / curve)) if curve < 0 else 0.0
