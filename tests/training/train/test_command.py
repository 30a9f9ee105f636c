"""`sonorama train`, from a folder of clips to a world that plays: every stage short, all else as it is."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from sonorama.engine.cli.main import main
from sonorama.engine.model.generator import GeneratorConfig
from sonorama.engine.model.world_file import list_worlds, load_world
from sonorama.engine.units import SAMPLE_RATE
from sonorama.training.data.procedural_sounds import compose
from sonorama.training.recipe import Recipe
from sonorama.training.train import training
from sonorama.training.train.costs import Pace
from sonorama.training.train.lock import alone_in
from sonorama.training.train.presets import recipe_of

from ..footage.media import Sound, moving, write_sound, write_video

SMALL = GeneratorConfig(64, z_dim=16, w_dim=32, channel_base=512, channel_max=16)


def small_recipe(_preset: object, _size: int = 0) -> Recipe:
    """Every stage, as short as it can be."""
    recipe = replace(Recipe().up_to(64).scaled(0.001), generator=SMALL)
    return replace(recipe, clips=replace(recipe.clips, ticks=4))


def documented() -> list[str]:
    """The command in docs/training.md."""
    lines = (Path(__file__).parents[3] / "docs" / "training.md").read_text("utf-8").splitlines()
    return shlex.split(next(line for line in lines if line.startswith("sonorama train ")))[1:]


def write_footage(folder: Path) -> None:
    """Five clips with sound: rain three times, a harbour of one's own twice."""
    kinds = [("rain", "raining"), ("harbour", "squishing_water")]
    for i, (class_id, like) in enumerate([*kinds, *kinds, kinds[0]]):
        sound = (0.1 * compose(like, np.random.default_rng(i), 2 * SAMPLE_RATE)).astype(np.float32)
        path = folder / class_id / f"{class_id} {i}.mkv"
        write_video(path, moving(i, 40, 2), sound=Sound(sound, SAMPLE_RATE))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small steps on two threads wait for each other for minutes where other programs run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path / "worlds"))
    monkeypatch.setattr(training, "recipe_of", small_recipe)
    monkeypatch.setattr(training, "measure_pace", lambda _device: Pace(1.0, 1.0))  # tests run on machines that are busy
    return tmp_path


