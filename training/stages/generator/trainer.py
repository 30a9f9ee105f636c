"""Trains the generator: one step, the loop over phases, checkpoints.

Steps up to 64 px show photo codes and compare pictures and features. Then every step also trains the upper blocks on
one window a picture, judges come in, and every third step shows mixtures, which only judges and the tie between
sizes teach. A checkpoint holds everything; without one, training goes on from the generator of a world file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ....engine.files.atomic import replacing
from ....engine.model.generator import Generator, GeneratorConfig
from ...backbone import Backbone, feature_distance, set_layout
from ...data.photos import PictureSet
from ...losses.pixels import border_weight, l1_at, weighted_l1
from ...status import Listener, Status, log_status
from ..averaging import average_in
from .fast_synthesis import Painted, paint
from .judges import Judges, Seen
from .mixtures import Draws, mixed_codes, truncated
from .plan import GeneratorPlan, Phase
from .real_features import RealFeatures
from .windows import Windows

CHECKPOINT = "generator.pt"
SMALLEST = 64
"""Least height in px that the heads can judge: two places at the backbone's stride of 32."""
PARTS = ("generator", "average", "judges", "optimiser", "optimiser_judges")


class GeneratorTrainer:
    """Holds generator, averaged generator, discriminators and optimisers; `run` goes through the phases.

    bfloat16: paint in bfloat16 (weights stay float32); worth it only where the processor has it natively.
    """

    def __init__(
        self, data: PictureSet, config: GeneratorConfig, plan: GeneratorPlan, folder: Path, *,
        device: str = "cpu", bfloat16: bool = False, backbone: Backbone | None = None,
    ) -> None:  # fmt: skip
        self.device, self.bfloat16 = torch.device(device), bfloat16
        self.plan, self.folder, self.config = plan, folder, config
        self.data, self.draws = data.to(self.device), Draws(data)
        self.anchors = self.data.anchors
        self.generator, self.average = (self._fresh() for _ in range(2))
        self.average.load_state_dict(self.generator.state_dict())
        self.average.requires_grad_(False)
        self.backbone = (backbone or Backbone()).to(self.device)
        weights = (plan.whole_heads, plan.whole_colour, plan.window_heads, plan.window_colour)
        self.judges = Judges(weights).to(self.device)
        set_layout(self.judges, self._layout)
        self.optimiser = self._optimiser()
        self.optimiser_judges = torch.optim.Adam(self.judges.trained(), plan.rate_judges, betas=(0.0, 0.99), fused=True)
        self.phase, self.images, self.step, self.seconds = 0, 0, 0, 0.0
        self._features: tuple[tuple[int, int], RealFeatures] | None = None

    def _fresh(self) -> Generator:
        generator = Generator(self.config)
        for side in self.config.sides[3:]:
            # A block begins as the picture below it, enlarged.
            generator.synthesis.get_parameter(f"b{side}.torgb.weight").data.zero_()
        set_layout(generator, self._layout)
        return generator.to(self.device)

    @property
    def _layout(self) -> torch.memory_format:
        return torch.channels_last if self.device.type == "cuda" else torch.contiguous_format

    def _optimiser(self) -> torch.optim.Adam:
        sides = self.config.sides
        above = [s for s in sides if s > self.plan.window.from_side]
        synthesis = self.generator.synthesis
        upper = [p for s in above for p in synthesis.get_submodule(f"b{s}").parameters()]
        known = {id(p) for p in upper}
        lower = [p for p in synthesis.parameters() if id(p) not in known]
        groups = [
            {"params": list(self.generator.mapping.parameters()), "kind": "mapping"},
            {"params": lower, "kind": "lower"},
            *([{"params": upper, "kind": "upper"}] if upper else []),
        ]
        return torch.optim.Adam(groups, 1e-3, betas=self.plan.betas, fused=True)

    # ---- where training stands

    @property
    def now(self) -> Phase:
        """The phase trained now (or last)."""
        return self.plan.phases[min(self.phase, len(self.plan.phases) - 1)]

    @property
    def painted(self) -> int:
        """Side of the last block that was trained so far."""
        return self.now.side if self.images or not self.phase else self.plan.phases[self.phase - 1].side

    @property
    def done(self) -> bool:
        """Whether all phases are over."""
        return self.phase >= len(self.plan.phases)

    @property
    def checkpoint(self) -> Path:
        """Where the trainer keeps everything."""
        return self.folder / CHECKPOINT

    @property
    def _at(self) -> tuple[int, int, int, float]:
        return self.phase, self.images, self.step, self.seconds

    def start_from(self, generator: Generator) -> None:
        """Go on from a shipped world's generator, with fresh discriminators, in the first phase that is larger or,
        where there is none, in the last one.
        """
        own = self.generator.state_dict()
        own |= {k: v for k, v in generator.state_dict().items() if k in own and v.shape == own[k].shape}
        for one in (self.generator, self.average):
            one.load_state_dict(own)
        larger = [i for i, p in enumerate(self.plan.phases) if p.side > generator.config.size]
        self.phase = larger[0] if larger else len(self.plan.phases) - 1

    def save(self) -> None:
        """Write the checkpoint atomically."""
        state: dict[str, Any] = {k: getattr(self, k).state_dict() for k in PARTS}
        state["at"] = self._at
        state["random"] = torch.get_rng_state()
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.checkpoint) as part:
            torch.save(state, part)

    def load(self) -> bool:
        """Go on from the checkpoint, as if nothing had come between; False if there is none."""
        if not self.checkpoint.is_file():
            return False
        state = torch.load(self.checkpoint, weights_only=True, map_location=self.device)
        for k in PARTS:
            getattr(self, k).load_state_dict(state[k])
        self.phase, self.images, self.step, self.seconds = state["at"]
        torch.set_rng_state(state["random"].cpu())
        return True

    # ---- one step

    def _prepare(self) -> None:
        phase, warm = self.now, min(1.0, (self.step + 1) / self.plan.warmup)
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
        return min(1.0, max(0.0, (self.images - start) / (full - start))) if self.now.windows else 0.0

    def _mixing(self) -> bool:
        return self.now.windows and self.step % self.plan.mix_every == self.plan.mix_every - 1

    def _paint(self, ws: Tensor, side: int) -> Painted:
        with self._precision():
            return paint(self.generator.synthesis, ws, side)

    def _precision(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16) if self.bfloat16 else nullcontext()

    def _ws(self, index: Tensor, mixing: bool) -> Tensor:
        count, plan = len(index), self.plan
        if mixing:
            psi = plan.psi[0] + (plan.psi[1] - plan.psi[0]) * torch.rand(count)
            return truncated(
                self.generator.mapping, mixed_codes(self.anchors, count, plan.mix_noise), psi.to(self.device)
            )
        z = self.data.codes[index]
        ws = self.generator.mapping(z + plan.code_noise * torch.randn_like(z))
        with torch.no_grad():
            w_avg = self.generator.mapping.w_avg
            w_avg.lerp_(ws[:, 0].mean(0), 0.01 if self.step > 100 else 0.1)
        return ws

    def real_maps(self, index: Tensor) -> list[Tensor]:
        """Cached backbone maps of whole real pictures, as this phase compares them."""
        key = (self._side(), self.now.features)
        if self._features is None or self._features[0] != key:
            self._features = (key, RealFeatures(self.data, self.backbone, *key, self.folder))
        return self._features[1].at(index)

    def _side(self) -> int:
        return self.plan.window.from_side if self.now.windows else self.now.side

    def _whole_loss(self, fake: Tensor, real: Tensor, maps: tuple[list[Tensor], list[Tensor]] | None) -> Tensor:
        weight = border_weight(fake.shape[2], fake.shape[3], 2, self.plan.border).to(self.device)
        loss = self.plan.coarse * l1_at(fake, real, 4) + self.plan.pixel * weighted_l1(fake, real, weight)
        return loss if maps is None else loss + feature_distance(*maps).mean()

    def train_step(self) -> dict[str, Tensor]:
        """One step of both sides; returns the losses, still on the device."""
        self._prepare()
        return self._joint_step() if self.now.windows else self._whole_step()

    def _whole_step(self) -> dict[str, Tensor]:
        index = self.draws(self.now.batch).to(self.device)
        real = self.data.at(index, self.now.side)
        fake = self._paint(self._ws(index, False), self.now.side)[1].float()
        maps = None
        if self.now.features:
            maps = (self.backbone(fake, self.now.features), self.real_maps(index))
        loss = self._whole_loss(fake, real, maps)
        self._descend(loss)
        return {"l1": (fake - real).detach().abs().mean(), "loss": loss.detach()}

    def _joint_step(self) -> dict[str, Tensor]:
        mixing, plan = self._mixing(), self.plan
        index = self.draws(self.now.batch, clean=mixing).to(self.device)
        ws = self._ws(index, mixing)
        features, fake = self._paint(ws, plan.window.from_side)
        fake = fake.float()
        real, real_maps = self.data.at(index, plan.window.from_side), self.real_maps(index)
        maps = self.backbone(fake, self.now.features)
        whole: tuple[Seen, Seen] = ((real, real_maps), (fake, maps))
        losses: dict[str, Tensor] = {}
        if not mixing:
            losses["whole"] = self._whole_loss(fake, real, (maps, real_maps))
        window = self._window_losses(index, ws, (features, fake), mixing, losses)
        said = self._said()
        if said > 0:
            losses["judged"] = said * self.judges.whole.for_generator(whole[1])
            if window is not None:
                losses["judged_window"] = said * self.judges.window.for_generator(window[1])
        if losses:
            self._descend(torch.stack(list(losses.values())).sum())
        figures = {k: v.detach() for k, v in losses.items()}
        if not mixing:
            figures["l1"] = (fake - real).detach().abs().mean()
        return figures | (self._judge_step(whole, window) if said > 0 else {})

    def _window_losses(
        self, index: Tensor, ws: Tensor, before: Painted, mixing: bool, losses: dict[str, Tensor]
    ) -> tuple[Seen, Seen] | None:
        """Adds the losses of windows; returns what the judges see of real and fake ones, None if none is sharp."""
        plan = self.plan
        sharp = self.data.sharp[index].nonzero()[:, 0]
        if len(sharp) == 0:
            return None
        before = (before[0][sharp], before[1][sharp])
        windows = Windows.draw(len(sharp), self.config, plan.window)
        with self._precision():
            fake = windows.paint(self.generator.synthesis, ws[sharp], before, noise=True).float()
        scale = self.config.size // plan.window.from_side
        real = windows.cut(self.data.pictures[index[sharp]], scale).float() / 127.5 - 1
        losses["tie"] = plan.tie * (F.avg_pool2d(fake, scale) - windows.cut(before[1]).detach()).abs().mean()
        if not mixing:
            weight = windows.border_weights(scale, 3, plan.window_border, self.device)
            losses["pixels"] = plan.window_coarse * l1_at(fake, real, 8)
            losses["pixels"] = losses["pixels"] + plan.window_pixel * weighted_l1(fake, real, weight)
        return self._seen(real, fake, mixing, losses)

    def _seen(self, real: Tensor, fake: Tensor, mixing: bool, losses: dict[str, Tensor]) -> tuple[Seen, Seen]:
        side = min(self.plan.window.seen, fake.shape[2])
        top, left = torch.randint(fake.shape[2] - side + 1, (2,)).tolist()
        real, fake = (x[:, :, top : top + side, left : left + side] for x in (real, fake))
        if self.step % self.plan.window.features_every:
            return (real, None), (fake, None)
        maps = self.backbone(fake, max(side, SMALLEST))
        with torch.no_grad():
            real_maps = self.backbone(real, max(side, SMALLEST))
        if not mixing:
            losses["window"] = feature_distance(maps, real_maps).mean()
        return (real, real_maps), (fake, maps)

    def _descend(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        average_in(self.average, self.generator, self.plan.ema, self.step)
        self.average.mapping.w_avg.copy_(self.generator.mapping.w_avg)

    def _judge_step(self, whole: tuple[Seen, Seen], window: tuple[Seen, Seen] | None) -> dict[str, Tensor]:
        losses = {f"d_{k}": v for k, v in self.judges.whole.for_itself(*whole).items()}
        if window is not None:
            losses |= {f"d_window_{k}": v for k, v in self.judges.window.for_itself(*window).items()}
        if self.step % self.plan.r1_every == 0:
            n = self.plan.r1_batch
            penalty = self.judges.penalty(whole[0][0][:n], None if window is None else window[0][0][:n])
            losses["r1"] = self.plan.r1 * penalty
        self.optimiser_judges.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self.optimiser_judges.step()
        return {k: v.detach() for k, v in losses.items()}

    # ---- the loop

    def advance(self) -> dict[str, Tensor]:
        """One step, counted; moves on to the next phase where one is over."""
        begun, phase = time.monotonic(), self.now
        losses = self.train_step()
        self.step += 1
        self.images += phase.batch
        self.seconds += time.monotonic() - begun
        if phase.share(self.images, self.seconds) >= 1:
            self.phase, self.images, self.step, self.seconds = self.phase + 1, 0, 0, 0.0
            # The average is the better start for what comes on top of it.
            self.generator.load_state_dict(self.average.state_dict())
        return losses

    def run(
        self, stop: Callable[[], bool], report: Callable[[GeneratorTrainer], None], listener: Listener = log_status
    ) -> None:
        """Train to the end of the last phase, or until `stop`; a checkpoint is written in both cases, and every
        `checkpoint_s` seconds, at which `report` is called too. listener: hears the means of 50 steps.
        """
        saved, kept, means = time.monotonic(), None, dict[str, list[Tensor]]()
        while not self.done and not stop():
            side, before = self.now.side, self.phase
            for k, v in self.advance().items():
                means.setdefault(k, []).append(v)
            if self.step % 50 == 0:
                figures = {k: float(torch.stack(v).mean()) for k, v in sorted(means.items())}
                share = self.now.share(self.images, self.seconds)
                listener(Status(f"generator {side} px", share, {"images": self.images, **figures}))
                means.clear()
            if time.monotonic() - saved > self.plan.checkpoint_s or self.phase != before:
                self.save()
                report(self)
                saved, kept = time.monotonic(), self._at
        if kept != self._at:
            self.save()
            report(self)
