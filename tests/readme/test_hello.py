"""examples/hello.py: the pipeline without a show paints what `sonorama render` paints."""

import importlib.util
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sonorama.engine.control.render_table import TABLE
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.offline import OfflineRender

ROOT = Path(__file__).parents[2]
HELLO = ROOT / "examples" / "hello.py"


def hello(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, HELLO, *map(str, arguments)], capture_output=True, text=True)


def pixels(path: Path) -> np.ndarray:
    with av.open(str(path)) as box:
        return next(box.decode(video=0)).to_ndarray(format="rgb24")


@pytest.fixture(scope="module")
def pictures(tiny_world: str, tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    out = tmp_path_factory.mktemp("hello") / "pictures"
    done = hello(ROOT / "examples" / "rain.ogg", out, "--world", tiny_world, "--seconds", "0.5", "--device", "ort")
    assert (done.returncode, done.stdout) == (0, f"15 pictures in {out}\n"), done.stderr
    files = sorted(out.iterdir())
    assert [file.name for file in files] == [f"{number:05}.png" for number in range(15)]
    return [pixels(file) for file in files]


def test_it_paints_what_a_render_with_these_values_paints(pictures: list[np.ndarray], tiny_world: str) -> None:
    spec = importlib.util.spec_from_file_location("hello", HELLO)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    world = load_world(tiny_world)
    values = {path: param.default for path, param in TABLE.items()} | module.VALUES
    render = OfflineRender(world, values, Fraction(30), open_backend(world, "ort"))
    # A show's first modulators are on in hello.py; a film's are off. Without sound they rest at 0.
    first = next(iter(render.frames([np.zeros(44_100, np.float32)], 1)))
    silent = next(iter(module.frames(module.open_world(tiny_world, "ort"), np.zeros(0, np.float32), 0.1)))
    assert np.array_equal(first, silent)
    assert len({picture.tobytes() for picture in pictures}) > 10, "pictures follow the sound"


def test_it_refuses_in_two_lines(tmp_path: Path, tiny_world: str) -> None:
    missing = hello(tmp_path / "no.wav", tmp_path / "out")
    assert missing.returncode == 2 and len(missing.stderr.splitlines()) == 2
    (tmp_path / "out").mkdir()
    there = hello(ROOT / "examples" / "rain.ogg", tmp_path / "out", "--world", tiny_world)
    assert there.returncode == 2 and there.stderr.endswith("Name a new folder.\n")


def test_the_readme_names_it() -> None:
    assert "examples/hello.py" in (ROOT / "README.md").read_text()
