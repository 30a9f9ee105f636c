"""An imported world plays before its seed bank is painted; the bank comes in steps, and replaces nothing of others."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.cli.main import build_parser, main
from sonorama.engine.errors import OutputError, WorldError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.seed_bank import seed_to_z
from sonorama.engine.model.seen_classes import advice
from sonorama.engine.model.world_file import World, load_world, read_card
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.prompt import prompt_seed
from sonorama.engine.units import DEFAULT_WORLD
from sonorama.plugin.worlds import make_world, painting
from sonorama.plugin.worlds.command import run_import
from sonorama.plugin.worlds.imported import Imported, Source
from sonorama.plugin.worlds.make_world import Request, convert_network, import_world
from sonorama.plugin.worlds.reading_child import read_network

from . import nvidia_files, stylegan3_files

RAIN = Path(__file__).parents[3] / "examples" / "rain.ogg"


def see(pictures: torch.Tensor) -> torch.Tensor:
    """Unit codes, quickly."""
    flat = torch.nn.functional.adaptive_avg_pool2d(pictures, 8).flatten(1)[:, :128]
    return torch.nn.functional.normalize(flat - flat.mean(1, keepdim=True))


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """Of a bank of 24, the first 16 of which are written before; read in this process, seen by `see`."""
    monkeypatch.setattr(make_world, "eyes", lambda base: see)
    monkeypatch.setattr(make_world, "read_generator", read_network)
    monkeypatch.setattr(make_world, "FIRST", 16)
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path / "worlds"))
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    source = nvidia_files.write(tmp_path / "faces.pkl", nvidia_files.generator(size=32, layers=2))
    return Request(source, "faces", DEFAULT_WORLD, seeds=24)


def test_it_plays_at_once_and_the_bank_comes_in_steps(request_: Request) -> None:
    told: list[tuple[int, int]] = []
    stages = import_world(request_, lambda done, total: told.append((done, total)))
    first = next(stages)
    assert (first.seeds, first.wanted, told) == (0, 24, [])
    world = load_world("faces")
    loaded = LoadedWorld(world, open_backend(world, "reference", 1, 1))
    assert loaded.backend.synthesize(loaded.seed_bank.base(7, 0.7, 0.0, None, 0.0)).std() > 0
    assert loaded.axes is not None and not world.tensors["meaning.displacements"].any()
    assert "Its seed bank was not painted" in world.card.description and advice(world.card) == ""
    with pytest.raises(WorldError, match="World faces has no seed bank, from which words choose"):
        prompt_seed(world, "rain")
    second = next(stages)
    assert (second.seeds, told[-1]) == (16, (16, 24))
    part = load_world("faces").tensors["bank.codes"]
    assert [(one.seeds, one.wanted) for one in stages] == [(24, 24)]
    whole = load_world("faces")
    np.testing.assert_array_equal(whole.tensors["bank.codes"][:16], part)
    assert whole.card.measures["bank"] == {"seeds": 24} and set(whole.card.measures["directions"])
    assert isinstance(prompt_seed(whole, "rain"), int)


def test_a_bank_that_is_there_stays_until_the_new_one_is_whole(request_: Request) -> None:
    path = Path(next(import_world(request_)).card.path)  # stopped after the first step
    assert [one.seeds for one in import_world(request_)] == [16, 24]
    whole = read_card(path).content
    again = import_world(request_)
    assert next(again).seeds == 24 and read_card(path).content == whole


def test_what_was_taught_meanwhile_stays(request_: Request, capsys: pytest.CaptureFixture[str]) -> None:
    stages = import_world(request_)
    path = Path(next(stages).card.path)
    assert main(["teach", "faces", "--sound", str(RAIN), "--seed", "3"]) == 0
    taught = path.read_bytes()
    with pytest.raises(OutputError, match="was changed while its seed bank was painted, and stays as it is"):
        next(stages)
    assert path.read_bytes() == taught
    assert main(["import", str(request_.file), "--world", "faces"]) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_stopped_import_leaves_a_world(
    request_: Request, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> Iterator[object]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(make_world, "paint_banks", stopped)
    arguments = build_parser().parse_args(["import", str(request_.file), "--world", "faces"])
    with pytest.raises(KeyboardInterrupt):
        run_import(arguments)
    told = capsys.readouterr()
    assert "Play it: sonorama live --world faces" in told.out
    assert "It plays while its seed bank is painted (512 pictures)" in told.out
    assert "the same command paints its bank from the beginning" in told.err
    assert read_card(Path(told.out.splitlines()[0])).measures["bank"] == {"seeds": 0}


@pytest.mark.parametrize(("kind", "openvino"), [("stylegan2", True), ("stylegan2", False), ("stylegan3", True)])
def test_banks_are_painted_as_torch_paints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, openvino: bool
) -> None:
    """At half the size of the generator, which StyleGAN2 leaves early."""
    monkeypatch.setattr(painting, "openvino_available", lambda: openvino)
    monkeypatch.setattr(painting, "SEEN_SIZE", 16)
    g = nvidia_files.generator(size=32, layers=2) if kind == "stylegan2" else stylegan3_files.generator()
    converted = convert_network(read_network(nvidia_files.write(tmp_path / "g.pkl", g)), "g.pkl")
    made = Imported(Source("g.pkl", "0", "g", ""), load_world(DEFAULT_WORLD), converted)
    priorities: list[int] = []
    enter = painting._go_behind

    def noting() -> None:
        enter()
        priorities.append(os.getpriority(os.PRIO_PROCESS, 0))

    monkeypatch.setattr(painting, "_go_behind", noting)
    before = os.getpriority(os.PRIO_PROCESS, 0)
    banks = [*painting.paint_banks(World(*made.world(None)), made.generator, see, [3, 9, 11], lambda *_: None)]
    assert [len(bank.codes) for bank in banks] == [3, 9, 11]
    z = torch.from_numpy(np.stack([seed_to_z(seed, made.generator.config.z_dim, None) for seed in range(11)]))
    w = made.generator.mapping(z, 0.7)
    pictures = made.generator.synthesis(w, "const", 16, "activations").clamp(-1, 1)
    np.testing.assert_allclose(banks[-1].codes, see(pictures), atol=2e-3)
    np.testing.assert_allclose(banks[-1].styles, w[:, 0], atol=1e-6)
    if sys.platform == "linux":
        assert set(priorities) == {painting.NICENESS} and os.getpriority(os.PRIO_PROCESS, 0) == before
