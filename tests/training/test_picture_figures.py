"""How near a new world's pictures are to photos stands on its card and at the end of `sonorama train`."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sonorama.engine.model.generator import Generator
from sonorama.engine.model.world_file import load_world, save_world
from sonorama.training.data.photos import PictureSet
from sonorama.training.recipe import Recipe
from sonorama.training.runner import TrainingRun, note_pictures
from sonorama.training.stages.generator.plan import WIDE, GeneratorPlan
from sonorama.training.train.command import how_good

from ..worlds import write_world
from .metrics.test_distance import photos

SMALL = replace(WIDE, size=128, z_dim=4, channel_base=512, channel_max=8)


class Made(TrainingRun):
    """A training of made-up photos."""

    data: PictureSet

    def pictures(self) -> PictureSet:
        return self.data


def made(work: Path, data: PictureSet) -> Made:
    run = Made(work, work, replace(Recipe(), stage_0=replace(GeneratorPlan(), measure_seeds=20)))
    object.__setattr__(run, "data", data)
    return run


def test_distances_are_noted_once(tmp_path: Path) -> None:
    run = made(tmp_path, photos())
    with torch.no_grad():
        note_pictures(run, Generator(SMALL).eval())
    told = run.notes()["pictures"]
    assert told["whole"][0] > told["whole_real"][0] and 0 < told["nearest"] < 2
    note = tmp_path / "notes" / "pictures.json"
    note.write_text(json.dumps(told | {"nearest": 5}))
    note_pictures(run, Generator(SMALL))
    assert run.notes()["pictures"]["nearest"] == 5


def test_with_too_few_photos_there_are_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = photos()
    few = replace(data, held=torch.zeros_like(data.held))
    with caplog.at_level(logging.INFO):
        note_pictures(made(tmp_path, few), Generator(SMALL))
    assert "no distances to photos: 0 photos are kept out" in caplog.text
    assert not (tmp_path / "notes").exists()


def test_the_command_says_them(tmp_path: Path) -> None:
    write_world(tmp_path / "a.safetensors")
    assert how_good(tmp_path / "a.safetensors") == ""
    world = load_world(str(tmp_path / "a.safetensors"))
    told = {"whole": [379.4, 1, 2], "whole_real": [174.9, 1, 2], "nearest": 0.394, "nearest_held": 0.474}
    save_world(tmp_path / "b.safetensors", replace(world.card, measures={"pictures": told}), world.tensors)
    assert how_good(tmp_path / "b.safetensors") == (
        "Its pictures are 379 from photos that were kept out, other photos 175 (less is better); nearest training "
        "picture 0.39, of photos that were kept out 0.47.\n"
    )
