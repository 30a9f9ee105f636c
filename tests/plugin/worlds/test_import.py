"""`sonorama import`: from a file in NVIDIA's layout to a world that plays; what is there already is not replaced."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.cli.main import main
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.build import build_networks
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.units import DEFAULT_WORLD
from sonorama.plugin.worlds.bank import Bank, agreement, directions, not_by_chance, places

from . import hostile, nvidia_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path / "worlds"))
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    return tmp_path


def two_lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.startswith("import ")]
    assert len(lines) == 2, text
    return lines


def test_from_a_file_to_a_world(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    g = nvidia_files.generator(size=32, layers=2)
    source = nvidia_files.write(folder / "faces.pkl", g)
    command = ["import", str(source), "--world", "faces", "--seeds", "16"]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "licence: unknown, non-commercial unless you know better" in told
    assert "sonorama live --world faces" in told
    world = load_world("faces")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert world.card.measures["source"] == {"file": "faces.pkl", "sha256": digest}
    assert digest in world.card.description
    w = nvidia_files.style_of(g, torch.ones(32))
    networks = build_networks(world)
    ws = w[None, None].repeat(1, world.card.num_ws, 1)
    assert torch.allclose(networks.generator.synthesis(ws)[0], nvidia_files.paint(g, w), atol=1e-3)
    base = load_world(DEFAULT_WORLD)
    assert world.vocabulary.classes == base.vocabulary.classes
    assert (world.card.truncation, world.card.mixing) == (0.7, 0.5)  # not those of the base world
    assert world.card.credits[0] == "faces.pkl: unknown"
    assert world.card.credits[2:] == base.card.credits
    with torch.no_grad():
        displacement, _ = networks.encoder(torch.rand(1, 1, 128, 88), torch.rand(1, world.card.sound.code_dim))
    assert not displacement.any()
    loaded = LoadedWorld(world, open_backend(world, "reference", 1, 1))
    picture = loaded.backend.synthesize(loaded.seed_bank.base(7, 0.7, 0.0, None, 0.0))
    assert picture.std() > 0
    assert loaded.seed_bank.codes is not None
    assert loaded.seed_bank.codes.shape == (16, world.card.sound.code_dim)
    assert loaded.meaning_mixer.displacements is not None
    assert np.abs(loaded.meaning_mixer.displacements).max() > 0
    assert loaded.class_places is None  # 16 seeds are too few to tell a class
    assert loaded.axes is not None
    styles = np.stack([loaded.seed_bank.latent(seed) for seed in range(300)])
    along = (styles - styles.mean(0)) @ world.tensors["axes.directions"][0]
    assert along.std() == pytest.approx(np.square(world.tensors["axes.directions"][0]).sum(), rel=0.15)
    assert len(world.card.measures["axes"]) == 8
    assert main(["worlds"]) == 0
    listed = capsys.readouterr().out
    assert f"faces.pkl (SHA-256 {digest})" in listed
    assert "name looks by example, sonorama teach faces --sound a.wav --seed 12" in listed

    # The same source makes it again; another one must not.
    other = folder / "other.pkl"
    other.write_bytes(source.read_bytes() + b"\0")
    before = (folder / "worlds/faces.safetensors").read_bytes()
    assert main(["import", str(other), "--world", "faces"]) == 2
    assert "is no world that was imported from this file" in two_lines(capsys.readouterr().err)[0]
    assert (folder / "worlds/faces.safetensors").read_bytes() == before


def test_a_hostile_file_is_two_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = folder / "bad.pkl"
    bad.write_bytes(dict(hostile.costly())["memo_bomb"])
    assert main(["import", str(bad), "--world", "bad"]) == 2
    lines = two_lines(capsys.readouterr().err)
    assert lines[0].endswith("bad.pkl is damaged, or no StyleGAN file (it asks for too much memory)")
    assert list((folder / "worlds").glob("*")) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere.pkl", "--world", "a"], "nowhere.pkl cannot be read"),
        (["a.pkl", "--world", "../a"], "'../a' is no name of a world"),
        (["a.pkl", "--world=-x"], "'-x' is no name of a world"),
        (["a.pkl", "--world", "con"], "'con' is no name of a world"),
        (["a.pkl", "--world", "a", "--seeds", "3"], "--seeds 3 is no number of seeds"),
        (["a.pkl", "--world", "Meridian"], "Meridian is the name of a world that comes with sonorama"),
        (["a.pkl", "--world", "a", "-o", "{}/worlds/shore.safetensors"], "shore is the name of a world that comes"),
        (["{}/pipe", "--world", "a"], "pipe is not a file"),
        (["a.pkl", "--world", "a", "-o", "{}"], "is a folder"),
        (["a.pkl", "--world", "a", "-o", "{}/deeper/a.safetensors"], "There is no folder"),
        (["a.pkl", "--world", "a", "-o", "{}/mine"], "is there already, and is no world that was imported"),
    ],
)
def test_wrong_arguments_are_two_lines(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "mine").write_text("mine")
    assert main(["import", *(one.format(folder) for one in arguments)]) == 2
    assert reason in two_lines(capsys.readouterr().err)[0]


def test_directions_lead_to_pictures_of_their_class() -> None:
    """A bank whose pictures show a class where the styles lie on a known axis."""
    rng = np.random.default_rng(5)
    axes = np.linalg.qr(rng.standard_normal((24, 3)))[0].T.astype(np.float32)
    labels = np.eye(3, 16, dtype=np.float32)
    w_std = rng.uniform(0.5, 2, 24).astype(np.float32)
    styles = rng.standard_normal((400, 24)).astype(np.float32) * w_std
    codes = np.concatenate([(styles / w_std) @ axes.T, np.ones((400, 13), np.float32)], 1)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    bank = Bank(codes.astype(np.float32), styles)
    ways = directions(bank, labels, w_std) / w_std
    assert np.allclose(np.sqrt(np.square(ways).mean(1)), 0.8, atol=1e-4)
    best = (ways @ axes.T).argmax(1)
    assert best.tolist() == [0, 1, 2]
    assert agreement(bank, labels, w_std).min() > 0.7
    latents, classes = places(bank, labels, np.array([True, False, True]), np.zeros(24, np.float32))
    assert classes.tolist() == [0] * 12 + [2] * 12  # one seed in 32
    along = ((styles / w_std) @ axes.T)[:, [0, 2]]
    reached = (0.7 * latents / w_std) @ axes.T  # at the truncation that the bank was painted with
    assert reached[:12, 0].mean() > along[:, 0].mean() + along[:, 0].std() < reached[12:, 2].mean()
    assert not len(places(bank, labels, np.zeros(3, bool), np.zeros(24, np.float32))[0])
    shuffled = Bank(rng.permutation(bank.codes), styles)
    assert np.abs(agreement(shuffled, labels, w_std)).max() < 0.4
    same = Bank(np.repeat(bank.codes[:1], 400, 0), styles)
    assert np.isfinite(directions(same, labels, w_std)).all()


@pytest.mark.parametrize("seeds", [64, 512])
def test_few_classes_are_seen_by_chance(seeds: int) -> None:
    rng, chance = np.random.default_rng(6), []
    for _ in range(20):
        codes = rng.standard_normal((seeds, 16)).astype(np.float32)
        bank = Bank(codes / np.linalg.norm(codes, axis=1, keepdims=True), rng.standard_normal((seeds, 24)).astype("f4"))
        chance.append(agreement(bank, np.eye(12, 16, dtype=np.float32), np.ones(24, np.float32)))
    assert np.mean(np.array(chance) >= not_by_chance(seeds)) < 0.03
