"""World files: one safetensors file whose metadata holds a JSON card (card.py).

Needs numpy and safetensors only, so that listing worlds does not load torch. Nothing in a world file is ever executed:
safetensors holds numbers and text, and every other format is refused here.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import OutputError, SonoramaError, WorldError, one_line_error
from ..files.atomic import replacing, tensors_into, translated
from ..files.folders import worlds_folder
from ..units import AXES
from .card import Card, Shapes, card_from_json
from .config import AnyGenerator
from .joint_space import Vocabulary
from .stylegan3_config import StyleGAN3Config
from .world_formats import EXPORTED_MANIFEST, EXPORTED_WORLD, loader_of, world_files

FORMAT = "sonorama-world"
FORMAT_VERSION = 2
READABLE = ("1", "2")
"""Format versions that this program reads."""
SUFFIX = ".safetensors"
INSTALLED = Path(__file__).resolve().parents[1] / "worlds"
LONGEST_HEADER = 4_000_000
"""Bytes."""


@dataclass(frozen=True)
class World:
    """A card and its tensors (float16 is widened to float32 when read)."""

    card: Card
    tensors: dict[str, npt.NDArray[Any]]

    def part(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """The tensors below `prefix`, with the prefix and its dot removed."""
        cut = len(prefix) + 1
        return {k[cut:]: v for k, v in self.tensors.items() if k.startswith(prefix + ".")}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What it knows by name."""
        return Vocabulary.of(self.card.classes, self.card.names, self.tensors, self.card.aliases)


def content_hash(tensors: Mapping[str, npt.NDArray[Any]]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        x = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {x.dtype} {x.shape}\n".encode())
        digest.update(x.tobytes())
    return digest.hexdigest()


def save_world(path: Path, card: Card, tensors: Mapping[str, npt.NDArray[Any]]) -> Card:
    """Write a world file (format version 2), whole or not at all; its card, with the content hash in it.

    Raises:
        ValueError: card and tensors do not belong together.
        OutputError: it cannot be written.

    """
    from safetensors.numpy import save_file

    card = replace(card, content=content_hash(tensors))
    card.check()
    check_shapes(card, {name: x.shape for name, x in tensors.items()})
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, tensors_into(path):
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, part, _metadata(card))
        # safetensors makes files that only their owner may read; a world is for everybody who has the program.
        part.chmod(0o644)
    return _read_card(path)


def rewrite_card(path: Path, out: Path, **changes: str) -> Card:
    """Write a world again with its card in the newest format; its tensors' bytes and its content hash stay.

    changes: new values of name, version, licence or description. `out` may be `path`; no other file is replaced.

    Raises:
        WorldError: no world, or a damaged one.
        OutputError: another file is there, or it cannot be written.

    """
    itself = out.exists() and out.samefile(path)
    if out.exists() and not itself:
        raise OutputError(f"{out} is there already", "Give another file with --out, or move that one away.")
    header = _header(path)
    card = replace(_load(path).card, **changes)
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    text = json.dumps({"__metadata__": _metadata(card), **entries}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # safetensors aligns the tensors to 8 bytes
    with path.open("rb") as old, replacing(out, new=not itself) as part, translated(out):
        old.seek(8 + int.from_bytes(old.read(8), "little"))
        with part.open("wb") as new:
            new.write(len(text).to_bytes(8, "little") + text)
            shutil.copyfileobj(old, new)
        part.chmod(0o644)
    return load_world(out).card


def _metadata(card: Card) -> dict[str, str]:
    return {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "card": json.dumps(card.to_json(), sort_keys=True),
    }


def _header(path: Path) -> dict[str, Any]:
    """The JSON header of a safetensors file, bounded and checked before anything else is read."""
    damaged = WorldError(
        f"{path}: not a sonorama world", "Give a .safetensors world file, or a name from `sonorama worlds`."
    )
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(LONGEST_HEADER, path.stat().st_size - 8):
                raise damaged
            header = json.loads(file.read(length))
    except (ValueError, RecursionError) as error:
        raise damaged from error
    except OSError as error:
        raise WorldError(f"{path}: cannot be read ({error.strerror})", "Check the path and its permissions.") from error
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):
        raise damaged
    return header


def _shapes(header: Mapping[str, Any]) -> Shapes:
    """Shapes of the tensors that a header names; entries of another form are left out (load_file refuses them)."""
    shapes = {}
    for name, entry in header.items():
        shape = entry.get("shape") if name != "__metadata__" and isinstance(entry, dict) else None
        if isinstance(shape, list) and all(type(n) is int for n in shape):
            shapes[name] = tuple(shape)
    return shapes


