"""Windows of a generator's 64 px features: training its upper blocks without painting whole pictures.

A window with enough context around it, run through the upper blocks and cut, equals that part of the whole picture.
At the picture's border no context is cut and none added, so borders are taught with the padding they are played with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ....engine.model.generator import GeneratorConfig, Synthesis
from ...processes import Processes
from .fast_synthesis import Noise, Painted, paint
from .plan import WindowPlan


@dataclass(frozen=True)
class Windows:
    """Where a batch's windows lie: top and left [B] in cells of the features, and the plan they follow."""

    top: list[int]
    left: list[int]
    plan: WindowPlan
    rows: int
    columns: int

    @staticmethod
    def draw(count: int, config: GeneratorConfig, plan: WindowPlan) -> Windows:
        """Random positions, those beyond a border moved onto it."""
        rows, columns = config.shape(plan.from_side)

        def places(extent: int) -> list[int]:
            last = extent - plan.cells
            return torch.randint(-plan.reach, last + plan.reach + 1, (count,)).clamp(0, last).tolist()

        return Windows(places(rows), places(columns), plan, rows, columns)

    def part(self, processes: Processes) -> Windows:
        """Those of one of several processes."""
        some = slice(processes.rank, None, processes.size)
        return replace(self, top=self.top[some], left=self.left[some])

    def _patch(self, start: int, extent: int) -> tuple[int, int]:
        """First cell of the window with its context, and the window's place in it; always of the same size."""
        first = min(max(start - self.plan.context, 0), extent - self._side)
        return first, start - first

    @property
    def _side(self) -> int:
        return self.plan.cells + 2 * self.plan.context

    def cut(self, x: Tensor, scale: int = 1, context: bool = False) -> Tensor:
        """The windows [B,C,S,S] of pictures or features [B,C,H,W] that have `scale` px a cell."""
        parts = []
        for one, top, left in zip(x.unbind(0), self.top, self.left, strict=True):
            side = self.plan.cells * scale
            if context:
                side = self._side * scale
                top, left = self._patch(top, self.rows)[0], self._patch(left, self.columns)[0]
            t, w = top * scale, left * scale
            parts.append(one[:, t : t + side, w : w + side])
        return torch.stack(parts)

    def paint(self, synthesis: Synthesis, ws: Tensor, before: Painted, noise: Noise | None) -> Tensor:
        """The windows' pictures [B,3,S,S] at full resolution, from the features and picture of `from_side`."""
        size = synthesis.config.size
        patch = (self.cut(before[0], context=True), self.cut(before[1], context=True))
        rgb = paint(synthesis, ws, size, noise, patch, self.plan.from_side)[1]
        scale = size // self.plan.from_side
        side, parts = self.plan.cells * scale, []
        for one, top, left in zip(rgb.unbind(0), self.top, self.left, strict=True):
            t, w = self._patch(top, self.rows)[1] * scale, self._patch(left, self.columns)[1] * scale
            parts.append(one[:, t : t + side, w : w + side])
        return torch.stack(parts)

    def border_weights(self, scale: int, width: int, factor: float, device: torch.device) -> Tensor:
        """[B,1,S,S]: `factor` on the outer `width` px where a window touches the picture's border, else 1."""
        side = self.plan.cells * scale
        weights = torch.ones(len(self.top), 1, side, side)
        for one, top, left in zip(weights, self.top, self.left, strict=True):
            if top == 0:
                one[:, :width] = factor
            if left == 0:
                one[:, :, :width] = factor
            if top == self.rows - self.plan.cells:
                one[:, -width:] = factor
            if left == self.columns - self.plan.cells:
                one[:, :, -width:] = factor
        return weights.to(device)
