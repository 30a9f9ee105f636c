"""`--sink mean-colour:FILE.csv`: the mean colour of every picture, one line each, for lamps, plots or sensors."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TextIO

from sonorama.engine.errors import OutputError, SonoramaError
from sonorama.engine.plugins.interfaces import Available, Missing, Picture, StreamInfo


def probe() -> Available | Missing:
    """What `sonorama plugins` shows. A plug-in that needs a library or a device looks for it here."""
    return Available("appends to a CSV file")


class MeanColour:
    """Writes `tick,frame,red,green,blue`, colours 0 to 255.

    Args:
        argument: path of the file; lines are appended to what is there.

    Raises:
        SonoramaError: no path was given.

    """

    policy: Literal["latest", "every"] = "every"

    def __init__(self, argument: str) -> None:
        if not argument:
            raise SonoramaError("The sink mean-colour needs a file", "Say: --sink mean-colour:colours.csv")
        self.about = argument
        self._file: TextIO | None = None

    def open(self, info: StreamInfo) -> None:
        """Open the file; a change of size makes no difference here."""
        if self._file is None:
            try:
                self._file = Path(self.about).open("a", encoding="utf-8")  # noqa: SIM115 (open until `close`)
            except OSError as error:
                message = f"{self.about} cannot be written: {error.strerror}"
                raise OutputError(message, "Choose another file.") from error

    def send(self, picture: Picture) -> None:
        """Write one line. What goes wrong here is told by the show and costs only this sink."""
        if self._file is not None:
            red, green, blue = picture.pixels[..., :3].mean((0, 1))
            self._file.write(f"{picture.tick},{picture.frame},{red:.1f},{green:.1f},{blue:.1f}\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
