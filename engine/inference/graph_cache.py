"""The ONNX graphs of worlds, written once and kept by the world's hash: in the cache folder, or in a temporary one if
that cannot be written.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError, SonoramaError, WorldError
from ..files.folders import cache_folder, is_folder
from ..ipc.shared_paths import own_folder, user_number
from .exported import exported_graphs
from .sound_frames import listens_by_frames, split_sound

if TYPE_CHECKING:
    from ..model.world_file import World

log = logging.getLogger(__name__)
GRAPH_VERSION = 3
"""Raise it when the graphs of an unchanged world change."""
_READABLE = 0o755
"""Mode of a folder of graphs: another user's program may play from a cache folder that is shared."""


def graph_folder(world: World) -> Path:
    """Where the graphs of a world are kept: below $SONORAMA_CACHE, else the user's cache folder."""
    return _below(cache_folder(), world)


def _below(cache: Path, world: World) -> Path:
    exported = exported_graphs(world)
    name = f"{world.card.content[:32]}-v{GRAPH_VERSION}"
    return cache / "graphs" / (name if exported is None else f"{name}-{exported.key}")


def spare_cache() -> Path:
    """The folder for when the cache folder cannot be written: this user's own, in the temporary folder.

    Raises:
        UnsafePath: something of that name is there that another user controls.
        OSError: it cannot be made.

    """
    return own_folder(_spare())


def _spare() -> Path:
    return Path(tempfile.gettempdir()) / f"sonorama-cache-{user_number()}"


def found_graphs(world: World) -> Path | None:
    """The folder of a world's graphs, if this machine has them."""
    folder = graph_folder(world)
    if is_folder(folder):
        return folder
    with contextlib.suppress(OSError, SonoramaError):
        if is_folder(_spare()) and is_folder(spare := _below(spare_cache(), world)):
            return spare
    return None


def told_spare(world: World) -> str:
    """One line if the graphs of a world are still in the temporary folder after `ready_graphs`: the cache folder cannot
    be written.
    """
    if is_folder(graph_folder(world)) or (found := found_graphs(world)) is None:
        return ""
    return (
        f"The cache folder {cache_folder()} cannot be written; what is made for world {world.card.name} is in {found}"
    )


def ready_graphs(world: World) -> Path:
    """The folder of a world's graphs, written if this machine has none yet.

    It is renamed into place when complete, so that neither a broken one nor two programs at once leave half of it. A
    cache folder that cannot be written stops nothing: a temporary folder does as well, and a warning says so. What is
    in the temporary folder is copied to the cache as soon as that can be written.

    Raises:
        WorldError: tensors and card of the world do not go together, or it is an exported folder that is damaged.
        OutputError: neither folder can be written.

    """
    folder, found = graph_folder(world), found_graphs(world)
    if found is not None and (exported := exported_graphs(world)) is not None:
        exported.check()
    if found == folder:
        return folder
    write = partial(_write, world)
    fill = write if found is None else partial(shutil.copytree, found, symlinks=True, dirs_exist_ok=True)
    try:
        return _placed(folder, fill)
    except OSError as error:
        reason = error.strerror or str(error)
    if found is None:
        try:
            found = _placed(_below(spare_cache(), world), write)
        except OSError as failed:
            message = f"The graphs of world {world.card.name} cannot be written: {folder}: {reason}"
            raise OutputError(message, "Make room, or set SONORAMA_CACHE to a folder for them.") from failed
    _warn_once(f"{told_spare(world)} ({reason})")
    return found


@cache
def _warn_once(line: str) -> None:
    """Warn, once a process."""
    log.warning(line)


def _placed(folder: Path, fill: Callable[[Path], object]) -> Path:
    """A folder that appears when `fill` has filled it. Raises OSError: it cannot be written."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        fill(made)
        made.chmod(_READABLE)
        made.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another program was quicker
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _write(world: World, folder: Path) -> None:
    from .graphs.build import write_graphs

    if (exported := exported_graphs(world)) is None:
        write_graphs(world, folder)
    else:
        exported.cut(folder)
    split_sound(folder)
    if exported is not None and world.card.frames is not None and not listens_by_frames(folder):
        raise WorldError(f"{exported.folder} was exported by an earlier version", "Export it again to play it here.")


def compiled_folders(graphs: Path, name: str) -> Iterator[str]:
    """Where what a runtime compiles of graphs may be kept, best first; the last is none.

    Args:
        graphs: the folder of a world's graphs.
        name: of the runtime and its number format.

    """
    yield str(graphs / name)
    with contextlib.suppress(OSError, SonoramaError):
        yield str(spare_cache() / "graphs" / graphs.name / name)
    yield ""
