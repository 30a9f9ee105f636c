"""The placement of a picture, the last row of what G of StyleGAN3 takes: at rest where it is not given."""

from __future__ import annotations

import numpy as np

from ..units import Array


def with_placement(ws: Array, rows: int) -> Array:
    """Style codes [L,W] or [L+1,W] -> [rows,W]; a placement that is missing is zero: the picture stays where it is."""
    if len(ws) == rows:
        return ws
    return np.concatenate([ws, np.zeros((rows - len(ws), ws.shape[1]), ws.dtype)])
