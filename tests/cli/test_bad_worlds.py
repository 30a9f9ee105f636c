"""Worlds that must not be opened: unknown, damaged, foreign, hostile. Nothing in them ever runs."""

import json
import os
import pickle
import struct
import subprocess
import sys
import wave
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from sonorama.engine.cli.main import main
from sonorama.engine.model.world_file import Card, content_hash, save_world

TENSORS = {"generator.synthesis.b64.torgb.weight": np.zeros((3, 8, 1, 1), np.float32)}
CARD = Card("odd", "1", "CC0-1.0", "A world of one tensor.", size=64, num_ws=10, generator={})


def refused(world: str, capsys: pytest.CaptureFixture[str], *command: str) -> list[str]:
    """The two lines said when a film is to be made with this world."""
    before = sorted(Path().iterdir())
    code = main([*(command or ("render", "rain.wav", "-o", "film.mp4")), "--world", world])
    out, err = capsys.readouterr()
    assert code == 2, err
    assert out == ""
    assert sorted(Path().iterdir()) == before
    lines = err.splitlines()
    assert len(lines) == 2, err
    return lines


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with wave.open("rain.wav", "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(1).bytes(16000))
    return tmp_path


class Bomb:
    """Leaves a file when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.system, ("touch ran",)


def test_the_bomb_works(room: Path) -> None:
    """In an ordinary unpickler, Python's own command line."""
    (room / "bomb.pkl").write_bytes(pickle.dumps(Bomb()))
    subprocess.run([sys.executable, "-m", "pickle", "bomb.pkl"], cwd=room, check=True, timeout=60)
    assert (room / "ran").exists()


@pytest.mark.parametrize("command", [("render", "rain.wav", "-o", "film.mp4"), ("hear", "rain.wav")], ids=str)
@pytest.mark.parametrize("name", ["evil.pkl", "evil.pt", "evil.safetensors", "evil"])
def test_hostile_pickle_does_not_run(
    name: str, command: tuple[str, ...], room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (room / name).write_bytes(pickle.dumps(Bomb()))
    what, _ = refused(name, capsys, *command)
    assert name in what
    assert not (room / "ran").exists()


def test_unknown_name_lists_what_there_is(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_world(room / "worlds" / "harbour.safetensors", CARD, TENSORS)
    os.environ["SONORAMA_WORLDS"] = "worlds"
    try:
        what, _ = refused("shoer", capsys)
    finally:
        del os.environ["SONORAMA_WORLDS"]
    assert "shoer" in what and "harbour" in what


@pytest.mark.parametrize("name", ["no/such.safetensors", "folder", "", "../../etc/passwd", "/dev/null"])
def test_no_world_there(name: str, room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "folder").mkdir()
    refused(name, capsys)


def header(text: str | bytes) -> bytes:
    """A safetensors file of this header and no tensors."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


BYTES = {
    "empty": b"",
    "short": b"\x05",
    "text": b"This is not a world.\n" * 10,
    "noise": np.random.default_rng(3).bytes(4096),
    "endless header": struct.pack("<Q", 2**63 - 1) + b"{}",
    "header past the end": struct.pack("<Q", 1000) + b"{}",
    "header is a list": header("[1, 2, 3]"),
    "header is deep": header("[" * 200_000 + "]" * 200_000),
    "header is not text": header(b"\xff\xfe" * 40),
    "no metadata": header("{}"),
    "metadata is a word": header('{"__metadata__": "sonorama-world"}'),
    "foreign": header('{"__metadata__": {"format": "pt"}}'),
    "newer": header('{"__metadata__": {"format": "sonorama-world", "format_version": "99"}}'),
    "card is no JSON": header(
        '{"__metadata__": {"format": "sonorama-world", "format_version": "1", "card": "{"}}'
    ),
    "card is a list": header(
        '{"__metadata__": {"format": "sonorama-world", "format_version": "1", "card": "[]"}}'
    ),
    "card is deep": header(
        '{"__metadata__": {"format": "sonorama-world", "format_version": "1", "card": "'
        + "[" * 200_000
        + '"}}'
    ),
}  # fmt: skip


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_damaged_or_foreign(content: bytes, room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "odd.safetensors").write_bytes(content)
    what, _ = refused("odd.safetensors", capsys)
    assert "odd.safetensors" in what
    assert main(["worlds"]) == 0


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_listing_survives_it(
    content: bytes, room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (room / "odd.safetensors").write_bytes(content)
    save_world(room / "harbour.safetensors", CARD, TENSORS)
    monkeypatch.setenv("SONORAMA_WORLDS", str(room))
    assert main(["worlds"]) == 0
    out, err = capsys.readouterr()
    assert "harbour" in out or "odd 1" in out
    assert err == ""
    assert main(["worlds", "--json"]) == 0
    assert str(room / "harbour.safetensors") in [card["path"] for card in json.loads(capsys.readouterr().out)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": "wide"}, {"size": 48}, {"size": -64}, {"size": 2**40}, {"num_ws": []}, {"num_ws": 14},
        {"name": 7}, {"level_cuts": 3}, {"level_cuts": ["a", "b"]}, {"level_cuts": [7, 3]},
        {"level_cuts": [1, 2, 3]}, {"generator": "big"}, {"generator": {"cow": 1}}, {"motion_rate": "fast"},
        {"motion_rate": 0}, {"classes": 9}, {"credits": 1},
    ],
    ids=str,
)  # fmt: skip
def test_card_that_says_odd_things(
    wrong: dict[str, Any], room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_world(room / "good.safetensors", CARD, TENSORS)
    card = {**json.loads(json.dumps(asdict(CARD))), **wrong, "content": content_hash(TENSORS)}
    meta = {"format": "sonorama-world", "format_version": "1", "card": json.dumps(card)}
    save_file(TENSORS, room / "odd.safetensors", meta)
    what, _ = refused("odd.safetensors", capsys)
    assert "odd.safetensors" in what
    monkeypatch.setenv("SONORAMA_WORLDS", str(room))
    for arguments in (["worlds"], ["worlds", "--json"]):
        assert main(arguments) == 0
        assert "good.safetensors" in capsys.readouterr().out


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("damage", "says"),
    [(flipped, "hash"), (lambda data: data[:-1], "damaged"), (lambda data: data + b"\0", "damaged")],
    ids=["one bit", "cut", "longer"],
)
def test_damaged_tensors(
    damage: Callable[[bytes], bytes], says: str, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = room / "odd.safetensors"
    save_world(path, CARD, TENSORS)
    path.write_bytes(damage(path.read_bytes()))
    what, _ = refused(path.name, capsys)
    assert says in what


def test_a_world_with_parts_missing(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_world(room / "odd.safetensors", CARD, TENSORS)
    what, _ = refused("odd.safetensors", capsys)
    assert "odd.safetensors" in what
