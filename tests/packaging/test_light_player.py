"""`pip install sonorama` without extras plays, renders, hears and looks up words: no torch is installed there."""

import json
import os
import subprocess
import sysconfig
import venv
import wave
from importlib.metadata import distribution
from pathlib import Path, PurePath

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sonorama.engine.errors import EXTRAS
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.prompt import prompt_seed
from sonorama.engine.units import DEFAULT_WORLD

from ..live.stage import LiveShow

TEXT = "a red desert"
RUN = """
import sys
from sonorama.engine.cli.main import main
code = main(sys.argv[1:])
print("loaded:", *sorted({name.split(".")[0] for name in sys.modules} & set(EXTRAS)), file=sys.stderr)
sys.exit(code)
"""


def base_distributions() -> set[str]:
    """sonorama and all that it asks for without extras, all that those ask for, and so on."""
    known, asked = set[str](), ["sonorama"]
    while asked:
        name = canonicalize_name(asked.pop())
        if name in known:
            continue
        known.add(name)
        needs = [Requirement(text) for text in distribution(name).requires or ()]
        asked += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return known


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment that holds those distributions only, linked from this one."""
    folder = tmp_path_factory.mktemp("light") / "env"
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    own = Path(sysconfig.get_path("purelib"))
    for name in base_distributions():
        for top in {PurePath(file).parts[0] for file in distribution(name).files or ()} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(own / top)
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with half a second of noise, and an empty cache in it."""
    folder = tmp_path_factory.mktemp("room")
    noise = np.random.default_rng(1).integers(-9000, 9000, 22_050, dtype=np.int16)
    with wave.open(str(folder / "rain.wav"), "wb") as file:
        file.setparams((1, 2, 44_100, len(noise), "NONE", ""))
        file.writeframes(noise.tobytes())
    return folder


def run(python: str, room: Path, *command: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    own["SONORAMA_CACHE"] = str(room / "cache")
    return subprocess.run([python, *command], cwd=room, env=own, capture_output=True, text=True, check=False)


def sonorama(python: str, room: Path, *arguments: str) -> str:
    """What a command writes; it must succeed and load nothing of an extra."""
    done = run(python, room, "-c", RUN.replace("EXTRAS", repr([*EXTRAS])), *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "loaded:", done.stderr
    return done.stdout


def test_nothing_of_an_extra_is_installed(python: str, room: Path) -> None:
    code = f"from importlib.util import find_spec; print(*[name for name in {[*EXTRAS]} if find_spec(name)])"
    done = run(python, room, "-c", code)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


def test_a_film_with_a_text(python: str, room: Path) -> None:
    values = ("--set", f"/look/text={TEXT}", "--fps", "10")
    sonorama(python, room, "render", "rain.wav", "-o", "film.mp4", *values)
    assert (room / "film.mp4").stat().st_size > 1000
    code = "from sonorama.engine.model.world_file import load_world as w; import sonorama.engine.pipeline.prompt as p; "
    done = run(python, room, "-c", code + f"print(p.prompt_seed(w({DEFAULT_WORLD!r}), {TEXT!r}))")
    assert int(done.stdout) == prompt_seed(load_world(DEFAULT_WORLD), TEXT), done.stderr


def test_hearing_with_a_label(python: str, room: Path) -> None:
    heard = json.loads(sonorama(python, room, "hear", "--json", "--label", "a dripping tap", "rain.wav"))
    assert set(heard["scores"]) >= {*load_world(DEFAULT_WORLD).card.classes, "a dripping tap"}


def test_a_show_finds_words(python: str, room: Path, tmp_path: Path) -> None:
    own = {"SONORAMA_CACHE": str(room / "cache")}
    options = ("--source", "tone", "--device", "cpu", "--no-panel")
    with LiveShow(tmp_path, "shore", *options, env=own, python=python) as show:
        show.playing()
        show.set("/look/text", TEXT)
        show.holds("/look/prompt", prompt_seed(load_world("shore"), TEXT))


def test_a_device_that_needs_an_extra_says_so_in_two_lines(python: str, room: Path) -> None:
    command = ("render", "rain.wav", "-o", "other.mp4", "--device", "cuda")
    done = run(python, room, "-m", "sonorama.engine.cli.main", *command)
    said = ["This needs torch, which is not installed", "pip install 'sonorama[torch]'"]
    assert (done.returncode, done.stderr.splitlines()) == (2, said)


def test_training_says_what_it_needs(python: str, room: Path) -> None:
    done = run(python, room, "-m", "sonorama.training", "measure", "shore")
    assert done.returncode == 2, done.stderr
    what, how = done.stderr.splitlines()
    assert "is not installed" in what and "pip install 'sonorama[" in how
