"""Logs of a show's child processes: each writes to its standard error, and the process that started it reads that.

So one process alone writes the file, and also what has no Python behind it arrives: what drivers print, and the last
words of a process that crashed. A child of a child writes to the same pipe.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any

from .records import Allowance, JsonFormatter, LogQueue, LogThread, TextFormatter, parse, parted

LEVEL = "SONORAMA_LOG"
"""Environment variable of a child whose standard error is read: the least level that it logs."""
LINES_RATE, LINES_BURST = 20.0, 200
"""Lines a second of one child, and how many may come at once."""
LONGEST = 1 << 16
"""Bytes of a line; a longer one is cut into several."""
log = logging.getLogger("sonorama")


def child_environment() -> dict[str, str]:
    """Environment of a child whose standard error goes to `relay`."""
    return {**os.environ, LEVEL: logging.getLevelName(log.getEffectiveLevel())}


def is_child() -> bool:
    """Whether the process that started this one reads its standard error."""
    return LEVEL in os.environ


class _Stderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """One write, so that lines of several processes do not mix."""
        with contextlib.suppress(OSError):  # whoever read it has gone
            os.write(2, self.format(record).encode(errors="backslashreplace") + b"\n")


def log_to_parent(source: str) -> Callable[[], None]:
    """Send what this process logs, and exceptions that end it or one of its threads, to its standard error.

    Args:
        source: what the process is called in the log, such as `renderer`.

    Returns:
        a function that writes what waits; called by itself at a regular end.

    """
    handler = _Stderr()
    handler.setFormatter(JsonFormatter() if is_child() else TextFormatter())
    level = logging.getLevelName(os.environ.get(LEVEL, "WARNING"))
    stop = begin(source, [handler], level if isinstance(level, int) else logging.WARNING)
    atexit.register(stop)
    return stop


def begin(source: str, handlers: list[logging.Handler], level: int) -> Callable[[], None]:
    """Have a thread write this process's log to handlers; a function that ends it.

    Args:
        source: what the process is called in the log.
        handlers: each writes what its own level lets through.
        level: least level of our own records; libraries log one step less (WARNING for INFO, INFO for DEBUG).

    """
    root, taken = logging.getLogger(), LogQueue(source)
    thread = LogThread(taken.queue, *handlers, respect_handler_level=True)
    before = root.level, log.level, sys.excepthook, threading.excepthook
    root.addHandler(taken)
    root.setLevel(min(level + 10, logging.WARNING) if level < logging.WARNING else level)
    log.setLevel(level)
    sys.excepthook, threading.excepthook = _ended, _thread_ended
    if not faulthandler.is_enabled() and sys.stderr is not None:
        faulthandler.enable(file=2)
    thread.start()

    def stop() -> None:
        root.removeHandler(taken)
        root.setLevel(before[0])
        log.setLevel(before[1])
        sys.excepthook, threading.excepthook = before[2:]
        thread.stop()

    return stop


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("The process ends: %s", kind.__name__, exc_info=(kind, error, trace))


def _thread_ended(told: Any) -> None:
    if told.exc_type is not SystemExit and told.exc_value is not None:
        name = told.thread.name if told.thread else "?"
        log.critical("The thread %s ends", name, exc_info=(told.exc_type, told.exc_value, told.exc_traceback))


# --- in the process that started it


def relay(
    pipe: IO[bytes], source: str, level: int = logging.INFO, said: Callable[[str], Any] | None = None
) -> threading.Thread:
    """Log what a child writes to its standard error, from a thread of its own, until the child has closed it.

    Args:
        pipe: the child's standard error; is closed at the end.
        source: what the child is called in the log.
        level: of lines that are no records of ours, such as those that drivers print.
        said: called with each of those lines.

    Returns:
        the thread, which ends with the child and its own children.

    """
    thread = threading.Thread(target=_read, args=(pipe, source, level, said), name=f"log-{source}", daemon=True)
    thread.start()
    return thread


def _record(line: bytes, source: str, level: int, said: Callable[[str], Any] | None) -> logging.LogRecord | None:
    """Of a line that is a record, or of one that is not; None of an empty one."""
    if (record := parse(line)) is not None:
        return record
    if not (text := line.decode(errors="replace").rstrip()):
        return None
    if said is not None:
        said(text)
    facts = {"name": f"sonorama.{source}", "levelno": level, "levelname": logging.getLevelName(level)}
    return logging.makeLogRecord({**facts, "msg": text, "source": source})


def _read(pipe: IO[bytes], source: str, level: int, said: Callable[[str], Any] | None) -> None:
    allowance = Allowance(LINES_RATE, LINES_BURST)
    with pipe:
        while line := pipe.readline(LONGEST):
            for record in filter(None, (_record(part, source, level, said) for part in parted(line))):
                refused = allowance.take()
                if refused is None:
                    continue
                if refused:
                    log.warning("%s wrote %d lines more than its log takes", source, refused)
                if (logger := logging.getLogger(record.name)).isEnabledFor(record.levelno):
                    logger.handle(record)
