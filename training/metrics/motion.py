"""Measures of motion that no discriminator is asked for: does the picture change when something is heard, and does it
change as real clips do? Features are the image backbone's; nothing here is an FVD.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from ..backbone import Backbone
from ..data.scene_motion import onset_strength

LAGS = 3
"""Frames by which a change may come after its onset; the best of them counts, for floors too."""


def frame_change(frames: Tensor) -> Tensor:
    """Mean absolute change from frame to frame, [T-1], of frames [T,3,H,W] in [-1,1] or uint8, in 8-bit levels."""
    x = frames.float() if frames.dtype == torch.uint8 else (frames + 1) * 127.5
    return x.diff(dim=0).abs().mean((1, 2, 3))


def frame_onsets(mel: Tensor, columns: Sequence[int]) -> Tensor:
    """The strongest onset between one frame and the next, [T-1] in 0..1, of log-mel [128,C] and the columns heard."""
    onsets = onset_strength(mel)
    pairs = itertools.pairwise(columns)
    return torch.stack(
        [onsets[max(0, a) : max(a + 1, b)].max() if a < len(onsets) else onsets.new_zeros(()) for a, b in pairs]
    )


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's r of [N] and [N]; 0 where one does not vary."""
    a, b = a - a.mean(), b - b.mean()
    scale = float((a.square().sum() * b.square().sum()).sqrt())
    return float((a * b).sum()) / scale if scale > 1e-9 else 0.0


def onset_correlation(changes: Sequence[Tensor], onsets: Sequence[Tensor]) -> float:
    """Mean over clips of the correlation of onsets with changes `lag` frames later, at the best lag for all."""
    at_lag = [
        sum(correlation(c[lag:], o[: len(o) - lag]) for c, o in zip(changes, onsets, strict=True)) / len(changes)
        for lag in range(LAGS)
    ]
    return max(at_lag)


@torch.no_grad()
def motion_descriptor(frames: Tensor, backbone: Backbone, height: int = 96) -> Tensor:
    """How a clip [T,3,H,W] in [-1,1] moves, whatever it shows: mean absolute change of every backbone channel from
    frame to frame and over four frames, relative to how much that channel varies over the clip, [992].
    """
    parts = []
    for m in backbone(frames, height):
        scale = m.std((0, 2, 3)) + 1e-3
        parts += [(m[k:] - m[:-k]).abs().mean((0, 2, 3)) / scale for k in (1, 4)]
    return torch.cat(parts)
