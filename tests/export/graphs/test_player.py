"""examples/onnx_player.py paints what the program paints, where sonorama cannot be imported."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np

from sonorama.engine.model.world_file import World
from sonorama.engine.picture.to_rgba8 import rgba8

from .playing import played, sound

PLAYER = Path(__file__).parents[3] / "examples" / "onnx_player.py"
WITHOUT_SONORAMA = """
import runpy, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("sonorama", "torch", "av", "onnx", "openvino", "safetensors"):
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_player(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The player where sonorama cannot be imported."""
    command = [sys.executable, "-I", "-c", WITHOUT_SONORAMA, PLAYER, *arguments]
    return subprocess.run([*map(str, command)], capture_output=True, text=True)


def painted(folder: Path, tmp_path: Path) -> tuple[np.ndarray, list[np.ndarray]]:
    """The samples of a sound, and the 28 pictures that the player paints of it."""
    samples = sound(tmp_path / "noise.wav")
    done = run_player(folder, tmp_path / "noise.wav", tmp_path / "out", 24)
    assert done.returncode == 0, done.stderr
    paths = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in paths] == [f"{n:05}.png" for n in range(28)]
    pictures = []
    for path in paths:
        with av.open(str(path)) as box:
            pictures.append(next(box.decode(video=0)).to_ndarray(format="rgba").astype(int))
    return samples, pictures


def test_the_player_paints_what_the_program_paints_without_it(world: World, folder: Path, tmp_path: Path) -> None:
    """The largest difference of any byte is 1 of 255, by rounding."""
    samples, pictures = painted(folder, tmp_path)
    for picture, expected in zip(pictures, played(world, samples, 28, 24), strict=True):
        assert np.abs(picture - rgba8(expected)).max() <= 1
    assert np.abs(pictures[-1] - pictures[0]).max() > 20, "the sound moves the picture"
    stays = played(world, samples, 28, 24, place=0.0)
    assert np.abs(rgba8(stays[-1]).astype(int) - pictures[-1]).max() > 20, "to its place"


def test_the_player_plays_stylegan3(world3: World, folder3: Path, tmp_path: Path) -> None:
    samples, pictures = painted(folder3, tmp_path)
    for picture, expected in zip(pictures, played(world3, samples, 28, 24), strict=True):
        assert np.abs(picture - rgba8(expected)).max() <= 1
    assert np.abs(pictures[-1] - pictures[0]).max() > 20


def test_what_is_missing_is_said_in_two_lines(folder: Path, tmp_path: Path) -> None:
    for arguments, reason in {
        (): "ValueError: not enough values",
        (tmp_path / "nowhere", "a.wav", tmp_path / "out"): "FileNotFoundError: ",
        (folder, tmp_path / "nothing.wav", tmp_path / "out"): "LibsndfileError: Error opening",
    }.items():
        done = run_player(*arguments)
        lines = done.stderr.splitlines()
        assert done.returncode == 1 and len(lines) == 2 and lines[0].startswith(reason)
        assert lines[1].endswith("onnx_player.py DIR SOUND OUT [FPS].")
        assert not (tmp_path / "out").exists()


def test_the_player_is_short() -> None:
    assert len(PLAYER.read_text().splitlines()) <= 60
