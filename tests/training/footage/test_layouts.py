"""Readers of layouts, on tiny sets: classes, splits, captions, credit, origins; and which files are held out."""

import json
from pathlib import Path

import pytest

from sonorama.engine.errors import InputError
from sonorama.training.footage.layouts import (
    HELD_OUT,
    READERS,
    TRAIN,
    UNLABELLED,
    Item,
    find_items,
    recognise,
    with_captions,
    with_table,
)
from sonorama.training.footage.split import Member, plan_split


def files(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def read(root: Path, layout: str = "auto") -> dict[str, Item]:
    items = find_items(root, root / "none")
    name = recognise(root, items) if layout == "auto" else layout
    return {item.name: item for item in READERS[name](root, items)}


def test_landscape_class_folders(tmp_path: Path) -> None:
    files(tmp_path, "train/thunder/a.mp4", "train/Raining/b_3.mp4", "test/explosion/c.mp4", "test/wind noise/d.mp4")
    assert recognise(tmp_path, find_items(tmp_path, tmp_path / "out")) == "landscape"
    found = [(item.class_id, item.split) for item in read(tmp_path).values()]
    assert found == [
        ("volcano_eruption", HELD_OUT),
        ("wind_noise", HELD_OUT),
        ("raining", TRAIN),
        ("thunderstorm", TRAIN),
    ]


def test_class_folders_of_ones_own(tmp_path: Path) -> None:
    files(tmp_path, "Old Harbour/day 1/a.mov", "Old Harbour/b.jpg", "c.wav")
    assert {name: (i.class_id, i.split) for name, i in read(tmp_path).items()} == {
        "Old Harbour/b.jpg": ("old_harbour", ""),
        "Old Harbour/day 1/a.mov": ("old_harbour", ""),
        "c.wav": (UNLABELLED, ""),
    }


def test_sub_urmp(tmp_path: Path) -> None:
    names = ("cello/cello01_0001", "cello/cello01_0002", "flute/flute02_0001")
    files(tmp_path, *(f"img/train/{n}.jpg" for n in names), *(f"chunk/train/{n}.wav" for n in names))
    files(tmp_path, "img/validation/cello/cello05_0001.jpg", "chunk/validation/cello/cello05_0001.wav")
    assert recognise(tmp_path, find_items(tmp_path, tmp_path / "out")) == "sub-urmp"
    found = read(tmp_path)
    picture = found["img/train/cello/cello01_0002.jpg"]
    assert (picture.class_id, picture.split, picture.origin) == ("cello", TRAIN, "cello/cello01")
    assert picture.pair == "chunk/train/cello/cello01_0002.wav"
    assert found["chunk/train/cello/cello01_0001.wav"].origin == "cello/cello01"
    held = found["img/validation/cello/cello05_0001.jpg"]
    assert held.split == HELD_OUT and held.pair == "chunk/validation/cello/cello05_0001.wav"


@pytest.mark.parametrize("as_list", [False, True])
def test_lhq(tmp_path: Path, as_list: bool) -> None:
    files(tmp_path, "0000000.png", "0000001.png")
    facts = [{"author": "A. Müller", "license": "CC BY 2.0", "url": "https://example.org/1", "id": 7}, {}]
    told = facts if as_list else {f"{i:07}.png": f for i, f in enumerate(facts)}
    (tmp_path / "metadata.json").write_text(json.dumps(told))
    assert recognise(tmp_path, find_items(tmp_path, tmp_path / "out")) == "lhq"
    first, second = read(tmp_path).values()
    assert (first.author, first.licence, first.source) == ("A. Müller", "CC BY 2.0", "https://example.org/1")
    assert (first.class_id, second.author, second.class_id) == (UNLABELLED, "", UNLABELLED)


def test_vggsound(tmp_path: Path) -> None:
    (tmp_path / "vggsound.csv").write_text(
        '---g-f_I2yQ,1,people marching,test\n--0PQM4-hqg,30,waterfall burbling,train\nabc,5,"rain, heavy",train\n'
    )
    files(tmp_path, "video/---g-f_I2yQ_000001.mp4", "video/--0PQM4-hqg_30.mp4", "abc.mp4", "other.mp4")
    assert recognise(tmp_path, find_items(tmp_path, tmp_path / "out")) == "vggsound"
    found = read(tmp_path)
    assert {n: (i.class_id, i.split, i.caption) for n, i in found.items()} == {
        "abc.mp4": ("rain_heavy", TRAIN, "rain, heavy"),
        "other.mp4": (UNLABELLED, "", ""),
        "video/---g-f_I2yQ_000001.mp4": ("people_marching", HELD_OUT, "people marching"),
        "video/--0PQM4-hqg_30.mp4": ("waterfall_burbling", TRAIN, "waterfall burbling"),
    }
    assert found["video/--0PQM4-hqg_30.mp4"].source == "youtube:--0PQM4-hqg"


def test_names_and_none(tmp_path: Path) -> None:
    files(tmp_path, "raining_03.mp4", "fire-crackling.mov", "IMG_1234.MOV", "GH010123.MP4", "x/20240101_1530.jpg")
    by_name = {n: i.class_id for n, i in read(tmp_path, "names").items()}
    assert by_name == {"raining_03.mp4": "raining", "fire-crackling.mov": "fire_crackling", "IMG_1234.MOV": UNLABELLED,
                       "GH010123.MP4": UNLABELLED, "x/20240101_1530.jpg": UNLABELLED}  # fmt: skip
    assert {i.class_id for i in read(tmp_path, "none").values()} == {UNLABELLED}


def test_captions_come_from_names_that_are_words(tmp_path: Path) -> None:
    files(
        tmp_path, "raining/rain_on_a_window 2.mp4", "raining/raining_1.mp4", "raining/IMG_0042.mov", "raining/DSCF7.jpg"
    )
    captions = {i.name: i.caption for i in with_captions([*read(tmp_path).values()])}
    assert [*captions.values()] == ["", "", "rain on a window", ""]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_tells_more_and_has_the_last_word(tmp_path: Path, separator: str) -> None:
    files(tmp_path, "sea/a.mp4", "sea/b.mp4")
    rows = [["file", "Class", "caption", "split", "author", "license"],
            ["sea/a.mp4", "Splashing Water", "waves  at noon", "test", "Ann", "CC0"],
            ["gone.mp4", "", "", "", "", ""]]  # fmt: skip
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + "\n".join(map(separator.join, rows)).encode())
    items, unknown = with_table([*read(tmp_path).values()], tmp_path / "t.csv")
    a, b = items
    assert (a.class_id, a.caption, a.split, a.author, a.licence) == (
        "splashing_water",
        "waves at noon",
        HELD_OUT,
        "Ann",
        "CC0",
    )
    assert (b.class_id, b.split) == ("sea", "") and unknown == ["gone.mp4"]


