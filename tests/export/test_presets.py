"""Which preset a name and a suffix mean, and what is refused before any work."""

from fractions import Fraction
from pathlib import Path

import pytest
from av.codec import codecs_available

from sonorama.engine.errors import OutputError
from sonorama.export.presets import CONTAINERS, MXF_RATES, PRESETS, check_rate, check_size, choose

ASKED = "h264 h264-10bit hevc-10bit prores-422hq prores-4444 dnxhr-hqx ffv1 av1 dxv hap png tiff16 exr"


def test_the_table_holds_what_editors_ask_for() -> None:
    assert set(PRESETS) == set(ASKED.split())
    assert all(preset.codec in codecs_available for preset in PRESETS.values())
    assert all(set(preset.suffixes) <= set(CONTAINERS) for preset in PRESETS.values() if not preset.sequence)


@pytest.mark.parametrize(
    ("out", "name"),
    [
        ("a.mp4", "h264"),
        ("a.MP4", "h264"),
        ("a.mov", "prores-422hq"),
        ("a.mkv", "h264"),
        ("a.mxf", "dnxhr-hqx"),
        ("a", "png"),
    ],
)
def test_the_default_follows_the_suffix(out: str, name: str) -> None:
    assert choose(None, Path(out)).name == name


def test_a_folder_is_a_sequence_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "take.v2").mkdir()
    assert choose(None, tmp_path / "take.v2").name == "png"
    assert choose("exr", Path("shots.v2")).name == "exr"


@pytest.mark.parametrize(
    ("name", "out", "hint"),
    [
        ("prores-422hq", "a.mp4", ".mov or .mkv"),
        ("dnxhr-hqx", "a.mkv", ".mov or .mxf"),
        ("prores-422hq", "a.mxf", "dnxhr-hqx"),
        ("hap", "a.mp4", ".mov"),
        ("ffv1", "a.mp4", ".mkv"),
        ("av1", "a.mov", ".mp4 or .mkv"),
        ("png", "a.mp4", "a folder"),
        ("exr", "a.mov", "a folder"),
        ("h264", "a", ".mp4 or .mov or .mkv"),
        ("h264", "a.avi", ".mp4"),
        (None, "a.avi", ".mp4, .mov, .mkv or .mxf"),
        (None, "a.wav", "folder"),
        ("h265", "a.mp4", "hevc-10bit"),
    ],
)
def test_a_preset_that_does_not_fit_is_refused(name: str | None, out: str, hint: str) -> None:
    with pytest.raises(OutputError) as caught:
        choose(name, Path(out))
    assert hint in caught.value.hint
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "size", "good"),
    [
        ("h264", (255, 256), "256x256"),
        ("h264", (256, 255), "256x256"),
        ("hevc-10bit", (1921, 1081), "1922x1082"),
        ("prores-422hq", (255, 255), "256x255"),
        ("dnxhr-hqx", (128, 72), "256x120"),
        ("av1", (32, 32), "64x64"),
        ("dxv", (1920, 1080), "1920x1088"),
        ("hap", (1366, 768), "1368x768"),
        ("png", (0, 10), "1920x1080"),
        ("ffv1", (-4, 4), "1920x1080"),
        ("ffv1", (8, 33), "16x33"),
        ("png", (20_000, 10), "16384"),
    ],
)
def test_a_size_that_does_not_fit_is_refused_with_one_that_does(name: str, size: tuple[int, int], good: str) -> None:
    with pytest.raises(OutputError, match=f"{size[0]}x{size[1]}") as caught:
        check_size(PRESETS[name], size)
    assert good in caught.value.hint


@pytest.mark.parametrize(
    ("name", "size"),
    [("prores-422hq", (254, 255)), ("prores-4444", (255, 255)), ("ffv1", (17, 31)), ("png", (1, 1))],
)
def test_odd_sizes_pass_where_nothing_is_subsampled(name: str, size: tuple[int, int]) -> None:
    check_size(PRESETS[name], size)


def test_mxf_refuses_rates_without_an_edit_unit() -> None:
    for fps in MXF_RATES:
        check_rate(Path("a.mxf"), fps)
    check_rate(Path("a.mov"), Fraction(25, 2))
    with pytest.raises(OutputError, match="25/2") as caught:
        check_rate(Path("a.MXF"), Fraction(25, 2))
    assert "30000/1001" in caught.value.hint
    assert len(str(caught.value).splitlines()) == 2
