"""The log file of a show: what all of its processes log, in a few files of limited size (docs/live.md)."""

from __future__ import annotations

import logging
import os
import platform
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any, Self

from ..errors import SonoramaError
from ..files.folders import log_folder
from .children import begin
from .records import TextFormatter

BYTES, OLDER = 2 << 20, 3
"""Size at which a new file is begun, and how many older ones stay: NAME.log.1 is the newest of them."""
log = logging.getLogger("sonorama.show")


def log_path(name: str, source: str = "show") -> Path:
    """The log file of the show `name`, or of a panel that was started apart from it."""
    return log_folder() / (f"{name}.log" if source == "show" else f"{name}.{source}.log")


class ShowLog:
    """Writes the log of a show, from now until `close`. A log that cannot be written stops no show.

    Args:
        name: of the show.
        source: what this process is called in it.
        debug: log more, and show warnings and tracebacks on the terminal.

    Attributes:
        path: of the file.
        problem: why there is no file; empty if there is one.

    """

    def __init__(self, name: str, source: str = "show", debug: bool = False) -> None:
        self.path, self.problem = log_path(name, source), ""
        handlers: list[logging.Handler] = [_Terminal(debug)]
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handlers.append(_File(self.path))
        except OSError as error:
            self.problem = f"No log is written: {self.path}: {error.strerror or error}"
        self._handlers = handlers
        self._stop = begin(source, handlers, logging.DEBUG if debug else logging.INFO)

    def begin(self, what: str) -> None:
        """Note what begins here, and on what machine."""
        system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
        log.info("%s on %s", what, system)

    def close(self) -> None:
        """Write what waits, and end."""
        self._stop()
        for handler in self._handlers:
            handler.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, SonoramaError):
            log.info("It ends: %s", error.message)
        elif isinstance(error, Exception):
            log.critical("It ends: %s", type(error).__name__, exc_info=error)
        self.close()


class _File(RotatingFileHandler):
    """Readable by its user only: a log tells of prompts and file names."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=BYTES, backupCount=OLDER, encoding="utf-8", errors="backslashreplace")
        self.setFormatter(TextFormatter())

    def _open(self) -> Any:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=private)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """A full disk: the line is lost, the next one is tried."""


class _Terminal(logging.Handler):
    """Warnings are for the user's eyes as well; errors are told there as faults, in one line (show/command.py)."""

    def __init__(self, debug: bool) -> None:
        super().__init__(logging.WARNING)
        self._debug = debug
        if debug:
            self.setFormatter(TextFormatter())

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show a record."""
        return self._debug or (record.levelno == logging.WARNING and record.name.startswith("sonorama"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write to whatever is the standard error now; the terminal may have gone."""
        stream: IO[str] | None = sys.stderr
        try:
            if stream is not None:
                stream.write(f"{self.format(record)}\n")
                stream.flush()
        except (OSError, ValueError):
            pass
