"""Presets, and recipes that fit into a time."""

from dataclasses import replace

import pytest
import torch

from sonorama.engine.errors import ValueRefused
from sonorama.training.recipe import Recipe
from sonorama.training.stages.generator.plan import LEAST_WINDOWS
from sonorama.training.train import costs
from sonorama.training.train.costs import Pace, generator_costs, later_costs
from sonorama.training.train.presets import PRESETS, fitted, preset_of, recipe_of


@pytest.mark.parametrize("minutes", [15, 60, 240, 600])
@pytest.mark.parametrize("pace", [0.3, 0.6, 1.0])
def test_a_fitted_recipe_takes_the_time_and_no_more(minutes: float, pace: float) -> None:
    whole = recipe_of(PRESETS["laptop"] if minutes > 100 else PRESETS["tiny"])
    made = fitted(whole, 60 * minutes, 0.0, Pace(pace, pace))
    stage_0 = sum(min(p.seconds, pace * c) for p, c in zip(made.stage_0.phases, generator_costs(made), strict=True))
    later = pace * sum(later_costs(made).values())
    assert stage_0 + later <= 60 * minutes
    complete = pace * (sum(generator_costs(whole)) + sum(later_costs(whole).values()))
    assert stage_0 + later >= min(0.6 * 60 * minutes, 0.8 * complete)


def test_more_time_makes_no_stage_shorter() -> None:
    one, two = (fitted(recipe_of(PRESETS["tiny"]), 60 * minutes, 0.0, Pace(1.0, 1.0)) for minutes in (20, 90))
    assert all(a.seconds < b.seconds for a, b in zip(one.stage_0.phases, two.stage_0.phases, strict=True))
    assert all(later_costs(two)[k] >= cost for k, cost in later_costs(one).items())
    assert later_costs(fitted(recipe_of(PRESETS["tiny"]), 1e6, 0.0, Pace(1.0, 1.0))) == later_costs(
        recipe_of(PRESETS["tiny"])
    )


@pytest.mark.parametrize("name", ["laptop", "gpu"])
def test_a_shorter_training_saves_on_windows_before_it_saves_on_layouts(name: str) -> None:
    recipe = recipe_of(PRESETS[name])
    *layouts, windows = generator_costs(recipe)
    least, seen = LEAST_WINDOWS * windows / sum(layouts), set[bool]()
    for hours in (4, 8, 16, 32, 64, 128):
        *first, last = [phase.seconds for phase in fitted(recipe, 3600 * hours, 0.0, Pace(1.0, 1.0)).stage_0.phases]
        assert first == pytest.approx([cost * first[0] / layouts[0] for cost in layouts])
        whole = first[0] >= 0.999 * layouts[0]
        seen.add(whole)
        assert last / sum(first) >= 0.99 * least if whole else last / sum(first) == pytest.approx(least, rel=0.01)
    assert seen == {False, True}


def test_the_adversarial_stage_is_whole_enough_or_left_out() -> None:
    steps = [
        fitted(recipe_of(PRESETS["tiny"]), 60 * m, 0.0, Pace(1.0, 1.0)).adversarial.steps
        for m in (15, 30, 60, 120, 240)
    ]
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert all(n == 0 or n >= 60 for n in steps)


def test_a_time_that_is_too_short_says_what_would_do() -> None:
    with pytest.raises(ValueRefused, match="--minutes 2 is too short") as refused:
        fitted(recipe_of(PRESETS["tiny"]), 120, 20.0, Pace(1.0, 1.0))
    least = int(str(refused.value.hint).rsplit(" ", 1)[1].rstrip("."))
    assert fitted(recipe_of(PRESETS["tiny"]), 60 * least, 20.0, Pace(1.0, 1.0))


def test_presets() -> None:
    assert (preset_of(15, False), preset_of(None, False), preset_of(600, False)) == ("tiny", "laptop", "laptop")
    assert preset_of(15, True) == "gpu"
    assert recipe_of(PRESETS["laptop"]) == Recipe()
    assert [p.side for p in recipe_of(PRESETS["tiny"]).stage_0.phases] == [16, 32, 64]
    many = recipe_of(PRESETS["gpu"]).stage_0
    assert [p.batch for p in many.phases] == [8 * p.batch for p in Recipe().stage_0.phases]
    assert recipe_of(replace(PRESETS["gpu"], batch=1)) == Recipe()


def test_the_stages_after_the_first_are_planned_for_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU trains stage 0 alone."""
    monkeypatch.setattr(costs, "probe", lambda device: costs.PROBE * (1.5 if device.type == "cpu" else 0.02))
    pace = costs.measure_pace(torch.device("cuda"))
    assert (pace.stage_0, pace.later) == (pytest.approx(0.02), pytest.approx(1.5))
    assert costs.measure_pace(torch.device("cpu")).later == pytest.approx(1.5)
