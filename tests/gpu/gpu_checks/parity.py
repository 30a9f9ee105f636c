"""What is painted on a device, against the reference: figures with the limits that they must keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from sonorama.engine.inference.cuda_graphs import GraphPainter, GraphStep
from sonorama.engine.model.config import GeneratorConfig, MotionConfig
from sonorama.engine.model.generator_fused import ALL_FORMS, Form, FusedSynthesis
from sonorama.engine.model.motion_rnn import MotionNetwork
from sonorama.engine.picture.to_rgba8 import rgba8

from .networks import Reference, seeded, seeded_codes

Check = tuple[str, float, float]
LIMITS = {torch.float32: 2e-5, torch.float16: 3e-3, torch.bfloat16: 2.5e-2}
"""Norm of the difference to the reference over the norm of the picture."""
OBLONG = GeneratorConfig(16, 16, 64, 1, 512, 48, 4, 7)
NETWORKS = {
    "narrow": GeneratorConfig(32, 16, 32, 1, 256, 16),
    "oblong": OBLONG,
    "wide": GeneratorConfig(128, 64, 512, 1, 16384, 512),
}


def error(picture: Tensor, expected: Tensor) -> float:
    """Norm of the difference over the norm of what is expected; infinite where it is NaN."""
    found = float((picture.float().cpu() - expected).norm() / expected.norm())
    return found if np.isfinite(found) else float("inf")


def checks(device: torch.device, networks: Mapping[str, GeneratorConfig] = NETWORKS) -> Iterator[Check]:
    """(name, figure, limit) of every check. networks: whose pictures are compared."""
    for name, config in networks.items():
        yield from _forms(name, config, device)
    yield from _graphs(device)
    yield from _motion(device)


def _forms(name: str, config: GeneratorConfig, device: torch.device) -> Iterator[Check]:
    synthesis, ws = seeded(config), seeded_codes(config, 1)
    with torch.inference_mode():
        expected = Reference(synthesis)(ws)
        for form in ALL_FORMS:
            for dtype, limit in LIMITS.items():
                play = FusedSynthesis(synthesis, form, dtype).to(device)
                yield f"{name}, {form}, {str(dtype)[6:]}", error(play(ws.to(device)), expected), limit


def _graphs(device: torch.device) -> Iterator[Check]:
    """Differences that must be none."""
    synthesis, codes = seeded(OBLONG), seeded_codes(OBLONG, 6).numpy()
    shape = 1, OBLONG.num_ws, OBLONG.w_dim
    for dtype in LIMITS:
        play = FusedSynthesis(synthesis, Form(), dtype).to(device)
        paint, of = GraphPainter(play, shape, device), str(dtype)[6:]
        pictures = [paint(ws) for ws in codes]
        again = GraphPainter(play, shape, device)
        yield f"graph, {of}: repeats to the bit", _difference(pictures, [paint(ws) for ws in codes]), 0.0
        yield (
            f"graph, {of}: another capture gives the same bits",
            _difference(pictures, [again(ws) for ws in codes]),
            0.0,
        )
        pixels, under_way = list[np.ndarray](), paint.begin_pixels(codes[0])
        for ws in codes[1:]:
            following = paint.begin_pixels(ws)
            pixels.append(under_way())
            under_way = following
        pixels.append(under_way())
        packed = [rgba8(picture) for picture in pictures]
        yield f"graph, {of}: RGBA8 of two under way has the same bits", _difference(pixels, packed), 0.0


def _difference(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """The largest; infinite where both show the same picture all the time."""
    if np.array_equal(one[0], one[-1]):
        return float("inf")
    return max(float(np.abs(a.astype(np.float32) - b).max()) for a, b in zip(one, other, strict=True))


def _motion(device: torch.device) -> Iterator[Check]:
    torch.manual_seed(4)
    config = MotionConfig(10, 64, 48)
    network = MotionNetwork(config).requires_grad_(False)
    for level in network.children():
        for tensor in level.parameters():
            tensor.normal_(std=0.1)
    shapes = [(config.num_ws, config.w_dim), (3, config.hidden)]
    inputs = [np.random.default_rng(n).standard_normal(shape).astype(np.float32) for n, shape in enumerate(shapes)]
    with torch.inference_mode():
        right = [y[0].numpy() for y in network(*(torch.from_numpy(x)[None] for x in inputs))]
    step = GraphStep(network.to(device), shapes, device)
    made = step(*inputs)
    yield "E_RNN's graph", max(float(np.abs(a - b).max()) for a, b in zip(made, right, strict=True)), 1e-5
    again = step(*inputs)
    yield (
        "E_RNN's graph repeats to the bit",
        max(float(np.abs(a - b).max()) for a, b in zip(made, again, strict=True)),
        0.0,
    )
