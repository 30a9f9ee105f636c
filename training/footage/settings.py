"""The settings of a data set; a folder keeps them, and a later run with others is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...engine.errors import OutputError, ValueRefused
from ...engine.files.fingerprint import MADE_BY
from .crops import ratio

AUTO = "auto"
SETTINGS = "sonorama.footage.json"
"""File of a data set: its settings."""


@dataclass(frozen=True)
class Settings:
    """How files become a data set.

    Attributes:
        aspect: width:height of all pictures; AUTO until it is chosen.
        size: short side of photos in pixels, at most.
        every: seconds between two photos of a shot.
        clip_height: of clips, in pixels.
        clip_seconds: length of a clip, at most.
        clips: of one source, at most; 0: none.

    """

    aspect: str = AUTO
    size: int = 512
    every: float = 1.0
    clip_height: int = 128
    clip_seconds: float = 3.0
    clips: int = 40

    def __post_init__(self) -> None:
        limits = {"size": (64, 4096), "every": (0.04, 3600), "clip_height": (32, 512), "clip_seconds": (0.8, 30),
                  "clips": (0, 100000)}  # fmt: skip
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                option = name.replace("_", "-")
                raise ValueRefused(f"--{option} {getattr(self, name)} is not possible", f"Use {low:g} to {high:g}.")

    @property
    def ratio(self) -> float:
        """Width / height."""
        return ratio(self.aspect)

    @property
    def clip_size(self) -> tuple[int, int]:
        """(width, height) of every clip, so that batches can be made of them."""
        return max(16, round(self.clip_height * self.ratio)), self.clip_height

    def facts(self) -> dict[str, Any]:
        """As the folder keeps them."""
        return {"made_by": MADE_BY, "data_set": 1, **asdict(self)}


def earlier_settings(told: Mapping[str, Any], wanted: Settings, folder: str) -> Settings:
    """The settings of a folder that is continued. Raises OutputError where others are wanted now."""
    another = "Choose another folder, or give the same options."
    try:
        found = Settings(**{k: v for k, v in told.items() if k not in ("made_by", "data_set")})
    except (TypeError, ValueRefused) as error:
        raise OutputError(f"{folder} is a data set of another version", "Choose another folder.") from error
    if told != found.facts():
        raise OutputError(f"{folder} is a data set of another version", "Choose another folder.")
    differ = [k for k, v in asdict(wanted).items() if v not in (AUTO, asdict(found)[k])]
    if differ:
        raise OutputError(f"{folder} was made with other settings: {', '.join(differ)} differ", another)
    return found
