"""Interfaces of commands (`sonorama NAME`) and of checks (`sonorama doctor`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from collections.abc import Sequence


@runtime_checkable
class Command(Protocol):
    """What an entry point of `sonorama.commands` names: a function that adds one sub-parser.

    Its module is imported for every `--help`, so heavy imports belong inside the function that runs.
    """

    def __call__(self, commands: _SubParsersAction[Any]) -> None:
        """Call `commands.add_parser(NAME, ...)` and set its default `run` to a function `(args) -> exit code`: 0 done,
        1 a fault of the program. A SonoramaError that it raises is printed in two lines and becomes exit code 2.
        """
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `sonorama doctor`.

    Attributes:
        what: what was looked for.
        ok: whether it is present and works.
        about: what was found, or what is wrong.
        how_to_get: what to do where it is not ok.
        needed: no show can run without it.
        state: where it is not ok, in a word, such as `broken` or `time-out`; empty is `missing`.

    """

    what: str
    ok: bool
    about: str = ""
    how_to_get: str = ""
    needed: bool = False
    state: str = ""


@runtime_checkable
class Check(Protocol):
    """What an entry point of `sonorama.checks` names: a function that examines one aspect of the machine.

    It runs in a child process for at most 30 s, so it may load drivers that hang or abort.
    """

    def __call__(self) -> Sequence[Finding]:
        """What was found; none at all hides the heading."""
        ...
