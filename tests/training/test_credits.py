"""Whom a world's card names for its ears."""

from pathlib import Path

from sonorama.training.packing import Manifest, distillation_credits
from sonorama.training.stages.ears.library import UNLABELLED

HEADER = "file\tclass\tsource\tauthor\tlicence\n"


def test_the_teacher_and_every_package_of_unlabelled_sounds_are_credited_once(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.tsv").write_text(
        HEADER
        + "weights/yamnet_core.onnx\ttagger\tthe tagger's page\tits makers\tApache-2.0\n"
        + "weights/other.pt\tbackbone\tanother page\tothers\tMIT\n"
        + "audio/raining/a.ogg\training\thttps://a.example\tAnn\tCC BY 4.0\n"
    )
    (tmp_path / UNLABELLED).mkdir()
    (tmp_path / UNLABELLED / "MANIFEST.tsv").write_text(
        "file\tsource\tlicence\tseconds\tsounds\n"
        "game-data__0.opus\tdebian:game-data\tGPL-2+\t50\t27\n"
        "game-data__1.opus\tdebian:game-data\tGPL-2+\t40\t11\n"
        "tones__0.opus\tdebian:tones\tCC0-1.0\t40\t11\n"
    )
    assert Manifest.read(tmp_path).credits() == ("raining/a.ogg: Ann (CC BY 4.0)",)
    assert distillation_credits(tmp_path) == (
        "ears distilled from the tagger's page: its makers (Apache-2.0)",
        "unlabelled sounds of debian:game-data (GPL-2+)",
        "unlabelled sounds of debian:tones (CC0-1.0)",
    )
