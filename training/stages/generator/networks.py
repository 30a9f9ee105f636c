"""What stage 0 trains: the generator, its average, the judges, their optimisers; and how far the phases are."""

from __future__ import annotations

from pathlib import Path

import torch

from ....engine.model.generator import Generator, GeneratorConfig
from ...backbone import Backbone, set_layout
from ...data.photos import PictureSet
from ...processes import Processes
from .judges import Judges
from .mixtures import Draws
from .plan import GeneratorPlan, Phase


class GeneratorNetworks:
    """Networks, data and position of a training.

    bfloat16: paint, see and judge in bfloat16 (weights and losses stay float32); worth it only where the processor has
    it natively. halved: how often the batch was halved for want of memory; slowed: rates are halved since numbers
    failed; begun: pictures of the phase with windows that a world brought along, which these discriminators have not
    seen. cache: folder for what can be computed again; `folder` unless it is set.
    """

    halved, slowed, begun = 0, False, 0

    def __init__(
        self, data: PictureSet, config: GeneratorConfig, plan: GeneratorPlan, folder: Path, *,
        device: str | torch.device = "cpu", bfloat16: bool = False, backbone: Backbone | None = None,
        processes: Processes | None = None,
    ) -> None:  # fmt: skip
        self.processes = processes or Processes(torch.device(device))
        self.processes.check_batches(p.batch for p in plan.phases)
        self.device, self.bfloat16 = self.processes.device, bfloat16
        self.plan, self.folder, self.config, self.cache = plan, folder, config, folder
        self.data, self.draws = data.to(self.device), Draws(data)
        self.anchors = self.data.anchors
        self.generator, self.average = (self._fresh() for _ in range(2))
        self.average.load_state_dict(self.generator.state_dict())
        self.average.requires_grad_(False)
        self.backbone = (backbone or Backbone()).to(self.device)
        self.judges = Judges().to(self.device)
        set_layout(self.judges, self._layout)
        self.optimiser = self._optimiser()
        self.optimiser_judges = torch.optim.Adam(self.judges.trained(), plan.rate_judges, betas=(0.0, 0.99), fused=True)
        self.phase, self.images, self.step, self.seconds = 0, 0, 0, 0.0

    def _fresh(self) -> Generator:
        generator = Generator(self.config)
        for side in self.config.sides[3:]:
            # A block begins as the picture below it, enlarged.
            generator.synthesis.get_parameter(f"b{side}.torgb.weight").data.zero_()
        set_layout(generator, self._layout)
        return generator.to(self.device)

    @property
    def _layout(self) -> torch.memory_format:
        """Channels-last where it is faster: not on processors in float32."""
        fast = self.bfloat16 or self.device.type == "cuda"
        return torch.channels_last if fast else torch.contiguous_format

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

    @property
    def now(self) -> Phase:
        """The phase trained now (or last)."""
        return self.plan.phases[min(self.phase, len(self.plan.phases) - 1)]

    @property
    def batch(self) -> int:
        """Pictures a step: the phase's, halved as often as memory did not suffice."""
        return max(1, self.now.batch >> self.halved)

    @property
    def painted(self) -> int:
        """Side of the last block that was trained so far."""
        return self.now.side if self.images or not self.phase else self.plan.phases[self.phase - 1].side

    @property
    def done(self) -> bool:
        """Whether all phases are over."""
        return self.phase >= len(self.plan.phases)

    @property
    def at(self) -> tuple[int, int, int, float]:
        """Where training stands: phase, pictures, steps and seconds in it."""
        return self.phase, self.images, self.step, self.seconds

    def start_from(self, generator: Generator, images: int = 0) -> None:
        """Go on from a shipped world's generator, with fresh discriminators, in the first phase that is larger or,
        where there is none, in the last one, of which it has seen so many images.
        """
        own = self.generator.state_dict()
        own |= {k: v for k, v in generator.state_dict().items() if k in own and v.shape == own[k].shape}
        for one in (self.generator, self.average):
            one.load_state_dict(own)
        larger = [i for i, p in enumerate(self.plan.phases) if p.side > generator.config.size]
        self.phase = larger[0] if larger else len(self.plan.phases) - 1
        self.images = self.begun = 0 if larger else images
