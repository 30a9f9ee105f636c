"""`sonorama hear` from end to end, with a world that knows three classes and no words."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.cli.main import main

CLASSES = {"rain", "wind", "fire"}


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, seconds in {"rain.wav": 3.1, "short.wav": 0.02}.items():
        noise = np.random.default_rng(1).integers(-9000, 9000, round(seconds * 44100), dtype=np.int16)
        with wave.open(name, "wb") as file:
            file.setparams((1, 2, 44100, len(noise), "NONE", ""))
            file.writeframes(noise.tobytes())
    return tmp_path


def test_one_object_per_file_and_line(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hear", "--json", "--world", tiny_world, "rain.wav", "./short.wav"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == ["rain.wav", "./short.wav"]
    for line, seconds in zip(lines, (3.1, 0.02), strict=True):
        assert set(line["scores"]) == CLASSES
        assert sum(line["scores"].values()) == pytest.approx(1.0, abs=1e-4)
        assert line["windows"][-1]["end"] == pytest.approx(seconds, abs=0.13)
        for name in CLASSES:
            mean = np.mean([window["scores"][name] for window in line["windows"]])
            assert line["scores"][name] == pytest.approx(mean)


def test_rows_over_time(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hear", "--world", tiny_world, "rain.wav"]) == 0
    name, *rows = capsys.readouterr().out.splitlines()
    assert name == "rain.wav"
    assert [row.split()[0] for row in rows] == ["1.0", "2.0", "3.0", "mean"]
    assert all(set(row.split()) >= CLASSES for row in rows)


def test_silence_is_no_sound(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    with wave.open("silent.wav", "wb") as file:
        file.setparams((1, 2, 44100, 0, "NONE", ""))
        file.writeframes(bytes(2 * 88200))
    assert main(["hear", "--world", tiny_world, "silent.wav"]) == 0
    _, *rows = capsys.readouterr().out.splitlines()
    assert rows and all(row.endswith("no sound") for row in rows)


def test_goes_on_after_a_bad_file(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hear", "--json", "--world", tiny_world, "missing.wav", "rain.wav"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith('{"file": "rain.wav"')
    assert out.count("\n") == 1
    assert "missing.wav" in err
    assert err.count("\n") == 2


def test_a_world_without_words_takes_no_labels(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hear", "--world", tiny_world, "--label", "a choir", "rain.wav"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "tiny" in err
    assert err.count("\n") == 2