def read_card(path: Path) -> Card:
    """The card of a world, without its tensors, by the loader that knows the file.

    Raises:
        WorldError: it is no world, damaged, or of a newer format.

    """
    return loader_of(path).read_card(path)


class SafetensorsLoader:
    """Reads sonorama's own world files."""

    suffixes = (SUFFIX,)

    def knows(self, path: Path) -> bool:
        """By its suffix, whatever it holds: what is wrong with such a file is said when it is read."""
        return path.suffix.lower() == SUFFIX or _is_safetensors(path)

    def read_card(self, path: Path) -> Card:
        """See WorldLoader."""
        return _read_card(path)

    def load(self, path: Path) -> World:
        """See WorldLoader."""
        return _load(path)


def _is_safetensors(path: Path) -> bool:
    try:
        return _header(path).get("__metadata__", {}).get("format") == FORMAT
    except WorldError:
        return False


def _read_card(path: Path) -> Card:
    header = _header(path)
    meta = header.get("__metadata__", {})
    if meta.get("format") != FORMAT:
        raise WorldError(f"{path}: a model file without a sonorama card", "Give a world from `sonorama worlds`.")
    version = meta.get("format_version")
    if version not in READABLE:
        raise WorldError(f"{path}: world format {str(version)[:20]}", "Update sonorama to open it.")
    try:
        card = card_from_json(json.loads(meta.get("card", "")), int(version), _shapes(header))
    except (ValueError, TypeError, RecursionError) as error:
        reason = str(error) if type(error) is ValueError else "it cannot be read"
        hint = "update sonorama, or make this world again"
        raise WorldError(f"{path}: its card is refused: {reason}", hint) from error
    return replace(card, path=str(path))


def world_folders() -> list[Path]:
    """Where worlds are looked for: $SONORAMA_WORLDS (a path list), then the user's folder, then the package's own."""
    given = os.environ.get("SONORAMA_WORLDS", "")
    return [*dict.fromkeys([*(Path(p) for p in given.split(os.pathsep) if p), worlds_folder(), INSTALLED])]


def _installed() -> Iterator[Path]:
    for folder in world_folders():
        yield from world_files(folder)


def list_worlds() -> list[Card]:
    """Cards of all installed worlds; a damaged file is left out."""
    cards = []
    for path in _installed():
        try:
            cards.append(read_card(path))
        except WorldError:
            continue
    return cards


def find_world(name_or_path: str) -> Path:
    """A path, or the name of an installed world. WorldError lists the names there are.

    The path may be that of a folder that `sonorama export` wrote.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    if (path / EXPORTED_MANIFEST).is_file():
        return _of_exported(path)
    for found in _installed():
        if found.stem == name_or_path:
            return found
    names = ", ".join(p.stem for p in _installed()) or "none"
    raise WorldError(
        f"{name_or_path}: no such world (installed: {names})",
        "Give one of these names, or the path of a world file.",
    )


def _of_exported(folder: Path) -> Path:
    """The world file of an exported folder. WorldError: it has none."""
    if (folder / EXPORTED_WORLD).is_file():
        return folder / EXPORTED_WORLD
    message = f"{folder} holds graphs for other programs, and no {EXPORTED_WORLD}"
    raise WorldError(message, "Export the world with --precision fp32 to play the folder here.")


def classes_of(name_or_path: str) -> tuple[str, ...]:
    """The classes of a world, in the order of the meaning mixer's slots. WorldError: there is no such world."""
    return read_card(find_world(name_or_path)).classes


def load_world(name_or_path: str | Path) -> World:
    """Read and check a world by the loader that knows it: card, content hash, the shapes that playing relies on.

    Raises:
        WorldError: there is none, it is damaged, or its tensors do not fit its card.

    """
    path = find_world(str(name_or_path))
    loader = loader_of(path)
    try:
        world = loader.load(path)
    except SonoramaError:
        raise
    except Exception as error:
        message = f"{path}: {type(loader).__name__} cannot read it: {one_line_error(error)}"
        raise WorldError(message, "Get the file again, or tell the authors of that plug-in.") from error
    try:
        world.card.check()
        check_shapes(world.card, {name: x.shape for name, x in world.tensors.items()})
    except ValueError as error:
        raise WorldError(f"{path}: {error}", "This world was packed wrongly; make it again.") from error
    wide = {k: v.astype(np.float32) if v.dtype == np.float16 else v for k, v in world.tensors.items()}
    return World(world.card, wide)


