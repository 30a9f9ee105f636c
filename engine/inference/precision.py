"""Backends that paint in lower precision (`/engine/precision`); pipeline/quality_gate.py says which is good enough."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import SonoramaError
from ..plugins.interfaces import Backend, EarlyExitBackend, FastBackend, PixelPainter
from ..units import EARLY_EXIT, EXACT, Array

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
    """`exact`, or the number format in which it paints; after a comma EARLY_EXIT where the last block is left out."""
    return backend.precision if isinstance(backend, InPrecision) else EXACT


def with_early_exit(precision: str) -> str:
    """The name of a precision in which the last block is left out."""
    return f"{precision}, {EARLY_EXIT}"


def leaves_early(precision: str) -> bool:
    """Whether a precision is one in which the last block is left out."""
    return precision.endswith(EARLY_EXIT)


def number_format(precision: str) -> str:
    """A precision without what is said of early exit."""
    return precision.partition(",")[0]


def can_leave_early(backend: Backend) -> bool:
    """Whether a backend can leave the last block of its world's generator out."""
    return isinstance(backend, EarlyExitBackend) and backend.can_leave_early()


def can_paint(backend: Backend, precision: str) -> bool:
    """Whether a backend can paint in a precision on this machine."""
    formats = (EXACT, *fast_precisions(backend))
    known = (*formats, *map(with_early_exit, formats)) if can_leave_early(backend) else formats
    return precision in known


def open_in(backend: Backend, precision: str) -> InPrecision:
    """An exact backend in one of its other precisions, unchecked.

    Raises:
        NoFastPrecision: this machine does not have it.
        SonoramaError: it cannot be opened.

    """
    if can_paint(backend, precision):
        if isinstance(backend, EarlyExitBackend) and leaves_early(precision):
            return InPrecision(backend, precision, backend.open_early(number_format(precision)))
        if isinstance(backend, FastBackend) and precision != EXACT:
            return InPrecision(backend, precision, backend.open_fast(precision))
    raise NoFastPrecision(f"{backend.name} cannot paint in {precision} on this machine", HINT)
