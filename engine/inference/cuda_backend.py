"""The networks on CUDA: G and E_RNN as captured graphs, G also in half precision and with early exit.

Exact pictures (float32) are always computed in the same form, so that their bits do not depend on what was measured.
Half precision takes the form that is fastest here: form_tuning.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..model.generator_fused import ALL_FORMS, Form, FusedSynthesis
from ..model.stylegan3 import PlayStyleGAN3, StyleGAN3Synthesis
from ..model.world_file import World
from ..units import EXACT, Array, Pixels
from .cuda_graphs import AT_ONCE, GraphPainter, GraphStep, repeatable, replay_milliseconds
from .early_exit import leaves_early
from .form_tuning import TuningKey, tuned_form
from .placement import with_placement
from .torch_backend import TorchBackend

if TYPE_CHECKING:
    from collections.abc import Callable

_FAST = {"f16": torch.float16, "bf16": torch.bfloat16}
"""Formats in which G may run, the more precise first: they are equally fast, but large values overflow f16."""


class CudaBackend(TorchBackend):
    """All networks of a world on an NVIDIA device. painters: pictures that will be asked for at once."""

    def __init__(self, world: World, painters: int = AT_ONCE, device: str = "cuda") -> None:
        repeatable()
        super().__init__(world, device)
        self.name, self.painters = "torch-cuda", min(painters, AT_ONCE)
        card = world.card
        self._ws_shape, self._leaves_early = (1, card.painted_rows, card.w_dim), leaves_early(world)
        self._step = GraphStep(self._motion, [(card.num_ws, card.w_dim), (3, card.motion.hidden)], self._device)
        key = TuningKey(torch.cuda.get_device_name(self._device), torch.__version__, card.content)
        stylegan3 = isinstance(self._synthesis, StyleGAN3Synthesis)
        self._form = Form() if stylegan3 else tuned_form(key, ALL_FORMS, self._milliseconds)
        self._paint = self._painter(EXACT)

    def step_rnn(self, u: Array, h: Array) -> tuple[Array, Array]:
        """See Backend."""
        delta, h_next = self._step(u, h)
        return delta, h_next

    def synthesize(self, ws: Array) -> Array:
        """See Backend."""
        return self._paint(ws)

    def begin_pixels(self, ws: Array) -> Callable[[], Pixels]:
        """See PixelPainter."""
        return self._paint.begin_pixels(ws)

    def fast_precisions(self) -> tuple[str, ...]:
        """See FastBackend."""
        return tuple(_FAST) if torch.cuda.is_bf16_supported() else ("f16",)

    def open_fast(self, precision: str) -> PlacedPainter:
        """See FastBackend."""
        return self._painter(precision)

    def can_leave_early(self) -> bool:
        """See EarlyExitBackend."""
        return self._leaves_early

    def open_early(self, precision: str) -> PlacedPainter:
        """See EarlyExitBackend."""
        return self._painter(precision, early_exit=True)

    def _painter(self, precision: str, early_exit: bool = False) -> PlacedPainter:
        dtype = _FAST.get(precision, torch.float32)
        form = Form() if precision == EXACT else self._form
        play = self._network(form, dtype, early_exit)
        return PlacedPainter(GraphPainter(play, self._ws_shape, self._device), self._rows)

    def _network(self, form: Form, dtype: torch.dtype, early_exit: bool = False) -> nn.Module:
        synthesis = self._synthesis
        if isinstance(synthesis, StyleGAN3Synthesis):
            network = Lowered(PlayStyleGAN3(synthesis), dtype).eval()
            return network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return FusedSynthesis(synthesis, form, dtype, early_exit).eval().to(self._device)

    def _milliseconds(self, form: Form) -> float:
        return replay_milliseconds(self._network(form, torch.float16), self._ws_shape, self._device)


class PlacedPainter:
    """A painter of [rows,W] that takes style codes [L,W] without a placement, too."""

    def __init__(self, paint: GraphPainter, rows: int) -> None:
        self._paint, self._rows = paint, rows

    def __call__(self, ws: Array) -> Array:
        """Style codes -> picture float32 [H,W,3]."""
        return self._paint(with_placement(ws, self._rows))

    def begin_pixels(self, ws: Array) -> Callable[[], Pixels]:
        """See PixelPainter."""
        return self._paint.begin_pixels(with_placement(ws, self._rows))


class Lowered(nn.Module):
    """A network whose convolutions run in half precision by torch's own rules; float32 leaves it as it is."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.dtype = network, dtype

    def forward(self, ws: Tensor) -> Tensor:
        """As the network."""
        if self.dtype == torch.float32:
            return self.network(ws)
        with torch.autocast(ws.device.type, self.dtype, cache_enabled=False):
            return self.network(ws)
