"""A stopped evaluation goes on where it was, to the same figures, and only for the same question."""

from functools import partial
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
from sonorama.training.evaluate.command import FIGURES, film_log
from sonorama.training.evaluate.conditions import CONDITIONS, Playback, Stimulus
from sonorama.training.evaluate.figures import Eyes
from sonorama.training.evaluate.film_log import FilmLog, check_folder
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
    with pytest.raises(OutputError, match="is no evaluation"):
        first.find()
    first.begin()
    for row in islice(rows(playback, heard, CHOSEN, (1,), eyes), 3):
        first.add(row)
    with pytest.raises(OutputError, match="Another process writes into"):
        FilmLog(tmp_path / "out", ASKED).find()
    first.close()
    with first.path.open("ab") as file:
        file.write(end)
    with pytest.raises(OutputError, match="out is of another question: seeds differ"):
        FilmLog(tmp_path / "out", {**ASKED, "seeds": 5}).find()
    again = FilmLog(tmp_path / "out", ASKED)
    again.find()
    assert len(again.rows) == 3
    for row in rows(playback, heard, CHOSEN, (1,), eyes, {row.film for row in again.rows}):
        again.add(row)
    again.close()
    assert all(map(same, again.rows, whole))
    third = FilmLog(tmp_path / "out", ASKED)
    third.find()
    assert all(map(same, third.rows, whole))


def test_where_it_goes_on_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    begun = film_log(tmp_path / "empty", ASKED)
    assert not capsys.readouterr().err
    begun.add(Row("ours", "rain", "somebody", 1, {}))
    begun.close()
    again = film_log(tmp_path / "empty", ASKED)
    assert len(again.rows) == 1
    assert "empty is there already: going on after 1 films" in capsys.readouterr().err
    again.close()
    (tmp_path / "empty" / FIGURES).touch()
    film_log(tmp_path / "empty", ASKED)
    assert "empty is there already: it has its figures" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_the_users_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "mine"
    if kind == "folder":
        out.mkdir()
        (out / "notes.txt").touch()
    elif kind == "file":
        out.touch()
    else:
        out.symlink_to(tmp_path / "nowhere")
    for refuse in (check_folder, partial(film_log, asked=ASKED)):
        with pytest.raises(OutputError, match="mine is there already, and is no evaluation"):
            refuse(out)
    assert (out / "notes.txt").exists() == (kind == "folder")


@pytest.mark.parametrize("content", [b"", b"notes of mine\n", b"[1]\n", b"\xff\xfe\n"])
def test_a_file_of_somebody_else_stays(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "films.jsonl").write_bytes(content)
    log = FilmLog(tmp_path, ASKED)
    for begin in (log.find, log.begin):
        with pytest.raises(OutputError):
            begin()
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


def test_of_two_that_begin_at_once_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, begin = FilmLog(tmp_path / "out", {"seeds": 9}), FilmLog.begin

    def slower(log: FilmLog) -> None:
        begin(other)
        begin(log)

    monkeypatch.setattr(FilmLog, "begin", slower)
    with pytest.raises(OutputError, match="Another process writes into"):
        film_log(tmp_path / "out", ASKED)
    other.add(Row("ours", "rain", "somebody", 1, {}))
    other.close()
    assert other.path.exists()
