"""Folders that `sonorama export` wrote, played as worlds: the graphs that run are cut out of the exported ones.

An exported graph takes samples and gives bytes too; inside are the nodes that the engine runs between its own numpy
code, so what is played has the same bits as the world that the folder was made from.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import WorldError
from ..files.fingerprint import matches
from ..model.world_formats import EXPORTED_MANIFEST, EXPORTED_WORLD

if TYPE_CHECKING:
    import onnx

    from ..model.world_file import World

FORMAT, FORMAT_VERSION = "sonorama-graphs", 1
LONGEST_MANIFEST = 64_000_000
"""Bytes."""
EXACT, HALF = "fp32", "fp16"
CUTS = {
    "sound": (("window",), ("code",)),
    "encoder": (("window", "code"), ("displacement", "presence")),
    "motion": (("u", "h"), ("delta", "h_next")),
    "mapping": (("z",), ("w",)),
    "synthesis": (("ws",), ("picture",)),
    "text": (("rows",), ("code",)),
}
"""Graph -> inputs and outputs of the part that the engine runs."""
PLACED = "placed"
"""Of StyleGAN3, in its exported synthesis: style codes with their placement, the engine's `ws`."""
OF_OTHERS = {"base"}
"""Graphs for other programs alone: the engine computes what they do in numpy."""


@dataclass(frozen=True)
class ExportedGraphs:
    """The graphs of a folder.

    Attributes:
        folder: where they are.
        files: graph -> its entry in the manifest, with size and hash.
        key: changes with any of the graphs.

    """

    folder: Path
    files: dict[str, Any]
    key: str

    def check(self) -> None:
        """WorldError where a graph is not as it was exported."""
        for name, told in self.files.items():
            if not matches(self.folder / f"{name}.onnx", told):
                raise _damaged(self.folder, f"{name}.onnx is not as it was exported")

    def cut(self, into: Path) -> None:
        """Write the graphs that the engine runs into a folder.

        Raises:
            WorldError: one of them is damaged, or lacks that part.

        """
        import onnx
        from onnx.utils import Extractor

        self.check()
        for name in self.files.keys() - OF_OTHERS:
            inputs, outputs = CUTS[name]
            source, target = self.folder / f"{name}.onnx", into / f"{name}.onnx"
            try:
                model = onnx.load(source)
                if [port.name for port in (*model.graph.input, *model.graph.output)] == [*inputs, *outputs]:
                    shutil.copyfile(source, target)
                    continue
                placed = any(PLACED in node.output for node in model.graph.node)
                known = Extractor(onnx.shape_inference.infer_shapes(model))
                part = known.extract_model([PLACED] if placed else [*inputs], [*outputs])
                onnx.save(_named_as_played(part) if placed else part, target)
            except (ValueError, KeyError, onnx.checker.ValidationError) as error:
                raise _damaged(self.folder, f"{name}.onnx has no part that can be played") from error


def _named_as_played(model: onnx.ModelProto) -> onnx.ModelProto:
    """A synthesis that takes PLACED, which becomes `ws`."""
    model.graph.input[0].name = "ws"
    for node in model.graph.node:
        node.input[:] = ["ws" if name == PLACED else name for name in node.input]
    return model


def exported_graphs(world: World) -> ExportedGraphs | None:
    """The graphs that lie beside a world, if its file is that of an exported folder.

    Raises:
        WorldError: its manifest is damaged, of another version or of another world.

    """
    path = Path(world.card.path)
    manifest = path.with_name(EXPORTED_MANIFEST)
    if path.name != EXPORTED_WORLD or not manifest.is_file():
        return None
    told = _manifest(manifest, manifest.stat().st_mtime_ns)
    if told.get("format") != FORMAT:
        if path.with_name("synthesis.onnx").exists():
            raise _damaged(path.parent, f"{EXPORTED_MANIFEST} is not that of its graphs")
        return None
    if told.get("format_version") != FORMAT_VERSION:
        raise WorldError(f"{manifest}: format {str(told.get('format_version'))[:20]}", "Update sonorama to play it.")
    files, about = told.get("graphs"), told.get("world")
    whole = isinstance(files, dict) and {*CUTS} - {"text"} <= files.keys() - OF_OTHERS <= {*CUTS}
    if not isinstance(files, dict) or not isinstance(about, dict) or not whole:
        raise _damaged(path.parent, f"{EXPORTED_MANIFEST} is incomplete")
    if about.get("content") != world.card.content:
        raise _damaged(path.parent, f"{EXPORTED_MANIFEST} is that of another world")
    if told.get("precision") != EXACT:
        message = f"{path.parent} was exported in {str(told.get('precision'))[:20]}, for other programs"
        raise WorldError(message, "Export it again with --precision fp32 to play it here.")
    hashes = json.dumps([[name, str(entry)] for name, entry in sorted(files.items())])
    return ExportedGraphs(path.parent, files, hashlib.sha256(hashes.encode()).hexdigest()[:16])


@functools.lru_cache(maxsize=4)
def _manifest(path: Path, _changed_ns: int) -> dict[str, Any]:
    try:
        if path.stat().st_size > LONGEST_MANIFEST:
            raise ValueError("too long")
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path.parent, f"{path.name} cannot be read") from error
    return told if isinstance(told, dict) else {}


def _damaged(folder: Path, reason: str) -> WorldError:
    return WorldError(f"{folder}: {reason}", "Export the world again into another folder.")
