"""The ONNX graphs of worlds, written once and kept by the world's hash."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.folders import cache_folder

if TYPE_CHECKING:
    from ..model.world_file import World

GRAPH_VERSION = 2
"""Raise it when the graphs of an unchanged world change."""


def graph_folder(world: World) -> Path:
    """Where the graphs of a world are kept: below $SONORAMA_CACHE, else the user's cache folder."""
    return cache_folder() / "graphs" / f"{world.card.content[:32]}-v{GRAPH_VERSION}"


def ready_graphs(world: World) -> Path:
    """The folder of a world's graphs, written if this machine has none yet.

    It is renamed into place when complete, so that neither a broken one nor two programs at once leave half of it.

    Raises:
        WorldError: tensors and card of the world do not go together.

    """
    folder = graph_folder(world)
    if folder.is_dir():
        return folder
    from .graphs.build import write_graphs

    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        write_graphs(world, made)
        made.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another program was quicker
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder
