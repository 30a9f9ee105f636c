"""A disk that cannot be written is said in two lines, whatever is to be written there."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from sonorama.engine.errors import OutputError
from sonorama.engine.files.atomic import temporary, write_bytes


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What system calls say on a disk that is mounted read-only."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("open", "unlink", "link", "rename"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    return tmp_path


def test_a_file(read_only: Path) -> None:
    with pytest.raises(OutputError, match="may not be written"):
        write_bytes(read_only / "x.tsv", b"", new=True)


def test_a_part_file(read_only: Path) -> None:
    with pytest.raises(OutputError, match="may not be written"), temporary(read_only / "x.mp4"):
        pass
