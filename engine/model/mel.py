"""Streaming log-mel: causal, with a fixed reference, the same for any chunking.

44.1 kHz mono, n_fft 2048, hop 512, 128 slaney bands, power 2, center=False. Column c covers the N_FFT samples
that end at sample (c + 1) * HOP; before the sound's first sample there is silence. dB against a fixed
reference (0 dB = the largest mel value of a full-scale 1 kHz sine), floor -80 dB, mapped to [0, 1].
The paper's code normalises each clip by its own maximum, which is not causal and throws loudness away.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

from ..units import SAMPLE_RATE, Array

N_FFT = 2048
HOP = 512
BANDS = 128
FLOOR_DB = -80.0
ENCODER_COLUMNS = 88
"""What E_a hears: 1.02 s."""
SOUND_COLUMNS = 344
"""What F_a hears: 4.0 s."""


@functools.cache
def hann_window() -> Array:
    """Periodic Hann window [N_FFT]."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)


def mel_position(hz: float) -> float:
    """Where a frequency from 0 to 22,050 Hz lies on the mel axis of the bands: 0 at its low end, 1 at its high end."""
    linear, step = 1000 / (200 / 3), math.log(6.4) / 27
    mels = [low * 3 / 200 if low < 1000 else linear + math.log(low / 1000) / step for low in (hz, SAMPLE_RATE / 2)]
    return mels[0] / mels[1]


@functools.cache
def _triangles() -> tuple[npt.NDArray[np.intp], Array, Array]:
    """Triangles of equal area on M. Slaney's mel scale (linear to 1 kHz, then logarithmic), as the slopes between their
    BANDS + 2 edges: first FFT bin of each slope [BANDS + 1], and the weight of every bin in the band that falls there
    and in the one that rises [N_FFT // 2 + 1].

    The same numbers as torchaudio's, to which a test holds them; loading torch for them would cost every render
    some seconds.
    """
    linear, step = 1000 / (200 / 3), np.log(6.4) / 27
    top = linear + np.log(SAMPLE_RATE / 2 / 1000) / step
    mels = np.linspace(0, top, BANDS + 2)
    edges = np.where(mels < linear, mels * 200 / 3, 1000 * np.exp(step * (mels - linear)))
    hz = np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    slope = np.clip(np.searchsorted(edges, hz, side="right") - 1, 0, BANDS)
    part, area = (hz - edges[slope]) / np.diff(edges)[slope], 2 / (edges[2:] - edges[:-2])
    falling = (1 - part) * np.concatenate([[0], area])[slope]
    rising = part * np.concatenate([area, [0]])[slope]
    return np.searchsorted(hz, edges[:-1]), falling.astype(np.float32), rising.astype(np.float32)


def _bands(power: Array) -> Array:
    """[k, N_FFT // 2 + 1] -> [k, BANDS]. No matrix product: its threads wait for each other on a busy machine."""
    first, falling, rising = _triangles()
    down, up = (np.add.reduceat(power * weight, first, axis=1) for weight in (falling, rising))
    return down[:, 1:] + up[:, :-1]


@functools.cache
def _reference() -> float:
    """The largest mel value of a full-scale 1 kHz sine."""
    sine = np.sin(2 * np.pi * 1000 / SAMPLE_RATE * np.arange(N_FFT)).astype(np.float32)
    return float(_bands(_power(sine[None])).max())


def filter_bank() -> Array:
    """[N_FFT // 2 + 1, BANDS]: power spectrum @ it = mel values over the reference, as `log_mel` has them."""
    return _bands(np.eye(N_FFT // 2 + 1, dtype=np.float32)) / np.float32(_reference())


def _power(frames: Array) -> Array:
    return np.square(np.abs(np.fft.rfft(frames * hann_window()))).astype(np.float32)


def _columns(samples: Array) -> Array:
    """Samples whose first N_FFT make the first column -> [BANDS, k]."""
    one = len(samples) == N_FFT
    frames = samples[None] if one else np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
    mel = _bands(_power(frames)) / _reference()
    db = 10 * np.log10(np.maximum(mel, 10 ** (FLOOR_DB / 10)))
    return np.clip(1 - db / FLOOR_DB, 0, 1).astype(np.float32).T


class MelStream:
    """Chunks of any size in, log-mel columns out."""

    def __init__(self, begun: int = 0) -> None:
        """begun: how many samples of the first column, 0 to HOP - 1, went before as silence."""
        self.rest: Array = np.zeros(N_FFT - HOP + begun, np.float32)
        """The samples that the next column begins with."""

    def push(self, samples: Array) -> Array:
        """Mono samples float32 [n] at SAMPLE_RATE -> the new columns [BANDS, k], k >= 0, each in [0, 1]."""
        have = np.concatenate([self.rest, samples.astype(np.float32, copy=False)])
        k = max(0, (len(have) - N_FFT) // HOP + 1)
        self.rest = have[k * HOP :]
        if k == 0:
            return np.zeros((BANDS, 0), np.float32)
        return _columns(have[: (k - 1) * HOP + N_FFT])


def log_mel(samples: Array) -> Array:
    """A whole sound: float32 [n] -> [BANDS, n // HOP]."""
    return MelStream().push(samples)


def last_columns(columns: Array, end: int, width: int) -> Array:
    """Columns [BANDS, end - width : end], with silence where the sound had not begun."""
    window = columns[:, max(0, end - width) : max(0, end)]
    if window.shape[1] == width:
        return window
    return np.pad(window, ((0, 0), (width - window.shape[1], 0)))
