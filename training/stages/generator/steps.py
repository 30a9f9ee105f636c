"""One step of stage 0: the losses of the generator and of the judges, and the optimisers' steps.

Steps up to 64 px show photo codes and compare pictures and features. Then every step also trains the upper blocks on
one window a picture, judges come in, and every third step shows mixtures, which only judges and the tie between
sizes teach.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ....engine.model.generator import Synthesis
from ...backbone import feature_distance
from ...discriminators.colour import gradient_penalty
from ...losses.pixels import border_weight, l1_at, weighted_l1
from ...losses.texture import band_texture, map_texture
from ..averaging import average_in
from .batch import Batch
from .fast_synthesis import Painted, paint
from .judges import Pair, Seen, halved
from .mixtures import mixed_codes, truncated
from .networks import GeneratorNetworks
from .plan import JudgeWeights
from .real_features import RealFeatures
from .windows import Windows

SMALLEST = 64
"""Least height in px that the heads can judge: two places at the backbone's stride of 32."""


class GeneratorSteps(GeneratorNetworks):
    """The networks, and a step of their training."""

    _features: tuple[tuple[int, int], RealFeatures] | None = None
    _small: tuple[int, Tensor] | None = None

    def train_step(self) -> dict[str, Tensor]:
        """One step of both sides; returns the losses, still on the device."""
        self._prepare()
        mixing = self._mixing()
        index = self.draws(self.batch, clean=mixing).to(self.device)
        batch = Batch.of(index, self.data.sharp[index], self.processes)
        ws = self._ws(index, batch, mixing)
        return self._joint_step(batch, ws, mixing) if self.now.windows else self._whole_step(batch.index, ws)

    def _prepare(self) -> None:
        phase, warm = self.now, min(1.0, (self.step + 1) / self.plan.warmup)
        # Adam's steps have the size of the rate: those on noisier gradients of smaller batches must be smaller.
        warm *= math.sqrt(self.batch / phase.batch) * (0.5 if self.slowed else 1.0)
        rate = phase.rate_at(phase.share(self.images, self.seconds)) * warm
        lower = self.plan.lower_factor if phase.windows else 1.0
        factors = {"mapping": lower * self.plan.mapping_factor, "lower": lower, "upper": 1.0}
        for group in self.optimiser.param_groups:
            group["lr"] = rate * factors[group["kind"]]
        for group in self.optimiser_judges.param_groups:
            group["lr"] = self.plan.rate_judges * warm

    def _said(self) -> float:
        """How much of their weight the judges have: none before windows, then growing."""
        start, full = self.plan.judges_over
        seen = self.images - self.begun
        return min(1.0, max(0.0, (seen - start) / (full - start))) if self.now.windows else 0.0

    def _late(self) -> float:
        """How far the weights are on their way to the later ones, 0..1."""
        start, full = self.plan.late_over
        part = (self.now.share(self.images, self.seconds) - start) / (full - start)
        return min(1.0, max(0.0, part)) if self.now.windows else 0.0

    def _judge_weights(self) -> JudgeWeights:
        return self.plan.judges.towards(self.plan.late, self._late())

    def _mixing(self) -> bool:
        return self.now.windows and self.step % self.plan.mix_every == self.plan.mix_every - 1

    def _paint(self, ws: Tensor, side: int) -> Painted:
        with self._precision():
            return paint(cast(Synthesis, self.generator.synthesis), ws, side)

    def _maps(self, pictures: Tensor, height: int) -> list[Tensor]:
        with self._precision():
            maps = self.backbone(pictures, height)
        return [m.float() for m in maps]

    def _precision(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16) if self.bfloat16 else nullcontext()

    def _ws(self, index: Tensor, batch: Batch, mixing: bool) -> Tensor:
        """Style codes of this process's rows; codes and noise are drawn for the whole batch `index`."""
        count, plan = len(index), self.plan
        if mixing:
            psi = plan.psi[0] + (plan.psi[1] - plan.psi[0]) * torch.rand(count)
            codes = batch.mine(mixed_codes(self.anchors, count, plan.mix_noise))
            return truncated(self.generator.mapping, codes, batch.mine(psi.to(self.device)))
        z = self.data.codes[index]
        ws = self.generator.mapping(batch.mine(z + plan.code_noise * torch.randn_like(z)))
        with torch.no_grad():
            w_avg = self.generator.mapping.w_avg
            w_avg.lerp_(self.processes.mean(ws[:, 0].mean(0)), 0.01 if self.step > 100 else 0.1)
        return ws

    def real_maps(self, index: Tensor) -> list[Tensor]:
        """Cached backbone maps of whole real pictures, as this phase compares them."""
        key = (self._side(), self.now.features)
        if self._features is None or self._features[0] != key:
            precision = "bf16" if self.bfloat16 else "f32"
            self._features = (key, RealFeatures(self.data, self._maps, precision, *key, self.cache))
        return self._features[1].at(index)

    def _real(self, index: Tensor) -> Tensor:
        """Whole pictures at the size of this phase; made small once, since that took a fifth of a step at 16 px."""
        side = self._side()
        if self._small is None or self._small[0] != side:
            rows = torch.arange(len(self.data.pictures), device=self.device)
            self._small = (side, torch.cat([self.data.at(some, side) for some in rows.split(64)]))
        return self._small[1][index]

    def _side(self) -> int:
        return self.plan.window.from_side if self.now.windows else self.now.side

    def _whole_loss(self, fake: Tensor, real: Tensor, maps: tuple[list[Tensor], list[Tensor]] | None) -> Tensor:
        weight = border_weight(fake.shape[2], fake.shape[3], 2, self.plan.border).to(self.device)
        pixel = self.plan.pixel + (self.plan.late_pixel - self.plan.pixel) * self._late()
        loss = self.plan.coarse * l1_at(fake, real, 4) + pixel * weighted_l1(fake, real, weight)
        return loss if maps is None else loss + feature_distance(*maps).mean()

    def _whole_step(self, index: Tensor, ws: Tensor) -> dict[str, Tensor]:
        real = self._real(index)
        fake = self._paint(ws, self.now.side)[1].float()
        maps = None
        if self.now.features:
            maps = (self._maps(fake, self.now.features), self.real_maps(index))
        loss = self._whole_loss(fake, real, maps)
        self._descend([loss])
        return {"l1": (fake - real).detach().abs().mean(), "loss": loss.detach()}

    def _joint_step(self, batch: Batch, ws: Tensor, mixing: bool) -> dict[str, Tensor]:
        plan, index = self.plan, batch.index
        features, fake = self._paint(ws, plan.window.from_side)
        fake = fake.float()
        real, real_maps = self._real(index), self.real_maps(index)
        maps = self._maps(fake, self.now.features)
        whole: tuple[Seen, Seen] = ((real, real_maps), (fake, maps))
        losses: dict[str, Tensor] = {}
        if not mixing:
            losses["whole"] = self._whole_loss(fake, real, (maps, real_maps))
            losses["whole_bands"] = plan.whole_bands * band_texture(fake, real, 2, 8)
        window = self._window_losses(batch, ws, (features, fake), mixing, losses)
        said = self._said()
        if said > 0:
            losses |= self._judged(batch, whole[1], None if window is None else window[1], said)
        if losses or batch.windows:
            self._descend(list(losses.values()))
        figures = {k: v.detach() for k, v in losses.items()}
        if not mixing:
            figures["l1"] = (fake - real).detach().abs().mean()
        figures |= self._judge_step(batch, whole, window) if said > 0 else {}
        if batch.uneven:
            self._even_out()
        return figures

    def _judged(self, batch: Batch, whole: Seen, window: Seen | None, said: float) -> dict[str, Tensor]:
        by = self._judge_weights()
        with self._precision():
            losses = {"judged": said * self.judges.whole.for_generator(whole, by.whole_heads, by.whole_colour)}
            if window is not None:
                judged = self._window_judges.for_generator(window, by.window_heads, by.window_colour)
                losses["judged_window"] = said * judged * batch.window_weight
        return losses

    def _even_out(self) -> None:
        """After a step in which only some processes had a window: the same random numbers and buffers in all."""
        self.processes.random_of_first()
        for buffer in self.judges.window.buffers():
            buffer.copy_(self.processes.of_first(buffer.cpu()))

    def _window_losses(
        self, batch: Batch, ws: Tensor, before: Painted, mixing: bool, losses: dict[str, Tensor]
    ) -> tuple[Seen, Seen] | None:
        """Adds the losses of windows; returns what the judges see of real and fake ones, None if none is sharp."""
        plan, sharp = self.plan, batch.sharp
        if batch.windows == 0:
            return None
        windows = Windows.draw(batch.windows, self.config, plan.window).part(self.processes)
        if len(sharp) == 0:
            return None
        before = (before[0][sharp], before[1][sharp])
        with self._precision():
            synthesis = cast(Synthesis, self.generator.synthesis)
            fake = windows.paint(synthesis, ws[sharp], before, batch.noise()).float()
        scale, weight = self.config.size // plan.window.from_side, batch.window_weight
        real = windows.cut(self.data.pictures[batch.index[sharp]], scale).float() / 127.5 - 1
        tie = (F.avg_pool2d(fake, scale) - windows.cut(before[1]).detach()).abs().mean()
        losses["tie"] = plan.tie * tie * weight
        if not mixing:
            border = windows.border_weights(scale, 3, plan.window_border, self.device)
            pixels = plan.window_coarse * l1_at(fake, real, 8)
            pixels = pixels + plan.window_pixel * weighted_l1(fake, real, border)
            losses["pixels"] = pixels * weight
            losses["bands"] = plan.window_bands * band_texture(fake, real) * weight
        return self._seen(real, fake, mixing, losses, weight)

    @property
    def _small_windows(self) -> bool:
        """Whether windows are seen at half their size in this step: `features_every` steps so, as many at full size."""
        return self.step // self.plan.window.features_every % 2 == 1

    @property
    def _window_judges(self) -> Pair:
        return self.judges.window.at(self._small_windows)

    def _seen(
        self, real: Tensor, fake: Tensor, mixing: bool, losses: dict[str, Tensor], weight: float
    ) -> tuple[Seen, Seen]:
        side = min(self.plan.window.seen, fake.shape[2])
        top, left = torch.randint(fake.shape[2] - side + 1, (2,)).tolist()
        real, fake = (x[:, :, top : top + side, left : left + side] for x in (real, fake))
        if self._small_windows:
            real, fake, side = halved(real), halved(fake), side // 2
        if self.step % self.plan.window.features_every:
            return (real, None), (fake, None)
        maps = self._maps(fake, max(side, SMALLEST))
        with torch.no_grad():
            real_maps = self._maps(real, max(side, SMALLEST))
        if not mixing:
            features = self.plan.window.small_features if self._small_windows else 1.0
            losses["window"] = features * feature_distance(maps, real_maps).mean() * weight
            losses["texture"] = self.plan.window_texture * map_texture(maps, real_maps) * weight
        return (real, real_maps), (fake, maps)

    def _descend(self, losses: list[Tensor]) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        if losses:
            torch.stack(losses).sum().backward()
        self.processes.average_gradients(self.generator.parameters())
        self.optimiser.step()
        average_in(self.average, self.generator, self.plan.ema, self.step)
        self.average.mapping.w_avg.copy_(self.generator.mapping.w_avg)

    def _judge_step(
        self, batch: Batch, whole: tuple[Seen, Seen], window: tuple[Seen, Seen] | None
    ) -> dict[str, Tensor]:
        with self._precision():
            losses = {f"d_{k}": v for k, v in self.judges.whole.for_itself(*whole).items()}
            of_windows = {} if window is None else self._window_judges.for_itself(*window)
        losses |= {f"d_window_{k}": v * batch.window_weight for k, v in of_windows.items()}
        if self.step % self.plan.r1_every == 0:
            penalties = self._penalties(batch, whole[0][0], None if window is None else window[0][0])
            if penalties:
                losses["r1"] = self.plan.r1 * torch.stack(penalties).sum()
        self.optimiser_judges.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self.processes.average_gradients(self.judges.trained())
        self.optimiser_judges.step()
        return {k: v.detach() for k, v in losses.items()}

    def _penalties(self, batch: Batch, whole: Tensor, window: Tensor | None) -> list[Tensor]:
        """R1 of both colour discriminators on the first real pictures and windows."""
        n, judges = self.plan.r1_batch, self.judges
        shown = [(judges.whole, batch.first_pictures(whole, n))]
        if window is not None:
            shown.append((self._window_judges, batch.first_windows(window, n)))
        return [weight * gradient_penalty(pair.colour, some) for pair, (some, weight) in shown if len(some)]
