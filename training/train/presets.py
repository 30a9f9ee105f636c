"""How large a training is: presets, and recipes that fit into a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ...engine.errors import ValueRefused
from ..recipe import Recipe
from ..stages.generator.plan import LEAST_WINDOWS, GeneratorPlan, Phase
from .costs import Pace, generator_costs, later_costs

LATER = 0.4
"""Share of the time that the stages after the generator get at most: a world that hears must also move."""
SLACK = 0.85
"""Share of the time that is planned; the rest is for reading files, sheets, checkpoints and packing."""
MOTION_FROM = 60
"""Steps of the adversarial stage below which it is left out: they would change nothing that one sees."""
SMALLEST = {"directions": 20, "encoder": 20, "motion": 60, "rest": 40, "bank": 128}
"""Least steps (seeds, for the bank) of a stage, however short the time."""


@dataclass(frozen=True)
class Preset:
    """size: height of the pictures in px. minutes: of a training that is not told another time; 0: as long as the
    recipe takes. batch: times the recipe's pictures a step.
    """

    size: int
    minutes: float = 0.0
    batch: int = 1


PRESETS = {"tiny": Preset(64, 15.0), "laptop": Preset(256), "gpu": Preset(256, 60.0, 8)}


def preset_of(minutes: float | None, cuda: bool) -> str:
    """The preset of a training that names none: `tiny` where the time is too short for more."""
    if cuda:
        return "gpu"
    return "tiny" if minutes is not None and minutes < 120 else "laptop"


def recipe_of(preset: Preset, size: int = 0) -> Recipe:
    """The recipe of a preset, before it is fitted into a time. size: another height, 0: the preset's."""
    recipe = Recipe().up_to(size or preset.size)
    if preset.batch == 1:
        return recipe
    plan, many = recipe.stage_0, preset.batch
    # Larger steps: as many pictures in the average, and mixtures often enough.
    phases = tuple(replace(p, batch=p.batch * many, images=p.images * many) for p in plan.phases)
    return replace(recipe, stage_0=replace(plan, phases=phases, mix_every=2, ema=plan.ema**many))


def fitted(recipe: Recipe, whole: float, spent: float, pace: Pace) -> Recipe:
    """The recipe within a time: stage 0 by the clock, all later stages by their numbers of steps.

    Args:
        recipe: the whole one; no stage becomes longer than there.
        whole: seconds that all may take.
        spent: of them.
        pace: of this machine, see `costs.measure_pace`.

    Raises:
        ValueRefused: the smallest stages alone need more than half of the time.

    """
    seconds = max(0.0, whole - spent)
    planned = SLACK * seconds
    share = min(1.0, LATER * planned / (pace.later * sum(later_costs(recipe).values())))
    recipe = _shorter(recipe, share)
    later = pace.later * sum(later_costs(recipe).values())
    if later > 0.6 * seconds:
        least = math.ceil((later / 0.5 + spent) * 1.2 / 60)  # the next run measures anew, and may find less
        raise ValueRefused(f"--minutes {whole / 60:g} is too short", f"Give at least --minutes {least}.")
    return replace(recipe, stage_0=_timed(recipe, planned - later, pace.stage_0))


def _shorter(recipe: Recipe, share: float) -> Recipe:
    def part(n: int, least: int) -> int:
        return min(n, max(least, round(n * share)))

    clips, adversarial = recipe.clips, recipe.adversarial
    steps = round(adversarial.steps * share)
    return replace(
        recipe,
        directions=replace(recipe.directions, steps=part(recipe.directions.steps, SMALLEST["directions"])),
        encoder=replace(recipe.encoder, steps=part(recipe.encoder.steps, SMALLEST["encoder"])),
        clips=replace(clips, clips=part(clips.clips, 1), steps=part(clips.steps, 4)),
        motion=replace(recipe.motion, steps=part(recipe.motion.steps, SMALLEST["motion"])),
        adversarial=replace(adversarial, steps=steps if steps >= MOTION_FROM else 0),
        rest=recipe.rest.shorter(share, SMALLEST["rest"]),
        bank=part(recipe.bank, SMALLEST["bank"]),
    )


def _timed(recipe: Recipe, seconds: float, pace: float) -> GeneratorPlan:
    """Phases that end by the clock, in the proportions of the recipe's; sheets and checkpoints often enough."""
    recipe = _with_windows_within(recipe, seconds / pace)
    plan, costs = recipe.stage_0, generator_costs(recipe)
    share = min(1.0, seconds / (pace * sum(costs)))
    phases = tuple(_within(phase, seconds * cost / sum(costs)) for phase, cost in zip(plan.phases, costs, strict=True))
    start, full = (round(n * share) for n in plan.judges_over)
    return replace(
        plan, phases=phases, judges_over=(start, max(full, start + 1)),
        checkpoint_s=min(plan.checkpoint_s, max(10.0, seconds / 12)), grid_s=min(plan.grid_s, max(30.0, seconds / 6)),
        measure_s=min(plan.measure_s, max(60.0, seconds / 3)),
    )  # fmt: skip


def _with_windows_within(recipe: Recipe, seconds: float) -> Recipe:
    """With as many pictures with windows as there is time for beside the phases before, at least LEAST_WINDOWS."""
    plan, costs = recipe.stage_0, generator_costs(recipe)
    before = sum(cost for phase, cost in zip(plan.phases, costs, strict=True) if not phase.windows)
    phases = list[Phase]()
    for phase, cost in zip(plan.phases, costs, strict=True):
        if phase.windows:
            share = min(1.0, max(LEAST_WINDOWS, (seconds - before) / cost))
            phase = replace(phase, images=round(share * phase.images))
        phases.append(phase)
    return replace(recipe, stage_0=replace(plan, phases=tuple(phases)))


def _within(phase: Phase, seconds: float) -> Phase:
    return replace(phase, seconds=max(1.0, seconds))
