"""Writes files in a thread of its own: a disk that hangs must not hold up values, panels and the renderer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..errors import SonoramaError

log = logging.getLogger(__name__)
Job = Callable[[], None]


class DiskWorker:
    """A thread that does one job after the other; of a kind that waits already the newest takes its place.

    Args:
        fault: takes (kind, line) when a job fails.

    """

    def __init__(self, fault: Callable[[str, str], None]) -> None:
        self._fault = fault
        self._jobs: dict[str, Job] = {}
        self._wake, self._closing = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self._thread.start()

    def do(self, kind: str, job: Job) -> None:
        """Have it done. Never waits."""
        self._jobs[kind] = job
        self._wake.set()

    def close(self, wait_s: float = 3.0) -> None:
        """Do what waits, and end; a disk that hangs is left behind."""
        self._closing = True
        self._wake.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        closing = False
        while not closing:
            self._wake.wait()
            self._wake.clear()
            closing = self._closing  # looked at first: what was asked for before it is done
            for kind in list(self._jobs):
                try:
                    self._jobs.pop(kind)()
                except SonoramaError as error:
                    self._fault(kind, f"{error.message}. {error.hint}")
                except Exception as error:  # (whatever a disk comes up with, the next job is tried)
                    log.exception("Writing failed: %s", kind)
                    self._fault(kind, f"{kind}: {error}")
