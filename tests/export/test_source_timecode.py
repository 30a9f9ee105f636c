"""The timecode of a sound's file goes into the film, counted on to where the film begins."""

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from sonorama.engine.audio.source_timecode import SourceTimecode, source_timecode
from sonorama.export.timecode import carried, timecode

NTSC = Fraction(30000, 1001)


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def label(text: str, fps: Fraction) -> SourceTimecode:
    hours, minutes, seconds, frames = (int(part) for part in text.replace(";", ":").split(":"))
    return SourceTimecode((hours, minutes, seconds, Fraction(frames, round(fps))), ";" in text, fps)


@pytest.mark.parametrize(
    ("text", "source", "fps", "start", "wanted"),
    [
        ("10:00:00:12", 25, 25, 0.0, "10:00:00:12"),
        ("10:00:00:12", 25, 25, 2.0, "10:00:02:12"),
        ("10:00:00:12", 25, 50, 0.0, "10:00:00:24"),
        ("23:59:59:24", 25, 25, 0.04, "00:00:00:00"),
        ("01:00:59;29", NTSC, NTSC, 0.0, "01:00:59;29"),
        ("01:00:59;29", NTSC, NTSC, 0.034, "01:01:00;02"),
        ("01:09:59;29", NTSC, NTSC, 0.034, "01:10:00;00"),
        ("01:00:59:29", NTSC, NTSC, 0.034, "01:01:00:00"),
        ("01:01:00:00", 25, NTSC, 0.0, "01:01:00;02"),
    ],
)
def test_counted_on(text: str, source: Fraction, fps: Fraction, start: float, wanted: str) -> None:
    got = carried(label(text, Fraction(source)), Fraction(fps), start)
    assert got == wanted
    assert timecode(got, Fraction(fps)) == wanted  # which refuses numbers that drop-frame skips


def test_none_at_a_rate_that_has_none() -> None:
    assert carried(label("01:00:00:00", Fraction(25)), Fraction(15), 0.0) is None


@pytest.mark.parametrize(("name", "codec"), [("a.mov", "prores"), ("a.mxf", "mpeg2video"), ("a.mkv", "libx264")])
def test_of_a_video(tmp_path: Path, name: str, codec: str) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=0.4", "-f", "lavfi", "-i", "sine=r=48000:d=0.4", "-c:v", codec,
           "-c:a", "pcm_s16le", "-timecode", "10:00:00:12", tmp_path / name)  # fmt: skip
    got = source_timecode(tmp_path / name)
    assert got == SourceTimecode((10, 0, 0, Fraction(12, 25)), False, Fraction(25))


def test_of_a_recorder(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=r=48000:d=0.4", "-write_bext", "1", "-metadata",
           f"time_reference={48000 * 3723 + 24000}", tmp_path / "a.wav")  # fmt: skip
    got = source_timecode(tmp_path / "a.wav")
    assert carried(got, Fraction(25), 0.0) == "01:02:03:12"


def test_a_sound_without_one(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.4", tmp_path / "a.wav")
    assert source_timecode(tmp_path / "a.wav") is None
