"""A process's share of a step's batch; the whole of it where one process trains."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...processes import Processes
from .fast_synthesis import Noise, fresh_noise


@dataclass(frozen=True)
class Batch:
    """Rows [b] of the picture set that this process trains on, and what it must know of the others' rows.

    place [b]: position of each row in the whole batch. sharp [s]: which of the b rows are taught on windows too;
    windows: how many of the whole batch are. Several processes get their rows in turn, those with windows first: so
    each has as many windows as the others, or one fewer.
    """

    index: Tensor
    place: Tensor
    sharp: Tensor
    windows: int
    processes: Processes

    @staticmethod
    def of(index: Tensor, sharp: Tensor, processes: Processes) -> Batch:
        """The share of a process of rows [B] of pictures, of which some are sharp, bool [B]."""
        place = torch.arange(len(index), device=index.device)
        if processes.size > 1:
            place = processes.part(torch.argsort((~sharp).int(), stable=True))
        return Batch(index[place], place, sharp[place].nonzero()[:, 0], int(sharp.sum()), processes)

    @property
    def window_weight(self) -> float:
        """Factor of this process's means over windows, by which their mean over processes is that of all windows."""
        return len(self.sharp) * self.processes.size / max(1, self.windows)

    @property
    def uneven(self) -> bool:
        """Whether some processes have a window and others none."""
        return 0 < self.windows < self.processes.size

    def mine(self, whole: Tensor) -> Tensor:
        """Rows of this process, of what was drawn for the whole batch [B,...]."""
        return whole if self.processes.size == 1 else whole[self.place.to(whole.device)]

    def noise(self) -> Noise:
        """Noise of the windows: this process's share of what one process would draw."""
        if self.processes.size == 1:
            return fresh_noise
        return lambda y: self.processes.part(torch.randn_like(y.new_empty(self.windows, 1, *y.shape[2:])))

    def first_pictures(self, real: Tensor, count: int) -> tuple[Tensor, float]:
        """Those of this process's pictures [b,...] that are among the first `count` of the whole batch, and the factor
        of their mean.
        """
        total = min(count, len(self.index) * self.processes.size)
        return self._chosen(real, self.place < count, total)

    def first_windows(self, real: Tensor, count: int) -> tuple[Tensor, float]:
        """The same of windows [s,...]."""
        number = self.processes.rank + self.processes.size * torch.arange(len(real), device=real.device)
        return self._chosen(real, number < count, min(count, self.windows))

    def _chosen(self, real: Tensor, chosen: Tensor, total: int) -> tuple[Tensor, float]:
        some = real[chosen]
        return some, len(some) * self.processes.size / total
