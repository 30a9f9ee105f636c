"""A small study that every test of this folder may read: two sounds, two models, real clips, an untrained world."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.export.study.key import Key, read_key

from ..helpers import write_wav

RATE = 44_100
SECONDS = 0.4


def make_clip(path: Path, size: str, sound: bool) -> Path:
    """Half a second of FFmpeg's test picture at 25 frames a second."""
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc=duration=0.5:size={size}:rate=25"]
    command += ["-f", "lavfi", "-i", "sine=frequency=880:duration=0.5", "-c:a", "aac"] if sound else []
    subprocess.run([*command, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rain.wav and bell-1.wav, and clips/ with a real clip for each; that of the bell is silent."""
    folder = tmp_path_factory.mktemp("inputs")
    time = np.arange(round(0.6 * RATE)) / RATE
    write_wav(folder / "rain.wav", np.random.default_rng(3).uniform(-0.5, 0.5, (2, len(time))), RATE)
    write_wav(folder / "bell-1.wav", 0.5 * np.sin(2 * np.pi * 660 * time)[None], RATE)
    (folder / "clips").mkdir()
    make_clip(folder / "clips" / "rain.mp4", "96x64", sound=True)
    make_clip(folder / "clips" / "bell-1.mkv", "64x96", sound=False)
    return folder


def arguments(world: str, inputs: Path, out: Path, *more: str) -> list[str]:
    """A command line for a study of both sounds."""
    sounds = ["--sound", str(inputs / "rain.wav"), "--sound", str(inputs / "bell-1.wav")]
    return ["study", world, "-o", str(out), *sounds, "--seconds", str(SECONDS), "--device", "ort", *more]


@pytest.fixture(scope="session")
def study(tiny_world: str, inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the study; nothing may be changed in it."""
    out = tmp_path_factory.mktemp("study") / "study"
    more = ("--variant", "ours", "--variant", "no-sound", "--reference", str(inputs / "clips"))
    assert main(arguments(tiny_world, inputs, out, *more)) == 0
    return out


@pytest.fixture(scope="session")
def key(study: Path) -> Key:
    return read_key(study / "key.json")
