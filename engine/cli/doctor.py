"""`sonorama doctor`: what this machine can do, what is missing and how to get it.

A check is an entry point of the group `sonorama.checks` (interfaces/commands.py). Each runs in a child process of its
own and for a bounded time, since drivers hang, print and abort. Sources and sinks are probed by plugins/survey.py.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from ..errors import one_line, one_line_error
from ..plugins.interfaces import Finding
from ..plugins.registry import CHECKS, SINKS, SOURCES, find_used
from ..plugins.survey import LATER
from ..processors import cores

if TYPE_CHECKING:
    from .main import Commands

CHECK_S = 30.0
"""Seconds after which a check fails; importing torch and querying a GPU may take ten."""
NEEDED = ("networks", "worlds", "frames")
"""Checks that must pass for a show to run."""
_ORDER = (
    "python",
    "processor",
    "networks",
    "cuda",
    "worlds",
    "frames",
    "ports",
    "shows",
    "logs",
    "libraries",
    "display",
)
_CHILD = "from sonorama.engine.cli.doctor import answer; answer()"
_AGAIN = "Install sonorama again."
_PLUGINS = {SOURCES.group: "sound sources", SINKS.group: "sinks"}

Report = dict[str, list[Finding]]
"""Findings by check, in the order in which they are shown."""


def add_doctor(commands: Commands) -> None:
    """Add `sonorama doctor`."""
    parser = commands.add_parser(
        "doctor", help="check this machine: what works, what is missing and how to get it", allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run_doctor)


def run_doctor(args: argparse.Namespace) -> int:
    """Run all checks and report; the exit code is 0 if a show can run here, else 1."""
    report = examine()
    can = can_run(report)
    if args.json:
        said_by = {check: [asdict(one) for one in findings] for check, findings in report.items()}
        sys.stdout.write(json.dumps({"can_run": can, "checks": said_by}) + "\n")
    else:
        sys.stdout.write(as_text(report))
    return 0 if can else 1


def examine(timeout: float = CHECK_S) -> Report:
    """Run every check, several at a time, each for `timeout` seconds at most."""
    points = find_used(CHECKS)
    names = sorted({*points, *NEEDED}, key=lambda name: (_ORDER.index(name) if name in _ORDER else 99, name))
    with ThreadPoolExecutor(max(2, cores())) as pool:
        running = {name: pool.submit(run_check, name, points.get(name), timeout) for name in names}
        plugins = _plugins(timeout)
        return {**{name: future.result() for name, future in running.items()}, **plugins}


def _plugins(timeout: float) -> Report:
    from ..plugins.survey import survey

    report: Report = {title: [] for title in _PLUGINS.values()}
    for one in survey((SOURCES, SINKS), timeout):
        there = one.state == "available"
        finding = Finding(one.name, there, one.about, one.how_to_install, state="" if there else one.state)
        report[_PLUGINS[one.group]].append(finding)
    return report


def run_check(name: str, point: EntryPoint | None, timeout: float) -> list[Finding]:
    """Run a check in a child process; a crash or timeout becomes a failed finding."""
    if point is None:
        return [_failed(name, "the check is not installed")]
    command = [sys.executable, "-P", "-c", _CHILD, point.value]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return [Finding(name, False, f"it did not answer within {timeout:g} s", LATER, name in NEEDED, "time-out")]
    except OSError as error:
        return [_failed(name, one_line_error(error))]
    return _read(name, done.stdout, done.returncode)


def _read(name: str, answer: bytes, code: int) -> list[Finding]:
    try:
        told = json.loads(answer)
        return [_failed(name, told)] if isinstance(told, str) else [Finding(**one) for one in told]
    except (ValueError, TypeError):
        return [_failed(name, f"ended without an answer ({'signal' if code < 0 else 'exit code'} {abs(code)})")]


def _failed(name: str, why: str) -> Finding:
    return Finding(name, False, why, _AGAIN, name in NEEDED, "broken")


def answer() -> None:
    """Entry point of the child process: run the check named in `sys.argv` and write its findings as JSON."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # drivers that print must not do so into the answer
    try:
        found: list[Finding] = EntryPoint("check", sys.argv[1], CHECKS.group).load()()
        told: Any = [asdict(replace(one, how_to_get="" if one.ok else one.how_to_get)) for one in found]
    except (Exception, SystemExit) as error:  # noqa: BLE001 (drivers and other packages may raise anything)
        told = f"fails: {one_line_error(error)}"
    json.dump(told, out)
    out.flush()
    os._exit(0)  # the driver's own ending may hang


def can_run(report: Mapping[str, list[Finding]]) -> bool:
    """Whether a show can run: there is a frame map, a world, and a processor's networks to play it."""
    return all(report.get(name) for name in NEEDED) and not _lacks(report)


def _lacks(report: Mapping[str, list[Finding]]) -> list[str]:
    return [one.what for findings in report.values() for one in findings if one.needed and not one.ok]


def as_text(report: Mapping[str, list[Finding]]) -> str:
    """Text in columns, by check, and the verdict."""
    wide = max((len(one.what) for findings in report.values() for one in findings), default=0)
    lines: list[str] = []
    for check, findings in report.items():
        lines += [check] if findings else []
        for one in findings:
            state = "ok" if one.ok else one.state or "missing"
            lines.append(f"  {state:9}  {one_line(one.what):{wide}}  {one_line(one.about)}".rstrip())
            if one.how_to_get:
                lines.append(f"  {'':9}  {'':{wide}}  {one_line(one.how_to_get)}")
    verdict = "A show can run here." if can_run(report) else f"No show can run here: {', '.join(_lacks(report))}."
    return "\n".join([*lines, "", verdict]) + "\n"
