"""Exports a world: its graphs, their comparison with torch, and the manifest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...engine.inference.exported import EXACT, HALF
from ...engine.inference.graphs.graph import OPSET
from ...engine.model.world_file import SafetensorsLoader, World, save_world
from ...engine.model.world_formats import EXPORTED_MANIFEST, EXPORTED_WORLD, loader_of
from .build import GraphWriter
from .folder import export_folder
from .manifest import manifest_of
from .parity import Row, compare


@dataclass(frozen=True)
class Report:
    """What was exported. files: names in the folder; rows: of the comparison."""

    files: Sequence[str]
    rows: Sequence[Row]


def export_world(
    world: World, out: Path, precision: str = EXACT, opset: int = OPSET, on: Callable[[str], None] = lambda _: None
) -> Report:
    """Write the folder of a world; an earlier export there is replaced once the new one is whole and compared.

    Args:
        world: what to export; its file goes along in fp32, so that the engine can play the folder.
        out: the folder, new or of an earlier export.
        precision: fp32, or fp16: G in half precision, and constants that lose nothing by it.
        opset: version of the ONNX operators, see command.py.
        on: told what is done next.

    Raises:
        OutputError: the folder cannot be written, or holds other things.
        SonoramaError: a graph does not compute what torch does.

    """
    half = precision == HALF
    with export_folder(out) as folder:
        on("graphs")
        exported = [*GraphWriter(world, folder, half, opset).write()]
        on("comparison with torch")
        rows = compare(world, exported, folder, half)
        if not half:
            world = _with_file(world, folder / EXPORTED_WORLD)
        told = manifest_of(world, exported, folder, precision, opset, rows)
        (folder / EXPORTED_MANIFEST).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
        files = sorted(path.name for path in folder.iterdir())
    return Report(files, rows)


def _with_file(world: World, path: Path) -> World:
    """Put the world's file beside the graphs: as it is, or as a world file if it is of another format."""
    source = Path(world.card.path)
    if isinstance(loader_of(source), SafetensorsLoader):
        shutil.copyfile(source, path)
        return world
    return World(save_world(path, world.card, world.tensors), world.tensors)
