"""Registry of plug-ins: every kind is found by entry point and loaded one by one, when it is used.

A plug-in that is broken costs itself only: `load` and `make` raise PluginUnknown, which the command line prints in two
lines, and `sonorama plugins` (survey.py) lists it with the reason.
"""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from typing import Any

from ..errors import SonoramaError, one_line_error
from .interfaces import (
    Backend,
    Bridge,
    Check,
    Command,
    FrameSink,
    Modulator,
    SoundSource,
    TrainingStage,
    WorldLoader,
)

OWN_PACKAGE = "sonorama"


class PluginUnknown(SonoramaError):
    """No plug-in of that name is installed, it does not load, or it does not implement its interface."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of plug-in.

    Attributes:
        group: of its entry points.
        title: in messages: "the sink null ...".
        heading: in lists.
        protocol: the interface that it implements.
        factory: whether the entry point makes the plug-in when it is called; else it is the plug-in.
        trial: arguments with which one may be made anywhere, without effect, to see whether it implements its
            interface; None where that needs an argument of the user's or a device.

    """

    group: str
    title: str
    heading: str
    protocol: type
    factory: bool = True
    trial: tuple[object, ...] | None = None


SOURCES = Kind("sonorama.sources", "source of sound", "sources of sound (--source)", SoundSource)
SINKS = Kind("sonorama.sinks", "sink", "sinks for pictures (--sink)", FrameSink)
BRIDGES = Kind("sonorama.bridges", "bridge", "bridges for remote control (--bridge)", Bridge)
MODULATORS = Kind("sonorama.modulators", "modulator", "modulators (/moves/N/source)", Modulator, trial=(1,))
BACKENDS = Kind("sonorama.backends", "backend", "backends (--device)", Backend)
WORLD_LOADERS = Kind("sonorama.world_loaders", "world loader", "world loaders (--world)", WorldLoader, trial=())
TRAINING_STAGES = Kind(
    "sonorama.training_stages", "training stage", "training stages (--stage)", TrainingStage, trial=()
)
COMMANDS = Kind("sonorama.commands", "command", "commands (sonorama COMMAND)", Command, factory=False)
CHECKS = Kind("sonorama.checks", "check", "checks (sonorama doctor)", Check, factory=False)
KINDS = (SOURCES, SINKS, BRIDGES, MODULATORS, BACKENDS, WORLD_LOADERS, TRAINING_STAGES, COMMANDS, CHECKS)


def find(kind: Kind) -> list[EntryPoint]:
    """All entry points of a kind, by name. Where several packages share a name, the first one is used: sonorama's own,
    then by the name of the package.

    Raises:
        PluginUnknown: sonorama's own are not registered, as after an update of its files alone.

    """
    points = _entry_points(_search_path())[kind.group]
    if not any(package_of(point) == OWN_PACKAGE for point in points):
        message = f"No {kind.title} of sonorama's own is registered"
        raise PluginUnknown(message, "Install sonorama again; in a checkout: make setup")
    return sorted(points, key=lambda point: (point.name, package_of(point) != OWN_PACKAGE, package_of(point)))


def _search_path() -> tuple[tuple[str, int], ...]:
    """Where packages are installed, and when each folder changed last."""
    found = []
    for folder in sys.path:
        try:
            found.append((folder, Path(folder or ".").stat().st_mtime_ns))
        except OSError:  # named, but not present
            continue
    return tuple(found)


@lru_cache(maxsize=1)
def _entry_points(path: tuple[tuple[str, int], ...]) -> dict[str, tuple[EntryPoint, ...]]:
    """Entry points of this path by group; reading them takes tens of milliseconds."""
    del path
    found = entry_points()
    return {kind.group: tuple(found.select(group=kind.group)) for kind in KINDS}


def find_used(kind: Kind) -> dict[str, EntryPoint]:
    """The entry point that each name stands for."""
    return {point.name: point for point in reversed(find(kind))}


def names(kind: Kind, own_first: tuple[str, ...] = ()) -> list[str]:
    """Names of all plug-ins of a kind: those of `own_first` in that order, then the others by name."""
    found = {point.name for point in find(kind)}
    return [*own_first, *sorted(found - set(own_first))]


