"""Which world loader reads a file: ours first, then those of other packages."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from ..errors import SonoramaError, WorldError, one_line_error
from ..files.folders import files_in
from ..plugins.interfaces import WorldLoader
from ..plugins.registry import OWN_PACKAGE, WORLD_LOADERS, find_used, load_point, make_from, package_of

log = logging.getLogger(__name__)
EXPORTED_MANIFEST, EXPORTED_WORLD = "manifest.json", "world.safetensors"
"""Files of a folder that `sonorama export` wrote; it is played as a world."""


def loaders() -> Iterator[WorldLoader]:
    """Every world loader that works, ours first; each is loaded when its turn comes."""
    points = sorted(find_used(WORLD_LOADERS).values(), key=lambda point: package_of(point) != OWN_PACKAGE)
    for point in points:
        try:
            yield make_from(WORLD_LOADERS, point.name, load_point(WORLD_LOADERS, point))
        except SonoramaError as error:
            log.warning("%s. %s", error.message, error.hint)


def loader_of(path: Path) -> WorldLoader:
    """The first loader that knows a file; if none does, ours, which says what is wrong with it.

    Raises:
        WorldError: no loader works at all.

    """
    found: list[WorldLoader] = []
    for loader in loaders():
        found.append(loader)
        try:
            if loader.knows(path):
                return loader
        except Exception as error:  # noqa: BLE001 (a plug-in may raise anything, and the next one may know the file)
            log.warning("The world loader %s failed on %s: %s", type(loader).__name__, path, one_line_error(error))
    if not found:
        raise WorldError(f"{path}: no world loader works", "See: sonorama plugins")
    return found[0]


def world_files(folder: Path) -> list[Path]:
    """Files of a folder that any loader's suffixes name, by name."""
    suffixes = {suffix for loader in loaders() for suffix in loader.suffixes}
    return sorted(
        path for path in files_in(folder) if path.suffix.lower() in suffixes and not path.name.startswith(".")
    )
