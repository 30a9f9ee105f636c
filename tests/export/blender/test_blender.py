"""Blender itself makes a film of a sound strip with the extension. `make test-hosts` tries a second version."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonorama.engine.cli.main import main

from ...speed import slowness
from ..helpers import pixels, write_wav

VERSIONS = pytest.mark.parametrize("version", ["4.5.15", pytest.param("5.0.1", marks=pytest.mark.hosts)])

ROOT = Path(__file__).parents[3]


def in_blender(version: str, folder: Path, script: str, *arguments: Path | str) -> dict[str, Any]:
    """What a script beside this one saw in Blender, with its settings in a folder."""
    python = ROOT / "build" / f"bpy-{version}" / "bin" / "python"
    assert python.exists(), "run: make test, or make test-hosts"
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    own["BLENDER_USER_RESOURCES"] = str(folder / "resources")
    (folder / "resources").mkdir()
    command = [python, Path(__file__).with_name(script), *arguments]
    done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=200 * slowness())
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def works_in_blender(version: str, world: str, folder: Path) -> dict[str, Any]:
    """What in_blender.py saw."""
    (folder / "films").mkdir()
    package = folder / "extension.zip"
    assert main(["blender", "-o", str(package)]) == 0
    sonorama, rain = Path(sys.executable).parent / "sonorama", ROOT / "examples" / "rain.ogg"
    return in_blender(version, folder, "in_blender.py", package, sonorama, rain, world, folder)


@VERSIONS
def test_a_sound_strip_gets_a_film_above_it(version: str, tiny_world: str, tmp_path: Path) -> None:
    told = works_in_blender(version, tiny_world, tmp_path)
    assert told["version"].startswith(version)
    wanted = {
        "no program": ("/nowhere/sonorama was not found", "preferences"), "unsaved": ("no folder yet", "Save it"),
        "world": ("atlantis", "world file"), "no strip": ("No sound strip", "Click on"),
        "too long": ("longer than its sound", "handles"), "no sound": ("/nowhere/rain.wav", "Choose its file"),
    }  # fmt: skip
    assert told["errors"].keys() == wanted.keys()
    for name, (what, what_to_do) in wanted.items():
        lines = told["errors"][name].removeprefix("Error: ").splitlines()
        assert len(lines) == 2
        assert what in lines[0]
        assert what_to_do in lines[1]

    assert (told["cancelled"]["film"], told["cancelled"]["beside"], told["cancelled"]["error"]) == (False, 0, None)
    assert told["cancelled"]["strips"] == 1
    assert told["result"] == ["FINISHED"]
    sound, film = told["strips"]
    assert (sound["type"], film["type"]) == ("SOUND", "MOVIE")
    assert (film["first"], film["frames"]) == (sound["first"], sound["frames"]) == (11, 10)
    assert film["channel"] == sound["channel"] + 1

    made = pixels(Path(film["film"]), "rgb24", (128, 96)).astype(float)
    shown = np.concatenate([pixels(Path(each), "rgb24", (128, 96)) for each in told["pictures"]]).astype(float)
    apart = np.abs(shown[:, None] - made[None]).mean((2, 3, 4))  # frames shown against frames of the film
    assert (apart.argmin(1) == np.arange(10)).all()
    assert apart.diagonal().max() < 2

    assert (told["again"]["film"], told["again"]["strips"], told["again"]["error"]) == (True, 3, None)
    assert told["above"] == sound["channel"] + 2, "the channel above was taken"
    assert told["disabled"]


@VERSIONS
def test_a_script_of_curves_animates_an_empty(
    version: str, tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicks = np.zeros((1, 96000))
    clicks[:, ::24000] = 0.9
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / "a.wav", clicks, 48_000)
    for suffix in ("json", "py"):
        assert main(["curves", "a.wav", "-o", f"a.{suffix}", "--fps", "29.97", "--world", tiny_world]) == 0
    wanted = json.loads((tmp_path / "a.json").read_text())
    told = in_blender(version, tmp_path, "curves_in_blender.py", tmp_path / "a.py")
    assert told["curves"].keys() == wanted["curves"].keys()
    for name, values in told["curves"].items():
        assert values == pytest.approx(wanted["curves"][name], abs=1e-4)
    onsets = [frame for name, frame in told["markers"] if "onset" in name.split(", ")]
    assert onsets == [1 + frame for frame, _ in wanted["onsets"]]
    assert len(onsets) > 2
