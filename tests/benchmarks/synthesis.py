"""G on two CPU threads: per-sample weight modulation (the papers' formulation) against what sonorama plays with.

Same weights, same styles, taken in turn in one process; medians. Run it on a quiet machine:
    .venv/bin/python tests/benchmarks/synthesis.py [WORLD | SIZE/BASE/MAX] [ROUNDS]

SIZE/BASE/MAX is a layout with random weights, see layout.py.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the helpers of the tests

from tests.benchmarks.layout import world_of

from sonorama.engine.inference.backend import cuda_available, open_backend
from sonorama.engine.inference.precision import fast_precisions, open_in
from sonorama.engine.model.build import build_networks
from sonorama.engine.model.world_file import load_world


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


@torch.inference_mode()
def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "shore"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    torch.set_num_threads(2)
    world = load_world(world_of(name))
    networks, backend = build_networks(world), open_backend(world, "cpu", threads=2, painters=1)
    runtime = open_backend(world, "ort", threads=2, painters=1)
    play = networks.play()
    w = networks.generator.mapping(torch.randn(1, world.card.generator.z_dim))
    ws = w[0].numpy()
    ways = {
        "weights, torch (baseline)": lambda: networks.generator.synthesis(w, form="weights"),
        "activations, torch": lambda: networks.generator.synthesis(w, form="activations"),
        "folded, torch": lambda: play(w),
        "folded, ONNX Runtime": lambda: runtime.synthesize(ws),
        "folded, OpenVINO (default)": lambda: backend.synthesize(ws),
    }
    for format_ in fast_precisions(backend):
        fast = open_in(backend, format_)
        ways[f"folded, OpenVINO {format_}"] = lambda fast=fast: fast.synthesize(ws)
    if cuda_available():
        device = open_backend(world, "cuda")
        ways["folded, CUDA graph"] = lambda: device.synthesize(ws)
    exact = (networks.generator.synthesis(w) * 0.5 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).numpy()
    difference = np.abs(backend.synthesize(ws) - exact).max()
    print(f"{world.card.name} {world.card.width}x{world.card.height} px; largest difference {difference:.1e}")
    times: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 3):
        for way, work in ways.items():
            taken = milliseconds(work)
            if turn >= 3:
                times[way].append(taken)
    base = times["weights, torch (baseline)"]
    for way, taken in times.items():
        ratios = [a / b for a, b in zip(base, taken, strict=True)]
        print(f"{way:28} {statistics.median(taken):7.1f} ms   {statistics.median(ratios):.2f}x")


if __name__ == "__main__":
    main()