def load(kind: Kind, name: str) -> Callable[..., Any]:
    """What the entry point of a name refers to: a factory, or the plug-in itself (see Kind.factory).

    Raises:
        PluginUnknown: there is none of that name, or it does not load.

    """
    point = find_used(kind).get(name)
    if point is None:
        near = difflib.get_close_matches(name, names(kind), 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names(kind))}"
        raise PluginUnknown(f"There is no {kind.title} called {name!r}", hint)
    return load_point(kind, point)


def load_point(kind: Kind, point: EntryPoint) -> Callable[..., Any]:
    """As `load`, for an entry point of `find`."""
    try:
        loaded = point.load()
    except (Exception, SystemExit) as error:
        message = f"The {kind.title} {point.name} does not load: {one_line_error(error)}"
        raise PluginUnknown(message, install_again(point)) from error
    if not callable(loaded):
        raise _not_one(kind, point.name, f"{point.value} cannot be called")
    return loaded


def make(kind: Kind, name: str, *arguments: object) -> Any:
    """Load a plug-in and make it with these arguments; see the interface of its kind.

    Raises:
        PluginUnknown: as `load`; also when the factory fails, or what it makes does not implement the interface.
        SonoramaError: what the factory raises, such as for an argument that it refuses.

    """
    return make_from(kind, name, load(kind, name), *arguments)


def make_from(kind: Kind, name: str, factory: Callable[..., Any], *arguments: object) -> Any:
    """As `make`, for a factory that was loaded before."""
    try:
        made = factory(*arguments)
    except SonoramaError:
        raise
    except (Exception, SystemExit) as error:
        message = f"The {kind.title} {name} cannot be made: {one_line_error(error)}"
        raise PluginUnknown(message, _TELL) from error
    if fault := interface_fault(kind, made):
        raise _not_one(kind, name, fault)
    return made


def prepare(kind: Kind, name: str, argument: str) -> Callable[[], Any]:
    """A function that makes a plug-in with this argument. One was made already, so that a wrong one is known now.

    Raises:
        As `make`.

    """
    factory = load(kind, name)
    make_from(kind, name, factory, argument)
    return lambda: factory(argument)


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


def interface_fault(kind: Kind, made: object) -> str:
    """Why an object, or the class of such objects, does not implement the interface of a kind; empty if it does.

    Of a class only the methods are examined: attributes may be set when one is made.
    """
    made_of, is_class = (made, True) if inspect.isclass(made) else (type(made), False)
    for name, wanted in _members(kind.protocol).items():
        if inspect.isfunction(wanted):
            there = getattr(made, name, None)
            if not callable(there):
                return f"{made_of.__name__} has no method {name} (see {kind.protocol.__name__})"
            unbound = is_class and inspect.isfunction(inspect.getattr_static(made, name))
            if not _takes(there, wanted, unbound):
                return f"{made_of.__name__}.{name} takes other arguments than {kind.protocol.__name__}.{name}"
        elif not is_class and not hasattr(made, name):
            return f"{made_of.__name__} has no attribute {name} (see {kind.protocol.__name__})"
    if kind is SINKS and not is_class and getattr(made, "policy", None) not in ("latest", "every"):
        return f"{made_of.__name__}.policy is neither latest nor every"
    return ""


def _members(protocol: type) -> dict[str, object]:
    """Name -> function, property or None (a plain attribute) of everything that a Protocol asks for."""
    return {
        **dict.fromkeys(inspect.get_annotations(protocol)),
        **{name: one for name, one in vars(protocol).items() if not name.startswith("_")},
    }


def _takes(there: Callable[..., Any], wanted: Callable[..., Any], unbound: bool) -> bool:
    """Whether a method can be called with as many arguments as the one of the Protocol."""
    count = len(inspect.signature(wanted).parameters) - (0 if unbound else 1)  # less self
    try:
        inspect.signature(there).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # no signature, as some built-in functions
        return True
    return True


_TELL = "This is a fault of the plug-in: tell its authors."


def _not_one(kind: Kind, name: str, why: str) -> PluginUnknown:
    return PluginUnknown(f"The {kind.title} {name} is unusable: {why}", _TELL)


def package_of(point: EntryPoint) -> str:
    """Name of the package that an entry point came with; empty if that is not known."""
    return _name(point.dist) if point.dist else ""


@lru_cache(maxsize=256)
def _name(package: Distribution) -> str:
    """Its name; reading its metadata takes a millisecond."""
    return package.name


def install_again(point: EntryPoint) -> str:
    """What to do about a plug-in that does not load."""
    return f"Install {package_of(point) or 'its package'} again."
