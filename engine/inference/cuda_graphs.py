"""Networks as CUDA graphs: captured once with static inputs and outputs, then replayed by one call for each picture or
motion step.

A graph starts hundreds of operations at the cost of one, and it neither allocates nor waits. What torch.cuda is asked
for stands here alone, so that tests can put something in its place: streams, events, graphs and pinned memory.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..units import Array, Pixels

WARM_UPS = 3
"""Runs before the capture, in which libraries choose and allocate what they need."""
AT_ONCE = 2
"""Pictures on their way at once: one that is painted while another one is copied."""

RUNS = 30
"""Replays whose median is taken for the time of one."""

_one_at_a_time = threading.Lock()
"""torch captures one graph at a time in a process."""


def repeatable() -> None:
    """Have torch compute float32 as float32 (no TF32) and give the same bits in every run, on CUDA.

    It holds for the whole process: the libraries know no flags of a thread, so one that set and reset them for itself
    would do so for all others. cuDNN chooses its kernels by rule, not by trying which is fastest.
    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False


def captured(work: Callable[[], Sequence[Tensor]]) -> tuple[torch.cuda.CUDAGraph, Sequence[Tensor]]:
    """A graph of what `work` does on the device, and its outputs, which every replay writes anew.

    Tensors that `work` reads must stay where they are. Other threads may use the device meanwhile.
    """
    with _one_at_a_time, torch.inference_mode():
        return _captured(work)


def _captured(work: Callable[[], Sequence[Tensor]]) -> tuple[torch.cuda.CUDAGraph, Sequence[Tensor]]:
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UPS):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        outputs = work()
    return graph, outputs


def pinned(like: Tensor) -> Tensor:
    """Memory of the host that the device reads and writes while the program goes on."""
    return torch.empty(like.shape, dtype=like.dtype, pin_memory=True)


class GraphPainter:
    """G as one CUDA graph from styles to RGBA8, with two read-backs.

    The picture is painted on one stream and copied into pinned memory on another, from a copy of its own on the device:
    the next one may be painted while it is copied, and the networks of the frame loop queue behind neither. Any
    thread may paint; AT_ONCE pictures at once, another one waits until the first of them has been fetched.

    Args:
        play: G, style codes [1,L,W] -> picture [1,3,H,W] in 0..1, on the device.
        ws_shape: (1, L, W), of StyleGAN3 (1, L + 1, W).
        device: where to play.

    """

    def __init__(self, play: nn.Module, ws_shape: tuple[int, ...], device: torch.device) -> None:
        self._ws = torch.zeros(ws_shape, device=device)
        self._rgba = torch.empty(0)

        def work() -> tuple[Tensor, Tensor]:
            picture = play(self._ws)[0].float()
            if not self._rgba.numel():
                self._rgba = torch.full((*picture.shape[1:], 4), 255, dtype=torch.uint8, device=device)
            # The operations of picture/to_rgba8.py, so that the bits are the same.
            self._rgba[..., :3].copy_((picture * 255).add_(0.5).clamp_(0, 255).permute(1, 2, 0))
            return picture, self._rgba

        self._graph, outputs = captured(work)
        self._picture, self._pixels = outputs
        self._painting, self._copying, self._lock = torch.cuda.Stream(), torch.cuda.Stream(), threading.Lock()
        self._painting.wait_stream(torch.cuda.current_stream())
        self._free: queue.SimpleQueue[_Buffers] = queue.SimpleQueue()
        for _ in range(AT_ONCE):
            self._free.put(_Buffers(self._ws, self._picture, self._pixels))

    def __call__(self, ws: Array) -> Array:
        """Style codes [L,W] -> picture float32 [H,W,3], a copy of its own."""
        buffers = self._free.get()
        return self._begin(buffers, ws, self._picture, *buffers.picture)().transpose(1, 2, 0)

    def begin_pixels(self, ws: Array) -> Callable[[], Pixels]:
        """See PixelPainter."""
        buffers = self._free.get()
        return self._begin(buffers, ws, self._pixels, *buffers.pixels)

    def _begin(self, buffers: _Buffers, ws: Array, output: Tensor, here: Tensor, there: Tensor) -> Callable[[], Any]:
        """Begin with a picture; here: for one of the graph's outputs on the device, there: in pinned memory."""
        try:
            with self._lock, torch.inference_mode():
                buffers.ws[0].copy_(torch.from_numpy(np.ascontiguousarray(ws, np.float32)))
                with torch.cuda.stream(self._painting):
                    self._ws.copy_(buffers.ws, non_blocking=True)
                    self._graph.replay()
                    here.copy_(output, non_blocking=True)
                    buffers.painted.record(self._painting)
                with torch.cuda.stream(self._copying):
                    self._copying.wait_event(buffers.painted)
                    there.copy_(here, non_blocking=True)
                    buffers.copied.record(self._copying)
        except BaseException:
            self._free.put(buffers)
            raise

        def wait() -> Any:
            try:
                buffers.copied.synchronize()
                return there.numpy().copy()
            finally:
                self._free.put(buffers)

        return wait


class _Buffers:
    """Buffers of one picture on its way. painted: it is on the device. copied: it is in the host's memory."""

    def __init__(self, ws: Tensor, picture: Tensor, pixels: Tensor) -> None:
        self.ws = pinned(ws)
        self.picture, self.pixels = ((torch.empty_like(one), pinned(one)) for one in (picture, pixels))
        # A thread that waits sleeps: the frame loop needs the core.
        self.painted, self.copied = torch.cuda.Event(blocking=True), torch.cuda.Event(blocking=True)


class GraphStep:
    """A small network as a CUDA graph on a stream of its own, for one thread: arrays in, arrays out, without batches.

    Args:
        network: takes and gives tensors with a batch of one.
        shapes: of its inputs, without the batch.
        device: where it runs.

    """

    def __init__(self, network: nn.Module, shapes: Sequence[tuple[int, ...]], device: torch.device) -> None:
        self._inputs = [torch.zeros(1, *shape, device=device) for shape in shapes]
        self._graph, self._outputs = captured(lambda: network(*self._inputs))
        self._in, self._out = [pinned(x) for x in self._inputs], [pinned(y) for y in self._outputs]
        self._stream, self._done = torch.cuda.Stream(), torch.cuda.Event(blocking=True)
        self._stream.wait_stream(torch.cuda.current_stream())

    def __call__(self, *arrays: Array) -> list[Array]:
        """One step; the arrays are copies of their own."""
        with torch.inference_mode():
            for here, array in zip(self._in, arrays, strict=True):
                here[0].copy_(torch.from_numpy(np.ascontiguousarray(array, np.float32)))
            with torch.cuda.stream(self._stream):
                for there, here in zip(self._inputs, self._in, strict=True):
                    there.copy_(here, non_blocking=True)
                self._graph.replay()
                for here, there in zip(self._out, self._outputs, strict=True):
                    here.copy_(there, non_blocking=True)
                self._done.record(self._stream)
        self._done.synchronize()
        return [here[0].numpy().copy() for here in self._out]


def replay_milliseconds(play: nn.Module, ws_shape: tuple[int, ...], device: torch.device) -> float:
    """Median milliseconds of the device for one replay of a network's graph."""
    ws = torch.zeros(ws_shape, device=device)
    graph, _ = captured(lambda: [play(ws)])
    events = [torch.cuda.Event(enable_timing=True) for _ in range(RUNS + 1)]
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for event in events:
            event.record(stream)
            graph.replay()
    stream.synchronize()
    return float(np.median([before.elapsed_time(after) for before, after in itertools.pairwise(events)]))