def _load(path: Path) -> World:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    card = _read_card(path)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WorldError(f"{path}: damaged world file ({error})", "Get the file again.") from error
    if content_hash(tensors) != card.content:
        raise WorldError(
            f"{path}: its tensors do not match the hash on its card",
            "Get the file again; do not trust this copy.",
        )
    return World(card, tensors)


def check_shapes(card: Card, shapes: Shapes) -> None:
    """ValueError where a tensor that shows a size of the card is missing or of another shape.

    build.py compares every tensor of every network; this is what playing with graphs alone relies on.
    """
    needed = _needed(card)
    optional: dict[str, tuple[int, ...]] = {
        "labels.codes": (len(card.classes), card.sound.code_dim),
        "labels.scale": (1,),
        "meaning.displacements": (len(card.classes), card.num_ws, card.w_dim),
        "axes.directions": (AXES, card.w_dim),
        "meaning.place_classes": shapes.get("meaning.place_classes", ())[:1],
        "meaning.places": (*shapes.get("meaning.place_classes", ())[:1], card.w_dim),
        "bank.anchors": (*shapes.get("bank.anchors", ())[:1], card.generator.z_dim),
        "bank.codes": (*shapes.get("bank.codes", ())[:1], card.sound.code_dim),
    }
    for name, shape in (needed | {k: v for k, v in optional.items() if k in shapes}).items():
        if shapes.get(name) != shape:
            raise ValueError(f"{name} has the shape {shapes.get(name)}, its card says {shape}")


def _needed(card: Card) -> dict[str, tuple[int, ...]]:
    """Tensors that every size of the card shows in -> their shapes."""
    g, f_a, e_a, e_rnn = card.generator, card.sound, card.encoder, card.motion
    depth = g.mapping_layers
    shapes: dict[str, tuple[int, ...]] = {
        "generator.mapping.w_avg": (g.w_dim,),
        "generator.mapping.w_std": (g.w_dim,),
        f"generator.mapping.fc{depth - 1}.weight": (g.w_dim, g.z_dim if depth == 1 else g.w_dim),
        "sound.committee.weight0": (f_a.members, f_a.features, f_a.hidden),
        "sound.committee.weight2": (f_a.members, f_a.hidden, f_a.code_dim),
        "encoder.join.weight": (e_a.hidden, e_a.widths[-1] + e_a.code_dim),
    }
    shapes |= _needed_by_synthesis(g)
    for i, (before, width) in enumerate(pairwise((1, *e_a.widths))):
        shapes[f"encoder.blocks.{i}.reduce.weight"] = (width, before, 3, 3)
    for i, codes in enumerate(e_rnn.level_sizes):
        shapes[f"encoder.last.{i}.weight"] = (codes * g.w_dim, e_a.hidden)
        shapes[f"motion.levels.{i}.inward.weight"] = (e_rnn.hidden, codes * g.w_dim)
    if card.names:
        shapes["names.codes"] = (len(card.names), f_a.code_dim)
    if card.frames is not None:
        a, b, c, d = card.frames.widths
        for i, shape in enumerate(((a, 1, 7, 5), (b, a, 3, 3), (c, b, 3, 3), (d, c, 3, 3))):
            shapes[f"sound.frames.reduce.{i}.weight"] = shape
        shapes["sound.frames.linear.bias"] = (card.frames.code,)
    if card.text is not None:
        shapes["text.vocabulary"] = (card.text.vocabulary,)
        shapes["text.net.positional_embedding"] = (card.text.context, card.text.width)
        shapes["text.net.text_projection"] = (card.text.width, f_a.code_dim)
    if card.image is not None:
        shapes["image.net.first.weight"] = (card.image.hidden, card.image.features)
    return shapes


def _needed_by_synthesis(g: AnyGenerator) -> dict[str, tuple[int, ...]]:
    at = "generator.synthesis"
    if isinstance(g, StyleGAN3Config):
        shapes = {
            f"{at}.{name}.weight": (layer.n_out, layer.n_in, layer.kernel, layer.kernel)
            for name, layer in zip(g.names, g.layers, strict=True)
        }
        return {**shapes, f"{at}.input.freqs": (g.layers[0].n_in, 2)}
    return {
        f"{at}.b4.const": (g.channels(4), g.const_height, g.const_width),
        f"{at}.b{g.size}.torgb.weight": (3, g.channels(g.size), 1, 1),
    }
