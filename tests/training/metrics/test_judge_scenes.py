"""The second renderer: its contract, its canvas, and that it has nothing of the first."""

import ast
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.metrics import judge_scenes
from sonorama.training.metrics.judge_scenes import NONE, SCENES, draw_judged
from sonorama.training.metrics.judge_scenes.canvas import Canvas
from sonorama.training.metrics.judge_scenes.shapes import broken, discs, ribbon, strokes

FIRST = "procedural_pictures"
SIZE = (48, 72)
PHOTO = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(1)) * 0.4 + 0.3


def test_it_shares_no_code_with_the_first_renderer() -> None:
    files = list(Path(judge_scenes.__path__[0]).glob("*.py"))
    assert len(files) > 5
    imports = [node for f in files for node in ast.walk(ast.parse(f.read_text())) if isinstance(node, ast.ImportFrom)]
    own = {f.stem for f in files}
    assert {i.module for i in imports if i.level == 1} <= own
    assert {i.module for i in imports if i.level > 1} <= {"engine.units"}
    code = f"import sys, {judge_scenes.__name__}; sys.exit(any('{FIRST}' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=300).returncode == 0


def test_it_draws_the_same_classes() -> None:
    assert tuple(SCENES) == CLASSES


@pytest.mark.parametrize("ground", [None, PHOTO], ids=["whole", "on a photo"])
@pytest.mark.parametrize("name", CLASSES)
def test_arguments_alone_decide(name: str, ground: torch.Tensor | None) -> None:
    before = PHOTO.clone()
    first = draw_judged(name, ground, 7, *SIZE)
    np.random.default_rng(0).random(5)
    assert torch.equal(draw_judged(name, ground, 7, *SIZE), first)
    assert torch.equal(PHOTO, before)
    assert first.shape == (3, *SIZE)
    assert first.dtype == torch.float32
    assert 0 <= first.min() < first.max() <= 1
    assert not torch.equal(draw_judged(name, ground, 8, *SIZE), first)
    assert (first - PHOTO).abs().mean() > 0.03


@pytest.mark.parametrize("shape", [(32, 32), (40, 80), (64, 30)])
def test_every_aspect(shape: tuple[int, int]) -> None:
    for name in CLASSES:
        for seed in range(3):
            assert draw_judged(name, None, seed, *shape).isfinite().all()


def test_none_is_the_photo() -> None:
    assert torch.equal(draw_judged(NONE, PHOTO, 3, *SIZE), PHOTO)
    with pytest.raises(ValueError, match="give one"):
        draw_judged(NONE, None, 3, *SIZE)
    with pytest.raises(ValueError, match="the photo is"):
        draw_judged("raining", PHOTO, 3, 40, 40)
    with pytest.raises(KeyError):
        draw_judged("snow", None, 3, *SIZE)


def test_colours_tell_fire_from_water() -> None:
    red, blue = (torch.stack([draw_judged(k, None, i, *SIZE) for i in range(4)]).mean((0, 2, 3))
                 for k in ("fire_crackling", "underwater_bubbling"))  # fmt: skip
    assert red[0] > 1.5 * red[2]
    assert blue[2] > 1.5 * blue[0]


def test_a_discs_area_is_pi_r_squared() -> None:
    c = Canvas(100, 150)
    assert c.cover(discs(0.7, 0.5, 0.3, sides=200)).sum() == pytest.approx(math.pi * 30**2, rel=0.01)
    assert c.cover(strokes(0.2, 0.2, 0.6, 0.3, 0.1)).sum() == pytest.approx(
        100**2 * 0.1 * math.hypot(0.6, 0.3), rel=0.01
    )
    assert c.cover([ribbon(np.array([[0.1, 0.5], [1.1, 0.5]]), 0.2)]).sum() == pytest.approx(2000, rel=0.02)


def test_polygons_unite_whichever_way_they_turn_and_are_cut_at_the_edges() -> None:
    c = Canvas(50, 50)
    square = np.array([[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]])
    assert c.cover([square, square[::-1]]).sum() == pytest.approx(900, rel=1e-3)
    assert np.allclose(c.cover(np.stack([square, square]), [0.25, 0.5])[20:30, 20:30], 0.75)
    assert c.cover([square * 10 - 5]).min() == 1
    assert c.cover([square + 3]).max() == 0
    assert c.cover([]).max() == 0


def test_blur_keeps_what_is_even_and_widens_what_is_not() -> None:
    c = Canvas(40, 60)
    assert np.allclose(c.blur(np.full((40, 60), 0.3, np.float32), 0.1), 0.3, atol=1e-5)
    dot = np.zeros((40, 60), np.float32)
    dot[20, 30] = 1
    soft = c.blur(dot, 0.05)
    assert soft.sum() == pytest.approx(1, abs=1e-4)
    rows = soft.sum(1)
    assert (rows * (np.arange(40) - 20) ** 2).sum() ** 0.5 == pytest.approx(2, rel=0.03)


def test_a_broken_line_keeps_its_ends() -> None:
    line = broken(np.random.default_rng(0), (0.1, 0.2), (0.5, 0.9), 0.2)
    assert line.shape == (33, 2)
    assert line[0].tolist() == [0.1, 0.2]
    assert line[-1].tolist() == [0.5, 0.9]
    assert np.abs(np.diff(line, 2, axis=0)).max() > 0.01
