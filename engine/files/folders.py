"""The folders of a user's files: caches, presets, logs and recordings, as each system has them (platformdirs).

Each has an environment variable of its own that comes first. On Linux the XDG variables hold. A folder that an earlier
version made elsewhere, which was always the one of Linux, stays in use: nothing of the user's is moved. Any of them
may be missing or closed to this user; whoever reads one uses `is_folder` and `is_there`, which do not raise.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import ModuleType

_APP = "sonorama"


def _system() -> ModuleType:
    """platformdirs, which a machine that only trains or measures may lack where the variables name its folders."""
    import platformdirs

    return platformdirs


def cache_folder() -> Path:
    """For what can be made again, such as the graphs of worlds: $SONORAMA_CACHE, else the user's cache folder."""
    return _given("SONORAMA_CACHE") or _earlier(
        "XDG_CACHE_HOME", ".cache", _own(_system().user_cache_path(_APP, False))
    )


def presets_folder() -> Path:
    """For saved looks, shows and scenes: $SONORAMA_LOOKS, else `looks` in the user's data folder."""
    data = _earlier("XDG_DATA_HOME", ".local/share", _own(_system().user_data_path(_APP, False)))
    return _given("SONORAMA_LOOKS") or data / "looks"


def codes_folder() -> Path:
    """For the codes of photos and videos (model/base_code.py): $SONORAMA_CODES, else `codes` in the data folder."""
    return _given("SONORAMA_CODES") or _own(_system().user_data_path(_APP, False)) / "codes"


def worlds_folder() -> Path:
    """For worlds that the user made: the first of $SONORAMA_WORLDS (a path list), else `worlds` in the data folder."""
    given = [part for part in os.environ.get("SONORAMA_WORLDS", "").split(os.pathsep) if part]
    return Path(given[0]) if given else _own(_system().user_data_path(_APP, False)) / "worlds"


def photos_folder() -> Path:
    """For photos that /look/photo names: $SONORAMA_PHOTOS, else `photos` in the data folder."""
    return _given("SONORAMA_PHOTOS") or _own(_system().user_data_path(_APP, False)) / "photos"


def sounds_folder() -> Path:
    """For sounds that points of the blend surface name: $SONORAMA_SOUNDS, else `sounds` in the data folder."""
    return _given("SONORAMA_SOUNDS") or _own(_system().user_data_path(_APP, False)) / "sounds"


def log_folder() -> Path:
    """For the logs of shows: $SONORAMA_LOGS, else the user's log folder (Linux: ~/.local/state/sonorama/log)."""
    return _given("SONORAMA_LOGS") or _own(_system().user_log_path(_APP, False))


def shows_folder() -> Path:
    """For what shows keep to be resumed after they were killed: $SONORAMA_SHOWS, else `shows` in the state folder."""
    return _given("SONORAMA_SHOWS") or _own(_system().user_state_path(_APP, False)) / "shows"


def videos_folder() -> Path:
    """For recordings: `sonorama` among the user's videos."""
    return _earlier("XDG_VIDEOS_DIR", "Videos", _own(_system().user_videos_path() / _APP))


def _given(variable: str) -> Path | None:
    given = os.environ.get(variable)
    return Path(given) if given else None


def _earlier(variable: str, below_home: str, now: Path) -> Path:
    """The folder that versions before platformdirs used, if it is there, else `now`."""
    given = os.environ.get(variable)
    earlier = (Path(given) if given else _home() / below_home) / _APP
    return earlier if is_folder(earlier) else now


def _own(folder: Path) -> Path:
    """A folder as platformdirs names it; below the temporary folder where it does not know the user's home."""
    return folder if folder.is_absolute() else _home() / folder.relative_to("~")


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user without an entry among the system's, as in containers
        return Path(tempfile.gettempdir())


def is_folder(path: Path) -> bool:
    """Whether it is a folder; one that this user may not look for is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def files_in(folder: Path, pattern: str = "*") -> list[Path]:
    """Files of a folder whose names match; none where there is no folder, or it is closed to this user."""
    return list(folder.glob(pattern)) if is_folder(folder) else []


def is_there(path: Path) -> bool:
    """Whether there is something of that name; what this user may not look for is not there."""
    try:
        return path.exists()
    except OSError:
        return False
