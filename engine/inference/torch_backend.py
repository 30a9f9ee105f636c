"""The networks in torch: float32 on the CPU (the reference), or on CUDA with G as one captured graph.

On CUDA another graph paints in half precision where `/engine/precision` asks for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from ..model.build import build_networks
from ..model.world_file import World
from ..units import Array
from .placement import with_placement

_FAST = {"f16": torch.float16, "bf16": torch.bfloat16}
"""Formats in which G may run on CUDA, the more precise first: they are equally fast, but large values overflow f16."""


@contextlib.contextmanager
def exact() -> Iterator[None]:
    """Inference without TF32, so that float32 is float32 on every device, and repeatable."""
    with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False, deterministic=True):
        yield


class TorchBackend:
    """All networks of a world in torch. device: "cpu" or "cuda"."""

    def __init__(self, world: World, device: str) -> None:
        self.name, self.painters = f"torch-{device}", 1
        self._device = torch.device(device)
        networks, self._rows = build_networks(world), world.card.painted_rows
        self._sound, self._encoder = networks.sound.to(self._device), networks.encoder.to(self._device)
        self._motion, self._mapping = (
            networks.motion.to(self._device),
            networks.generator.mapping.to(self._device),
        )
        if device == "cpu":
            synthesis = networks.generator.synthesis
            self._paint = lambda ws: (synthesis(ws, "const") * 0.5 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).numpy()
        else:
            self._play, self._ws_shape = _channels_last(networks.play().to(self._device)), _ws_shape(world)
            self._paint = CudaPainter(self._play, self._ws_shape)

    def _in(self, x: Array) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(x, np.float32))[None].to(self._device)

    def embed_sound(self, window: Array) -> Array:
        """F_a."""
        with exact():
            return self._sound(self._in(window[None]))[0].cpu().numpy()

    def invert_sound(self, window: Array, code: Array) -> tuple[Array, float]:
        """E_a."""
        with exact():
            displacement, presence = self._encoder(self._in(window[None]), self._in(code))
            return displacement[0].cpu().numpy(), float(presence)

    def step_rnn(self, u: Array, h: Array) -> tuple[Array, Array]:
        """E_RNN."""
        with exact():
            delta, h_next = self._motion(self._in(u), self._in(h))
            return delta[0].cpu().numpy(), h_next[0].cpu().numpy()

    def map_latent(self, z: Array) -> Array:
        """Mapping without truncation."""
        with exact():
            return self._mapping(self._in(z))[0, 0].cpu().numpy()

    def synthesize(self, ws: Array) -> Array:
        """G."""
        with exact():
            return self._paint(self._in(with_placement(ws, self._rows)))

    def fast_precisions(self) -> tuple[str, ...]:
        """See FastBackend; none on the CPU, which is the reference."""
        if self._device.type != "cuda":
            return ()
        return tuple(_FAST) if torch.cuda.is_bf16_supported() else ("f16",)

    def open_fast(self, precision: str) -> Callable[[Array], Array]:
        """See FastBackend."""
        paint = CudaPainter(self._play, self._ws_shape, _FAST[precision])

        def synthesize(ws: Array) -> Array:
            with exact():
                return paint(self._in(with_placement(ws, self._rows)))

        return synthesize


class CudaPainter:
    """G as one CUDA graph with static input and output.

    Args:
        play: G, its kernels channels-last.
        ws_shape: (1, L, W), of StyleGAN3 (1, L + 1, W).
        dtype: of products and sums in convolutions.

    """

    def __init__(self, play: torch.nn.Module, ws_shape: tuple[int, int, int], dtype: torch.dtype | None = None) -> None:
        self._ws = torch.zeros(ws_shape, device="cuda")
        self._out = torch.empty(0)
        stream = torch.cuda.Stream()
        lower = torch.autocast("cuda", dtype or torch.float16, enabled=dtype is not None, cache_enabled=False)
        with exact(), lower:
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):
                    play(self._ws)
            torch.cuda.current_stream().wait_stream(stream)
            self._graph = torch.cuda.CUDAGraph()
            # Of this thread alone: another one may be painting meanwhile.
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._out = play(self._ws).float()
        self._stream, self._done = torch.cuda.Stream(), torch.cuda.Event()
        self._pinned = torch.empty(self._out.shape[1:], pin_memory=True)

    def __call__(self, ws: Tensor) -> Array:
        """Ws [1,L,W] -> picture [H,W,3], a copy of its own.

        A stream of its own, so that E_a and E_RNN of the frame loop do not queue behind a picture, and a read-back into
        pinned memory; waiting for it lets go of Python's lock.
        """
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._ws.copy_(ws)
            self._graph.replay()
            self._pinned.copy_(self._out[0], non_blocking=True)
            self._done.record(self._stream)
        self._done.synchronize()
        return self._pinned.permute(1, 2, 0).numpy().copy()


def _channels_last(play: torch.nn.Module) -> torch.nn.Module:
    for p in play.parameters():
        if p.dim() == 4:
            p.data = p.data.contiguous(memory_format=torch.channels_last)
    return play


def _ws_shape(world: World) -> tuple[int, int, int]:
    return 1, world.card.painted_rows, world.card.w_dim
