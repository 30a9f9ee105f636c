"""Runs training stages, each after those that make its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import SonoramaError
from ..engine.plugins.interfaces import StageRun, TrainingStage
from ..engine.plugins.registry import TRAINING_STAGES, PluginUnknown, make
from .stages.builtin import ORDER


def open_stages(extra: Sequence[str]) -> dict[str, TrainingStage]:
    """Ours, then those of other packages that were asked for, by name.

    Raises:
        SonoramaError: an unknown stage, two stages that make the same, or inputs that no stage makes.

    """
    stages = {name: make(TRAINING_STAGES, name) for name in dict.fromkeys([*ORDER, *extra])}
    makers: dict[str, str] = {}
    for name, stage in stages.items():
        for output in stage.outputs:
            if output in makers:
                message = f"The training stages {makers[output]} and {name} both make {output}"
                raise SonoramaError(message, "Leave one of them out.")
            makers[output] = name
    for name, stage in stages.items():
        if missing := [one for one in stage.inputs if one not in makers]:
            raise SonoramaError(f"The training stage {name} needs {missing[0]}, which none makes", "Add such a stage.")
    return stages


def run_stages(run: StageRun, stages: Mapping[str, TrainingStage]) -> dict[str, Any]:
    """Run all; returns every output by name. Of the stages whose inputs are made the first one is next.

    Raises:
        SonoramaError: stages that wait for each other, or one that did not make what it promised.

    """
    made: dict[str, Any] = {}
    waiting = dict(stages)
    while waiting:
        name = next((one for one, stage in waiting.items() if set(stage.inputs) <= made.keys()), None)
        if name is None:
            raise SonoramaError(f"The training stages {', '.join(waiting)} wait for each other", "Leave one out.")
        stage = waiting.pop(name)
        outputs = stage.run(run, {one: made[one] for one in stage.inputs})
        if missing := [one for one in stage.outputs if one not in outputs]:
            raise PluginUnknown(f"The training stage {name} did not make {missing[0]}", "Tell its authors.")
        made |= {one: outputs[one] for one in stage.outputs}
    return made


def with_extra(parts: Mapping[str, Mapping[str, Any]], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a world file, prefix -> name -> tensor, and what stages of other packages made.

    Raises:
        SonoramaError: an output is no mapping, or bears the name of a part.

    """
    for name, output in extra.items():
        if name in parts or name == "generator":
            raise SonoramaError(f"A training stage makes {name}, which a world has already", "Leave it out.")
        if not isinstance(output, Mapping):
            raise PluginUnknown(f"A training stage made {name} as no mapping of tensors", "Tell its authors.")
    return {**parts, **extra}
