"""How a recording moves a procedural scene: its strength follows the envelope and jumps at onsets, and its time runs
faster while the sound is loud.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .procedural_pictures import draw
from .sound_windows import COLUMNS_HZ


@dataclass(frozen=True)
class SceneDrive:
    """A scene's strength is quiet + envelope e + onset o, at most 1; its time runs at slow + fast e; an onset fades
    to a third in fade_s seconds. e and o: `envelope` and `onset_strength`.
    """

    quiet: float = 0.35
    envelope: float = 0.4
    onset: float = 0.35
    slow: float = 0.5
    fast: float = 1.0
    fade_s: float = 0.15


def envelope(mel: Tensor) -> Tensor:
    """Loudness of every column of log-mel [128,C] in 0..1, between the sound's own 10 % and 95 % quantiles."""
    loud = mel.mean(0)
    low, high = torch.quantile(loud, 0.1), torch.quantile(loud, 0.95)
    return ((loud - low) / (high - low).clamp_min(0.03)).clamp(0, 1)


def onset_strength(mel: Tensor) -> Tensor:
    """Spectral flux of every column of log-mel [128,C] in 0..1: the rise, mean over bands, over its 98 % quantile.

    What stationary noise has all the time (the median) counts as nothing.
    """
    rise = F.pad((mel[:, 2:] - mel[:, :-2]).clamp_min(0).mean(0), (2, 0))
    floor = rise.median()
    return ((rise - floor) / (torch.quantile(rise, 0.98) - floor).clamp_min(0.02)).clamp(0, 1)


def fading(onsets: Tensor, fade_s: float) -> Tensor:
    """Onsets [C] that are there at once and fade exponentially."""
    keep, now, out = math.exp(-1 / (fade_s * COLUMNS_HZ)), 0.0, []
    for o in onsets.tolist():
        now = max(o, now * keep)
        out.append(now)
    return torch.tensor(out)


def scene_motion(mel: Tensor, columns: Sequence[int], rate: float, drive: SceneDrive) -> tuple[Tensor, Tensor]:
    """Strength [T] in 0..1 and time [T] in seconds of a scene at frames that have heard so many columns of log-mel
    [128,C], `rate` frames a second.
    """
    index = [min(max(0, c - 1), mel.shape[1] - 1) for c in columns]
    e, o = envelope(mel)[index], fading(onset_strength(mel), drive.fade_s)[index]
    strength = (drive.quiet + drive.envelope * e + drive.onset * o).clamp(max=1)
    steps = (drive.slow + drive.fast * e) / rate
    return strength, steps.cumsum(0) - steps


def scene_frames(photos: Tensor, class_id: str, strength: Tensor, time_s: Tensor, seed: int) -> Tensor:
    """One class drawn onto photos [T or 1,3,H,W] in 0..1 at every moment: [T,3,H,W] in 0..1."""
    photos = photos.expand(len(strength), -1, -1, -1)
    # One seed for all: the scene's clouds, streaks and bubbles go on from frame to frame.
    rows = zip(photos, strength.tolist(), time_s.tolist(), strict=True)
    return torch.stack([draw(x, class_id, s, t, seed) for x, s, t in rows])
