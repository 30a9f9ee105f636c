import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sonorama.engine.errors import WorldError
from sonorama.engine.model.world_file import Card, content_hash, list_worlds, load_world, read_card, save_world

CARD = Card("w", "1", "CC0-1.0", "A test.", 64, 10, {"size": 64, "z_dim": 8, "w_dim": 8})
TENSORS = {
    "generator.synthesis.b64.torgb.weight": np.ones((3, 4, 1, 1), np.float16),
    "bank.anchors": np.arange(8, dtype=np.float32)[None],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_world(tmp_path / "w.safetensors", CARD, TENSORS)
    return tmp_path / "w.safetensors"


def test_round_trip(path: Path) -> None:
    world = load_world(path)
    assert world.card.name == "w"
    assert world.card.level_cuts == (3, 7)
    assert world.tensors["generator.synthesis.b64.torgb.weight"].dtype == np.float32
    assert set(world.part("bank")) == {"anchors"}
    assert world.card.content == content_hash(TENSORS)


def test_a_changed_number_is_noticed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WorldError, match="do not match the hash"):
        load_world(path)


@pytest.mark.parametrize("keep", [0, 4, 60, -3])
def test_damaged(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WorldError) as caught:
        load_world(path)
    assert caught.value.hint


def test_foreign_safetensors(tmp_path: Path) -> None:
    save_file({"x": np.zeros(3)}, tmp_path / "x.safetensors")
    with pytest.raises(WorldError, match="no sonorama card"):
        load_world(tmp_path / "x.safetensors")


def test_newer_format(path: Path) -> None:
    meta = {"format": "sonorama-world", "format_version": "99", "card": json.dumps({})}
    save_file(load_file(path), path, meta)
    with pytest.raises(WorldError, match="format 99"):
        read_card(path)


@pytest.mark.parametrize(
    "card",
    [replace(CARD, level_cuts=(7, 3)), replace(CARD, num_ws=14), replace(CARD, size=128, num_ws=12)],
)
def test_unfit_is_refused(tmp_path: Path, card: Card) -> None:
    save_world(tmp_path / "w.safetensors", card, TENSORS)
    with pytest.raises(WorldError):
        load_world(tmp_path / "w.safetensors")


def test_names_are_found_and_listed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONORAMA_WORLDS", str(path.parent))
    assert load_world("w").card.name == "w"
    assert "w" in {card.name for card in list_worlds()}
    with pytest.raises(WorldError, match=r"no such world .*\bw\b"):
        load_world("nowhere")