@pytest.mark.timeout(600)
def test_footage_becomes_a_world_in_one_command(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_footage(room / "harbour-footage")
    command = [*documented(), "--author", "Ann", "--licence", "CC BY 4.0"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    world = load_world("harbour")  # found by its name, where users' worlds are
    assert Path(world.card.path) == room / "worlds" / "harbour.safetensors"
    assert out.splitlines()[-1].startswith("Play it: sonorama live --world ")
    assert (world.card.name, world.card.height, world.card.width) == ("harbour", 64, 112)
    assert {"raining", "harbour"} <= set(world.card.classes)
    assert world.card.licence == "CC BY 4.0"
    assert all("Ann" in line for line in world.card.credits)
    assert "harbour" in {card.name for card in list_worlds()}
    assert "learning the pictures" in err and "Ends " in err
    assert all(f" {stage}: " in err for stage in ("joint", "directions", "encoder", "clips", "motion", "bank"))
    with av.open("harbour-training/preview.mp4") as film:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
    steps = [np.abs(a - b).mean() for a, b in zip(frames, frames[1:] + frames[:1], strict=True)]
    assert frames[0].shape == (256, 448, 3)
    assert steps[-1] <= max(steps[:-1])  # it loops

    assert main(command) == 0  # nothing is left to do
    assert load_world("harbour").card.content == world.card.content
    capsys.readouterr()
    assert main([*command[:4], "--minutes", "90"]) == 2
    err = capsys.readouterr().err
    assert "is of a training that differs in: author, licence, minutes" in err and err.count("\n") == 2
    with alone_in(Path("harbour-training")):
        assert main(command) == 2
    assert "Another process trains in harbour-training" in capsys.readouterr().err
    with Path("harbour-training/dataset/MANIFEST.tsv").open("a") as file:
        file.write("\n")
    assert main(command) == 2
    assert "harbour-training/dataset has changed since this training was planned" in capsys.readouterr().err
    (room / "worlds" / "harbour.safetensors").write_bytes(b"mine")
    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err
    assert (room / "worlds" / "harbour.safetensors").read_bytes() == b"mine"


def test_a_time_that_is_too_short_is_refused_before_the_footage_is_read(
    room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "recipe_of", recipe_of)
    (room / "film").mkdir()
    assert main(["train", "film", "--world", "a", "--minutes", "1"]) == 2
    err = capsys.readouterr().err
    assert "--minutes 1 is too short" in err and err.count("\n") == 2
    assert not (room / "a-training").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--world", "a"], "There is no folder nowhere"),
        (["empty", "--world", "a"], "empty is empty"),
        (["text", "--world", "a"], "text holds nothing that can be used"),
        (["film", "--world", "shore"], "shore is the name of a world that comes with sonorama"),
        (["film", "--world", "../a"], "--world ../a is no name"),
        (["film", "--world", "a", "--minutes", "0"], "--minutes 0 is no length of time"),
        (["film", "--world", "a", "--from", "atlantis"], "atlantis: no such world"),
        (["film", "--world", "a", "--work", "mine"], "mine is there already, and is no training"),
        (["film", "--world", "a", "-o", "mine/a.txt"], "mine/a.txt is there already"),
        (["text", "--world", "a", "--work", "mine/a.txt"], "mine/a.txt is there already, and is no training"),
        (["text", "--world", "a", "--work", "text/w"], "text/w lies inside the footage"),
        ([".", "--world", "a"], "a-training lies inside the footage"),
        (["film", "--world", "a", "--work", "foreign"], "foreign is there already, and is no training"),
        (["film", "--world", "a", "-o", "."], ". is a folder"),
        (["film", "--world", "a", "-o", "/proc/a.safetensors"], "/proc/a.safetensors"),
        (["film", "--world", "a", "--work", "/proc/a"], "/proc/a"),
        (["film", "--world", "a", "--devices", "0"], "--devices and --nodes begin at 1"),
        (["film", "--world", "a", "--nodes", "2"], "Nothing says where the other 1 machines are"),
        (["film", "--world", "a", "--stage", "polish"], "polish"),
        (["film", "--world", "a", "--from", "shore", "--base", "none"], "--base none does not go with --from"),
        (["film", "--world", "a", "--from", "shore", "--size", "64"], "shore is larger than --size 64"),
        (["made", "--world", "a", "--layout", "names"], "made is a data set already: --layout is for footage"),
        (["sounds", "--world", "a"], "sounds has no pictures"),
    ],
)
def test_bad_input_is_refused_in_two_lines(
    room: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    for name in ("empty", "text", "mine", "film", "foreign", "made", "sounds"):
        (room / name).mkdir()
    (room / "foreign" / "request.json").write_text('{"thesis": 1}')
    (room / "made" / "MANIFEST.tsv").write_text("file\tclass\n")
    write_sound(room / "sounds" / "a.wav", np.zeros(SAMPLE_RATE, np.float32) + 0.1)
    (room / "text" / "a.mp4").write_text("no film")
    (room / "mine" / "a.txt").write_text("mine")
    before = sorted(path for path in room.rglob("*") if "a-training" not in str(path))
    assert main(["train", *arguments]) == 2
    err = capsys.readouterr().err
    lines = [line for line in err.splitlines() if not re.match(r"\d\d:\d\d |footage: ", line)]  # less the report
    assert said in lines[0]
    assert len(lines) == 2
    assert sorted(path for path in room.rglob("*") if "a-training" not in str(path)) == before
    assert (room / "a-training").exists() == (arguments[0] == "sounds"), "it leaves what it has begun only"
    assert (room / "mine" / "a.txt").read_text() == "mine"


def test_a_device_that_is_not_here(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    (room / "film").mkdir()
    assert main(["train", "film", "--world", "a", "--device", "cuda"]) == 2
    assert "torch finds no CUDA device here" in capsys.readouterr().err
