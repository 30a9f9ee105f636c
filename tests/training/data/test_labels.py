"""Which classes a data set has by the names of its folders, and the captions of its photos."""

from pathlib import Path

import pytest
import torch

from sonorama.engine.errors import InputError
from sonorama.training.data.captions import COLOURS, Captions, Narrator
from sonorama.training.data.labels import Labels, amounts, own_classes
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.stages.ears.names import EXTRA_CLASSES, built_in


@pytest.mark.parametrize(
    ("folder", "class_id"),
    [("rain", "raining"), ("Thunder", "thunderstorm"), ("wind", "wind_noise"), ("fire", "fire_crackling"),
     ("waterfall", "waterfall_burbling"), ("raining", "raining"), ("wind_noise", "wind_noise"), ("ocean", None),
     ("meadow", None), ("violin", None)],
)  # fmt: skip
def test_folders_that_mean_a_class_of_training(folder: str, class_id: str | None) -> None:
    assert built_in(folder, CLASSES) == class_id


def test_extra_classes_are_known_where_the_joint_space_knows_them() -> None:
    everything = (*CLASSES, *EXTRA_CLASSES)
    assert built_in("ocean", everything) == "sea_waves" and built_in("bird", everything) == "birds"


def manifest(root: Path, *rows: tuple[str, str], footage: bool = True) -> Path:
    """Empty files, and a manifest that says of which class they are."""
    head = ["file", "class", *(["split", "caption"] if footage else [])]
    lines = ["\t".join(head), *("\t".join([*row, *(["train", ""] if footage else [])]) for row in rows)]
    for file, _ in rows:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    (root / "MANIFEST.tsv").write_text("\n".join(lines) + "\n")
    return root


def known(name: str) -> str | None:
    return built_in(name, CLASSES)


def test_own_classes_come_by_their_amount_those_with_sound_first_and_none_is_dropped_silently(tmp_path: Path) -> None:
    rows = [("audio/a/1.flac", "harbour"), ("audio/a/2.flac", "harbour"), ("audio/b/1.flac", "violin"),
            ("photos/1.jpg", "violin"), ("photos/2.jpg", "violin"), ("photos/3.jpg", "violin"),
            ("photos/4.jpg", "street"), ("audio/c/1.flac", "rain"), ("audio/d.flac", "x_talk"),
            ("photos/5.jpg", "unlabelled")]  # fmt: skip
    root = manifest(tmp_path, *rows)
    found = own_classes(root, known, 2)
    assert (found.names, found.left_out) == (("violin", "harbour"), ("street",))
    assert found.labels == Labels({"rain": "raining"})
    assert own_classes(root, known, 7).names == ("violin", "harbour", "street")
    found.labels.write(tmp_path / "labels.json")
    assert Labels.read(tmp_path / "labels.json") == found.labels
    (tmp_path / "labels.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        Labels.read(tmp_path / "labels.json")


def test_photos_of_a_manifest_that_footage_did_not_write_have_tags_not_classes(tmp_path: Path) -> None:
    root = manifest(tmp_path, ("photos/1.jpg", "meadow"), ("audio/a.flac", "harbour"), footage=False)
    assert set(amounts(root)) == {"harbour"}


def test_captions_of_a_data_set_are_its_captions_then_its_classes_then_only_colours(tmp_path: Path) -> None:
    rows = ["photos/a.jpg\ttrain\tharbour\tboats in fog", "photos/b.jpg\ttrain\tsteam_engine\t",
            "photos/c.jpg\ttrain\tunlabelled\t"]  # fmt: skip
    (tmp_path / "MANIFEST.tsv").write_text("\n".join(["file\tsplit\tclass\tcaption", *rows]) + "\n")
    captions, rng = Captions.of(tmp_path), torch.Generator().manual_seed(0)
    narrator, shown = Narrator(captions, ("a", "b", "c")), torch.tensor([True] + [False] * (len(COLOURS) - 1))
    said = {photo: {narrator.say(photo, -1, shown, rng).words for _ in range(60)} for photo in range(3)}
    assert "boats in fog" in said[0] and "steam engine" in said[1]
    assert all("dark" in words for words in said[2])
    assert narrator.say(2, -1, torch.zeros(len(COLOURS)).bool(), rng).words == "a picture"
    assert narrator.say(2, 0, shown, rng).words
    assert {"boats in fog", "steam engine"} <= set(captions.all_texts())
    assert captions.class_texts("steam_engine")[:2] == ["steam engine", "the sound of steam engine"]
