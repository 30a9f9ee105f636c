"""Log records on their way to a file: taken in any thread without waiting, written by a thread of its own.

A place in the code that logs again and again, as a fault in every frame does, is cut down before its traceback is made.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import time
from logging.handlers import QueueHandler, QueueListener
from traceback import TracebackException
from typing import Any

RATE, BURST = 1.0, 5
"""Records a second of one place in the code, and how many may come at once."""
WAITING = 1000
"""Records that wait for a disk that takes nothing; later ones are lost."""
STOP_S = 2.0
"""How long an ending process waits for the last ones to be written."""


class Allowance:
    """Lets a few events through at once and then so many a second; counts the others."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = float(burst), time.monotonic()
        self._refused = 0

    def take(self) -> int | None:
        """None where this event is one too many; else how many were refused since the last one that passed."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1.0:
            self._refused += 1
            return None
        self._left -= 1.0
        refused, self._refused = self._refused, 0
        return refused


class LogQueue(QueueHandler):
    """Takes records in the thread that logs. Never waits for a disk, and reads no source files.

    Args:
        source: of records of this process, such as `show`; its number is put behind it.

    """

    def __init__(self, source: str) -> None:
        self._records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        super().__init__(self._records)
        self._source = f"{source}[{os.getpid()}]"
        self._places: dict[tuple[str, int], Allowance] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Put a record on the queue, or leave it out: too many of its kind, or too many that wait."""
        refused: int | None = 0
        if not hasattr(record, "source"):  # one of this process: those of others were counted when they came
            place = self._places.setdefault((record.name, record.lineno), Allowance(RATE, BURST))
            refused = place.take()
        if refused is None or self._records.qsize() >= WAITING:
            return
        super().emit(record)
        if refused:
            more = {"msg": f"({refused} more like the last one came before it)", "source": self._source}
            self.enqueue(logging.makeLogRecord({**_facts(record), **more}))

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """A copy that holds no objects of the caller: a message, and a traceback whose source lines are read later."""
        made = logging.makeLogRecord({**_facts(record), "msg": record.getMessage()})
        made.source = getattr(record, "source", self._source)
        made.trace = getattr(record, "trace", "")
        if record.exc_info and record.exc_info[1] is not None:
            made.trace = TracebackException(*record.exc_info, lookup_lines=False)
        return made

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """A log is never worth an error of its own."""


class LogThread(QueueListener):
    """Writes the records of a queue to handlers, in a thread of its own."""

    def stop(self) -> None:
        """Write what waits, for STOP_S at most; may be called twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self.enqueue_sentinel()
            thread.join(STOP_S)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    names = ("name", "levelno", "levelname", "created", "msecs", "threadName")
    return {name: getattr(record, name) for name in names}


def _trace(record: logging.LogRecord) -> str:
    trace = getattr(record, "trace", "")
    return "".join(trace.format()) if isinstance(trace, TracebackException) else str(trace)


def clean(text: str) -> str:
    """Escape control characters other than line breaks, so that the text cannot control a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


class TextFormatter(logging.Formatter):
    """For people: one line a record, its further lines and its traceback indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Such as `2026-01-31 20:15:00.123 ERROR renderer[4711] painter: ...`."""
        at = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(record.created))}.{int(record.msecs):03d}"
        source = getattr(record, "source", "")
        head = f"{at} {record.levelname} {source} {record.threadName}: {record.getMessage()}"
        return clean(f"{head}\n{_trace(record)}".rstrip()).replace("\n", "\n    ")


class JsonFormatter(logging.Formatter):
    """For the show: one JSON object a record, which `parse` reads."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of ASCII."""
        facts = {**_facts(record), "msg": record.getMessage(), "source": getattr(record, "source", "")}
        return json.dumps({"sonorama_log": facts, "trace": _trace(record)})


BEGINS = b'{"sonorama_log": '
"""What a line of `JsonFormatter` begins with."""


def parted(line: bytes) -> list[bytes]:
    """A line; in two, where another writer had not ended its own when the record of a `JsonFormatter` came."""
    at = line.find(BEGINS)
    return [line[:at], line[at:]] if at > 0 else [line]


def parse(line: bytes) -> logging.LogRecord | None:
    """A record from a line of `JsonFormatter`; None where it is something else."""
    try:
        told = json.loads(line)
        facts, trace = told["sonorama_log"], str(told["trace"])
        record = logging.makeLogRecord({**facts, "args": None, "trace": trace})
        record.levelno, record.created = int(record.levelno), float(record.created)
        record.msecs = float(record.msecs)
        record.name, record.source = str(record.name), str(facts["source"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return record
