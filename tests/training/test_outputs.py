"""Trainings replace no file that they did not make."""

import argparse
from pathlib import Path

import pytest

from sonorama.engine.errors import OutputError
from sonorama.engine.files.fingerprint import sha256
from sonorama.training.packing import Manifest
from sonorama.training.runner import PACKED, check_out
from sonorama.training.stages.joint import run_joint


def test_a_world_replaces_only_what_its_own_work_folder_packed(tmp_path: Path) -> None:
    out, work = tmp_path / "mine.safetensors", tmp_path / "work"
    work.mkdir()
    check_out(out, work)
    out.write_bytes(b"days of training")
    with pytest.raises(OutputError, match="already") as caught:
        check_out(out, work)
    assert len(str(caught.value).splitlines()) == 2
    (work / PACKED).write_text(sha256(out))
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


def test_a_card_credits_what_the_user_has(tmp_path: Path) -> None:
    """Files of footage once each, by their own names; held-out pictures were not trained on."""
    head = "file\tclass\tsource\tauthor\tlicence\tsplit\torigin"
    rows = [
        "photos/a-1.jpg\tbell\t\tÄnne\tCC BY 4.0\ttrain\tGlocke/clip ä.mp4",
        "photos/a-2.jpg\tbell\t\tÄnne\tCC BY 4.0\ttrain\tGlocke/clip ä.mp4",
        "audio/bell/a.flac\tbell\t\tÄnne\tCC BY 4.0\ttrain\tGlocke/clip ä.mp4",
        "photos/b.jpg\tbell\t\t\t\theld-out\tGlocke/b.jpg",
    ]
    (tmp_path / "MANIFEST.tsv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    told = Manifest.read(tmp_path)
    assert told.credits() == ("Glocke/clip ä.mp4: Änne (CC BY 4.0)", "Glocke/b.jpg: unknown")
    assert told.licence() == "not stated; of its training data: CC BY 4.0"
    assert told.description(("bell",)) == "Trained on 2 pictures and 1 recordings. Sounds it knows: bell."
    (tmp_path / "MANIFEST.tsv").write_text(f"{head}\n{rows[-1]}\n", encoding="utf-8")
    assert Manifest.read(tmp_path).licence() == "not stated, neither of its training data"
