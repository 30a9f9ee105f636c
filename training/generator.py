"""Stage 0: the generator, grown 64 -> 128 -> 256 px from codes of real pictures.

Most steps show photo codes with a little noise: reconstruction and adversarial loss. Every third shows
mixtures of two codes: adversarial loss only. One generator pass and one feature pass a step. A checkpoint holds
everything; without one, training goes on from the generator of a world file.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..engine.files.atomic import replacing
from ..engine.model.generator import Generator, GeneratorConfig
from .backbone import Backbone, feature_distance
from .discriminators.features import FeatureDiscriminator, hinge_d, hinge_g
from .pictures import CLEAN, PictureSet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Phase:
    """One size of the growth.

    images: length. batch: pictures a step. features: side the backbone sees. crop: it sees a random square of
    that side at full resolution instead of the whole picture made smaller. train_from: blocks below this side,
    and the mapping, stay as they are (cheaper, and what they learned at smaller sizes is kept). warmup: steps
    to full rates.
    """

    size: int
    images: int
    batch: int
    features: int
    crop: bool = False
    train_from: int = 0
    warmup: int = 20


@dataclass(frozen=True)
class GeneratorTraining:
    """Rates and weights of stage 0; `phases` in order.

    Every `mix_every`-th step shows mixtures. rate_g, rate_d: Adam's rates (ours are large because the weights are
    stored at unit size: equalised learning rate). ema: of the averaged generator, a step. code_noise, mix_noise:
    added to codes. adversarial: weight, which grows over the images adversarial_from of the first phase.
    mapping_factor: the mapping's rate against the rest (its weights are stored 100 times larger). checkpoint_s:
    seconds between checkpoints.
    """

    phases: tuple[Phase, ...] = (
        Phase(64, 20_000, 8, 96),
        Phase(128, 8_000, 8, 128, train_from=128),
        Phase(256, 6_000, 8, 128, crop=True, train_from=256),
    )
    mix_every: int = 3
    rate_g: float = 1e-2
    rate_d: float = 1e-3
    ema: float = 0.998
    code_noise: float = 0.15
    mix_noise: float = 0.25
    adversarial: float = 0.05
    adversarial_from: tuple[int, int] = (13_000, 16_000)
    mapping_factor: float = 30.0
    checkpoint_s: float = 180.0


def reconstruction_loss(fake: Tensor, real: Tensor, fake_maps: list[Tensor], real_maps: list[Tensor]) -> Tensor:
    """2 L1 at a quarter of the side + 0.5 L1 + feature distance."""
    coarse = (F.avg_pool2d(fake, 4) - F.avg_pool2d(real, 4)).abs().mean()
    return 2 * coarse + 0.5 * (fake - real).abs().mean() + feature_distance(fake_maps, real_maps).mean()


def seen_square(phase: Phase) -> Callable[[Tensor], Tensor]:
    """What of a picture the backbone sees in one step: all of it, or one random square for real and fake."""
    if not phase.crop:
        return lambda x: x
    side = phase.features
    top, left = torch.randint(phase.size - side + 1, (2,)).tolist()
    return lambda x: x[:, :, top : top + side, left : left + side]


class GeneratorTrainer:
    """Holds generator, heads, optimisers and running mean; `run` goes through the phases."""

    def __init__(self, data: PictureSet, config: GeneratorConfig, plan: GeneratorTraining, folder: Path) -> None:
        self.data, self.plan, self.folder = data, plan, folder
        self.g, self.ema = Generator(config), Generator(config)
        self.ema.load_state_dict(self.g.state_dict())
        self.ema.requires_grad_(False)
        self.d, self.backbone = FeatureDiscriminator(), Backbone()
        groups = [
            {"params": list(self.g.synthesis.parameters()), "factor": 1.0},
            {"params": list(self.g.mapping.parameters()), "factor": plan.mapping_factor},
        ]
        self.opt_g = torch.optim.Adam(groups, plan.rate_g, betas=(0.5, 0.99))
        heads = [p for p in self.d.parameters() if p.requires_grad]
        self.opt_d = torch.optim.Adam(heads, plan.rate_d, betas=(0.0, 0.99))
        self.phase, self.images, self.step = 0, 0, 0
        # A clean photo is drawn as often as all the scenes on it together.
        clean = data.class_id == CLEAN
        self.weights = torch.where(clean, 1.0, clean.sum() / (~clean).sum().clamp(min=1))

    @property
    def size(self) -> int:
        """Side trained now (or last)."""
        return self.plan.phases[min(self.phase, len(self.plan.phases) - 1)].size

    @property
    def checkpoint(self) -> Path:
        """Where the trainer keeps everything."""
        return self.folder / "generator.pt"

    def start_from(self, generator: Generator) -> None:
        """Go on from a shipped world's generator, with fresh heads: at the next larger size there is."""
        grown = resized(generator, self.g.config.size).state_dict()
        self.g.load_state_dict(grown)
        self.ema.load_state_dict(grown)
        larger = [i for i, p in enumerate(self.plan.phases) if p.size > generator.config.size]
        self.phase = larger[0] if larger else len(self.plan.phases) - 1

    def save(self) -> None:
        """Write the checkpoint atomically."""
        parts = {k: getattr(self, k).state_dict() for k in ("g", "ema", "d", "opt_g", "opt_d")}
        with replacing(self.checkpoint) as part:
            torch.save(parts | {"at": (self.phase, self.images, self.step), "rng": torch.get_rng_state()}, part)

    def load(self) -> bool:
        """Go on from the checkpoint, as if nothing had come between; False if there is none."""
        if not self.checkpoint.is_file():
            return False
        state = torch.load(self.checkpoint, weights_only=True)
        for k in ("g", "ema", "d", "opt_g", "opt_d"):
            getattr(self, k).load_state_dict(state[k])
        self.phase, self.images, self.step = state["at"]
        torch.set_rng_state(state["rng"])
        return True

    def _mixing(self) -> bool:
        return self._adversarial_weight() > 0 and self.step % self.plan.mix_every == self.plan.mix_every - 1

    def _codes(self, z: Tensor) -> Tensor:
        if not self._mixing():
            return z + self.plan.code_noise * torch.randn_like(z)
        part = torch.rand(len(z), 1)
        return part * z + (1 - part) * z[torch.randperm(len(z))] + self.plan.mix_noise * torch.randn_like(z)

    def _adversarial_weight(self) -> float:
        """In the first phase colours and shapes come first: the judges' word grows from none."""
        start, full = self.plan.adversarial_from
        ramp = 1.0 if self.phase else min(1.0, max(0.0, (self.images - start) / (full - start)))
        return self.plan.adversarial * ramp

    def _prepare(self, phase: Phase) -> None:
        warm = min(1.0, (self.step + 1) / phase.warmup)
        for group in self.opt_g.param_groups:
            group["lr"] = self.plan.rate_g * warm * group["factor"]
        self.opt_d.param_groups[0]["lr"] = self.plan.rate_d * warm
        self.g.mapping.requires_grad_(phase.train_from == 0)
        for side in self.g.config.sides:
            self.g.synthesis.get_submodule(f"b{side}").requires_grad_(phase.train_from <= side <= phase.size)

    def train_step(self, phase: Phase) -> dict[str, float]:
        """One step of both sides; returns the losses."""
        self._prepare(phase)
        index = torch.multinomial(self.weights, phase.batch)
        real, z = self.data.batch(index, torch.rand(phase.batch) < 0.5, phase.size)
        ws = self.g.mapping(self._codes(z))
        fake = self.g.synthesis(ws, "random", phase.size, "activations")
        seen = seen_square(phase)
        fake_maps = self.backbone(seen(fake), phase.features)
        with torch.no_grad():
            real_maps = self.backbone(seen(real), phase.features)
        losses, said = {}, self._adversarial_weight()
        loss = fake.new_zeros(())
        if not self._mixing():
            loss = reconstruction_loss(fake, real, fake_maps, real_maps)
            losses["reconstruction"] = loss.item()
        if said > 0:
            adversarial = hinge_g(self.d(fake_maps))
            loss = loss + said * adversarial
            losses["adversarial"] = adversarial.item()
        self.opt_g.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_g.step()
        if said > 0:
            losses["d"] = self._judge_step(real_maps, [m.detach() for m in fake_maps])
        self._average()
        return losses

    def _judge_step(self, real: list[Tensor], fake: list[Tensor]) -> float:
        loss = hinge_d(self.d(real), self.d(fake))
        self.opt_d.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_d.step()
        return loss.item()

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.plan.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.ema.parameters(), self.g.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)

    def run(self, report: Callable[[GeneratorTrainer], None] | None = None) -> Generator:
        """Train to the end of the last phase; returns the averaged generator with w_avg and w_std set."""
        saved = time.monotonic()
        while self.phase < len(self.plan.phases):
            phase = self.plan.phases[self.phase]
            losses = self.train_step(phase)
            self.step += 1
            self.images += phase.batch
            if self.step % 20 == 0:
                log.info(
                    "%d px, %d images: %s",
                    phase.size,
                    self.images,
                    {k: round(v, 3) for k, v in losses.items()},
                )
            if self.images >= phase.images:
                self.phase, self.images, self.step = self.phase + 1, 0, 0
                # What stays as it is from here on is what the average had become.
                self.g.load_state_dict(self.ema.state_dict())
            if time.monotonic() - saved > self.plan.checkpoint_s or self.images == 0:
                self.save()
                saved = time.monotonic()
                if report is not None:
                    report(self)
        return set_w_statistics(self.ema, self.data)


def resized(generator: Generator, size: int) -> Generator:
    """The same generator with fewer resolutions, or with more, whose new blocks are untrained."""
    made = Generator(replace(generator.config, size=size))
    shared = made.state_dict()
    shared |= {k: v for k, v in generator.state_dict().items() if k in shared}
    made.load_state_dict(shared)
    return made


@torch.no_grad()
def set_w_statistics(generator: Generator, data: PictureSet) -> Generator:
    """w_avg and sigma_w over 10,000 mixtures of clean codes: what seeds are drawn from."""
    codes = data.codes[data.class_id == CLEAN]
    rng = torch.Generator().manual_seed(0)
    a, b = (codes[torch.randint(len(codes), (10_000,), generator=rng)] for _ in range(2))
    part = torch.rand(10_000, 1, generator=rng)
    mapping = generator.mapping
    mapping.w_avg.zero_()
    w = mapping(part * a + (1 - part) * b)[:, 0]
    mapping.w_avg.copy_(w.mean(0))
    mapping.w_std.copy_(w.std(0))
    return generator
