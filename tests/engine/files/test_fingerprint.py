"""Hashes of files, at once and beside other work."""

import hashlib
import os
from pathlib import Path

import pytest

from sonorama.engine.errors import InputError
from sonorama.engine.files.fingerprint import Hashing, sha256


def test_beside_other_work_it_is_the_same_hash(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(os.urandom(3_000_001))
    with Hashing(tmp_path / "a") as hashing:
        assert hashing.result() == sha256(tmp_path / "a")
    (tmp_path / "b").write_bytes(b"")
    with Hashing(tmp_path / "b") as hashing:
        assert hashing.result() == hashlib.sha256().hexdigest()


def test_it_ends_with_the_block(tmp_path: Path) -> None:
    with (tmp_path / "long").open("wb") as file:
        os.truncate(file.fileno(), 1 << 40)  # takes hours
    with Hashing(tmp_path / "long") as hashing:
        pass
    hashing._thread.join(60)
    assert not hashing._thread.is_alive()


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with Hashing(tmp_path / "gone") as hashing, pytest.raises(InputError, match="gone cannot be read any more"):
        hashing.result()
