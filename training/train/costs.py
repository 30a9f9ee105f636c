"""What the stages of a training cost, and how fast this machine is.

The seconds were measured on one thread of an EPYC processor with AVX2 in float32 at 7:4; other machines are compared
with it by a few steps of the 32 px generator.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

import torch

from ...engine.model.generator import Generator, GeneratorConfig
from ..data.procedural_pictures import CLASSES
from ..processes import Processes
from ..recipe import Recipe
from ..stages.generator.fast_synthesis import paint
from ..stages.generator.plan import WIDE

PICTURE = {16: 0.023, 32: 0.085, 64: 0.174}
"""Seconds a picture of stage 0, by side."""
WINDOW = 0.38
"""Seconds a picture with a window of the blocks above 64 px: 0.3, times what wider discriminators cost elsewhere."""
STEP: Mapping[str, float] = {"directions": 2.1, "encoder": 4.3, "motion": 0.9, "adversarial": 8.3, "rest": 0.6}
INVERSION_STEP = 1.9
"""Seconds of one step of Adam on the frames of a clip."""
REST_SOUND = 0.12
"""Seconds of E_a and F_a on a second of sound."""
SEED = 0.08
"""Seconds a seed of the bank."""
JOINT = 60.0
"""Seconds of the joint stage where it takes words, pictures and ears from a world."""
PROBE = 0.44
"""Seconds that `probe` took there."""
BFLOAT16 = 0.65
"""Share of float32's time that stage 0 takes on processors with instructions for bfloat16 (0.57 to 0.72 by side)."""


def generator_costs(recipe: Recipe) -> list[float]:
    """Seconds of each phase of stage 0 on the reference machine."""
    wide = recipe.generator.const_width / WIDE.const_width
    return [
        wide * phase.images * (WINDOW if phase.windows else PICTURE[min(64, max(16, phase.side))])
        for phase in recipe.stage_0.phases
    ]


def later_costs(recipe: Recipe) -> dict[str, float]:
    """Seconds of every later stage on the reference machine, in their order."""
    wide = recipe.generator.const_width / WIDE.const_width
    clips, rest_sounds = recipe.clips.clips * len(CLASSES), recipe.rest.sounds * len(CLASSES)
    return {
        "joint": JOINT,
        "directions": wide * recipe.directions.steps * STEP["directions"],
        "encoder": wide * recipe.encoder.steps * STEP["encoder"],
        "clips": wide * clips * recipe.clips.steps * INVERSION_STEP,
        "motion": recipe.motion.steps * STEP["motion"],
        "adversarial": wide * recipe.adversarial.steps * STEP["adversarial"],
        "rest": recipe.rest.steps * STEP["rest"] + rest_sounds * recipe.rest.seconds * REST_SOUND,
        "bank": wide * recipe.bank * SEED,
    }


def probe(device: torch.device) -> float:
    """Seconds of one forward and backward pass of eight pictures at 32 px: the least of five, since what else runs here
    now will not run all the time.
    """
    config = GeneratorConfig(64, WIDE.z_dim, WIDE.w_dim, channel_base=WIDE.channel_base, const_width=WIDE.const_width)
    generator = Generator(config).to(device)
    found = []
    for _ in range(6):
        begun = time.perf_counter()
        picture = paint(generator.stylegan2, generator.mapping(torch.randn(8, config.z_dim, device=device)), 32)[1]
        float(picture.square().mean().detach())
        picture.square().mean().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        found.append(time.perf_counter() - begun)
    return min(found[1:])


class Pace(NamedTuple):
    """How many times longer than the reference machine this one needs, for stage 0 and for the stages after it."""

    stage_0: float
    later: float


def measure_pace(device: torch.device) -> Pace:
    """That of a device for stage 0, and of the processor for the stages after it, which compute there in float32."""
    processor = torch.device("cpu")
    later = probe(processor) / PROBE
    if device.type != "cpu":
        return Pace(probe(device) / PROBE, later)
    return Pace(BFLOAT16 * later if Processes(processor).has_bfloat16 else later, later)
