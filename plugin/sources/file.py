"""`file:PATH`: any sound or video file at its own speed, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...engine.audio.decode import PLAYABLE, SoundFormat, decode, open_container
from ...engine.audio.to_stereo import stereo_mix
from ...engine.errors import InputError
from ...engine.plugins.interfaces import Available, Missing, Samples
from .clocked import ClockedSource


def probe() -> Available | Missing:
    """The decoder comes with the program."""
    return Available("any sound or video file")


class FileSource(ClockedSource):
    """A file mixed to stereo.

    Args:
        argument: its path.

    Raises:
        InputError: there is no sound to be found at that path.

    """

    def __init__(self, argument: str = "") -> None:
        if not argument:
            raise InputError("The source file needs a path", f"Use: --source file:PATH. {PLAYABLE}")
        path = Path(argument).expanduser()
        container, _, form = open_container(path)
        container.close()
        super().__init__(form.rate, 2, lambda: _loop(path, form))


def _loop(path: Path, form: SoundFormat) -> Iterator[Samples]:
    mix = stereo_mix(form.names)
    heard = True
    while heard:  # a file without one sample must not spin
        heard = False
        for block in decode(path):
            clean = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            heard = heard or block.shape[1] > 0
            yield mix @ clean
