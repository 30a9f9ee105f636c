"""The shape of a world that is trained: that of its footage, or of the world that it goes on from."""

from dataclasses import replace
from pathlib import Path

import pytest

from sonorama.engine.model.world_file import find_world, read_card
from sonorama.training.footage.settings import SETTINGS
from sonorama.training.stages.generator.plan import WIDE
from sonorama.training.train.presets import PRESETS, recipe_of
from sonorama.training.train.training import shaped


@pytest.mark.parametrize(("aspect", "columns"), [("16:9", 7), ("1:1", 4), ("9:16", 2), ("4:3", 5), ("21:9", 9)])
def test_footage_gives_its_aspect(tmp_path: Path, aspect: str, columns: int) -> None:
    (tmp_path / SETTINGS).write_text(f'{{"aspect": "{aspect}"}}')
    recipe = shaped(PRESETS["tiny"], 0, tmp_path, None)
    assert recipe.generator.shape() == (64, 16 * columns)
    assert replace(recipe, generator=recipe_of(PRESETS["tiny"]).generator) == recipe_of(PRESETS["tiny"])
    assert shaped(PRESETS["laptop"], 0, tmp_path / "none", None).generator == WIDE


@pytest.mark.parametrize("preset", ["tiny", "laptop"])
def test_a_world_is_gone_on_from_where_it_is(tmp_path: Path, tiny_world: str, preset: str) -> None:
    (tmp_path / SETTINGS).write_text('{"aspect": "16:9"}')
    shore = find_world("shore")
    recipe = shaped(PRESETS[preset], 0, tmp_path, shore)
    assert recipe.generator == read_card(shore).generator
    assert [(p.side, p.windows) for p in recipe.stage_0.phases] == [(256, True)]
    small = read_card(Path(tiny_world)).generator
    assert small.size == 64
    same, grown = (shaped(PRESETS[preset], size, tmp_path, Path(tiny_world)) for size in (0, 256))
    assert (same.generator, [p.side for p in same.stage_0.phases]) == (small, [64])
    assert grown.generator == replace(small, size=256)
    assert [p.side for p in grown.stage_0.phases] == [256]
