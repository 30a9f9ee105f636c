"""What one source file gave to a data set; kept as JSON beside it, so that a later run need not read the file again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from ...engine.errors import OutputError
from .picture import Box


@dataclass(frozen=True)
class PhotoMade:
    """A picture: its file, its time in s after the first picture of its source, the sample of the soundtrack when it is
    shown (None without sound), and what duplicates are found by.
    """

    file: str
    time: float
    sample: int | None
    bits: int
    colours: tuple[int, ...]


@dataclass(frozen=True)
class SoundMade:
    """A soundtrack: its file, samples at 44.1 kHz, the source's rate in Hz, and the seconds by which it begins after
    the pictures (before them if negative).
    """

    file: str
    samples: int
    rate: int
    late: float = 0.0


@dataclass(frozen=True)
class ClipMade:
    """A clip: its file, frames, and the sample of the soundtrack at its first frame (None without sound; negative if
    the sound begins later).
    """

    file: str
    frames: int
    first_sample: int | None


@dataclass
class Outcome:
    """One source file.

    Attributes:
        name: below the folder.
        kind: video, photo or sound; empty where it was skipped.
        class_id, split: as it was filed.
        made_of: size and time of change of the source.
        skipped: why nothing of it is used; empty otherwise.
        problem: what of it could not be read.
        no_sound: why a video gave no sound.
        seconds: between the first and the last picture.
        shots, looked_at, flat, duplicates, still: numbers: shots; pictures looked at; those that show nothing; near-
            duplicates; stretches in which nothing moves.
        shown, box: size in pixels upright, and the part that is kept.
        turned, transfer, varying: whether it was turned upright; PQ or HLG; whether its frame rate varies.

    """

    name: str
    kind: str = ""
    class_id: str = ""
    split: str = ""
    made_of: tuple[int, int] = (0, 0)
    skipped: str = ""
    problem: str = ""
    no_sound: str = ""
    seconds: float = 0.0
    shots: int = 0
    looked_at: int = 0
    flat: int = 0
    duplicates: int = 0
    still: int = 0
    shown: tuple[int, int] = (0, 0)
    box: Box = field(default_factory=Box)
    turned: bool = False
    transfer: str = ""
    varying: bool = False
    photos: list[PhotoMade] = field(default_factory=list)
    clips: list[ClipMade] = field(default_factory=list)
    sound: SoundMade | None = None

    @property
    def files(self) -> Iterator[str]:
        """Every file of the data set that it gave."""
        yield from (photo.file for photo in self.photos)
        yield from (clip.file for clip in self.clips)
        if self.sound:
            yield self.sound.file

    def to_json(self) -> bytes:
        """As a file."""
        return (json.dumps(asdict(self), indent=1) + "\n").encode()


def from_json(data: bytes) -> Outcome:
    """Read what `to_json` wrote. Raises OutputError for anything else."""
    try:
        told: dict[str, Any] = json.loads(data)
        told["photos"] = [PhotoMade(**{**p, "colours": tuple(p["colours"])}) for p in told["photos"]]
        told["clips"] = [ClipMade(**clip) for clip in told["clips"]]
        told["sound"] = SoundMade(**told["sound"]) if told["sound"] else None
        told["box"], told["shown"] = Box(**told["box"]), tuple(told["shown"])
        told["made_of"] = tuple(told["made_of"])
        return Outcome(**told)
    except (ValueError, LookupError, TypeError) as error:
        raise OutputError("A record of the data set cannot be read", "Choose another folder.") from error
