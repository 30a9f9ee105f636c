"""Which recordings stages learn from: held-out files and missing classes."""

from pathlib import Path

import numpy as np
from tests.training.footage.media import noise, write_sound

from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.data.recordings import (
    PROCEDURAL,
    Recording,
    WindowMaker,
    list_recordings,
    training_recordings,
    with_procedural,
)


def data_folder(root: Path, *rows: str) -> None:
    """A manifest with the columns that footage has, and the sounds it names."""
    head = "file\tclass\tsource\tauthor\tlicence\tsplit\torigin"
    (root / "MANIFEST.tsv").write_text("\n".join([head, *rows]) + "\n")
    for row in rows:
        write_sound(root / row.split("\t")[0], noise(1.0))


def test_held_out_files_are_not_learned_from_and_missing_classes_are_procedural(tmp_path: Path) -> None:
    data_folder(
        tmp_path,
        "audio/raining/a.wav\training\tx\t\t\ttrain\tone.mov",
        "audio/raining/b.wav\training\tx\t\t\theld-out\ttwo.mov",
        "audio/surf/c.wav\tsurf\tx\t\t\ttrain\tthree.mov",
    )
    assert [source for _, _, source in list_recordings(tmp_path)] == ["one.mov", "two.mov", "three.mov"]
    found = training_recordings(tmp_path)
    assert [r.file for r in found if r.class_id == "raining"] == ["audio/raining/a.wav"]
    assert {r.class_id for r in found} == set(CLASSES)
    assert {r.source for r in found if r.class_id != "raining"} == {PROCEDURAL}


def test_windows_of_every_class_can_be_made_of_one_recording() -> None:
    maker = WindowMaker(tuple(with_procedural([Recording("a", "thunderstorm", "a", noise(2.0))])))
    for class_id in ("thunderstorm", "underwater_bubbling", "wind_noise"):
        windows, sources = maker.windows(class_id, 3, 1, 0)
        assert len(windows) == 4 and all(np.isfinite(w.numpy()).all() for w in windows)
        assert sources[-1] == (PROCEDURAL,)


def test_recordings_of_all_classes_stay_as_they_are() -> None:
    recordings = [Recording(name, name, name, noise(0.1)) for name in CLASSES]
    assert with_procedural(recordings) == recordings
