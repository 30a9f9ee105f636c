"""Variants of a finished training differ in one thing, and take all else from it."""

from dataclasses import asdict
from pathlib import Path

import pytest

from sonorama.engine.errors import InputError
from sonorama.training.ablation import AFTER, VARIANTS, begin
from sonorama.training.recipe import Recipe

STAGES = ("pictures", "generator", "joint", "directions", "encoder", "motion", "adversarial", "rest")


def finished(work: Path) -> Path:
    Recipe().scaled(0.01).claim(work)
    for name in STAGES:
        (work / f"{name}.safetensors").write_bytes(name.encode())
    for name in (
        "encoder.json",
        "generator.pt",
        "packed.sha256",
        "clips/000.safetensors",
        "grids/a.jpg",
        "joint/x.safetensors",
    ):
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(name)
    return work


@pytest.mark.parametrize("name", VARIANTS)
def test_only_what_follows_is_made_anew(tmp_path: Path, name: str) -> None:
    work = finished(tmp_path / "work")
    folder, recipe = begin(work, name)
    there = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    kept = {f"{stage}.safetensors" for stage in STAGES if stage not in AFTER[VARIANTS[name].first]}
    kept |= {"joint/x.safetensors"} | (
        {"clips/000.safetensors"} - {f"{s}/000.safetensors" for s in AFTER[VARIANTS[name].first]}
    )
    kept |= {"encoder.json"} if "encoder.safetensors" in kept else set()
    assert there == kept
    before, after = asdict(Recipe().scaled(0.01)), asdict(recipe)
    changed = {part for part in before if before[part] != after[part]}
    assert changed == {VARIANTS[name].first}
    assert sum(before[p][k] != after[p][k] for p in changed for k in before[p]) == 1
    assert begin(work, name) == (folder, recipe)  # again, as after an interruption


def test_a_recipe_is_read_as_it_was_written(tmp_path: Path) -> None:
    recipe = Recipe().up_to(64).scaled(0.3)
    recipe.claim(tmp_path)
    assert Recipe.read(tmp_path) == recipe
    Recipe.read(tmp_path).claim(tmp_path)


def test_folders_without_a_finished_training_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recipe"):
        begin(tmp_path, "without-stage-3")
    Recipe().claim(tmp_path)
    with pytest.raises(InputError, match="not finished"):
        begin(tmp_path, "without-stage-3")
    (tmp_path / "recipe.json").write_text('{"bank": "many"}')
    with pytest.raises(InputError, match="no recipe"):
        begin(tmp_path, "without-stage-3")
