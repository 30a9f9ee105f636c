"""A backend whose E_a takes 300 ms, and the networks of `cpu` otherwise; test_slow_networks.py installs it."""

import time
from typing import Any

from sonorama.engine.inference.backend import open_backend


class SlowBackend:
    """Hands every call on."""

    name = "slow"

    def __init__(self, world: Any, threads: int, painters: int) -> None:
        inner = open_backend(world, "cpu", threads, painters)
        self.painters, self.embed_sound, self.step_rnn = inner.painters, inner.embed_sound, inner.step_rnn
        self.map_latent, self.synthesize, self._invert_sound = inner.map_latent, inner.synthesize, inner.invert_sound

    def invert_sound(self, window: Any, code: Any) -> Any:
        """E_a."""
        time.sleep(0.3)
        return self._invert_sound(window, code)
