"""Where a user's files lie: today's places on Linux, the system's own elsewhere, and none that was used is left."""

import sys
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from sonorama.engine.control import presets
from sonorama.engine.files import folders

OWN = ("SONORAMA_CACHE", "SONORAMA_LOOKS", "SONORAMA_LOGS")
XDG = ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_VIDEOS_DIR", "XDG_CONFIG_HOME")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the places of Linux")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (*OWN, *XDG):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@linux
def test_the_places_of_linux_are_those_that_they_always_were(home: Path) -> None:
    assert folders.cache_folder() == home / ".cache" / "sonorama"
    assert folders.presets_folder() == presets.folder() == home / ".local" / "share" / "sonorama" / "looks"
    assert folders.videos_folder() == home / "Videos" / "sonorama"
    assert folders.log_folder() == home / ".local" / "state" / "sonorama" / "log"


@linux
@pytest.mark.parametrize(
    ("variable", "folder", "below"),
    [
        ("XDG_CACHE_HOME", folders.cache_folder, "sonorama"),
        ("XDG_DATA_HOME", folders.presets_folder, "sonorama/looks"),
        ("XDG_STATE_HOME", folders.log_folder, "sonorama/log"),
        ("XDG_VIDEOS_DIR", folders.videos_folder, "sonorama"),
    ],
)
def test_xdg_variables_hold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, folder: Callable[[], Path], below: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "given"))
    assert folder() == tmp_path / "given" / below


def test_our_own_variables_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*OWN, *XDG):
        monkeypatch.setenv(name, str(tmp_path / name))
    (tmp_path / "XDG_CACHE_HOME" / "sonorama").mkdir(parents=True)
    found = [folders.cache_folder(), folders.presets_folder(), folders.log_folder()]
    assert found == [tmp_path / name for name in OWN]


@linux
def test_the_user_s_own_name_for_videos(home: Path) -> None:
    (home / ".config").mkdir()
    (home / ".config" / "user-dirs.dirs").write_text('XDG_VIDEOS_DIR="$HOME/Filme"\n')
    assert folders.videos_folder() == home / "Filme" / "sonorama"
    (home / "Videos" / "sonorama").mkdir(parents=True)
    assert folders.videos_folder() == home / "Videos" / "sonorama", "recordings lie there already"


def test_where_the_system_has_other_places_those_in_use_stay(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """As on macOS and Windows, where versions before put everything where Linux has it."""
    elsewhere = home / "Library"
    for name in ("user_cache_path", "user_data_path"):
        monkeypatch.setattr(platformdirs, name, lambda *_, name=name: elsewhere / name)
    assert folders.cache_folder() == elsewhere / "user_cache_path"
    assert folders.presets_folder() == elsewhere / "user_data_path" / "looks"
    (home / ".local" / "share" / "sonorama" / "looks").mkdir(parents=True)
    (home / ".cache" / "sonorama").mkdir(parents=True)
    assert folders.cache_folder() == home / ".cache" / "sonorama"
    assert folders.presets_folder() == home / ".local" / "share" / "sonorama" / "looks"