@pytest.mark.parametrize("content", [b"", b"name,class\na,b\n", b"\xff\xfe\x00", b"file,split\nsea/a.mp4,perhaps\n"])
def test_tables_that_cannot_be_used_are_refused(tmp_path: Path, content: bytes) -> None:
    files(tmp_path, "sea/a.mp4")
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"t\.csv"):
        with_table([*read(tmp_path).values()], tmp_path / "t.csv")


def test_what_is_no_footage_is_not_looked_at(tmp_path: Path) -> None:
    files(
        tmp_path,
        "a.mp4",
        ".hidden.mp4",
        "._a.mp4",
        ".cache/b.mp4",
        "notes.txt",
        "data/MANIFEST.tsv",
        "data/photos/c.jpg",
    )
    assert [i.name for i in find_items(tmp_path, tmp_path / "data")] == ["a.mp4"]


def members(group: str, count: int, split: str = "") -> list[Member]:
    return [Member(f"{group}/{i}.mp4", group, split) for i in range(count)]


def test_an_eighth_of_every_class_is_held_out() -> None:
    splits = plan_split([*members("rain", 40), *members("wind", 6), *members("fire", 3)])
    held = [origin for origin, split in splits.items() if split == HELD_OUT]
    assert [sum(o.startswith(c) for o in held) for c in ("rain", "wind", "fire")] == [5, 1, 0]
    assert splits == plan_split(reversed([*members("rain", 40), *members("wind", 6), *members("fire", 3)]))


@pytest.mark.parametrize(("count", "held"), [(1, 0), (3, 0), (4, 1), (5, 1), (8, 1), (80, 10)])
def test_small_sets_hold_out_one_file_of_four(count: int, held: int) -> None:
    assert [*plan_split(members("", count)).values()].count(HELD_OUT) == held


def test_what_was_trained_on_is_never_held_out_later() -> None:
    earlier = {m.origin: plan_split(members("", 3))[m.origin] for m in members("", 3)}
    later = plan_split([Member(o, "", s) for o, s in earlier.items()] + members("", 20)[3:])
    assert all(later[o] == TRAIN for o in earlier) and [*later.values()].count(HELD_OUT) == 2


def test_the_only_file_of_a_class_is_never_held_out() -> None:
    splits = plan_split([Member(f"only {name}", name) for name in "abcdef"])
    assert set(splits.values()) == {TRAIN}


def test_pieces_of_one_origin_stay_together() -> None:
    splits = plan_split([Member(f"p{i % 8}", "cello photo") for i in range(80)])
    assert len(splits) == 8 and [*splits.values()].count(HELD_OUT) == 1
