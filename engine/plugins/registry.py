"""Plug-ins: found by entry point, loaded one by one, so that one which is broken is said and harms nothing else.

`probe` asks what a plug-in can do here in a child process of its own: drivers hang, print, and abort.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from ..errors import SonoramaError, one_line_error
from .interfaces import Available, FrameSink, Missing, SoundSource

PROBE_S = 20.0
"""A probe that takes longer counts as broken."""
_OWN = "sonorama"
_CHILD = "from sonorama.engine.plugins.registry import answer_probe; answer_probe()"


class PluginUnknown(SonoramaError):
    """No plug-in of that name is installed, or it does not load."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of plug-in: the group of its entry points, what people call it, and the Protocol that it fills."""

    group: str
    title: str
    protocol: type


SOURCES = Kind("sonorama.sources", "source of sound", SoundSource)
SINKS = Kind("sonorama.sinks", "sink", FrameSink)
KINDS = (SOURCES, SINKS)


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plug-in as installed, and what its probe said.

    Attributes:
        group: `sonorama.sinks` or `sonorama.sources`.
        name: what stands before the colon on the command line.
        package, version: which distribution it came with; empty if that is not known.
        module: its entry point, such as `sonorama.plugin.sinks.null:NullSink`; empty for what the show does itself.
        state: available, missing (something that it needs), broken (it does not load or its probe fails), or hidden
            (another package has that name).
        about: what the probe found, or what is wrong.
        how_to_install: what to do about it; empty if nothing needs doing.

    """

    group: str
    name: str
    package: str
    version: str
    module: str
    state: Literal["available", "missing", "broken", "hidden"]
    about: str
    how_to_install: str = ""


def find(kind: Kind) -> list[EntryPoint]:
    """All that are installed, by name; of several with one name ours comes first, and the first is the one used."""
    points = entry_points(group=kind.group)
    return sorted(points, key=lambda point: (point.name, _package(point) != _OWN, _package(point)))


def names(kind: Kind) -> list[str]:
    """What can stand before the colon on the command line."""
    return sorted({point.name for point in find(kind)})


def load(kind: Kind, name: str) -> Callable[[str], Any]:
    """The factory of a plug-in: it takes what stands behind the colon.

    Raises:
        PluginUnknown: there is none of that name, or it does not load.

    """
    found = next((point for point in find(kind) if point.name == name), None)
    if found is None:
        near = difflib.get_close_matches(name, names(kind), 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names(kind))}"
        raise PluginUnknown(f"There is no {kind.title} called {name!r}", hint)
    try:
        return found.load()
    except (Exception, SystemExit) as error:
        raise PluginUnknown(f"The {kind.title} {name} does not load: {one_line_error(error)}", _again(found)) from error


def prepare(kind: Kind, name: str, argument: str) -> Callable[[], Any]:
    """A function that makes a plug-in with this argument. One was made already, so that a wrong one is known now.

    Raises:
        PluginUnknown: as `load`; also when what it makes is no plug-in of that kind.
        SonoramaError: an argument that it refuses.

    """
    make = load(kind, name)
    try:
        made = make(argument)
    except SonoramaError:
        raise
    except (Exception, SystemExit) as error:
        message = f"The {kind.title} {name} cannot be made: {one_line_error(error)}"
        raise PluginUnknown(message, "This is a fault of the plug-in: tell its authors.") from error
    if not isinstance(made, kind.protocol) or getattr(made, "policy", "latest") not in ("latest", "every"):
        message = f"The {kind.title} {name} is none: {type(made).__name__} lacks a member of {kind.protocol.__name__}"
        raise PluginUnknown(message, "This is a fault of the plug-in: tell its authors.")
    return lambda: make(argument)


def open_sink(spec: str) -> tuple[str, Callable[[], FrameSink]]:
    """What to call a sink, and a function that makes it, for engine/show/sink_runner.py.

    Args:
        spec: `NAME` or `NAME:ARGUMENT`, such as `record:show.mp4`.

    Returns:
        (such as "record show.mp4", factory).

    Raises:
        SonoramaError: an unknown sink, one that does not load, or an argument that it refuses.

    """
    name, _, argument = spec.partition(":")
    return f"{name} {argument}".strip(), prepare(SINKS, name, argument)


def survey(kinds: tuple[Kind, ...] = KINDS, timeout: float = PROBE_S) -> list[Plugin]:
    """Every plug-in, in the order of `find`; all are probed at the same time, each for `timeout` seconds at most."""
    points: list[tuple[EntryPoint, bool]] = []
    for kind in kinds:
        found = find(kind)
        first = {point.name: point for point in reversed(found)}
        points += [(point, first[point.name] is point) for point in found]
    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        asked = [pool.submit(_judge, point, used, timeout) for point, used in points]
        return [one.result() for one in asked]


def _judge(point: EntryPoint, used: bool, timeout: float) -> Plugin:
    version = point.dist.version if point.dist else ""
    facts = (point.group, point.name, _package(point), version, point.value)
    if not used:
        return Plugin(*facts, "hidden", "another package has a plug-in of that name")
    answer = probe(point, timeout)
    if isinstance(answer, Available):
        return Plugin(*facts, "available", answer.about)
    if isinstance(answer, Missing):
        return Plugin(*facts, "missing", answer.reason, answer.how_to_install)
    return Plugin(*facts, "broken", answer, _again(point))


def probe(point: EntryPoint, timeout: float = PROBE_S) -> Available | Missing | str:
    """What a plug-in says about this machine; a string says why it does not answer. Runs in a child process."""
    command = [sys.executable, "-P", "-c", _CHILD, point.group, point.name, point.value]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=timeout
        )
        state, about, how_to_install = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return f"its probe does not answer within {timeout:g} s"
    except ValueError:
        return "its probe ended without an answer"
    if state == "available":
        return Available(about)
    return Missing(about, how_to_install) if state == "missing" else about


def answer_probe() -> None:
    """In the child: load the plug-in that `sys.argv` names, run the `probe` beside it, write what it says."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # drivers that print must not do so into the answer
    group, name, value = sys.argv[1:]
    json.dump(_ask(EntryPoint(name, value, group)), out)
    out.flush()
    os._exit(0)  # the driver's own ending may hang


def _ask(point: EntryPoint) -> tuple[str, str, str]:
    """(state, about, how to install), as in Plugin."""
    try:
        point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a plug-in may raise anything)
        return "broken", f"it does not load: {one_line_error(error)}", ""
    ask = getattr(sys.modules[point.module], "probe", Available)
    try:
        answer = ask()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a plug-in may raise anything)
        return "broken", f"its probe fails: {one_line_error(error)}", ""
    if isinstance(answer, Missing):
        return "missing", answer.reason, answer.how_to_install
    return "available", answer.about if isinstance(answer, Available) else "", ""


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else ""


def _again(point: EntryPoint) -> str:
    return f"Install {_package(point) or 'its package'} again."
