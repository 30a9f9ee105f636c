"""Files with several sound tracks: all are listed, and each can be taken."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.errors import InputError


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MXF as of a camera: the first of its two mono tracks is silent."""
    path = tmp_path_factory.mktemp("film") / "two.mxf"
    make = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=1", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono:d=1", "-f",
            "lavfi", "-i", "sine=r=48000:d=1", "-map", "0", "-map", "1", "-map", "2", "-t", "1", "-c:v", "mpeg2video",
            "-c:a", "pcm_s16le", str(path)]  # fmt: skip
    subprocess.run(["ffmpeg", "-v", "error", *make], check=True)
    return path


@pytest.fixture(scope="module")
def dubbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tone of 300 Hz in English, one of 900 Hz in German."""
    path = tmp_path_factory.mktemp("dubbed") / "dubbed.mkv"
    make = ["-f", "lavfi", "-i", "sine=f=300:d=1", "-f", "lavfi", "-i", "sine=f=900:d=1", "-map", "0", "-map", "1",
            "-c:a", "flac", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger",
            str(path)]  # fmt: skip
    subprocess.run(["ffmpeg", "-v", "error", *make], check=True)
    return path


def pitch(path: Path, track: str | None) -> float:
    with open_sound(path, track) as sound:
        mono = np.concatenate(list(sound.mono(sound.rate)))
    return float(np.abs(np.fft.rfft(mono)).argmax() * sound.rate / len(mono))


def test_the_list_is_said_and_a_silent_one_is_not_taken_without_a_word(
    film: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_sound(film) as sound:
        assert not any(block.any() for block in sound.mono())
    listed, silent = caplog.messages
    assert f"{film} has 2 sound tracks: 1 pcm_s16le 1 channels; 2 pcm_s16le 1 channels. Track 1 is used" in listed
    assert "what was read of track 1 is silent" in silent


def test_a_track_by_its_number(film: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_sound(film, "2") as sound:
        assert max(float(np.abs(block).max()) for block in sound.mono()) > 0.05
    assert not caplog.messages


@pytest.mark.parametrize(
    ("track", "hz"), [("1", 300), ("2", 900), ("eng", 300), ("ger", 900), ("deu", 900), ("de", 900), ("EN", 300)]
)
def test_a_track_by_its_language(dubbed: Path, track: str, hz: int) -> None:
    assert pitch(dubbed, track) == pytest.approx(hz, abs=2)


@pytest.mark.parametrize("track", ["3", "0", "fra", "nothing", ""])
def test_one_that_is_not_there_is_refused_with_the_list(dubbed: Path, track: str) -> None:
    with pytest.raises(InputError) as caught:
        open_sound(dubbed, track)
    assert f"no sound track {track}" in caught.value.message
    assert caught.value.hint == "It has: 1 flac mono eng; 2 flac mono ger."


def test_no_name_is_no_track(film: Path) -> None:
    """Its tracks have no language."""
    with pytest.raises(InputError, match="track"):
        open_sound(film, "")
