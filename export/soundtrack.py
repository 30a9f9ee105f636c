"""The original sound beside the picture: every channel, its own rate, exact to the sample."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.container import OutputContainer

from ..engine.audio.audio_file import Sound
from ..engine.audio.in_phase import downmix
from ..engine.files.encode import SoundStream

_USUAL = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


class Soundtrack:
    """Feeds one sound stream of a container (engine/files/encode.py), as far as the picture has come.

    Args:
        container: open for writing, before its header is written.
        sound: where the samples come from.
        blocks: float32 [channels, n] at the sound's rate.

    """

    def __init__(self, container: OutputContainer, sound: Sound, blocks: Iterator[np.ndarray]) -> None:
        self._blocks = blocks
        self._rate = sound.rate
        self._stream = SoundStream(container, sound.rate, _layout(sound), downmix(sound.channel_names))

    def until(self, seconds: Fraction) -> None:
        """Write the sound up to this time of the film."""
        while self._stream.written < seconds * self._rate:
            block = next(self._blocks, None)
            if block is None:
                return
            self._stream.write(block)

    def finish(self) -> None:
        """Write the rest and what the encoder still holds."""
        for block in self._blocks:
            self._stream.write(block)
        self._stream.finish()


def _layout(sound: Sound) -> str:
    """The source's channel layout, or the usual one for its number of channels where it states none."""
    if "NONE" in sound.channel_names and sound.channels <= len(_USUAL):
        return _USUAL[sound.channels - 1]
    return sound.layout
