"""Trainings replace no file that they did not make."""

import argparse
from pathlib import Path

import pytest

from sonorama.engine.errors import OutputError
from sonorama.training.runner import PACKED, check_out, content_of
from sonorama.training.stages.joint import run_joint


def test_a_world_replaces_only_what_its_own_work_folder_packed(tmp_path: Path) -> None:
    out, work = tmp_path / "mine.safetensors", tmp_path / "work"
    work.mkdir()
    check_out(out, work)
    out.write_bytes(b"days of training")
    with pytest.raises(OutputError, match="already") as caught:
        check_out(out, work)
    assert len(str(caught.value).splitlines()) == 2
    (work / PACKED).write_text(content_of(out))
    check_out(out, work)
    out.write_bytes(b"other days")
    with pytest.raises(OutputError):
        check_out(out, work)


def test_a_joint_file_is_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "joint.safetensors"
    out.write_bytes(b"days of training")
    with pytest.raises(OutputError, match="already"):
        run_joint(argparse.Namespace(out=out, data=None, work=tmp_path / "work", start=None))
    assert [path.name for path in tmp_path.iterdir()] == ["joint.safetensors"]
