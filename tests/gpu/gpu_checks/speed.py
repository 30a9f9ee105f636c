"""How fast pictures are painted on a device, beside the floors below which it cannot be: arithmetic, memory, starting a
graph, and copying.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sonorama.engine.inference import cuda_graphs
from sonorama.engine.inference.cuda_graphs import GraphPainter, captured
from sonorama.engine.model.generator import Synthesis
from sonorama.engine.model.generator_fused import ALL_FORMS, Form, FusedSynthesis

from .networks import Reference, convolution_work
from .parity import error

WARM_UPS = 10
Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Times:
    """Milliseconds of a picture: median and 99th percentile as the program sees it, median of the device."""

    wall: float
    p99: float
    device: float


@dataclass(frozen=True)
class Row:
    """One way of painting. error: of the picture, see parity.error. times_reference: as fast as the first row."""

    name: str
    times: Times
    error: float
    times_reference: float


@dataclass(frozen=True)
class Floors:
    """Measured on this device. flops: of a float16 product of matrices, operations a second. bandwidth: bytes a second.
    launch, copy: milliseconds of a graph of one small operation, and of codes up and RGBA8 down.
    """

    flops: float
    bandwidth: float
    launch: float
    copy: float


@contextmanager
def tried() -> Iterator[None]:
    """cuDNN tries its kernels and takes the fastest: other bits in every run."""
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = True, False
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic = before


def times_of(run: Callable[[], object], runs: int) -> Times:
    """Time `run`, which puts its work on the current stream or waits for it."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(WARM_UPS if runs > WARM_UPS else 1):
            run()
        torch.cuda.synchronize()
        wall, device = list[float](), list[float]()
        for _ in range(runs):
            before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begun = time.perf_counter()
            before.record(stream)
            run()
            after.record(stream)
            torch.cuda.synchronize()
            wall.append(1000 * (time.perf_counter() - begun))
            device.append(before.elapsed_time(after))
    return Times(statistics.median(wall), float(np.percentile(wall, 99)), statistics.median(device))


