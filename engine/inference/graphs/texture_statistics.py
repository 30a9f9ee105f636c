"""Statistics of a sound texture as nodes of a graph; in torch, and explained: engine/model/texture_statistics.py."""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto

from ...model.mel import BANDS, SOUND_COLUMNS
from .graph import Graph, Value, integer, integers
from .layers import mean, square, total, unsqueeze

FEATURES = 365
DB, FLOOR, CEILING = 80.0, -50.0, 30.0
LAGS = (1, 2, 4, 8, 16, 32, 64, 128)
TOGETHER = 8
"""Level tracks whose common movement is measured."""
_LN10 = np.float32(math.log(10))
_PAIRS = np.stack(np.triu_indices(TOGETHER, 1), 1).astype(np.int64)
_END = 2**63 - 1


class TextureStatistics:
    """Windows [1,1,128,344] -> [1,365].

    Attributes:
        mask: columns that hold sound, [1,344] of 0 and 1.

    """

    def __init__(self, graph: Graph, window: Value) -> None:
        self._graph, self._shares = graph, dict[int, Value]()
        columns = graph.add("Gather", window, integer(0), axis=1)
        loudest = graph.add("ReduceMax", columns, integers(1), keepdims=0)
        self.mask = graph.add("Cast", graph.add("Greater", loudest, 0.02), to=TensorProto.FLOAT)
        self._power = graph.add("Sub", graph.add("Exp", graph.add("Mul", columns, DB * 0.2302585)), 1.0)

    def all(self) -> Value:
        """All of them, in the order in which they were trained."""
        graph, share = self._graph, self._share(0)
        power = mean(graph, self._power, 1)
        whole = unsqueeze(graph, power, 1)
        about = graph.add("Mul", unsqueeze(graph, self._log10(self._mean(whole, share)), 2), 10.0)
        power32 = self._groups(self._power, 32, SOUND_COLUMNS)
        bands, level = self._level(power32, about), self._level(whole, about)
        parts = self._moments(bands, power32, about)
        tilt = graph.add("Mul", parts[0], np.arange(32, dtype=np.float32))
        brightness = graph.add("Div", mean(graph, tilt, 1, keep=True), 10.0)
        tracks = graph.add("Concat", self._groups(bands, TOGETHER, SOUND_COLUMNS, 32), level, axis=1)
        parts += [value for lag in LAGS for value in self._changes(tracks, lag)]
        parts += self._fine_structure(self._level(self._power, about))
        return graph.add("Concat", *parts, self._shape(power, level), brightness, axis=1)

    def _share(self, lag: int) -> Value:
        """Weights [1,1,344 - lag] of columns where there is sound now and `lag` columns before; they sum to 1, or to 0
        without any sound.
        """
        if lag not in self._shares:
            graph = self._graph
            both = graph.add("Mul", *self._apart(self.mask, lag, 1)) if lag else self.mask
            count = graph.add("Clip", total(graph, both, 1, keep=True), 1.0)
            self._shares[lag] = unsqueeze(graph, graph.add("Div", both, count), 1)
        return self._shares[lag]

    def _apart(self, x: Value, lag: int, axis: int) -> tuple[Value, Value]:
        """Columns from `lag` on, and those `lag` columns before."""
        axes, one = integers(axis), integers(1)
        late = self._graph.add("Slice", x, integers(lag), integers(_END), axes, one)
        return late, self._graph.add("Slice", x, integers(0), integers(-lag), axes, one)

    def _mean(self, x: Value, share: Value) -> Value:
        return total(self._graph, self._graph.add("Mul", x, share), 2)

    def _groups(self, x: Value, count: int, columns: int, bands: int = BANDS) -> Value:
        """Means of neighbouring bands: [1,bands,T] -> [1,count,T]."""
        return mean(self._graph, self._graph.add("Reshape", x, integers(1, count, bands // count, columns)), 2)

    def _log10(self, power: Value) -> Value:
        return self._graph.add("Div", self._graph.add("Log", self._graph.add("Add", power, 1e-3)), _LN10)

    def _level(self, power: Value, about: Value) -> Value:
        """Power -> dB against the window's mean level."""
        level = self._graph.add("Sub", self._graph.add("Mul", self._log10(power), 10.0), about)
        return self._graph.add("Clip", level, FLOOR, CEILING)

    def _root(self, x: Value, least: float) -> Value:
        return self._graph.add("Sqrt", self._graph.add("Add", x, least))

    def _moments(self, bands: Value, power: Value, about: Value) -> list[Value]:
        graph, share = self._graph, self._share(0)
        average = self._mean(bands, share)
        apart = graph.add("Sub", bands, unsqueeze(graph, average, 2))
        spread = self._root(self._mean(square(graph, apart), share), 1e-4)
        third = self._mean(self._cube(apart), share)
        skew = graph.add("Div", third, graph.add("Add", self._cube(spread), 1.0))
        mean_level = graph.add("Gather", about, integer(0), axis=2)
        crest = graph.add("Sub", self._level(self._mean(power, share), mean_level), average)
        return [average, spread, skew, crest]

    def _cube(self, x: Value) -> Value:
        return self._graph.add("Mul", self._graph.add("Mul", x, x), x)

    def _changes(self, tracks: Value, lag: int) -> list[Value]:
        graph, share = self._graph, self._share(lag)
        change = graph.add("Sub", *self._apart(tracks, lag, 2))
        up = self._mean(square(graph, graph.add("Clip", change, 0.0)), share)
        down = self._mean(square(graph, graph.add("Clip", change, None, 0.0)), share)
        both = graph.add("Add", up, down)
        rising = graph.add("Div", graph.add("Sub", up, down), graph.add("Add", both, 1.0))
        out = [self._root(both, 1e-2), rising]
        return [*out, self._together(change, share)] if lag in {1, 4} else out

    def _together(self, change: Value, share: Value) -> Value:
        """How the first tracks change together: [1,9,T] -> [1,28]."""
        graph = self._graph
        apart = graph.add("Sub", change, unsqueeze(graph, self._mean(change, share), 2))
        apart = graph.add("Slice", apart, integers(0), integers(TOGETHER), integers(1), integers(1))
        transposed = graph.add("Transpose", apart, perm=[0, 2, 1])
        products = graph.add("MatMul", graph.add("Mul", apart, share), transposed)
        size = graph.add("Sqrt", graph.add("Clip", self._mean(square(graph, apart), share), 0.05))
        sizes = graph.add("Mul", unsqueeze(graph, size, 2), unsqueeze(graph, size, 1))
        table = graph.add("Transpose", graph.add("Div", products, sizes), perm=[1, 2, 0])
        return graph.add("Transpose", graph.add("GatherND", table, _PAIRS), perm=[1, 0])

    def _fine_structure(self, fine: Value) -> list[Value]:
        graph = self._graph
        steps = graph.add("Sub", *self._apart(fine, 1, 1))
        steps = graph.add("Pad", steps, integers(0, 1, 0, 0, 0, 0))
        rough = self._mean(self._groups(square(graph, steps), 16, SOUND_COLUMNS), self._share(0))
        around = graph.add("AveragePool", unsqueeze(graph, fine, 1), kernel_shape=[9, 1], pads=[4, 0, 4, 0])
        peaks = graph.add("Sub", fine, graph.add("Gather", around, integer(0), axis=1))
        return [self._root(rough, 1e-2), *(self._staying(peaks, lag) for lag in (2, 6))]

    def _staying(self, peaks: Value, lag: int) -> Value:
        """How far peaks of the spectrum are still there after `lag` columns."""
        graph, columns = self._graph, SOUND_COLUMNS - lag
        a, b = self._apart(peaks, lag, 2)
        both = self._mean(self._groups(graph.add("Mul", a, b), 8, columns), self._share(lag))
        power = graph.add("Add", graph.add("Mul", a, a), graph.add("Mul", b, b))
        power = self._mean(self._groups(power, 8, columns), self._share(lag))
        return graph.add("Div", both, graph.add("Add", graph.add("Div", power, 2.0), 0.5))

    def _shape(self, power: Value, level: Value) -> Value:
        """Slope, bow, centre and concentration of the loudness, [1,4]; power [1,344], level [1,1,344]."""
        graph = self._graph
        level, share = (graph.add("Gather", x, integer(0), axis=1) for x in (level, self._share(0)))
        place = graph.add("Sub", graph.add("CumSum", share, integer(1)), 0.5)
        apart = graph.add("Sub", level, total(graph, graph.add("Mul", level, share), 1, keep=True))
        weight = graph.add("Mul", power, share)
        whole = graph.add("Add", total(graph, weight, 1), 1e-6)
        weighted = graph.add("Mul", apart, share)
        bow = total(graph, graph.add("Mul", weighted, square(graph, graph.add("Sub", place, 0.5))), 1)
        centre = graph.add("Div", total(graph, graph.add("Mul", weight, place), 1), whole)
        dense = graph.add("Div", total(graph, square(graph, weight), 1), graph.add("Mul", whole, whole))
        slope = total(graph, graph.add("Mul", weighted, place), 1)
        return graph.add("Concat", *(unsqueeze(graph, x, 1) for x in (slope, bow, centre, dense)), axis=1)
