"""`--device mirror`: the networks of the backend `ort`, and every picture mirrored left to right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonorama.engine.inference.backend import open_backend
from sonorama.engine.plugins.interfaces import Available, Missing

if TYPE_CHECKING:
    from sonorama.engine.model.world_file import World
    from sonorama.engine.plugins.interfaces import Array


def probe() -> Available | Missing:
    """What `sonorama plugins` shows."""
    return Available("ONNX Runtime, mirrored")


class MirrorBackend:
    """Hands every call on; your own would run the networks on your accelerator."""

    name = "mirror"

    def __init__(self, world: World, threads: int, painters: int) -> None:
        self._inner = open_backend(world, "ort", threads, painters)
        self.painters = self._inner.painters

    def embed_sound(self, window: Array) -> Array:
        """F_a."""
        return self._inner.embed_sound(window)

    def invert_sound(self, window: Array, code: Array) -> tuple[Array, float]:
        """E_a."""
        return self._inner.invert_sound(window, code)

    def step_rnn(self, u: Array, h: Array) -> tuple[Array, Array]:
        """E_RNN."""
        return self._inner.step_rnn(u, h)

    def map_latent(self, z: Array) -> Array:
        """Mapping network."""
        return self._inner.map_latent(z)

    def synthesize(self, ws: Array) -> Array:
        """G, mirrored."""
        return self._inner.synthesize(ws)[:, ::-1].copy()
