"""Worlds that must not be opened: unknown, damaged, foreign, hostile. Nothing in them ever runs."""

import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from sonorama.engine.cli.main import main
from sonorama.engine.model.world_file import content_hash

from ..worlds import as_version_1, with_card, write_world


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world that plays."""
    path = tmp_path_factory.mktemp("good") / "good.safetensors"
    write_world(path, "good")
    return path


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


def test_unknown_name_lists_what_there_is(room: Path, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "worlds").mkdir()
    shutil.copy(good, room / "worlds" / "harbour.safetensors")
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
    content: bytes, room: Path, good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (room / "odd.safetensors").write_bytes(content)
    shutil.copy(good, room / "harbour.safetensors")
    monkeypatch.setenv("SONORAMA_WORLDS", str(room))
    assert main(["worlds"]) == 0
    out, err = capsys.readouterr()
    assert "good 0  64x64 px" in out
    assert err == ""
    assert main(["worlds", "--json"]) == 0
    assert str(room / "harbour.safetensors") in [card["path"] for card in json.loads(capsys.readouterr().out)]


WRONG: list[dict[str, Any]] = [
    {"name": 7}, {"name": None}, {"description": ["a"]}, {"motion_rate": "fast"}, {"motion_rate": 0},
    {"truncation": 0}, {"truncation": float("nan")}, {"mixing": 0.6}, {"mixing": "much"},
    {"motion_rate": float("nan")}, {"motion_rate": 1e9}, {"classes": 9}, {"classes": [1]}, {"classes": ["rain"]},
    {"credits": 1}, {"joint": []}, {"measures": "good"}, {"size": "wide"}, {"size": 128}, {"width": 63},
    {"height": 2**40}, {"num_ws": []}, {"num_ws": 14}, {"level_cuts": 3}, {"level_cuts": [7, 3]}, {"ports": []},
    {"ports": None},
    {"generator": "big"}, {"generator": {}}, {"generator": None}, {"encoder": []}, {"motion": {"hidden": 4}},
    {"sound": None}, {"mel": None}, {"image": 3}, {"text": {"vocabulary": 2**40}},
    *({"generator": value} for value in (
        {"cow": 1}, {"size": 48}, {"size": -64}, {"size": 2**40}, {"size": 64.0}, {"size": 128}, {"w_dim": 16},
        {"z_dim": 10**12}, {"mapping_layers": 10**6}, {"mapping_layers": 3}, {"channel_base": 1},
        {"channel_max": 2**31}, {"channel_max": 8}, {"const_width": 10**9}, {"const_width": 7}, {"const_height": True},
    )),
    *({"encoder": value} for value in (
        {"num_ws": 14}, {"w_dim": 2**30}, {"widths": []}, {"widths": "wide"}, {"widths": [2**40]}, {"widths": [33]},
        {"widths": [32] * 9}, {"widths": [[32]]}, {"hidden": 8192}, {"hidden": 2**40}, {"code_dim": 64}, {"groups": 0},
        {"groups": 5}, {"level_cuts": [2, 6]},
    )),
    *({"motion": value} for value in (
        {"hidden": 2**40}, {"hidden": 256}, {"hidden": -1}, {"hidden": None}, {"num_ws": 64}, {"level_cuts": [1, 2, 3]},
        {"level_cuts": [3, 3]}, {"level_cuts": ["a", "b"]}, {"level_cuts": 3}, {"level_cuts": [3, 10]},
    )),
    *({"sound": value} for value in (
        {"features": 10**9}, {"features": 364}, {"members": 0}, {"members": 2}, {"hidden": 17}, {"code_dim": 64},
    )),
    *({"mel": value} for value in ({"rate": 48_000}, {"bands": 64}, {"floor_db": -60.0}, {"hop": 10**9})),
]  # fmt: skip
"""What is changed on the card of a good world; a table is changed inside the table that is there."""


def changed(values: dict[str, Any], wrong: dict[str, Any]) -> None:
    for name, value in wrong.items():
        inside = isinstance(value, dict) and value and isinstance(values.get(name), dict)
        values[name] = {**values[name], **value} if inside else value


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_card_that_does_not_fit(
    wrong: dict[str, Any], room: Path, good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused in two lines; the good world beside it is listed all the same."""
    with_card(good, room / "odd.safetensors", lambda values: changed(values, wrong))
    shutil.copy(good, room)
    what, _ = refused("odd.safetensors", capsys)
    assert "odd.safetensors" in what
    monkeypatch.setenv("SONORAMA_WORLDS", str(room))
    for arguments in (["worlds"], ["worlds", "--json"]):
        assert main(arguments) == 0
        assert "good.safetensors" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong", [{"size": 128}, {"num_ws": 14}, {"level_cuts": [7, 3]}, {"generator": {"size": 2**40}}]
)
def test_a_card_of_version_1_that_does_not_fit(
    wrong: dict[str, Any], room: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def edit(values: dict[str, Any]) -> None:
        as_version_1(values)
        changed(values, wrong)

    with_card(good, room / "odd.safetensors", edit, "1")
    what, _ = refused("odd.safetensors", capsys)
    assert "odd.safetensors" in what


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("damage", "says"),
    [(flipped, "hash"), (lambda data: data[:-1], "damaged"), (lambda data: data + b"\0", "damaged")],
    ids=["one bit", "cut", "longer"],
)
def test_damaged_tensors(
    damage: Callable[[bytes], bytes], says: str, room: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = room / "odd.safetensors"
    path.write_bytes(damage(good.read_bytes()))
    what, _ = refused(path.name, capsys)
    assert says in what


@pytest.mark.parametrize("part", ["generator", "encoder", "motion", "sound", "encoder.join", "motion.levels.2"])
def test_a_world_with_parts_missing(part: str, room: Path, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = {name: value for name, value in load_file(good).items() if not name.startswith(part)}
    save_file(tensors, room / "less.safetensors", safe_metadata(good))
    with_card(
        room / "less.safetensors",
        room / "odd.safetensors",
        lambda values: values.update(content=content_hash(tensors)),
    )
    what, _ = refused("odd.safetensors", capsys)
    assert "odd.safetensors" in what


def safe_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file."""
    with safe_open(path, "np") as file:
        return file.metadata()
