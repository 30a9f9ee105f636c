"""The ONNX graphs of worlds, written once and kept by the world's hash: in the cache folder, or in a temporary one if
that cannot be written.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator
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
    """One line if the graphs of a world are in the temporary folder, because the cache folder cannot be written."""
    if is_folder(graph_folder(world)) or (found := found_graphs(world)) is None:
        return ""
    return (
        f"The cache folder {cache_folder()} cannot be written; what is made for world {world.card.name} is in {found}"
    )


def ready_graphs(world: World) -> Path:
    """The folder of a world's graphs, written if this machine has none yet.

    It is renamed into place when complete, so that neither a broken one nor two programs at once leave half of it. A
    cache folder that cannot be written stops nothing: a temporary folder does as well, and a warning says so.

    Raises:
        WorldError: tensors and card of the world do not go together, or it is an exported folder that is damaged.
        OutputError: neither folder can be written.

    """
    if (found := found_graphs(world)) is not None:
        if (exported := exported_graphs(world)) is not None:
            exported.check()
        return found
    folder = graph_folder(world)
    try:
        return _write(world, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        try:
            spare = _write(world, _below(spare_cache(), world))
        except OSError as failed:
            message = f"The graphs of world {world.card.name} cannot be written: {folder}: {reason}"
            raise OutputError(message, "Make room, or set SONORAMA_CACHE to a folder for them.") from failed
    log.warning("%s (%s)", told_spare(world), reason)
    return spare


def _write(world: World, folder: Path) -> Path:
    """Write the graphs. Raises OSError: the folder cannot be written."""
    from .graphs.build import write_graphs

    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        if (exported := exported_graphs(world)) is None:
            write_graphs(world, made)
        else:
            exported.cut(made)
        split_sound(made)
        if exported is not None and world.card.frames is not None and not listens_by_frames(made):
            raise WorldError(
                f"{exported.folder} was exported by an earlier version", "Export it again to play it here."
            )
        made.chmod(_READABLE)
        made.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another program was quicker
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


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
