"""Stage 0: the generator, grown 64 -> 128 -> 256 px from codes of real pictures.

Even steps show photo codes with a little noise: reconstruction and adversarial loss. Odd steps show mixtures
of two codes: adversarial loss only. One generator pass and one feature pass a step. A checkpoint holds
everything; without one, training goes on from the generator of a world file.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..engine.model.synthesis import Generator, GeneratorConfig
from .backbone import Backbone, feature_distance
from .discriminators import FeatureDiscriminator, hinge_d, hinge_g
from .pictures import CLEAN, PictureSet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Phase:
    """One size of the growth. images: length. batch. warmup: steps to full rates. features: side the
    backbone sees."""

    size: int
    images: int
    batch: int
    warmup: int = 50
    features: int = 128


@dataclass(frozen=True)
class GeneratorTraining:
    """Rates and weights of stage 0; `phases` in order."""

    phases: tuple[Phase, ...] = (Phase(64, 28_000, 16), Phase(128, 14_000, 16), Phase(256, 10_000, 8, 100, 192))
    rate_g: float = 6e-4
    rate_d: float = 4e-4
    ema: float = 0.998
    code_noise: float = 0.15
    mix_noise: float = 0.25
    adversarial: float = 0.1
    checkpoint_s: float = 180.0


def reconstruction_loss(fake: Tensor, real: Tensor, fake_maps: list[Tensor], real_maps: list[Tensor]) -> Tensor:
    """2 L1 at a quarter of the side + 0.5 L1 + feature distance."""
    coarse = (F.avg_pool2d(fake, 4) - F.avg_pool2d(real, 4)).abs().mean()
    return 2 * coarse + 0.5 * (fake - real).abs().mean() + feature_distance(fake_maps, real_maps).mean()


class GeneratorTrainer:
    """Holds generator, heads, optimisers and running mean; `run` goes through the phases."""

    def __init__(self, data: PictureSet, config: GeneratorConfig, plan: GeneratorTraining, folder: Path) -> None:
        self.data, self.plan, self.folder = data, plan, folder
        self.g, self.ema = Generator(config), Generator(config)
        self.ema.load_state_dict(self.g.state_dict())
        self.ema.requires_grad_(False)
        self.d, self.backbone = FeatureDiscriminator(), Backbone()
        self.opt_g = torch.optim.Adam(self.g.parameters(), plan.rate_g, betas=(0.0, 0.99))
        heads = [p for p in self.d.parameters() if p.requires_grad]
        self.opt_d = torch.optim.Adam(heads, plan.rate_d, betas=(0.0, 0.99))
        self.phase, self.images, self.step = 0, 0, 0
        # A clean photo is drawn as often as all the scenes on it together.
        clean = data.klass == CLEAN
        self.weights = torch.where(clean, 1.0, clean.sum() / (~clean).sum().clamp(min=1))

    @property
    def checkpoint(self) -> Path:
        """Where the trainer keeps everything."""
        return self.folder / "generator.pt"

    def start_from(self, generator: Generator) -> None:
        """Go on from a shipped world's generator, with fresh heads."""
        self.g.load_state_dict(generator.state_dict())
        self.ema.load_state_dict(generator.state_dict())

    def save(self) -> None:
        """Write the checkpoint atomically."""
        parts = {k: getattr(self, k).state_dict() for k in ("g", "ema", "d", "opt_g", "opt_d")}
        part = self.checkpoint.with_suffix(".part")
        torch.save(parts | {"at": (self.phase, self.images, self.step), "plan": asdict(self.plan)}, part)
        part.replace(self.checkpoint)

    def load(self) -> bool:
        """Go on from the checkpoint; False if there is none."""
        if not self.checkpoint.is_file():
            return False
        state = torch.load(self.checkpoint, weights_only=True)
        for k in ("g", "ema", "d", "opt_g", "opt_d"):
            getattr(self, k).load_state_dict(state[k])
        self.phase, self.images, self.step = state["at"]
        return True

    def _codes(self, z: Tensor) -> Tensor:
        if self.step % 2 == 0:
            return z + self.plan.code_noise * torch.randn_like(z)
        part = torch.rand(len(z), 1)
        return part * z + (1 - part) * z[torch.randperm(len(z))] + self.plan.mix_noise * torch.randn_like(z)

    def train_step(self, phase: Phase) -> dict[str, float]:
        """One step of both sides; returns the losses."""
        warm = min(1.0, (self.step + 1) / phase.warmup)
        for opt, rate in ((self.opt_g, self.plan.rate_g), (self.opt_d, self.plan.rate_d)):
            opt.param_groups[0]["lr"] = rate * warm
        index = torch.multinomial(self.weights, phase.batch)
        real, z = self.data.batch(index, torch.rand(phase.batch) < 0.5, phase.size)
        ws = self.g.mapping(self._codes(z))
        fake = self.g.synthesis(ws, "random", phase.size, "activations")
        fake_maps = self.backbone(fake, phase.features)
        with torch.no_grad():
            real_maps = self.backbone(real, phase.features)
        adversarial = hinge_g(self.d(fake_maps))
        loss = self.plan.adversarial * adversarial
        if self.step % 2 == 0:
            loss = loss + reconstruction_loss(fake, real, fake_maps, real_maps)
        self.opt_g.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_g.step()
        loss_d = hinge_d(self.d(real_maps), self.d([m.detach() for m in fake_maps]))
        self.opt_d.zero_grad(set_to_none=True)
        loss_d.backward()
        self.opt_d.step()
        self._average()
        return {"g": loss.item(), "adversarial": adversarial.item(), "d": loss_d.item()}

    @torch.no_grad()
    def _average(self) -> None:
        for mean, now in zip(self.ema.parameters(), self.g.parameters(), strict=True):
            mean.lerp_(now, 1 - self.plan.ema)

    def run(self, report: Callable[[GeneratorTrainer], None] | None = None) -> Generator:
        """Train to the end of the last phase; returns the averaged generator with w_avg and w_std set."""
        saved = time.monotonic()
        while self.phase < len(self.plan.phases):
            phase = self.plan.phases[self.phase]
            losses = self.train_step(phase)
            self.step += 1
            self.images += phase.batch
            if self.step % 20 == 0:
                log.info("%d px, %d images: %s", phase.size, self.images, {k: round(v, 3) for k, v in losses.items()})
            if self.images >= phase.images:
                self.phase, self.images, self.step = self.phase + 1, 0, 0
            if time.monotonic() - saved > self.plan.checkpoint_s or self.images == 0:
                self.save()
                saved = time.monotonic()
                if report is not None:
                    report(self)
        return set_w_statistics(self.ema, self.data)


@torch.no_grad()
def set_w_statistics(generator: Generator, data: PictureSet) -> Generator:
    """w_avg and sigma_w over 10,000 mixtures of clean codes: what seeds are drawn from."""
    codes = data.codes[data.klass == CLEAN]
    rng = torch.Generator().manual_seed(0)
    a, b = (codes[torch.randint(len(codes), (10_000,), generator=rng)] for _ in range(2))
    part = torch.rand(10_000, 1, generator=rng)
    mapping = generator.mapping
    mapping.w_avg.zero_()
    w = mapping(part * a + (1 - part) * b)[:, 0]
    mapping.w_avg.copy_(w.mean(0))
    mapping.w_std.copy_(w.std(0))
    return generator
