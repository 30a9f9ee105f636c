"""Whose a file is, the record says: a study is resumed, and nothing of the user's is replaced."""

import shutil
from pathlib import Path

import pytest

from sonorama.engine.cli.main import main
from sonorama.export.study import films
from sonorama.export.study.key import Key

from .conftest import arguments


@pytest.fixture
def copy(study: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(study, tmp_path / "study"))


@pytest.fixture
def again(tiny_world: str, inputs: Path) -> tuple[str, ...]:
    """The command line of the study without its name and folder."""
    more = ("--variant", "ours", "--variant", "no-sound", "--reference", str(inputs / "clips"))
    return tuple(arguments(tiny_world, inputs, Path("OUT"), *more))


def run(line: tuple[str, ...], out: Path, *more: str) -> int:
    return main([str(out) if word == "OUT" else word for word in (*line, *more)])


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes of every file and when it was written; the record is opened, and its time says nothing."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    times = {path: path.stat().st_mtime_ns if path.name != "sonorama.files" else 0 for path in files}
    return {str(path.relative_to(folder)): (path.read_bytes(), times[path]) for path in files}


def test_a_finished_study_is_left_alone(
    copy: Path, again: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise AssertionError("a world was opened")

    monkeypatch.setattr(films, "world_frame_source", none)
    (copy / "results").mkdir()
    (copy / "results" / "participant-1.csv").write_text("mine")
    before = contents(copy)
    assert run(again, copy) == 0
    assert contents(copy) == before
    assert "6 films (6 of them were there already)" in capsys.readouterr().out


def test_what_is_missing_is_made_and_what_was_changed_is_kept(
    copy: Path, again: tuple[str, ...], key: Key, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(copy)
    gone, changed = (copy / "page" / key.sounds[0].films[code] for code in ("A", "B"))
    gone.unlink()
    changed.write_bytes(b"somebody's work")
    assert run(again, copy) == 0
    out, err = capsys.readouterr()
    assert "(4 of them were there already)" in out
    kept = changed.with_name(f"{changed.name}.changed")
    assert err.splitlines()[-1] == f"Changed since it was written, and kept as {kept}"
    assert kept.read_bytes() == b"somebody's work"
    after = contents(copy)
    for name in key.films:
        assert after[f"page/{name}"][0] == before[f"page/{name}"][0]
    assert sum(after[f"page/{name}"] == before[f"page/{name}"] for name in key.films) == 4


@pytest.mark.parametrize(
    ("more", "differ"),
    [
        (("--seed", "4"), "sounds"),
        (("--seconds", "0.3"), "seconds"),
        (("--size", "128x64"), "size"),
        (("--set", "/look/travel=0"), "settings"),
        (("--variant", "static"), "model_orders"),
    ],
)
def test_another_study_is_refused(
    copy: Path, again: tuple[str, ...], more: tuple[str, ...], differ: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(copy)
    assert run(again, copy, *more) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{copy} holds another study: ")
    assert differ in first
    assert second == "Choose another folder, or move this one away."
    assert contents(copy) == before


def test_foreign_files_are_refused(
    copy: Path, again: tuple[str, ...], key: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is not on our record, a key that was edited, a film's name on nobody's record."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    (copy / "key.json").write_text((copy / "key.json").read_text().replace('"rain"', '"RAIN"'))
    taken = tmp_path / "taken"
    (taken / "page").mkdir(parents=True)
    lines = (copy / "sonorama.files").read_text().splitlines()
    (taken / "sonorama.files").write_text(f"{lines[0]}\n")
    (taken / "page" / key.films[0]).write_text("mine")
    linked = tmp_path / "linked"
    linked.mkdir()
    shutil.copy(taken / "sonorama.files", linked)
    (linked / "page").symlink_to(mine)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "sonorama.files").write_text("mine")
    for folder, why in (
        (mine, f"{mine} is not empty, and nothing says that it is a study"),
        (copy, f"{copy} may hold another study: key.json is not as it was written"),
        (taken, f"{taken} holds page/{key.films[0]}, which is not on its record"),
        (linked, f"{linked / 'page'} is a link"),
        (foreign, f"{foreign / 'sonorama.files'} is no record of sonorama's"),
    ):
        before = contents(folder)
        assert run(again, folder) == 2
        err = capsys.readouterr().err.splitlines()
        assert len(err) == 2
        assert err[0].startswith(why)
        assert contents(folder) == before


class StoppedError(Exception):
    """What interrupts a study in these tests."""


@pytest.mark.parametrize("films_done", [0, 2])
def test_an_interrupted_study_goes_on(
    films_done: int, again: tuple[str, ...], study: Path, key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "study"
    original, made = films._make_film, []

    def stop(*arguments: object) -> None:
        if len(made) == films_done:
            raise StoppedError
        made.append(1)
        original(*arguments)  # pyright: ignore[reportArgumentType]

    with monkeypatch.context() as patch:
        patch.setattr(films, "_make_film", stop)
        assert run(again, out) == 1
    if films_done == 0:
        assert not out.exists()
        return
    assert len([*(out / "page").iterdir()]) == 2
    assert not (out / "page" / "index.html").exists()
    assert run(again, out) == 0
    for name in (*key.films, "index.html"):
        assert (out / "page" / name).read_bytes() == (study / "page" / name).read_bytes()
