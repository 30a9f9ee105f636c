"""`null`: takes pictures and counts them, to see what a show costs without outputs."""

from __future__ import annotations

from typing import Literal

from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Picture, StreamInfo


def probe() -> Available:
    """There is nothing to lack."""
    return Available("counts pictures")


class NullSink:
    """Counts.

    Attributes:
        count: pictures taken since it was made.
        last: the newest of them.

    Raises:
        SonoramaError: it was given an argument.

    """

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise SonoramaError("The sink null takes no argument", "Say: --sink null")
        self.about = "nowhere"
        self.count = 0
        self.last: Picture | None = None

    def open(self, info: StreamInfo) -> None:
        """Nothing to do."""

    def send(self, picture: Picture) -> None:
        """Count it."""
        self.count += 1
        self.last = picture

    def close(self) -> None:
        """Forget the last one."""
        self.last = None
