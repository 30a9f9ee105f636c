"""`--world FILE.npz`: worlds as NumPy archives, with the card as JSON beside the tensors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from sonorama.engine.errors import WorldError
from sonorama.engine.model.card import Card, card_from_json
from sonorama.engine.model.world_file import World, content_hash


class NpzLoader:
    """Reads what `sonorama export-npz` writes."""

    suffixes = (".npz",)

    def knows(self, path: Path) -> bool:
        """By suffix and by the first bytes of a zip archive."""
        if path.suffix != ".npz":
            return False
        with path.open("rb") as file:
            return file.read(2) == b"PK"

    def read_card(self, path: Path) -> Card:
        """The card alone: an archive reads its members one by one."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                card = json.loads(str(archive["card"]))
            return replace(card_from_json(card), path=str(path))
        except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise WorldError(f"{path}: no world in it ({error})", "write it with: sonorama export-npz") from error

    def load(self, path: Path) -> World:
        """Card and tensors, and whether they belong together."""
        card = self.read_card(path)
        with np.load(path, allow_pickle=False) as archive:
            tensors = {name: archive[name] for name in archive.files if name != "card"}
        if content_hash(tensors) != card.content:
            raise WorldError(f"{path}: its tensors do not match its card", "write it again")
        return World(card, tensors)


def save_npz(path: Path, world: World) -> None:
    """Write a world as an archive."""
    card = {**world.card.to_json(), "content": content_hash(world.tensors)}
    np.savez(path, card=np.array(json.dumps(card)), **world.tensors)  # pyright: ignore[reportArgumentType]
