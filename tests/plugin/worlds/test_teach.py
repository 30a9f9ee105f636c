"""`sonorama teach`: a sound moves the picture towards the seed that it was paired with; the card says whence."""

import os
import shutil
import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.cli.main import main
from sonorama.engine.control.live_table import FILM
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.principal_axes import seed_styles
from sonorama.engine.model.seen_classes import advice, unseen
from sonorama.engine.model.world_file import INSTALLED, World, classes_of, load_world, read_card, save_world
from sonorama.engine.pipeline.class_places import places_of
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.units import DEFAULT_WORLD, SAMPLE_RATE
from sonorama.plugin.worlds.teach import Lesson, Pair, listen, taught

EXAMPLES = Path(__file__).parents[3] / "examples"
PAIRS = {"thunder-1": 99, "rain": 7, "music-1": 12, "underwater": 31, "waterfall": 58}
"""Recording -> seed. All but the music are of kinds that the world knows: the taught look goes before."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path / "worlds"))
    return tmp_path


def two_lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2, lines
    return lines


def arguments(pairs: dict[str, int]) -> list[str]:
    return [x for name, seed in pairs.items() for x in ("--sound", str(EXAMPLES / f"{name}.ogg"), "--seed", str(seed))]


def last_code(render: OfflineRender, sound: np.ndarray) -> np.ndarray:
    return [*render.codes([sound], 30)][-1]


def test_a_sound_moves_the_picture_towards_its_seed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not (folder / "worlds").exists()
    shipped = (INSTALLED / f"{DEFAULT_WORLD}.safetensors").read_bytes()
    assert main(["teach", DEFAULT_WORLD, "--name", "mine", *arguments(PAIRS)]) == 0
    assert "thunder-1: seed 99, its own sound scores 0." in capsys.readouterr().out
    assert (INSTALLED / f"{DEFAULT_WORLD}.safetensors").read_bytes() == shipped
    world = load_world("mine")
    assert classes_of("mine") == (*PAIRS, *load_world(DEFAULT_WORLD).card.classes)  # the mixer's first rows
    assert "rain (rain.ogg) like seed 7; music-1 (music-1.ogg) like seed 12" in world.card.description
    rows = world.card.measures["taught"]["classes"]
    assert [(row["name"], row["seed"]) for row in rows] == [*PAIRS.items()]
    assert all(row["heard"] > 0.5 for row in rows)
    values = {path: param.default for path, param in FILM.items()} | {"/look/travel": 0.0, "/look/sway": 0.0}
    render = OfflineRender(world, values, Fraction(15), open_backend(world, "ort"))
    silent = last_code(render, np.zeros(SAMPLE_RATE, np.float32))
    seeds = {name: render.instrument.seed_bank.latent(seed) for name, seed in PAIRS.items()}
    for recording, meant in [*zip(PAIRS, PAIRS, strict=True), ("thunder-3", "thunder-1")]:
        with open_sound(EXAMPLES / f"{recording}.ogg") as sound:
            moved = last_code(render, np.concatenate([*sound.mono()])[: 2 * SAMPLE_RATE]) - silent
        near = {name: cosine(moved, w - silent.mean(0)) for name, w in seeds.items()}
        assert max(near, key=lambda name: near[name]) == meant, (recording, near)
        assert near[meant] > 0.8, (recording, near)


def cosine(codes: np.ndarray, way: np.ndarray) -> float:
    """Of the mean over the codes [L,W] and a way [W]."""
    mean = codes.mean(0)
    return float(mean @ way / np.linalg.norm(mean) / np.linalg.norm(way))


def lesson(name: str, seed: int, world: World) -> Lesson:
    """Hears only itself."""
    code = np.zeros((2, world.card.sound.code_dim), np.float32)
    code[:, 50 + seed] = 1
    return Lesson(name, seed, {f"{name}.wav": "0" * 64}, code)


def imported(tiny_world: str) -> World:
    """As an import leaves a world whose pictures show rain, but neither wind nor fire."""
    world = load_world(tiny_world)
    measures = {"source": {"file": "faces.pkl"}, "directions": {"rain": 0.5, "wind": 0.02, "fire": -0.1}}
    ways = np.ones((3, world.card.num_ws, world.card.w_dim), np.float32)
    tensors = world.tensors | {"meaning.displacements": ways, "labels.scale": np.array([12], np.float32)}
    return World(replace(world.card, measures=measures, description="Faces."), tensors)


def places(world: World) -> dict[int, list[int]]:
    """Class -> the seeds below 12 whose latents are its places."""
    found, styles = places_of(world.tensors), seed_styles(world.card, world.tensors, range(12))
    assert found is not None and styles is not None
    seeds = [int(np.abs(styles - latent).max(1).argmin()) for latent in found.latents]
    assert all(np.abs(styles[seed] - x).max() < 0.01 for seed, x in zip(seeds, found.latents, strict=True))
    return {int(k): [s for s, own in zip(seeds, found.classes, strict=True) if own == k] for k in found.classes}


def test_classes_that_were_not_seen_make_room(tiny_world: str, tmp_path: Path) -> None:
    world = imported(tiny_world)
    assert unseen(world.card) == ("wind", "fire")
    assert "wind, fire" in advice(world.card) and "sonorama teach" in advice(world.card)
    card, tensors = taught(world, world.tensors, [lesson("hum", 3, world), lesson("fire", 4, world)])
    assert card.classes == ("hum", "fire", "rain") and card.names == ("wind",)
    assert not advice(card)
    made = save_world(tmp_path / "made.safetensors", card, tensors)
    again = load_world(made.path)
    assert again.vocabulary.find("wind") == "wind"
    assert not again.tensors["meaning.displacements"][:2].any()
    assert np.allclose(again.tensors["meaning.displacements"][2], 1)
    assert places(again) == {0: [3], 1: [4]}
    card, tensors = taught(again, again.tensors, [lesson("hum", 9, again), lesson("song", 5, again)])
    assert card.classes == ("fire", "hum", "song", "rain") and card.names == ("wind",)
    assert places(World(card, tensors)) == {0: [4], 1: [9], 2: [5]}
    assert card.description.startswith(
        "Faces. Taught by example: fire (fire.wav) like seed 4; hum (hum.wav) like seed 9;"
    )
    assert card.measures["taught"]["from"] == world.card.content
    codes = tensors["labels.codes"]
    assert codes[1, 59] > 0 and codes[2, 55] > 0
    save_world(tmp_path / "more.safetensors", card, tensors)


def test_places_stay_with_their_classes(tiny_world: str) -> None:
    world = imported(tiny_world)
    latents = np.random.default_rng(1).standard_normal((3, world.card.w_dim)).astype(np.float32)
    own: dict[str, np.ndarray] = {"meaning.places": latents, "meaning.place_classes": np.array([2, 0, 0], np.int32)}
    before = World(world.card, dict(world.tensors) | own)
    _, tensors = taught(before, before.tensors, [lesson("hum", 3, world)])
    assert tensors["meaning.place_classes"].tolist() == [0, 1, 1]  # rain, after hum; fire is no class any more
    assert np.abs(tensors["meaning.places"][1:] - latents[1:]).max() < 2e-3


def test_a_world_without_a_mapping_network_is_refused(tiny_world: str) -> None:
    world = load_world(tiny_world)
    bare = World(world.card, {name: x for name, x in world.tensors.items() if ".mapping.fc" not in name})
    with pytest.raises(Exception, match="has no mapping network"):
        taught(bare, bare.tensors, [lesson("hum", 3, world)])


@pytest.mark.parametrize(
    ("file", "name"), [("a b.wav", "a_b"), ("7.wav", "sound_7"), ("\u96e8.ogg", "sound_"), ("Kick.01.wav", "Kick.01")]
)
def test_a_class_is_named_after_its_file(file: str, name: str) -> None:
    assert Pair(Path(file), 1).name == name


def test_what_cannot_be_taught_is_two_lines(folder: Path, tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    rain = str(EXAMPLES / "rain.ogg")
    assert main(["teach", DEFAULT_WORLD, "--sound", rain, "--seed", "1"]) == 2
    assert two_lines(capsys)[1] == f"Name the new world: --name {DEFAULT_WORLD}-2"
    assert main(["teach", tiny_world, "--name", "a", "--sound", rain, "--seed", "1", "--seed", "2"]) == 2
    assert two_lines(capsys)[0] == "There are 1 --sound and 2 --seed"
    assert main(["teach", tiny_world, "--name", "a", "--sound", rain, "--seed", "-1"]) == 2
    assert "is no seed" in two_lines(capsys)[0]
    assert main(["teach", tiny_world, "--name", "../a", "--sound", rain, "--seed", "1"]) == 2
    assert two_lines(capsys)[0] == "'../a' is no name of a world"
    assert main(["teach", tiny_world, "--name", "shore", "--sound", rain, "--seed", "1"]) == 2
    assert two_lines(capsys)[0] == "shore is the name of a world that comes with sonorama"
    out = str(folder / "worlds" / "meridian.safetensors")
    assert main(["teach", tiny_world, "--sound", rain, "--seed", "1", "-o", out]) == 2
    assert two_lines(capsys)[0] == "meridian is the name of a world that comes with sonorama"
    assert main(["teach", tiny_world, "--sound", rain, "--seed", "1"]) == 2
    assert two_lines(capsys)[0] == f"{tiny_world} is not among your worlds, and stays as it is"
    deeper = str(folder / "deeper" / "a.safetensors")
    assert main(["teach", tiny_world, "--sound", rain, "--seed", "1", "-o", deeper]) == 2
    assert two_lines(capsys)[0] == f"There is no folder {folder / 'deeper'}"
    os.mkfifo(folder / "pipe")
    assert main(["teach", tiny_world, "--name", "a", "--sound", str(folder / "pipe"), "--seed", "1"]) == 2
    assert two_lines(capsys)[0] == f"{folder / 'pipe'} is not a file"
    quiet = folder / "quiet.wav"
    with wave.open(str(quiet), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(bytes(4 * SAMPLE_RATE))
    assert main(["teach", tiny_world, "--name", "a", "--sound", str(quiet), "--seed", "1"]) == 2
    assert two_lines(capsys)[0] == f"{quiet} is silent"
    (folder / "other").mkdir()
    shutil.copy(rain, folder / "other" / "rain.ogg")
    both = ["--sound", rain, "--seed", "1", "--sound", str(folder / "other" / "rain.ogg"), "--seed", "2"]
    assert main(["teach", tiny_world, "--name", "a", *both]) == 2
    assert "is paired with seed 1 already" in two_lines(capsys)[0]
    assert not [*(folder / "worlds").glob("*.safetensors")]


@pytest.mark.parametrize("seconds", [0.005, 0.1, 0.6])
def test_a_hit_is_not_silent(seconds: float, tmp_path: Path) -> None:
    """What is shorter than the second whose loudness is measured."""
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, int(seconds * SAMPLE_RATE))
    with wave.open(str(tmp_path / "hit.wav"), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((32_767 * noise).astype("<i2").tobytes())
    (one,) = listen([Pair(tmp_path / "hit.wav", 3)], lambda window: window.mean(1))
    assert one.codes.shape == (1, 128) and one.codes.any()


def test_no_other_file_is_replaced(folder: Path, tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "worlds" / "a.safetensors"
    out.parent.mkdir()
    shutil.copy(tiny_world, out)
    before = out.read_bytes()
    command = ["teach", tiny_world, "--name", "a", "--sound", str(EXAMPLES / "rain.ogg"), "--seed", "5"]
    assert main(command) == 2
    assert "is there already" in two_lines(capsys)[0]
    assert out.read_bytes() == before
    out.unlink()
    assert main(command) == 0 and main(command) == 0  # what was taught from the same world may be taught anew
    assert read_card(out).classes[0] == "rain"
    assert main(["teach", "a", "--sound", str(EXAMPLES / "fire.ogg"), "--seed", "6"]) == 0  # the user's own: one more
    assert read_card(out).classes == ("rain", "fire", "wind")
