"""Interface of world loaders: file formats that hold a world."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ...model.world_file import Card, World


@runtime_checkable
class WorldLoader(Protocol):
    """Reads worlds from one file format, wherever `--world` takes a path or a name.

    The entry point (group `sonorama.world_loaders`) is a factory without arguments, usually the class itself. Calls may
    come from any thread. Loaders are asked in turn, sonorama's own first; the first one that knows a file loads it.

    Attributes:
        suffixes: lower-case file suffixes with their dot. Files with one of them are listed by `sonorama worlds` when
            they lie in a folder of worlds.

    """

    suffixes: tuple[str, ...]

    def knows(self, path: Path) -> bool:
        """Whether this loader can read the file, judged by its name and its first bytes. Must not raise for files of
        other formats, nor read more than a header.
        """
        ...

    def read_card(self, path: Path) -> Card:
        """The card without the tensors, quickly. `card.path` must be the path, `card.content` the hash of the tensors
        (`world_file.content_hash`), under which graphs are cached.

        Raises:
            SonoramaError: the file is damaged or cannot be read.

        """
        ...

    def load(self, path: Path) -> World:
        """Card and tensors, which bear the names of a world file: `generator.`, `encoder.`, `motion.`, `sound.` ...

        Raises:
            SonoramaError: the file is damaged, cannot be read, or does not fit its card.

        """
        ...
