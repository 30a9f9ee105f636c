"""The teacher: YAMNet (Apache-2.0), a network that names 521 kinds of sound. Used in training only, never shipped.

Its input, after its published description: 16 kHz, windows of 25 ms every 10 ms, magnitudes of a 512-point FFT, 64
mel bands (HTK's scale) from 125 to 7,500 Hz, log(x + 0.001); 96 columns make one patch of 0.98 s.
"""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torchaudio.transforms import Resample

from ....engine.errors import InputError
from ....engine.inference.runtimes import onnxruntime
from ....engine.units import Array

RATE = 16_000
WINDOW, STEP, N_FFT, BANDS, COLUMNS = 400, 160, 512, 64, 96
LOW_HZ, HIGH_HZ, OFFSET = 125.0, 7500.0, 0.001
PATCH = WINDOW + (COLUMNS - 1) * STEP
"""Samples at 16 kHz of one patch."""


def _mel(hz: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    """HTK's mel scale."""
    return 1127.0 * np.log1p(np.asarray(hz) / 700.0)


@functools.cache
def _to_rate(rate: int) -> Resample:
    return Resample(rate, RATE)


@functools.cache
def mel_weights() -> Array:
    """[257,64]: triangles on the mel scale; the constant part of a sound has no weight."""
    edges = np.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), BANDS + 2)
    bins = _mel(np.linspace(0, RATE / 2, N_FFT // 2 + 1))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights.astype(np.float32)


def teacher_file(root: Path) -> Path:
    """Where a data folder has the teacher's weights, if it has any."""
    return root / "weights" / "yamnet_core.onnx"


class Teacher:
    """YAMNet's core, from a data folder.

    Raises:
        InputError: the folder has none.

    """

    def __init__(self, root: Path, threads: int = 1) -> None:
        weights = teacher_file(root)
        if not weights.is_file():
            raise InputError(f"{weights}: the teacher is not there", "Give a data folder that has it with --data.")
        ort = onnxruntime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        self._session = ort.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        with (root / "weights" / "yamnet_class_map.csv").open(newline="", encoding="utf-8") as lines:
            self.names = tuple(row["display_name"] for row in csv.DictReader(lines))

    def patch(self, sound: npt.NDArray[np.floating], rate: int) -> Array:
        """The log-mel patch [96,64] of the last 0.98 s of a sound [n] at `rate` Hz, its largest sample at 1."""
        x = _to_rate(rate)(torch.from_numpy(np.asarray(sound, np.float32))).numpy()[-PATCH:]
        x = np.pad(x, (PATCH - len(x), 0)) / max(float(np.abs(x).max()), 1e-6)
        frames = np.lib.stride_tricks.sliding_window_view(x, WINDOW)[::STEP]
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
        spectrum = np.abs(np.fft.rfft(frames * hann, N_FFT)).astype(np.float32)
        return np.log(spectrum @ mel_weights() + OFFSET)

    def __call__(self, patches: Array) -> tuple[Array, Array]:
        """Patches [N,96,64] -> embeddings [N,1024] and scores [N,521] in 0..1."""
        embedding, scores = self._session.run(None, {"logmel": patches[:, None]})
        return np.asarray(embedding), np.asarray(scores)
