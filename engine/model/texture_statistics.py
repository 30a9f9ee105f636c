"""Statistics of a sound texture: what F_a hears first.

Rain, fire or wind are recognised by time-averaged statistics, not by a melody (J. McDermott and E. Simoncelli,
Sound texture perception via statistics of the auditory periphery, Neuron 2011): the mean, spread and skew of each
band, how fast and how suddenly its loudness changes, how bands change together, how fine the spectrum is. They
need no training, do not care how loud the sound is, and leave out columns that hold no sound (before its start).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

DB = 80.0
"""What 1 means in a log-mel column."""
FLOOR, CEILING = -50.0, 30.0
"""Bounds of band levels against the window's mean level, dB."""
LAGS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Columns of 11.6 ms over which changes are measured."""
_PAIRS = torch.triu_indices(8, 8, 1)


def _groups(x: Tensor, count: int) -> Tensor:
    """Means of neighbouring bands: [B,N,T] -> [B,count,T]."""
    return x.unflatten(1, (count, x.shape[1] // count)).mean(2)


def _level(power: Tensor, about: Tensor) -> Tensor:
    """Power -> dB against the window's mean level `about` [B,1,1]."""
    return (10 * torch.log10(power + 1e-3) - about).clamp(FLOOR, CEILING)


def _share(mask: Tensor) -> Tensor:
    """[B,T] of 0 and 1 -> weights [B,1,T] that sum to 1 (to 0 where there is no sound)."""
    return (mask / mask.sum(1, keepdim=True).clamp_min(1))[:, None]


def _mean(x: Tensor, share: Tensor) -> Tensor:
    return (x * share).sum(2)


def _moments(bands: Tensor, power: Tensor, about: Tensor, share: Tensor) -> list[Tensor]:
    """Mean, spread, skew and crest (power mean over geometric mean) of each band."""
    mean = _mean(bands, share)
    apart = bands - mean[..., None]
    spread = (_mean(apart.square(), share) + 1e-4).sqrt()
    skew = _mean(apart * apart * apart, share) / (spread * spread * spread + 1)
    crest = _level(_mean(power, share), about[..., 0]) - mean
    return [mean, spread, skew, crest]


def _changes(levels: Tensor, mask: Tensor) -> list[Tensor]:
    """How far nine level tracks [B,9,T] move within each lag, how much more up than down, and how the first
    eight move together.
    """
    out = []
    for lag in LAGS:
        move = levels[..., lag:] - levels[..., :-lag]
        share = _share(mask[:, lag:] * mask[:, :-lag])
        up, down = (_mean(part.square(), share) for part in (move.clamp_min(0), move.clamp_max(0)))
        out += [(up + down + 1e-2).sqrt(), (up - down) / (up + down + 1)]
        if lag in {1, 4}:
            move = (move - _mean(move, share)[..., None])[:, :8]
            together = (move * share) @ move.transpose(1, 2)
            size = _mean(move.square(), share).clamp_min(0.05).sqrt()
            out.append((together / (size[:, :, None] * size[:, None]))[:, _PAIRS[0], _PAIRS[1]])
    return out


def _fine_structure(fine: Tensor, mask: Tensor) -> list[Tensor]:
    """Roughness of the spectrum from band to band, and whether its peaks stay (tones) or not (noise)."""
    steps = F.pad(fine[:, 1:] - fine[:, :-1], (0, 0, 1, 0))
    out = [(_mean(_groups(steps.square(), 16), _share(mask)) + 1e-2).sqrt()]
    peaks = fine - F.avg_pool2d(fine[:, None], (9, 1), 1, (4, 0), count_include_pad=False)[:, 0]
    for lag in (2, 6):
        share = _share(mask[:, lag:] * mask[:, :-lag])
        a, b = peaks[..., lag:], peaks[..., :-lag]
        both = _mean(_groups(a * b, 8), share)
        out.append(both / (_mean(_groups(a * a + b * b, 8), share) / 2 + 0.5))
    return out


def _shape(total: Tensor, level: Tensor, mask: Tensor) -> Tensor:
    """How the loudness [B,T] runs through the window: slope, bow, centre, concentration; [B,4]."""
    share = _share(mask)[:, 0]
    place = torch.cumsum(share, 1) - 0.5
    apart = level - (level * share).sum(1, keepdim=True)
    weight = total * share
    whole = weight.sum(1) + 1e-6
    bow = (apart * share * (place - 0.5).square()).sum(1)
    centre, dense = (weight * place).sum(1) / whole, weight.square().sum(1) / (whole * whole)
    return torch.stack([(apart * share * place).sum(1), bow, centre, dense], 1)


def sounding(window: Tensor) -> Tensor:
    """Columns that hold sound: windows [B,1,128,T] -> [B,T] of 0 and 1."""
    return (window[:, 0].amax(1) > 0.02).float()


def statistics(window: Tensor) -> Tensor:
    """Log-mel windows [B,1,128,T] in 0..1, T > 128 -> [B,365]; finite for silence too."""
    mask, power = sounding(window), torch.expm1(window[:, 0] * (DB * 0.2302585))
    share, total = _share(mask), power.mean(1)
    about = 10 * torch.log10(_mean(total[:, None], share) + 1e-3)[..., None]
    power32 = _groups(power, 32)
    bands, whole = _level(power32, about), _level(total[:, None], about)
    parts = _moments(bands, power32, about, share)
    brightness = (parts[0] * torch.arange(32, device=window.device)).mean(1, keepdim=True) / 10
    parts += _changes(torch.cat([_groups(bands, 8), whole], 1), mask)
    parts += _fine_structure(_level(power, about), mask)
    return torch.cat([*parts, _shape(total, whole[:, 0], mask), brightness], 1)
