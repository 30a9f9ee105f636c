"""A stopped evaluation goes on where it was, to the same figures, and only for the same question."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.errors import OutputError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.units import SAMPLE_RATE
from sonorama.training.backbone import Backbone
from sonorama.training.evaluate.command import film_log
from sonorama.training.evaluate.conditions import CONDITIONS, Playback, Stimulus
from sonorama.training.evaluate.figures import Eyes
from sonorama.training.evaluate.film_log import FilmLog
from sonorama.training.evaluate.films import Row, rows

from ...worlds import write_world

ASKED = {"world": "tiny", "seeds": 2, "seconds": 1.1}
CHOSEN = {name: CONDITIONS[name] for name in ("static", "ours")}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Playback, list[Stimulus], Eyes]:
    path = tmp_path_factory.mktemp("world") / "tiny.safetensors"
    write_world(path)
    world = load_world(path)
    noise = np.random.default_rng(0).standard_normal((2, 2 * SAMPLE_RATE)).astype(np.float32) / 5
    width = len(world.tensors["labels.codes"][0])
    eyes = Eyes(lambda x: torch.nn.functional.normalize(x.mean(1).flatten(1)[:, :width], dim=1), Backbone())
    heard = [Stimulus(noise[n], world.card.classes[n], "one source", noise[1 - n]) for n in range(2)]
    return Playback(world, open_backend(world, "reference"), 1.1), heard, eyes


def same(a: Row, b: Row) -> bool:
    assert a.descriptor is not None and b.descriptor is not None
    return (a.film, a.class_id, a.figures) == (b.film, b.class_id, b.figures) and torch.equal(
        a.descriptor, b.descriptor
    )


@pytest.mark.parametrize("end", [b'{"condition": "ours", "cla', b"\0\0\n\xff\n", b"[1]\n"])
def test_a_stopped_one_goes_on_to_the_same(
    measured: tuple[Playback, list[Stimulus], Eyes], tmp_path: Path, end: bytes
) -> None:
    """Whether it was killed in the middle of a line, or the file is damaged after three films."""
    playback, heard, eyes = measured
    whole = list(rows(playback, heard, CHOSEN, (1,), eyes))
    assert len({row.film for row in whole}) == len(whole) == 4, "two recordings of one source are two"
    first = FilmLog(tmp_path / "out", ASKED)
    assert not first.find()
    assert first.begin()
    for row in islice(rows(playback, heard, CHOSEN, (1,), eyes), 3):
        first.add(row)
    assert not FilmLog(tmp_path / "out", ASKED).find(), "somebody works there"
    first.close()
    with first.path.open("ab") as file:
        file.write(end)
    assert not FilmLog(tmp_path / "out", {**ASKED, "seeds": 5}).find()
    again = FilmLog(tmp_path / "out", ASKED)
    assert again.find()
    assert len(again.rows) == 3
    for row in rows(playback, heard, CHOSEN, (1,), eyes, {row.film for row in again.rows}):
        again.add(row)
    again.close()
    assert all(map(same, again.rows, whole))
    third = FilmLog(tmp_path / "out", ASKED)
    assert third.find()
    assert all(map(same, third.rows, whole))


def test_where_it_goes_on_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert film_log(tmp_path / "empty", ASKED).path.parent.name == "empty"
    assert not capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    begun = film_log(tmp_path / "mine", ASKED)
    assert "mine is there already, or in use: figures go into" in capsys.readouterr().err
    assert begun.path.parent.name == "mine-2"
    begun.add(Row("ours", "rain", "somebody", 1, {}))
    begun.close()
    assert len(film_log(tmp_path / "mine", ASKED).rows) == 1
    assert "mine-2: going on after 1 films" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"notes of mine\n", b"[1]\n", b"\xff\xfe\n"])
def test_a_file_of_somebody_else_stays(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "films.jsonl").write_bytes(content)
    log = FilmLog(tmp_path, ASKED)
    assert not log.find()
    assert not log.begin()
    log.close()
    assert (tmp_path / "films.jsonl").read_bytes() == content


def test_a_folder_that_cannot_be_made_is_refused_before_any_film(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        film_log(tmp_path / "file" / "out", ASKED)


def test_one_that_ended_before_its_first_film_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("there", "new"):
        film_log(tmp_path / name, ASKED).close()
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert not [*(tmp_path / "there").iterdir()]


def test_two_that_begin_at_once_have_a_folder_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, begin = FilmLog(tmp_path / "out", {"seeds": 9}), FilmLog.begin

    def slower(log: FilmLog) -> bool:
        if not other.path.exists():
            assert begin(other)
        return begin(log)

    monkeypatch.setattr(FilmLog, "begin", slower)
    assert film_log(tmp_path / "out", ASKED).path.parent.name == "out-2"
