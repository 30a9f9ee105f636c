"""`--source NAME[:ARGUMENT]` to a source of sound, through engine/plugins/registry.py."""

from __future__ import annotations

from collections.abc import Callable

from .interfaces import SoundSource
from .registry import SOURCES, names, prepare
from .registry import PluginUnknown as SourceUnknown

__all__ = ["SourceUnknown", "open_source", "source_names"]

_KNOWN_AS = {"device": "microphone", "loopback": "loopback", "file": "file", "tone": "test tone", "silence": "silence"}


def source_names() -> list[str]:
    """Names of all sources installed."""
    return names(SOURCES)


def open_source(spec: str) -> tuple[str, Callable[[], SoundSource]]:
    """What to call a source, and a function that makes it.

    Args:
        spec: `device[:NAME][#3,4]`, `loopback[:NAME][#3,4]`, `file:PATH`, `tone[:BPM]`, `silence`, or a source of a
            plug-in with its argument.

    Returns:
        (such as "microphone USB Audio", factory). One was made already, so that a wrong argument is known now; a
        device is only looked for when a source starts.

    Raises:
        SonoramaError: an unknown source, or an argument that the source refuses.

    """
    name, _, argument = spec.partition(":")
    if "#" in name:  # device#3,4: the default device, but not its first channels
        name, _, picked = spec.partition("#")
        argument = f"#{picked}"
    return f"{_KNOWN_AS.get(name, name)} {argument}".strip(), prepare(SOURCES, name, argument)
