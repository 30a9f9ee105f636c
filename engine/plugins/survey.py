"""Survey of all plug-ins, for `sonorama plugins` and `sonorama doctor`: what each can do on this machine.

Plug-ins are loaded and probed in child processes: drivers hang, print, and abort.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, Literal

from ..errors import SonoramaError, one_line_error
from ..processors import cores
from .interfaces import Available, Missing
from .registry import (
    BACKENDS,
    KINDS,
    OWN_PACKAGE,
    SOURCES,
    Kind,
    find,
    install_again,
    interface_fault,
    make_from,
    package_of,
)

PROBE_S = 20.0
"""A probe that takes longer is a time-out: the driver hangs, or the computer has too much to do."""
_CALL_DRIVERS = ((SOURCES, "device"), (SOURCES, "loopback"), (BACKENDS, "cuda"))
LATER = "Try again when the computer has less to do; if that stays so, the driver hangs."
_NO_ANSWER = "its probe ended without an answer"
_CHILD = "from sonorama.engine.plugins.survey import answer_probes; answer_probes()"

State = Literal["available", "missing", "broken", "time-out", "hidden"]
Answer = tuple[State, str, str]
"""State, about and how_to_install, as in Plugin."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plug-in as installed, and what its probe answered.

    Attributes:
        group: of its entry point, such as `sonorama.sinks`.
        name: of its entry point, such as what precedes the colon after `--sink`.
        package, version: the distribution it came with; empty if that is not known.
        module: its entry point, such as `sonorama.plugin.sinks.null:NullSink`; empty for what the show does itself.
        state: available, missing (something that it needs), broken (it does not load, does not implement its interface,
            or its probe fails), time-out (its probe did not answer in time), or hidden (another package has that name).
        about: what the probe found, or what is wrong.
        how_to_install: what to do about it; empty if nothing needs doing.

    """

    group: str
    name: str
    package: str
    version: str
    module: str
    state: State
    about: str
    how_to_install: str = ""


def survey(kinds: tuple[Kind, ...] = KINDS, timeout: float = PROBE_S) -> list[Plugin]:
    """Every plug-in of these kinds, by kind and name; several are probed at a time, each for `timeout` s at most."""
    found = [(kind, point) for kind in kinds for point in find(kind)]
    used = list({(point.group, point.name): (kind, point) for kind, point in reversed(found)}.values())
    with ThreadPoolExecutor(max(2, cores())) as pool:
        batches = [pool.submit(probe, batch, timeout) for batch in _batches(used)]
        answers = {key: answer for batch in batches for key, answer in batch.result().items()}
    return [_plugin(point, answers.get(id(point))) for _, point in found]


def _batches(used: Iterable[tuple[Kind, EntryPoint]]) -> list[list[EntryPoint]]:
    """What shares a child process: a plug-in stands alone, but sonorama's own that call no driver stand together."""
    together: list[EntryPoint] = []
    alone: list[list[EntryPoint]] = []
    for kind, point in used:
        own = package_of(point) == OWN_PACKAGE and (kind, point.name) not in _CALL_DRIVERS
        together.append(point) if own else alone.append([point])
    return [*alone, together] if together else alone


def _plugin(point: EntryPoint, answer: Answer | None) -> Plugin:
    state, about, how = answer or ("hidden", "another package has a plug-in of that name", "")
    version = point.dist.version if point.dist else ""
    how = install_again(point) if state == "broken" else how
    return Plugin(point.group, point.name, package_of(point), version, point.value, state, about, how)


def probe(batch: list[EntryPoint], timeout: float = PROBE_S) -> dict[int, Answer]:
    """The answers of some plug-ins by the id of the entry point, from one child process; of one that does not answer
    that is said, and those after it are asked in another.
    """
    answers: list[Answer] = []
    while len(answers) < len(batch):
        rest = batch[len(answers) :]
        told, why = _ask_child(rest, timeout)
        answers += told[: len(rest)]
        if len(told) < len(rest):
            answers.append(why)
    return dict(zip(map(id, batch), answers, strict=True))


def _ask_child(batch: list[EntryPoint], timeout: float) -> tuple[list[Answer], Answer]:
    """Answers of the first of these plug-ins, and what is said of the next one, which gave none."""
    rows = json.dumps([[point.group, point.name, point.value] for point in batch])
    command, limit = [sys.executable, "-P", "-c", _CHILD, rows], timeout * len(batch)
    why: Answer = "broken", _NO_ANSWER, ""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=limit
        )
        lines = done.stdout.splitlines()
    except subprocess.TimeoutExpired as late:
        lines = (late.stdout or b"").splitlines()
        why = "time-out", f"its probe did not answer within {timeout:g} s", LATER
    return [_read(line) for line in lines], why


def _read(line: bytes) -> Answer:
    try:
        state, about, how_to_install = json.loads(line)
    except ValueError:
        return "broken", _NO_ANSWER, ""
    return state, about, how_to_install


def answer_probes() -> None:
    """In the child: load the plug-ins that `sys.argv` names, run their probes, write one line for each."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # drivers that print must not do so into the answer
    kinds = {kind.group: kind for kind in KINDS}
    for group, name, value in json.loads(sys.argv[1]):
        out.write(json.dumps(_ask(kinds[group], EntryPoint(name, value, group))) + "\n")
        out.flush()
    os._exit(0)  # the driver's own ending may hang


def _ask(kind: Kind, point: EntryPoint) -> Answer:
    try:
        loaded = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a plug-in may raise anything)
        return "broken", f"it does not load: {one_line_error(error)}", ""
    if not callable(loaded):
        return "broken", f"{point.value} cannot be called", ""
    if fault := _interface(kind, point, loaded):
        return "broken", fault, ""
    ask: Callable[[], Any] | None = getattr(loaded, "probe", None) or getattr(sys.modules[point.module], "probe", None)
    try:
        answer = ask() if ask else Available()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a plug-in may raise anything)
        return "broken", f"its probe fails: {one_line_error(error)}", ""
    if isinstance(answer, Missing):
        return "missing", answer.reason, answer.how_to_install
    return "available", (answer.about if isinstance(answer, Available) else "") or _first_sentence(loaded), ""


def _interface(kind: Kind, point: EntryPoint, loaded: Callable[..., Any]) -> str:
    """Why a plug-in does not implement its interface, as far as can be seen without a device; empty if it does."""
    if not kind.factory:
        return ""
    if kind.trial is not None:
        try:
            make_from(kind, point.name, loaded, *kind.trial)
        except SonoramaError as error:
            return error.message
    return interface_fault(kind, loaded) if inspect.isclass(loaded) else ""


def _first_sentence(loaded: object) -> str:
    """The first line of its docstring, without a full stop; empty without one of its own."""
    text = inspect.getdoc(loaded) if inspect.isclass(loaded) or inspect.isfunction(loaded) else None
    return text.splitlines()[0].strip().rstrip(".") if text else ""
