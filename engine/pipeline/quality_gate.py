"""Whether a world painted in lower precision is good enough: its pictures against exact ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..inference.precision import HINT, InPrecision, NoFastPrecision, fast_precisions, open_in
from ..picture.to_rgba8 import rgba8
from ..plugins.interfaces import Backend
from ..units import Array, Pixels

ENOUGH_DB = 40.0
"""PSNR of 8-bit pictures that lower precision must keep against exact ones to be used."""
_LEVELS = 255.0


@dataclass(frozen=True)
class QualityGate:
    """Exact pictures, which those in lower precision are compared with before they are used.

    Attributes:
        codes: style codes [L,W] of each.
        pictures: RGBA8 each.

    """

    codes: tuple[Array, ...]
    pictures: tuple[Pixels, ...]

    @classmethod
    def made(cls, backend: Backend, codes: Sequence[Array]) -> QualityGate:
        """Paint these style codes exactly; none where the backend has no lower precision to compare."""
        used = tuple(codes) if fast_precisions(backend) else ()
        return cls(used, tuple(rgba8(backend.synthesize(ws)) for ws in used))

    def decibels(self, synthesize: Callable[[Array], Array]) -> float:
        """The lowest PSNR of the 8-bit pictures that `synthesize` paints; infinite where they are the same, 0 where one
        has NaN or infinite colours.
        """
        painted = [synthesize(ws) for ws in self.codes]
        if not all(np.isfinite(picture).all() for picture in painted):
            return 0.0
        return min(psnr(rgba8(one), exact) for one, exact in zip(painted, self.pictures, strict=True))

    def open_fast(self, backend: Backend) -> InPrecision:
        """The backend in the fastest of its precisions that is good enough; the next ones are tried in turn.

        Raises:
            NoFastPrecision: it has none, or none is good enough.
            SonoramaError: one of them cannot be opened.

        """
        missed: list[str] = []
        for precision in fast_precisions(backend):
            fast = open_in(backend, precision)
            decibels = self.decibels(fast.synthesize)
            if decibels >= ENOUGH_DB:
                return fast
            missed.append(f"{precision} {decibels:.0f} dB")
        if missed:
            why = f"low precision is too far from exact for this world ({', '.join(missed)} of {ENOUGH_DB:.0f})"
        else:
            why = f"{backend.name} has no fast precision here: it takes bfloat16 or float16 arithmetic"
        raise NoFastPrecision(why, HINT)


def psnr(picture: Pixels, exact: Pixels) -> float:
    """Peak signal-to-noise ratio in dB of the colours of two RGBA8 pictures [H,W,4]."""
    error = float(np.mean((picture[..., :3].astype(np.float32) - exact[..., :3]) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(_LEVELS**2 / error))
