"""World files: what is written is read again, both versions, whole and honest or not at all."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sonorama.engine.errors import OutputError, WorldError
from sonorama.engine.model.card import Card
from sonorama.engine.model.config import EncoderConfig, MotionConfig
from sonorama.engine.model.world_file import (
    INSTALLED,
    content_hash,
    list_worlds,
    load_world,
    read_card,
    rewrite_card,
    save_world,
)

from ... import disks
from ...worlds import as_version_1, with_card, write_world

SHORE = "4af76a821e82d441184d3fd7492bd95d1f72434e4dd4f244ab5bf464c2b86979"
"""Content hash of the embedded world since it was made; graphs and takes are found by it."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "w.safetensors"
    write_world(path, "w", const=(4, 7), num_ws=16, cuts=(3, 6), rnn_hidden=24, widths=(16, 24))
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    (tmp_path / "w.safetensors").write_bytes(made.read_bytes())
    return tmp_path / "w.safetensors"


def test_round_trip(path: Path) -> None:
    world = load_world(path)
    card = world.card
    assert (card.name, card.width, card.height, card.size) == ("w", 112, 64, 64)
    assert (card.num_ws, card.level_cuts) == (16, (3, 6))
    assert (card.encoder.widths, card.motion.hidden) == ((16, 24), 24)
    assert card.level_codes() == {"coarse": slice(0, 3), "mid": slice(3, 6), "fine": slice(6, 16)}
    assert [card.level_of(code) for code in (0, 2, 3, 5, 6, 15)] == ["coarse"] * 2 + ["mid"] * 2 + ["fine"] * 2
    assert card.content == content_hash(load_file(path))
    half = {k: v.astype(np.float16) if v.dtype == np.float32 else v for k, v in world.tensors.items()}
    save_world(path, card, half)
    assert load_world(path).tensors["generator.mapping.w_avg"].dtype == np.float32
    assert replace(read_card(path), content="") == replace(card, content="")


def test_ports_are_on_the_card(path: Path) -> None:
    ports: list[dict[str, Any]] = []
    with_card(path, path, lambda values: ports.extend(values["ports"]))
    told = {(p["network"], p["direction"], p["name"]): (p["shape"], p["rate"]) for p in ports}
    assert told["encoder", "out", "displacement"] == ([16, 32], 10.0)
    assert told["motion", "in", "h"] == ([3, 24], 15.0)
    assert told["synthesis", "out", "picture"] == ([3, 64, 112], 0.0)


def test_a_version_1_file_loads_as_before(tmp_path: Path) -> None:
    card = write_world(tmp_path / "new.safetensors")
    with_card(tmp_path / "new.safetensors", tmp_path / "old.safetensors", as_version_1, "1")
    old = load_world(tmp_path / "old.safetensors").card
    assert replace(old, path="") == replace(card, path="")


def test_rewriting_a_card_leaves_the_tensors_alone(tmp_path: Path) -> None:
    write_world(tmp_path / "new.safetensors")
    old, out = tmp_path / "old.safetensors", tmp_path / "out.safetensors"
    with_card(tmp_path / "new.safetensors", old, as_version_1, "1")
    card = rewrite_card(old, out, description="Another.")
    assert (card.description, card.content) == ("Another.", read_card(old).content)

    def numbers(path: Path) -> bytes:
        data = path.read_bytes()
        return data[8 + int.from_bytes(data[:8], "little") :]

    assert numbers(old) == numbers(out)
    assert rewrite_card(out, out).content == card.content
    before = old.read_bytes()
    with pytest.raises(OutputError, match="is there already"):
        rewrite_card(out, old)
    assert old.read_bytes() == before
    assert load_file(out).keys() == load_file(old).keys()


def test_the_embedded_world_has_a_card_of_version_2_and_its_old_content() -> None:
    path = INSTALLED / "shore.safetensors"
    data = path.read_bytes()
    meta = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    assert meta["format_version"] == "2"
    card = load_world("shore").card
    assert card.content == SHORE
    assert (card.encoder, card.motion) == (EncoderConfig(), MotionConfig())


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
    with pytest.raises(WorldError, match="without a sonorama card"):
        load_world(tmp_path / "x.safetensors")


def test_newer_format(path: Path) -> None:
    with_card(path, path, lambda _: None, "99")
    with pytest.raises(WorldError, match="format 99"):
        read_card(path)


def test_a_full_disk_is_said_and_leaves_nothing(path: Path, tmp_path: Path) -> None:
    world = load_world(path)
    with disks.small_disk(tmp_path, 64) as disk:
        for write in (
            lambda out: save_world(out, world.card, world.tensors),
            lambda out: rewrite_card(path, out, name="other"),
        ):
            with pytest.raises(OutputError, match=r"The disk is full: .*a\.safetensors was not written"):
                write(disk / "a.safetensors")
            assert list(disk.iterdir()) == []


def unfit(card: Card) -> list[Card]:
    """Cards that do not fit the tensors of `card`."""
    codes = {"num_ws": 15}
    return [
        replace(card, motion=replace(card.motion, level_cuts=(6, 3))),
        replace(card, motion=replace(card.motion, **codes)),
        replace(card, encoder=replace(card.encoder, **codes), motion=replace(card.motion, **codes, hidden=32)),
        replace(card, generator=replace(card.generator, size=128)),
        replace(card, classes=("rain",)),
    ]


@pytest.mark.parametrize("case", range(5))
def test_an_unfit_card_is_not_written(path: Path, case: int) -> None:
    world, before = load_world(path), path.read_bytes()
    with pytest.raises(ValueError, match=r".+"):
        save_world(path, unfit(world.card)[case], world.tensors)
    assert path.read_bytes() == before


def test_names_are_found_and_listed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONORAMA_WORLDS", str(path.parent))
    assert load_world("w").card.name == "w"
    assert "w" in {card.name for card in list_worlds()}
    with pytest.raises(WorldError, match=r"no such world .*\bw\b"):
        load_world("nowhere")
