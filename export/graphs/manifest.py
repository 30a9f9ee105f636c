"""`manifest.json` of an exported folder: all that another program needs to play the graphs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.control.addresses import LOOK_PLACE, LOOK_SHIFT_X, LOOK_SHIFT_Y, LOOK_TURN, MeaningName, meaning, motion
from ...engine.control.render_table import MEANING_SLOTS, TABLE
from ...engine.files.fingerprint import MADE_BY, fingerprint
from ...engine.inference.exported import FORMAT, FORMAT_VERSION
from ...engine.model.joint_space import FIRST_WORD, PADDING, UNKNOWN
from ...engine.model.mel import HOP
from ...engine.model.seed_bank import SeedBank, bank_part
from ...engine.pipeline.class_places import places_of
from ...engine.units import LEVELS, SAMPLE_RATE
from ...engine.versions import versions
from .build import LEVEL_PARAMETERS
from .parity import Row
from .ports import Exported

if TYPE_CHECKING:
    from ...engine.model.world_file import World

SEEDS = 16
"""Seeds whose z is in the manifest, from 1."""
START_SEED = 1
_OF_CLASSES: tuple[MeaningName, ...] = ("amount", "floor")


def manifest_of(
    world: World, exported: Sequence[Exported], folder: Path, precision: str, opset: int, rows: Sequence[Row]
) -> dict[str, Any]:
    """The manifest of graphs that lie in a folder, compared with torch: `rows`."""
    card = world.card
    levels = {level: [codes.start, codes.stop] for level, codes in card.level_codes().items()}
    names = ("name", "version", "licence", "description", "content")
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "made_by": MADE_BY,
        "versions": versions(),
        "world": {name: getattr(card, name) for name in names} | {"credits": list(card.credits)},
        "precision": precision,
        "opset": opset,
        "sound": {"rate": SAMPLE_RATE, "channels": 1, "hop": HOP},
        "picture": {"width": card.width, "height": card.height, "inset": card.inset},
        "graphs": {graph.name: _graph(graph, folder) for graph in exported},
        "labels": [*card.classes, *card.names],
        "classes": len(card.classes),
        "levels": levels,
        "w_avg": world.tensors["generator.mapping.w_avg"].tolist(),
        "sigma_w": world.tensors["generator.mapping.w_std"].tolist(),
        "truncation": card.truncation,
        "seeds": _seeds(world),
        "places": _places(world),
        "start": {"seed": START_SEED, "state": _state(exported)},
        "parameters": _parameters(world),
        "text": _text(world),
        "parity": [row.to_json() for row in rows],
    }


def _graph(graph: Exported, folder: Path) -> dict[str, Any]:
    file = f"{graph.name}.onnx"
    return {
        "file": file,
        "about": graph.about,
        "rate": graph.rate,
        "inputs": [port.to_json() for port in graph.inputs],
        "outputs": [port.to_json() for port in graph.outputs],
        **fingerprint(folder / file),
    }


def _seeds(world: World) -> dict[str, list[float]]:
    card, anchors = world.card, bank_part(world.tensors, "anchors")
    w_avg = world.tensors["generator.mapping.w_avg"]
    bank = SeedBank(lambda z: z, w_avg, card.num_ws, card.generator.z_dim, anchors, mixing=card.mixing)
    return {str(seed): bank.z(seed).tolist() for seed in _seeds_told()}


def _places(world: World) -> dict[str, Any]:
    """The class of every place, and which one of each class belongs to the seeds; empty where a world has none."""
    places = places_of(world.tensors) if "labels.codes" in world.tensors else None
    found = range(0 if places is None else len(world.card.classes))
    chosen = {str(seed): [places.of_seed(index, seed) for index in found] if places else [] for seed in _seeds_told()}
    return {"classes": places.classes.tolist() if places else [], "choice": chosen}


def _seeds_told() -> range:
    return range(START_SEED, START_SEED + SEEDS)


def _state(exported: Sequence[Exported]) -> dict[str, Any]:
    motion_graph = next(graph for graph in exported if graph.name == "motion")
    return {port.name: port.default for port in motion_graph.inputs if port.next}


def _parameters(world: World) -> list[dict[str, Any]]:
    """Parameters of a show that are inputs of graphs: which input, and where in it."""
    found = [(motion(level, name), "motion", name, i) for name in LEVEL_PARAMETERS for i, level in enumerate(LEVELS)]
    card = world.card
    slots = min(len(card.classes), MEANING_SLOTS) if "labels.codes" in world.tensors else 0
    if _places(world)["classes"]:
        found += [(LOOK_PLACE, "base", "place", 0)]
        found += [(motion(level, "amount"), "base", "amount", i) for i, level in enumerate(LEVELS)]
    if card.has_placement:
        found += [(path, "synthesis", "placement", i) for i, path in enumerate((LOOK_SHIFT_X, LOOK_SHIFT_Y, LOOK_TURN))]
    found += [(meaning(n + 1, name), "encoder", name, n) for name in _OF_CLASSES for n in range(slots)]
    return [
        {"path": path, "graph": graph, "input": name, "index": index} | _range(path)
        for path, graph, name, index in found
    ]


def _range(path: str) -> dict[str, Any]:
    one = TABLE[path]
    return {"default": one.default, "low": one.low, "high": one.high, "unit": one.unit, "about": one.doc}


def _text(world: World) -> dict[str, Any] | None:
    """How words become rows of the token table: ids of CLIP's tokenizer, and the row of each."""
    if world.card.text is None:
        return None
    rows = {"padding": PADDING, "unknown": UNKNOWN, "first_word": FIRST_WORD}
    return {"context": world.card.text.context, **rows, "vocabulary": world.tensors["text.vocabulary"].tolist()}
