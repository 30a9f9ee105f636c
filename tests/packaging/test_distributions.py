"""The wheel and the sdist contain everything, and a film renders from the wheel alone."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import wave
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePath

import pytest

FOLDERS = {"engine", "plugin", "ui", "export", "training"}
SDIST_TOO = {
    ".ci",
    "docs",
    "examples",
    "tests",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
}
SDIST_TOO |= {"pyproject.toml", "requirements.lock"}
OWN = {".src/sonorama/__init__.py", ".src/sonorama/py.typed"}
MAX_WHEEL_BYTES = 40_000_000


@dataclass(frozen=True)
class Built:
    wheel: Path
    sdist: Path
    wheel_of_sdist: Path


def build(kind: str, source: Path, out: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "build",
        f"--{kind}",
        "--no-isolation",
        "--outdir",
        str(out),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def built(root: Path, tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Built from a copy of the tracked files: stray ones in the checkout change nothing."""
    space = tmp_path_factory.mktemp("distributions")
    for name in tracked:
        (space / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, space / "source" / name, follow_symlinks=False)
    sdist = build("sdist", space / "source", space / "sdist")
    shutil.unpack_archive(sdist, space / "unpacked")
    (unpacked,) = (space / "unpacked").iterdir()
    wheel = build("wheel", space / "source", space / "wheel")
    return Built(wheel, sdist, build("wheel", unpacked, space / "again"))


def contents(wheel: Path) -> dict[str, int]:
    """Each file's checksum, but for the archive's own record."""
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.CRC for info in archive.infolist() if not info.filename.endswith("/RECORD")}


def test_wheel_holds_exactly_the_package(built: Built, tracked: list[str]) -> None:
    wanted = {f"sonorama/{name}" for name in tracked if PurePath(name).parts[0] in FOLDERS}
    wanted |= {"sonorama/__init__.py", "sonorama/py.typed"}
    held = {name for name in contents(built.wheel) if ".dist-info/" not in name}
    assert held == wanted
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in contents(built.wheel))


def test_sdist_holds_the_source(built: Built, tracked: list[str]) -> None:
    wanted = {name for name in tracked if PurePath(name).parts[0] in FOLDERS | SDIST_TOO} | OWN
    with tarfile.open(built.sdist) as archive:
        held = {str(PurePath(*PurePath(member.name).parts[1:])) for member in archive if not member.isdir()}
    assert held == wanted | {"PKG-INFO"}


def test_sdist_builds_the_same_wheel(built: Built) -> None:
    assert contents(built.wheel_of_sdist) == contents(built.wheel)


def test_wheel_is_not_too_large(built: Built) -> None:
    assert built.wheel.stat().st_size <= MAX_WHEEL_BYTES


@dataclass(frozen=True)
class Installed:
    """A fresh environment that holds the wheel; its dependencies are this environment's, by a .pth file."""

    folder: Path
    work: Path

    def run(self, program: str, *arguments: str) -> str:
        own = ("PYTHON", "SONORAMA_", "VIRTUAL_ENV")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        clean["SONORAMA_CACHE"] = str(self.work / "cache")
        command = [str(self.folder / "bin" / program), *arguments]
        done = subprocess.run(command, cwd=self.work, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("clean") / "env"
    venv.create(folder, with_pip=False)
    python = str(folder / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run([*pip, str(built.wheel)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Paths from a .pth file are searched last, and .pth files in them (the editable install's) are not read.
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(folder, tmp_path_factory.mktemp("elsewhere"))


def test_installed_package_is_the_wheels(installed: Installed) -> None:
    names = ["sonorama", *(f"sonorama.{folder}" for folder in sorted(FOLDERS))]
    code = f"import importlib\nfor name in {names}: print(importlib.import_module(name).__file__)"
    for file in installed.run("python", "-c", code).splitlines():
        assert Path(file).is_relative_to(installed.folder)


def test_installed_command_says_version_and_help(installed: Installed, built: Built) -> None:
    assert built.wheel.name.split("-")[1] in installed.run("sonorama", "--version")
    assert "render" in installed.run("sonorama", "--help")


def test_installed_command_lists_the_default_world(installed: Installed) -> None:
    assert "shore" in installed.run("sonorama", "worlds")


def test_installed_command_renders(installed: Installed) -> None:
    with wave.open(str(installed.work / "tick.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(44100)
        sound.writeframes(bytes(2 * 22050))
    installed.run("sonorama", "render", "tick.wav", "-o", "film.mp4", "--fps", "10")
    probe = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", "film.mp4"]
    done = subprocess.run(probe, cwd=installed.work, capture_output=True, text=True, check=True)
    streams = {stream["codec_type"]: stream for stream in json.loads(done.stdout)["streams"]}
    assert streams["video"]["nb_read_frames"] == "5"
    assert "audio" in streams
