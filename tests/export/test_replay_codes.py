"""A take holds the codes that were played, and plays the same without the user's folder of codes."""

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import WorldError
from sonorama.engine.model import base_code
from sonorama.engine.model.base_code import keep_code, make_code
from sonorama.engine.model.world_file import load_world

from .replay_helpers import MANY, Live, by, replayed, same


@pytest.fixture
def codes(tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of a photo's code, a video's, and one for a level."""
    monkeypatch.setenv("SONORAMA_CODES", str(tmp_path / "codes"))
    monkeypatch.setattr(base_code, "_given", {})
    base_code._kept.cache_clear()
    card, rng, names = load_world(tiny_world).card, np.random.default_rng(4), []
    for source, frames in (("photo.jpg", 1), ("video.mp4", 40), ("fine.jpg", 1)):
        w = rng.standard_normal((frames, card.num_ws, card.w_dim)).astype(np.float32)
        names.append((code := make_code(w, card.content, source, fps=Fraction(24))).name)
        keep_code(code)
    return names


def forget(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "codes")
    base_code._kept.cache_clear()


def test_a_take_plays_its_codes_bit_for_bit_elsewhere(tiny_world: str, codes: list[str], tmp_path: Path) -> None:
    photo, video, fine = codes
    changes = {
        **MANY,
        12: [by("/look/code", video)],
        30: [by("/look/fine/code", fine), by("/look/fine/mix", 0.7), by("/look/mid/seed", 5)],
        60: [by("/look/code", ""), by("/look/code_weight", 0.4)],
    }
    values = {"/look/code": photo, "/look/travel": 1.0}
    live = Live(tmp_path / "x", tiny_world, changes=changes, values=values, frames=90, dies_at=45).begin().play()
    assert sorted(path.stem for path in (live.folder / "codes").iterdir()) == sorted(codes)
    forget(tmp_path)
    same(replayed(live), live.steps)


def test_a_take_without_one_of_its_codes_is_refused(tiny_world: str, codes: list[str], tmp_path: Path) -> None:
    live = Live(tmp_path / "x", tiny_world, frames=12, changes={3: [by("/look/code", codes[0])]}).begin().play()
    forget(tmp_path)
    (live.folder / "codes" / f"{codes[0]}.safetensors").unlink()
    with pytest.raises(WorldError, match="is not here"):
        replayed(live)
