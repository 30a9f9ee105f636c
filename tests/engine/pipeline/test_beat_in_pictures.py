"""A kick at 120 BPM moves the style codes on the beat, in shows and films; modulators never cause too many flashes."""

import runpy
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.addresses import OUT_FLASH_GUARD, OUT_MASTER, modulator
from sonorama.engine.control.live_table import FILM, SHOW
from sonorama.engine.control.parameters import Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.picture.blend import plain
from sonorama.engine.picture.output_controls import OutputControls
from sonorama.engine.pipeline.modulators import Modulators
from sonorama.engine.pipeline.offline import OfflineRender

from ..audio.music import pattern
from ..picture.flash_analyser import flashes

BENCHMARK = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "beat.py"))


@pytest.mark.parametrize("ahead", [0.0, float("inf")], ids=["pipeline of a show", "film"])
def test_the_change_folds_with_the_beat(ahead: float) -> None:
    """Of the style codes, which are the picture; tests/benchmarks/beat.py measures pictures."""
    world = load_world("shore")
    values: dict[str, Value] = {path: param.default for path, param in FILM.items()} | {"/look/travel": 0.0}
    render = OfflineRender(world, values, Fraction(30), open_backend(world, "cpu"), ahead)
    codes = [code.copy() for code in render.codes([BENCHMARK["kicks"](10.0)], 300)]
    assert BENCHMARK["times_chance"](BENCHMARK["changes"](codes)) > 5


def test_chance_is_one() -> None:
    change = np.random.default_rng(2).random(600)
    assert BENCHMARK["times_chance"](change) < 3


def test_kicks_on_the_brightness_stay_within_three_flashes_a_second() -> None:
    from sonorama.engine.audio.features import FeatureExtractor

    sound = pattern(300, 4, (0, 1, 2, 3), ())
    analysis, moves = FeatureExtractor(), Modulators()
    slot: dict[str, Value] = {"source": "kick", "target": OUT_MASTER, "depth": -1.0}
    still: dict[str, Value] = {path: "off" if path.endswith("/source") else p.default for path, p in SHOW.items()}
    values = still | {modulator(1, name): value for name, value in slot.items()}  # type: ignore[arg-type]
    guarded, open_ = OutputControls(64, 64), OutputControls(64, 64)
    white, shown, bare = plain(64, 64, 255), [], []
    for frame in range(120):
        at = (frame + 1) * 1470
        analysis.push(sound[analysis.samples : at])
        shift = moves.step(values, analysis.at(at), 1 / 30)[OUT_MASTER]
        now = values | {OUT_MASTER: min(max(1.0 + shift, 0.0), 1.0)}
        shown.append(guarded.apply(white.copy(), now, frame / 30, 1 / 30))
        bare.append(open_.apply(white.copy(), now | {OUT_FLASH_GUARD: False}, frame / 30, 1 / 30))
    assert flashes(bare, 30)["light"] > 3, "without the guard"
    assert flashes(shown, 30)["light"] <= 3
