"""The sink `null`: counts pictures and discards them, to measure a show without outputs."""

from __future__ import annotations

from typing import Literal

from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Picture, StreamInfo


def probe() -> Available:
    """Always available."""
    return Available("counts pictures")


class NullSink:
    """Counts pictures.

    Attributes:
        count: number of pictures received.
        last: the newest one.

    Raises:
        SonoramaError: an argument is given.

    """

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise SonoramaError("The sink null takes no argument", "Say: --sink null")
        self.about = "nowhere"
        self.count = 0
        self.last: Picture | None = None

    def open(self, info: StreamInfo) -> None:
        """Does nothing."""

    def send(self, picture: Picture) -> None:
        """Count a picture."""
        self.count += 1
        self.last = picture

    def close(self) -> None:
        """Release the newest picture."""
        self.last = None
