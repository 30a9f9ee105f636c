"""The command line `sonorama COMMAND`: finds the commands, runs one, and turns errors into two lines and an exit code.

A command is an entry point of the group `sonorama.commands`; see engine/plugins/interfaces/commands.py.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import re
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from io import TextIOWrapper
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from sonorama import __version__  # absolute, because the package is not the parent folder of a checkout

from ..errors import SonoramaError, needing_extra, one_line, one_line_error
from ..plugins.registry import COMMANDS, PluginUnknown, find_used, install_again, load_point
from .progress import note_interruption

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Commands = _SubParsersAction[Any]

EXIT_UNEXPECTED, EXIT_REFUSED = 1, 2
_LONG = re.compile(r"\S{1000,}")


class UsageError(SonoramaError):
    """The command line is invalid."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP, raised in the main thread so that it cleans up exactly as Ctrl-C does."""


def ending_signals() -> tuple[signal.Signals, ...]:
    """Signals that end a program: SIGINT, SIGTERM, and SIGHUP of a closing terminal unless `nohup` ignores it."""
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is None or signal.getsignal(hang_up) is signal.SIG_IGN:
        return (signal.SIGINT, signal.SIGTERM)
    return (signal.SIGINT, signal.SIGTERM, hang_up)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message[:1].upper() + message[1:], f"See: {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (default: the process's own).

    Returns:
        0 done, 1 a fault of the program, 2 refused (bad input, said in two lines), 130 ended by SIGINT,
        143 ended by SIGTERM, 129 by SIGHUP.

    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file name need not be printable
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in arguments
    if not debug and not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries talk to programmers there
    with _Outcome(debug) as outcome:
        args = build_parser().parse_args(arguments)
        with needing_extra():
            outcome.code = args.run(args)
        sys.stdout.flush()
    return outcome.code


def _open_closed_streams() -> None:
    """Open streams that the caller has closed, so that writing to them is harmless, and no file gets their number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (until the process ends)


def build_parser() -> argparse.ArgumentParser:
    """The parser with every installed command."""
    parser = _Parser(
        prog="sonorama",
        description="Sound becomes picture, by meaning.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sonorama {__version__}")
    _add_debug(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for _, point in sorted(find_used(COMMANDS).items()):
        _add_command(commands, point)
    for command in commands.choices.values():
        _add_debug(command)
    return parser


def _add_command(commands: Commands, point: EntryPoint) -> None:
    """Add one command; a broken one is reported in two lines and costs the others nothing."""
    try:
        load_point(COMMANDS, point)(commands)
    except PluginUnknown as error:
        report(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a plug-in may raise anything)
        message = f"The command {point.name} cannot be added: {one_line_error(error)}"
        report(PluginUnknown(message, install_again(point)))


def _add_debug(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks; live and panel also log more"
    )


def _readable(text: str) -> str:
    """One line for a terminal, in which words of thousands of characters are shortened."""
    return _LONG.sub(lambda word: f"{word[0][:40]}... ({len(word[0])} characters)", one_line(text))


def report(error: SonoramaError) -> int:
    """Write an error to stderr in two lines, what is wrong and what to do; return the exit code."""
    sys.stderr.write(f"{_readable(error.message)}\n{_readable(error.hint)}\n")
    return EXIT_REFUSED


def note_nonfinite(sound: object) -> None:
    """Write to stderr that a sound contains NaN or infinite samples."""
    sys.stderr.write(f"{one_line(sound)} contains NaN or infinite samples; they are treated as silence\n")


class _Outcome:
    """Context of a running command: turns signals into exceptions, and exceptions into an exit code."""

    # One Ctrl-C may arrive several times (from the user, from the process group); repeats must not disturb the cleanup.
    _SAME_SIGNAL_S = 3.0

    def __init__(self, debug: bool) -> None:
        self.code = 0
        self._debug = debug
        self._signal: int | None = None
        self._signal_time = 0.0

    def __enter__(self) -> Self:
        self._previous = {number: signal.signal(number, self._stop) for number in ending_signals()}
        return self

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if self._signal is not None and time.monotonic() - self._signal_time < self._SAME_SIGNAL_S:
            return
        self._signal, self._signal_time = number, time.monotonic()
        kind = KeyboardInterrupt if number == signal.SIGINT else Terminated
        note_interruption(kind)
        raise kind

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        note_interruption(None)
        if isinstance(error, SystemExit):  # argparse after --help and --version
            return False
        if error is not None:
            self.code = self._code(error)
            with contextlib.suppress(OSError):  # the terminal may have gone
                self._explain(error)
                sys.stderr.flush()
        return True

    def _code(self, error: BaseException) -> int:
        if self._signal is not None:  # the interruption may have become another exception on its way up
            return 128 + self._signal
        refused = isinstance(error, SonoramaError) or _is_users(error) or _has_no_room(error)
        return EXIT_REFUSED if refused else EXIT_UNEXPECTED

    def _explain(self, error: BaseException) -> None:
        if self._signal is None and isinstance(error, BrokenPipeError):  # as by `sonorama worlds | head -1`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        elif self._signal is None:
            explain(error, self._debug)
            return
        if self._debug:
            _print_traceback(error)
        if self._signal is not None:
            sys.stderr.write("Stopped.\n")


def explain(error: BaseException, debug: bool = False) -> int:
    """Write an error to stderr in two lines; return its exit code. Also for commands that go on after it.

    debug: write the traceback first.
    """
    if debug:
        _print_traceback(error)
    if isinstance(error, SonoramaError):
        return report(error)
    if _has_no_room(error):
        sys.stderr.write(f"What it writes does not fit: {one_line_error(error)}\nMake room, or choose another place.\n")
        return EXIT_REFUSED
    if isinstance(error, OSError) and _is_users(error):
        sys.stderr.write(f"{one_line(error.filename)} cannot be used: {error.strerror}\n")
        sys.stderr.write("Choose another name or folder, or change its permissions.\n")
        return EXIT_REFUSED
    sys.stderr.write(f"Unexpected {type(error).__name__}: {one_line(error)}\n")
    sys.stderr.write("This is a bug in sonorama: run it again with --debug and report the traceback.\n")
    return EXIT_UNEXPECTED


def _print_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error)


def _is_users(error: BaseException) -> bool:
    """Whether an error concerns a file name from the user: too long, or without permission."""
    about = (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM)
    return isinstance(error, OSError) and error.errno in about and isinstance(error.filename, str)


def _has_no_room(error: BaseException) -> bool:
    """Whether a disk or quota is full; standard output may be a file, too."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None), errno.EFBIG)


if __name__ == "__main__":  # used by the show to start child processes, since the command may not be on the path
    sys.exit(main())
