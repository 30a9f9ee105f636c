"""Variants of a finished training differ in one thing, and take all else from it."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from sonorama.engine.errors import InputError
from sonorama.engine.files.fingerprint import sha256
from sonorama.training.ablation import AFTER, VARIANTS, begin, data_of
from sonorama.training.recipe import Recipe
from sonorama.training.runner import REQUEST
from sonorama.training.train.training import DATA_HASH

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


def test_a_variant_learns_from_the_data_of_its_training_only(tmp_path: Path) -> None:
    work, data, other = finished(tmp_path / "work"), tmp_path / "data", tmp_path / "other"
    for folder in (data, other):
        folder.mkdir()
        (folder / "MANIFEST.tsv").write_text(f"file\tclass\n{folder.name}\train\n")
    (work / REQUEST).write_text(json.dumps({"folder": str(data), "made_by": "sonorama"}))
    (work / DATA_HASH).write_text(sha256(data / "MANIFEST.tsv"))
    assert data_of(work, None) == data_of(work, str(data)) == data
    with pytest.raises(InputError, match="does not hold what"):
        data_of(work, str(other))
    (data / "MANIFEST.tsv").write_text("file\tclass\n")
    with pytest.raises(InputError, match="does not hold what"):
        data_of(work, None)
    (work / "dataset").mkdir()
    (work / "dataset" / "MANIFEST.tsv").write_text("file\tclass\ndata\train\n")
    assert data_of(work, None) == work / "dataset"
