"""`--source NAME[:ARGUMENT]` to a source of sound, found by entry point."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from .errors import SonoramaError
from .ports import SoundSource

GROUP = "sonorama.sources"
_KNOWN_AS = {"device": "microphone", "loopback": "loopback", "file": "file", "tone": "test tone", "silence": "silence"}


class SourceUnknown(SonoramaError):
    """No source of that name is installed, or it does not load."""


def source_names() -> list[str]:
    """Names of all sources installed."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


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
    make = _load(name)
    make(argument)
    return f"{_KNOWN_AS.get(name, name)} {argument}".strip(), lambda: make(argument)


def _load(name: str) -> Callable[[str], SoundSource]:
    found = [entry for entry in entry_points(group=GROUP) if entry.name == name]
    if not found:
        near = difflib.get_close_matches(name, source_names(), 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(source_names())}"
        raise SourceUnknown(f"There is no source of sound called {name!r}", hint)
    return _import(found[0])


def _import(entry: EntryPoint) -> Callable[[str], SoundSource]:
    try:
        return entry.load()
    except Exception as error:
        package = entry.dist.name if entry.dist else "its package"
        raise SourceUnknown(f"The source {entry.name} does not load: {error}", f"Install {package} again.") from error
