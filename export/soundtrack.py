"""The original sound beside the picture: every channel, its own rate, exact to the sample."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, Protocol

import numpy as np
from av.container import OutputContainer

from ..engine.audio.audio_file import Sound
from ..engine.audio.in_phase import downmix
from ..engine.errors import OutputError
from ..engine.files.encode import SoundStream
from .audio_copy import CopiedSound, CopiedTrack

Audio = Literal["copy", "pcm24", "aac", "none"]
AUDIO: tuple[Audio, ...] = ("copy", "pcm24", "aac", "none")
# Suffix -> what it takes. PCM in mp4 has a standard, but hardly a player.
_TAKEN = MappingProxyType(
    {".mp4": ("aac", "copy"), ".mov": ("pcm24", "aac", "copy"), ".mkv": ("pcm24", "aac", "copy"), ".mxf": ("pcm24",)}
)
_USUAL = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


class Soundtrack:
    """Feeds one sound stream of a container (engine/files/encode.py), as far as the picture has come.

    Args:
        container: open for writing, before its header is written.
        sound: where the samples come from.
        blocks: float32 [channels, n] at the sound's rate.
        codec: see SoundStream.

    """

    def __init__(
        self, container: OutputContainer, sound: Sound, blocks: Iterator[np.ndarray], codec: str | None = None
    ) -> None:
        self._blocks = blocks
        self._rate = sound.rate
        self._stream = SoundStream(container, sound.rate, _layout(sound), downmix(sound.channel_names), codec)

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


class Track(Protocol):
    """What feeds the sound of a film."""

    def until(self, seconds: Fraction) -> None:
        """Write the sound up to this time of the film."""
        ...

    def finish(self) -> None:
        """Write the rest."""
        ...


class NoTrack:
    """A film without sound."""

    def until(self, seconds: Fraction) -> None:
        """Nothing to write."""

    def finish(self) -> None:
        """Nothing to write."""


def add_track(
    container: OutputContainer, sound: Sound, blocks: Iterator[np.ndarray], audio: Audio | CopiedSound | None
) -> Track:
    """Add the sound that a film is to have; see Soundtrack. `audio`: None for the usual one of the container."""
    if isinstance(audio, CopiedSound):
        return CopiedTrack(container, audio)
    return NoTrack() if audio == "none" else Soundtrack(container, sound, blocks, audio)


def check_audio(audio: str | None, suffix: str) -> None:
    """Refuse a sound that the file cannot hold.

    Args:
        audio: as given; None: the usual one.
        suffix: of the film; empty for a folder or a stream.

    Raises:
        OutputError: they do not go together.

    """
    if audio is None or audio == "none":
        return
    if audio not in AUDIO:
        raise OutputError(f"There is no sound {audio}", f"Use {', '.join(AUDIO)}.")
    takes = _TAKEN.get(suffix, ("pcm24",))
    if audio not in takes:
        kind = suffix or "a folder of pictures or a stream"
        raise OutputError(f"--audio {audio} does not go with {kind}", f"Use {' or '.join((*takes, 'none'))} there.")


def _layout(sound: Sound) -> str:
    """The source's channel layout, or the usual one for its number of channels where it states none."""
    if "NONE" in sound.channel_names and sound.channels <= len(_USUAL):
        return _USUAL[sound.channels - 1]
    return sound.layout