def floors(device: torch.device, size: tuple[int, int], rows: int, width: int, runs: int, wide: int = 8192) -> Floors:
    """Of pictures of a size (height, width), from codes [rows,width]."""
    dtype = torch.float16
    a = torch.randn(wide, wide, device=device).to(dtype)
    b, out = torch.randn_like(a), torch.empty_like(a)
    long = torch.zeros(wide * 32768, device=device, dtype=dtype)
    other = torch.empty_like(long)
    few = max(3, runs // 20)
    with torch.inference_mode():
        product = times_of(lambda: torch.matmul(a, b, out=out), few).device
        moved = times_of(lambda: other.copy_(long, non_blocking=True), few).device
        one = torch.zeros(1, device=device)
        graph, _ = captured(lambda: [one + 1])
        launch = times_of(graph.replay, runs).wall
        ws, rgba = torch.zeros(1, rows, width, device=device), torch.zeros(*size, 4, dtype=torch.uint8, device=device)
        up, down = cuda_graphs.pinned(ws), cuda_graphs.pinned(rgba)

        def both() -> None:
            ws.copy_(up, non_blocking=True)
            down.copy_(rgba, non_blocking=True)

        copied = times_of(both, runs).wall
    return Floors(2e3 * wide**3 / product, 2e3 * long.numel() * long.element_size() / moved, launch, copied)


def least(synthesis: Synthesis, found: Floors) -> float:
    """Milliseconds below which no picture of this network can come, in float16, with read-back."""
    work, numbers = convolution_work(synthesis.config)
    return 1000 * max(work / found.flops, 2 * numbers / found.bandwidth) + found.launch + found.copy


def rows(synthesis: Synthesis, codes: Tensor, device: torch.device, runs: int) -> Iterator[Row]:
    """Every way of painting, the reference first. codes: [count,L,W]."""
    bench = _Bench(synthesis, codes, device, runs)
    for half in (False, True):
        name = f"reference, {'float16 in its last four blocks' if half else 'float32'}"
        reference = Reference(copy.deepcopy(synthesis), half).to(device)
        yield bench.row(f"{name}, by single operations", reference, graph=False, mode=tried)
        if half:
            yield bench.row(f"{name}, captured", reference, mode=tried)
    yield bench.row("ours, float32 (exact)", FusedSynthesis(synthesis).to(device))
    speeds = dict[Form, float]()
    for form in ALL_FORMS:
        row = bench.row(f"ours, float16, {form}", FusedSynthesis(synthesis, form, torch.float16).to(device))
        speeds[form] = row.times.wall
        yield row
    best = min(speeds, key=lambda form: speeds[form])
    play = FusedSynthesis(synthesis, best, torch.float16).to(device)
    yield bench.row(f"ours, float16, {best}, by single operations", play, graph=False)
    yield bench.row(f"ours, float16, {best}, cuDNN tries its kernels", play, mode=tried)
    yield bench.row(f"ours, bfloat16, {best}", FusedSynthesis(synthesis, best, torch.bfloat16).to(device))
    yield bench.row(
        f"ours, float16, {best}, early exit", FusedSynthesis(synthesis, best, torch.float16, True).to(device)
    )
    yield from bench.with_read_back(f"ours, float16, {best}", play)


class _Bench:
    """Times ways of painting the same codes."""

    def __init__(self, synthesis: Synthesis, codes: Tensor, device: torch.device, runs: int) -> None:
        self._codes, self._device, self._runs = codes, device, runs
        with torch.inference_mode():
            self._expected = Reference(copy.deepcopy(synthesis)).to(device)(codes[:1].to(device)).cpu()
        self._reference = 0.0

    def row(
        self,
        name: str,
        play: nn.Module,
        graph: bool = True,
        mode: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Row:
        """Codes up and a picture, which stays on the device."""
        ws = torch.zeros_like(self._codes[:1], device=self._device)
        hosts = [cuda_graphs.pinned(self._codes[:1]).copy_(one[None]) for one in self._codes]
        number, outputs = 0, list[Tensor]()
        replay = None
        if graph:
            with mode():
                recorded, made = captured(lambda: [play(ws)])
            outputs, replay = list(made), recorded.replay

        def run() -> None:
            nonlocal number, outputs
            ws.copy_(hosts[number % len(hosts)], non_blocking=True)
            if replay is None:
                outputs = [play(ws)]
            else:
                replay()
            number += 1

        with mode(), torch.inference_mode():
            run()
            torch.cuda.synchronize()
            wrong = error(outputs[0].float(), self._expected)
            times = times_of(run, self._runs)
        return self._row(name, times, wrong)

    def with_read_back(self, name: str, play: nn.Module) -> Iterator[Row]:
        """As a show paints: RGBA8 in the program's memory, one picture after the other, and two under way."""
        paint = GraphPainter(play, tuple(self._codes[:1].shape), self._device)
        arrays = [one.numpy() for one in self._codes]
        wrong = error(torch.from_numpy(paint(arrays[0])).permute(2, 0, 1)[None], self._expected)
        number, under_way = 0, paint.begin_pixels(arrays[0])

        def alone() -> None:
            nonlocal number
            number += 1
            paint.begin_pixels(arrays[number % len(arrays)])()

        def ahead() -> None:
            nonlocal number, under_way
            number += 1
            following = paint.begin_pixels(arrays[number % len(arrays)])
            under_way()
            under_way = following

        under_way()
        yield self._row(f"{name}, with read-back", times_of(alone, self._runs), wrong)
        under_way = paint.begin_pixels(arrays[0])
        yield self._row(f"{name}, with read-back, two under way", times_of(ahead, self._runs), wrong)
        under_way()

    def _row(self, name: str, times: Times, wrong: float) -> Row:
        self._reference = self._reference or times.wall
        return Row(name, times, wrong, self._reference / times.wall)
