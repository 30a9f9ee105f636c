"""The log-mel front end as nodes of a graph; in numpy, and explained: engine/model/mel.py.

The Fourier transform of 2048 samples is done in two steps, of 32 and of 64 points (Cooley and Tukey 1965), as products
with small matrices: every runtime has those, and few have an operator for it.
"""

from __future__ import annotations

import numpy as np

from ...engine.inference.graphs.graph import AnyArray, Graph, Value, integers
from ...engine.model.mel import BANDS, FLOOR_DB, HOP, N_FFT, filter_bank, hann_window

FIRST, SECOND = 32, 64
"""Points of the two steps."""
KEPT = SECOND // 2 + 1
"""Results of the second step that hold frequencies up to half the sample rate."""


def samples_of(columns: int) -> int:
    """Samples that so many columns are made of."""
    return (columns - 1) * HOP + N_FFT


def log_mel_window(graph: Graph, samples: Value, columns: int) -> Value:
    """Samples [1,n] -> `window` [1,1,128,columns] in 0..1; n = samples_of(columns)."""
    mel = graph.add("MatMul", _power(graph, _frames(graph, samples, columns), columns), _bank())
    floor = np.float32(10 ** (FLOOR_DB / 10))
    db = graph.add("Mul", graph.add("Log", graph.add("Clip", mel, floor)), np.float32(10 / np.log(10)))
    level = graph.add("Clip", graph.add("Add", graph.add("Mul", db, np.float32(-1 / FLOOR_DB)), 1.0), 0.0, 1.0)
    level = graph.add("Transpose", level, perm=[1, 0])
    return graph.add("Reshape", level, integers(1, 1, BANDS, columns), result="window")


def _frames(graph: Graph, samples: Value, columns: int) -> Value:
    """Overlapping frames under the window, [columns,2048]."""
    hops = N_FFT // HOP
    pieces = graph.add("Reshape", samples, integers(columns + hops - 1, HOP))
    parts = [
        graph.add("Slice", pieces, integers(first), integers(first + columns), integers(0)) for first in range(hops)
    ]
    return graph.add("Mul", graph.add("Concat", *parts, axis=1), hann_window())


def _power(graph: Graph, frames: Value, columns: int) -> Value:
    """Power of frequencies k1 + 32 k2 in the order k1, k2: [columns,32 * 33]."""
    table = graph.add("Reshape", frames, integers(columns, FIRST, SECOND))
    cos, sin = _waves(np.arange(FIRST)[:, None] * np.arange(FIRST), FIRST)
    real, imaginary = (graph.add("MatMul", wave, table) for wave in (cos, -sin))
    cos, sin = _waves(np.arange(FIRST)[:, None] * np.arange(SECOND), N_FFT)
    turned = [
        graph.add(kind, graph.add("Mul", one, cos), graph.add("Mul", other, sin))
        for kind, one, other in (("Add", real, imaginary), ("Sub", imaginary, real))
    ]
    cos, sin = _waves(np.arange(SECOND)[:, None] * np.arange(KEPT), SECOND)
    both = graph.add("Concat", *turned, axis=2)
    parts = [graph.add("MatMul", both, np.concatenate(waves)) for waves in ((cos, sin), (-sin, cos))]
    power = graph.add("Add", *(graph.add("Mul", part, part) for part in parts))
    return graph.add("Reshape", power, integers(columns, FIRST * KEPT))


def _waves(turns: AnyArray, points: int) -> tuple[AnyArray, AnyArray]:
    """Cosine and sine of 2 pi turns / points."""
    angles = 2 * np.pi * (turns % points) / points
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _bank() -> AnyArray:
    """The filter bank for the order of `_power`, [32 * 33,128]; 0 above half the sample rate."""
    bank = np.zeros((FIRST * KEPT, BANDS), np.float32)
    bank[: N_FFT // 2 + 1] = filter_bank()
    return bank.reshape(KEPT, FIRST, BANDS).swapaxes(0, 1).reshape(FIRST * KEPT, BANDS)
