"""Codes in files: whole, known by their content, and refused where they are not what they say."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from sonorama.engine.errors import WorldError
from sonorama.engine.model import base_code
from sonorama.engine.model.base_code import (
    BaseCode,
    find_code,
    keep_code,
    make_code,
    read_code,
    remember_code,
    save_code,
)

W = np.random.default_rng(0).standard_normal((3, 4, 8)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_CODES", str(tmp_path / "codes"))
    monkeypatch.setattr(base_code, "_given", {})
    base_code._kept.cache_clear()
    return tmp_path / "codes"


def made(w: np.ndarray = W) -> BaseCode:
    return make_code(w, "a" * 64, "Übers Meer 2.jpg", "b" * 64, 7, Fraction(30000, 1001))


def test_a_code_is_read_as_it_was_saved(tmp_path: Path) -> None:
    save_code(code := made(), tmp_path / "x")
    again = read_code(tmp_path / "x")
    np.testing.assert_array_equal(again.w, W)
    assert {**vars(again), "w": 0} == {**vars(code), "w": 0}
    assert again.name.startswith("bers_meer_2-")


def test_its_name_follows_from_its_content() -> None:
    assert made().name == made().name
    names = {made().name, made(W + 1).name, make_code(W, "c" * 64, "Übers Meer 2.jpg").name}
    assert len(names) == 3
    assert make_code(W[0], "a", "...").w.shape == (1, 4, 8)


def test_between_frames_it_is_a_mixture_and_holds_its_ends() -> None:
    code = made()
    frame = 1001 / 30000
    np.testing.assert_array_equal(code.at(0), W[0])
    np.testing.assert_array_equal(code.at(-1), W[0])
    np.testing.assert_array_equal(code.at(9), W[2])
    np.testing.assert_allclose(code.at(1.5 * frame), (W[1] + W[2]) / 2, atol=1e-6)


def test_it_is_found_by_its_name_in_the_user_s_folder_or_in_memory(folder: Path) -> None:
    code, other = made(), made(W + 1)
    with pytest.raises(WorldError, match="is not here"):
        find_code(code.name)
    assert keep_code(code) == folder / f"{code.name}.safetensors"
    assert keep_code(code).exists()
    np.testing.assert_array_equal(find_code(code.name).w, W)
    assert find_code(remember_code(other)) is other


@pytest.mark.parametrize(
    "name", ["", "../x-0123456789ab", "/etc/passwd", "x-0123456789AB", "x" * 2000, "x\0-0123456789ab"]
)
def test_a_name_is_no_path(folder: Path, name: str) -> None:
    with pytest.raises(WorldError):
        find_code(name)


def test_a_file_under_another_code_s_name_is_refused(folder: Path) -> None:
    save_code(made(), keep_code(made(W + 1)))
    with pytest.raises(WorldError, match="holds another code"):
        find_code(made(W + 1).name)


def changed(path: Path, w: np.ndarray | None = None, **meta: str) -> None:
    with safe_open(path, "np") as file:
        said = file.metadata() | meta
    save_file({"w": load_file(path)["w"] if w is None else w}, path, said)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x-000000000000"}, {"name": "../../x"}, {"fps": "0"}, {"fps": "1/0"}, {"fps": "-1"}, {"fps": "x"},
        {"nearest": "-1"}, {"nearest": "1.5"}, {"format": "sonorama-world"}, {"format_version": "2"},
        {"world": "other"}, {"w": W + 1}, {"w": W.astype(np.float64)}, {"w": W[0]}, {"w": W[:0]}, {"w": W * np.nan},
    ],
)  # fmt: skip
def test_damage_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    save_code(made(), path := tmp_path / "x")
    changed(path, **wrong)
    with pytest.raises(WorldError, match="not a code"):
        read_code(path)


def test_no_file_and_no_safetensors_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no code")
    for name in ("x", "nothing", "."):
        with pytest.raises(WorldError):
            read_code(tmp_path / name)
