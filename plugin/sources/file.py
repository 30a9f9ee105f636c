"""The source `file:PATH`: any sound or video file, looped in real time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...engine.audio.decode import PLAYABLE, SoundFormat, read_format
from ...engine.audio.timeline import decode
from ...engine.audio.to_stereo import stereo_mix
from ...engine.errors import InputError
from ...engine.plugins.interfaces import Available, Missing
from ...engine.units import Samples
from .clocked import ClockedSource


def probe() -> Available | Missing:
    """Always available: PyAV has the decoders."""
    return Available("any sound or video file")


class FileSource(ClockedSource):
    """A file's sound, mixed to stereo, in a loop.

    Args:
        argument: path of the file.

    Raises:
        InputError: the path is missing, or is not a file with sound.

    """

    def __init__(self, argument: str = "") -> None:
        if not argument:
            raise InputError("The source file needs a path", f"Use: --source file:PATH. {PLAYABLE}")
        path = Path(argument).expanduser()
        form = read_format(path)
        self._round_at = 0
        super().__init__(form.rate, 2, lambda: self._loop(path, form))

    @property
    def position_s(self) -> float:
        """Second of the file that was delivered last."""
        return (self.given - self._round_at) / self.rate

    def _loop(self, path: Path, form: SoundFormat) -> Iterator[Samples]:
        mix = stereo_mix(form.names)
        any_sound = True
        while any_sound:  # stops if the file has no samples
            any_sound, self._round_at = False, self.given
            for block in decode(path):
                if not isinstance(block, np.ndarray):
                    continue
                clean = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
                any_sound = any_sound or block.shape[1] > 0
                yield mix @ clean
