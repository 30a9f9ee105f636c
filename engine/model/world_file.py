"""World files: one safetensors file whose metadata holds a JSON card.

Light on purpose (numpy and safetensors only), so that listing worlds does not load torch. Nothing in a world
file is ever executed: safetensors holds numbers and text, and every other format is refused here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SonoramaError, WorldError, one_line_error
from ..files.atomic import replacing
from .world_formats import loader_of, world_files

FORMAT = "sonorama-world"
FORMAT_VERSION = 1
SUFFIX = ".safetensors"
INSTALLED = Path(__file__).resolve().parents[1] / "worlds"
LEVEL_CUTS = {"stylegan2": (3, 7), "paper": (3, 6), "styleclip": (4, 8)}
LEVELS = ("coarse", "mid", "fine")


def level_sizes(num_ws: int, level_cuts: tuple[int, int]) -> list[int]:
    """Number of style codes of coarse, mid and fine."""
    a, b = level_cuts
    return [a, b - a, num_ws - b]


@dataclass(frozen=True)
class Card:
    """What a world says of itself.

    name, version, licence, description; size in px; num_ws: L; generator: the fields of GeneratorConfig;
    level_cuts: first mid and first fine code; motion_rate in Hz; classes it hears; joint: how its joint space was
    made; credits: one line a source; measures: figures of its training; content: SHA-256 over all tensors; path:
    where it was read from.
    """

    name: str
    version: str
    licence: str
    description: str
    size: int
    num_ws: int
    generator: dict[str, int]
    level_cuts: tuple[int, int] = LEVEL_CUTS["stylegan2"]
    motion_rate: float = 15.0
    classes: tuple[str, ...] = ()
    joint: dict[str, Any] = field(default_factory=dict)
    credits: tuple[str, ...] = ()
    measures: dict[str, Any] = field(default_factory=dict)
    content: str = ""
    path: str = ""

    def level_of(self, code: int) -> str:
        """The level a style code belongs to."""
        return LEVELS[sum(code >= cut for cut in self.level_cuts)]

    def level_codes(self) -> dict[str, slice]:
        """Level -> its style codes."""
        a, b = self.level_cuts
        return dict(zip(LEVELS, (slice(0, a), slice(a, b), slice(b, self.num_ws)), strict=True))


@dataclass(frozen=True)
class World:
    """A card and its tensors (float16 is widened to float32 when read)."""

    card: Card
    tensors: dict[str, npt.NDArray[Any]]

    def part(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """The tensors below `prefix`, with the prefix and its dot removed."""
        cut = len(prefix) + 1
        return {k[cut:]: v for k, v in self.tensors.items() if k.startswith(prefix + ".")}


def content_hash(tensors: Mapping[str, npt.NDArray[Any]]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        x = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {x.dtype} {x.shape}\n".encode())
        digest.update(x.tobytes())
    return digest.hexdigest()


def save_world(path: Path, card: Card, tensors: Mapping[str, npt.NDArray[Any]]) -> Card:
    """Write a world file atomically and return its card with the content hash in it."""
    from safetensors.numpy import save_file

    values = {k: v for k, v in asdict(card).items() if k != "path"} | {"content": content_hash(tensors)}
    meta = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "card": json.dumps(values, sort_keys=True),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, part, meta)
        # safetensors makes files that only their owner may read; a world is for everybody who has the program.
        part.chmod(0o644)
    return read_card(path)


def _header(path: Path) -> dict[str, Any]:
    """The JSON header of a safetensors file, bounded and checked before anything else is read."""
    damaged = WorldError(
        f"{path}: not a sonorama world", "give a .safetensors world file, or a name from `sonorama worlds`"
    )
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(4_000_000, path.stat().st_size - 8):
                raise damaged
            header = json.loads(file.read(length))
    except (ValueError, RecursionError) as error:
        raise damaged from error
    except OSError as error:
        raise WorldError(f"{path}: cannot be read ({error.strerror})", "check the path and its permissions") from error
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):
        raise damaged
    return header


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
    meta = _header(path).get("__metadata__", {})
    foreign = WorldError(f"{path}: no sonorama card in it", "this is some other model; import it into a world first")
    if meta.get("format") != FORMAT:
        raise foreign
    if meta.get("format_version") != str(FORMAT_VERSION):
        raise WorldError(f"{path}: world format {meta.get('format_version')}", "update sonorama to open it")
    try:
        values = json.loads(meta.get("card", ""))
        known = {f.name for f in fields(Card)}
        fitting: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        fitting["path"] = str(path)
        card = Card(**fitting)
        _check_kinds(card)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise foreign from error
    return card


def _check_kinds(card: Card) -> None:
    """TypeError or AttributeError unless every field is of its kind: anyone may have written the card."""
    words = (card.name, card.version, card.licence, card.description, card.content)
    whole = (card.size, card.num_ws, *card.level_cuts, *card.generator.values())
    rows = (card.classes, card.credits)
    tables = (card.generator, card.joint, card.measures)
    if not (
        all(isinstance(word, str) for word in words)
        and all(type(number) is int for number in whole)
        and all(isinstance(row, tuple) and all(isinstance(word, str) for word in row) for row in rows)
        and all(isinstance(table, dict) for table in tables)
        and len(card.level_cuts) == len(LEVELS) - 1
        and 1.0 <= card.motion_rate <= 240.0
    ):
        raise TypeError("a field of the card is of the wrong kind")


def world_folders() -> list[Path]:
    """Where worlds are looked for: $SONORAMA_WORLDS (a path list), then the package's own."""
    given = os.environ.get("SONORAMA_WORLDS", "")
    return [Path(p) for p in given.split(os.pathsep) if p] + [INSTALLED]


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
    """A path, or the name of an installed world. WorldError lists the names there are."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    for found in _installed():
        if found.stem == name_or_path:
            return found
    names = ", ".join(p.stem for p in _installed()) or "none"
    raise WorldError(
        f"{name_or_path}: no such world (installed: {names})",
        "give one of these names, or the path of a world file",
    )


def load_world(name_or_path: str | Path) -> World:
    """Read and check a world by the loader that knows it.

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
        raise WorldError(message, "get the file again, or tell the authors of that plug-in") from error
    _check_fit(path, world.card, world.tensors)
    wide = {k: v.astype(np.float32) if v.dtype == np.float16 else v for k, v in world.tensors.items()}
    return World(world.card, wide)


def _load(path: Path) -> World:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    card = _read_card(path)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WorldError(f"{path}: damaged world file ({error})", "get the file again") from error
    if content_hash(tensors) != card.content:
        raise WorldError(
            f"{path}: its tensors do not match the hash on its card",
            "get the file again; do not trust this copy",
        )
    return World(card, tensors)


def _check_fit(path: Path, card: Card, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    a, b = card.level_cuts
    sides = card.size.bit_length() - 2
    unfit = None
    if not 0 < a < b < card.num_ws:
        unfit = f"level_cuts {card.level_cuts} do not fit {card.num_ws} style codes"
    elif 2 * sides != card.num_ws or 2 ** (sides + 1) != card.size:
        unfit = f"{card.size} px and {card.num_ws} style codes do not belong together"
    elif f"generator.synthesis.b{card.size}.torgb.weight" not in tensors:
        unfit = f"its generator does not reach {card.size} px"
    if unfit:
        raise WorldError(f"{path}: {unfit}", "this world was packed wrongly; make it again")
