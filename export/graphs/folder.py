"""The folder of an export: written whole from another one, and replaced only if all in it is on record as ours."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...engine.errors import OutputError
from ...engine.files.atomic import check_folder, translated
from ...engine.files.record import FILES, Record
from ...engine.model.world_formats import EXPORTED_MANIFEST, EXPORTED_WORLD

OURS = (EXPORTED_MANIFEST, EXPORTED_WORLD)
GRAPH = ".onnx"
OF_DESKTOPS = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that desktops put into any folder."""


@contextmanager
def export_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder; when the block is left without an error, what was written there becomes `out`.

    An earlier export in `out` is replaced. It stays as it is if the block fails.

    Raises:
        OutputError: `out` cannot be written, is a file, or holds anything that is not on record as ours.

    """
    check_out(out)
    with translated(out), tempfile.TemporaryDirectory(prefix=".sonorama-export-", dir=out.resolve().parent) as made:
        yield Path(made)
        _move(Path(made), out)


def check_out(out: Path) -> None:
    """Refuse a folder that cannot be written, or that holds what is not ours.

    Raises:
        OutputError: says which.

    """
    parent = out.resolve().parent
    if not parent.is_dir():
        raise OutputError(f"There is no folder {parent}", "Make it first, or choose another folder.")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file, not a folder", "Choose another folder.")
    check_folder(out if out.is_dir() else parent, out)
    if not out.is_dir():
        return
    record = Record(out)
    names = sorted(path.name for path in out.iterdir())
    there = [name for name in names if name not in (FILES, *OF_DESKTOPS) and ".sonorama-" not in name]  # left by a kill
    foreign = [name for name in there if name not in record or not _is_ours(name)]
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        message = f"{out} holds {foreign[0]}{more}, not written by sonorama export"
        raise OutputError(message, "Choose another folder, or move that away.")
    if changed := [name for name in there if not record.whole(name)]:
        raise OutputError(f"{changed[0]} in {out} was changed since it was exported", "Choose another folder.")


def _is_ours(name: str) -> bool:
    return name in OURS or name.endswith(GRAPH)


def _move(made: Path, out: Path) -> None:
    """Replace what is on record in `out` by the files of `made`; the manifest comes last."""
    check_out(out)  # again: writing took seconds
    out.mkdir(exist_ok=True)
    old = Record(out)
    if old.begun:
        old.open()
        old.undo()
        old.close()
    record = Record(out)
    try:
        record.open()
        for path in sorted(made.iterdir(), key=lambda path: (path.name == EXPORTED_MANIFEST, path.name)):
            record.write(path.name, lambda part, source=path: _copy(source, part))
    finally:
        record.close()


def _copy(source: Path, part: Path) -> None:
    shutil.copyfile(source, part)
    part.chmod(0o644)
