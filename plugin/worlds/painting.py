"""Paints the seed bank of an imported world on all cores, by the graphs that the engine plays, and looks at it.

On Linux at a lower priority than a show that plays meanwhile.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sonorama.engine.inference.backend import openvino_available
from sonorama.engine.inference.graphs.generator import write_synthesis
from sonorama.engine.inference.onnx_backend import open_session
from sonorama.engine.inference.openvino_backend import EXACT, CompiledSynthesis
from sonorama.engine.inference.placement import with_placement
from sonorama.engine.model.generator import Generator
from sonorama.engine.model.seed_bank import seed_to_z
from sonorama.engine.model.world_file import World
from sonorama.engine.processors import cores
from sonorama.engine.units import Array

from .bank import TRUNCATION, Bank, See

SEEN_SIZE = 128
"""Largest side at which a picture is painted and looked at, px; StyleGAN3 paints its own and is reduced."""
BATCH = 8
NICENESS = 5
"""Beside a show that wants every core, about a quarter of one remains."""
Paint = Callable[[Array], Array]
"""Style codes [L,W] -> picture [H,W,3] in 0..1."""


def paint_banks(
    world: World, generator: Generator, see: See, sizes: Sequence[int], tell: Callable[[int, int], object]
) -> Iterator[Bank]:
    """Paint the first seeds of a world and look at each picture; the bank whenever it has one of the sizes, which rise.

    Args:
        world: what is painted.
        generator: of the same, for its mapping network.
        see: F_v.
        sizes: seeds of the banks.
        tell: called with pictures painted and to paint.

    """
    z = torch.from_numpy(np.stack([seed_to_z(seed, generator.config.z_dim, None) for seed in range(sizes[-1])]))
    styles = torch.cat([generator.mapping(part, TRUNCATION)[:, 0].detach() for part in z.split(1000)]).numpy()
    codes: list[Array] = []
    with TemporaryDirectory(prefix="sonorama-bank-") as folder:
        for picture in _painted(world, Path(folder), styles):
            codes += [*see(picture).detach().numpy()]
            tell(len(codes), sizes[-1])
            for size in sizes:
                if len(codes) - len(picture) < size <= len(codes):
                    yield Bank(np.stack(codes[:size]), styles[:size])


def _painted(world: World, folder: Path, styles: Array) -> Iterator[Tensor]:
    """Pictures [B,3,S,S] in [-1,1] of style codes [N,W], in their order; a batch ahead is being painted."""
    pool = ThreadPoolExecutor(cores(), initializer=_go_behind)
    try:
        paint = pool.submit(_open, world, folder).result()  # in there: its own threads go behind, too
        ahead: deque[list[Future[Array]]] = deque()
        for first in range(0, len(styles), BATCH):
            codes = (np.repeat(w[None], world.card.num_ws, 0) for w in styles[first : first + BATCH])
            ahead.append([pool.submit(paint, ws) for ws in codes])
            if len(ahead) > 1:
                yield _stacked(ahead.popleft())
        yield from map(_stacked, ahead)
    finally:
        pool.shutdown(cancel_futures=True)


def _stacked(pictures: Sequence[Future[Array]]) -> Tensor:
    seen = torch.from_numpy(np.stack([one.result().transpose(2, 0, 1) for one in pictures])) * 2 - 1
    return seen if seen.shape[2] <= SEEN_SIZE else F.adaptive_avg_pool2d(seen, SEEN_SIZE)


def _open(world: World, folder: Path) -> Paint:
    """G of a world as a graph in `folder`, in the runtime that paints fastest."""
    write_synthesis(world, folder / "synthesis.onnx", SEEN_SIZE)
    rows = world.card.painted_rows
    if openvino_available():
        return CompiledSynthesis(folder, (rows, world.card.w_dim), 1, cores(), EXACT)
    session = open_session(folder / "synthesis.onnx")
    return lambda ws: session.run(None, {"ws": with_placement(ws, rows)[None]})[0][0].transpose(1, 2, 0)


def _go_behind() -> None:
    """Give this thread, and those that it starts, a low priority; elsewhere than on Linux it is all of the process."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
