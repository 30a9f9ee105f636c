"""Backends that paint in lower precision (`/engine/precision`); pipeline/quality_gate.py says which is good enough."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import SonoramaError
from ..plugins.interfaces import Backend, FastBackend, PixelPainter
from ..units import EXACT, Array

HINT = "Set /engine/precision to exact, or use another device; see: sonorama doctor"


class NoFastPrecision(SonoramaError):
    """Nothing to paint in lower precision with, or it is not good enough."""


def fast_precisions(backend: Backend) -> tuple[str, ...]:
    """Number formats in which a backend can paint faster than exactly on this machine, the fastest first."""
    return tuple(backend.fast_precisions()) if isinstance(backend, FastBackend) else ()


class InPrecision:
    """A backend whose G runs in lower precision; everything else is that of the exact one.

    Args:
        exact: the backend.
        precision: name of the number format, see FastBackend.
        synthesize: of that precision.

    Attributes:
        precision: see above.

    """

    def __init__(self, exact: Backend, precision: str, synthesize: Callable[[Array], Array]) -> None:
        self.name, self.painters, self.precision = exact.name, exact.painters, precision
        self.embed_sound, self.invert_sound = exact.embed_sound, exact.invert_sound
        self.step_rnn, self.map_latent = exact.step_rnn, exact.map_latent
        self._synthesize = synthesize
        if isinstance(synthesize, PixelPainter):
            self.begin_pixels = synthesize.begin_pixels

    def synthesize(self, ws: Array) -> Array:
        """See Backend."""
        return self._synthesize(ws)


def precision_of(backend: Backend) -> str:
    """`exact`, or the number format in which it paints."""
    return backend.precision if isinstance(backend, InPrecision) else EXACT


def open_in(backend: Backend, precision: str) -> InPrecision:
    """A backend in one of its fast precisions, unchecked.

    Raises:
        NoFastPrecision: this machine does not have it.
        SonoramaError: it cannot be opened.

    """
    if not isinstance(backend, FastBackend) or precision not in backend.fast_precisions():
        raise NoFastPrecision(f"{backend.name} cannot paint in {precision} on this machine", HINT)
    return InPrecision(backend, precision, backend.open_fast(precision))
