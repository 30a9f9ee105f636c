"""`sonorama import` of files that are worlds already: checked, and copied among the user's."""

from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.model.world_file import load_world, read_card, save_world


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path / "worlds"))
    return tmp_path


def test_a_world_is_copied_under_its_new_name(
    folder: Path, tiny_world: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given, before = folder / "given.safetensors", load_world(tiny_world)
    given.write_bytes(Path(tiny_world).read_bytes())
    assert main(["import", str(given), "--world", "copied"]) == 0
    assert "Play it: sonorama live --world copied" in capsys.readouterr().out
    card = read_card(folder / "worlds" / "copied.safetensors")
    assert (card.name, card.content, card.licence) == ("copied", before.card.content, before.card.licence)
    assert main(["import", str(given), "--world", "copied", "--licence", "CC0"]) == 0  # the same tensors: again
    assert load_world("copied").card.licence == "CC0"
    assert given.read_bytes() == Path(tiny_world).read_bytes()


def test_another_world_is_not_replaced_and_a_damaged_one_not_copied(
    folder: Path, tiny_world: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = load_world(tiny_world)
    other = folder / "worlds" / "mine.safetensors"
    tensors = world.tensors | {"labels.codes": np.ones_like(world.tensors["labels.codes"])}
    save_world(other, world.card, tensors)
    before = other.read_bytes()
    assert main(["import", tiny_world, "--world", "mine"]) == 2
    assert capsys.readouterr().err.splitlines()[-2].endswith("is there already, and is another world")
    assert other.read_bytes() == before
    bad = folder / "bad.safetensors"
    bad.write_bytes(Path(tiny_world).read_bytes()[:-1] + b"\x7f")
    assert main(["import", str(bad), "--world", "bad"]) == 2
    assert "do not match the hash on its card" in capsys.readouterr().err
    assert not (folder / "worlds" / "bad.safetensors").exists()
