"""`--stats FILE`: appends to its own files and to nothing else."""

import json
from pathlib import Path

import pytest

from sonorama.engine.errors import OutputError
from sonorama.engine.ipc.messages import Status
from sonorama.engine.show.status import Stats


def append(path: Path) -> None:
    stats = Stats(path)
    stats.note(Status())
    stats.close()


def test_a_second_show_appends(tmp_path: Path) -> None:
    path = tmp_path / "stats.jsonl"
    path.touch()
    append(path)
    append(path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [set(row) for row in rows] == [{"time", *Stats.FIELDS}] * 2


def test_a_removed_file_is_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10))
    monkeypatch.setattr("sonorama.engine.show.status.time.monotonic", lambda: float(next(clock)))
    path = tmp_path / "stats.jsonl"
    stats = Stats(path)
    stats.note(Status(frame=7))
    path.unlink()
    stats.note(Status(frame=8))
    stats.note(Status(frame=9))
    stats.close()
    assert [json.loads(line)["frame"] for line in path.read_text().splitlines()] == [8, 9]


@pytest.mark.parametrize("content", [b"a letter\n", b"\xff\xd8\xff", b'{"a": 1}\n', b"[]", b"\n", b"3\n"])
def test_a_file_of_the_user_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(OutputError, match="no statistics"):
        Stats(path)
    assert path.read_bytes() == content
