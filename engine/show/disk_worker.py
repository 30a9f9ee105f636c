"""A thread that writes files, so that a disk that hangs does not hold up the control loop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..errors import SonoramaError, one_line_error

log = logging.getLogger(__name__)
Job = Callable[[], None]


class DiskWorker:
    """Does one job after the other; a job replaces one of the same kind that still waits.

    Args:
        fault: called with (kind, line) when a job fails.

    """

    def __init__(self, fault: Callable[[str, str], None]) -> None:
        self._fault = fault
        self._jobs: dict[str, Job] = {}
        self._wake, self._closing = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self._thread.start()

    def do(self, kind: str, job: Job) -> None:
        """Queue a job. Never waits."""
        self._jobs[kind] = job
        self._wake.set()

    def close(self, wait_s: float = 3.0) -> None:
        """Do the jobs that wait, and end; give up after `wait_s` seconds."""
        self._closing = True
        self._wake.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        closing = False
        while not closing:
            self._wake.wait()
            self._wake.clear()
            closing = self._closing  # read before the jobs, so that jobs queued before `close` are done
            for kind in list(self._jobs):
                try:
                    self._jobs.pop(kind)()
                except SonoramaError as error:
                    self._fault(kind, f"{error.message}. {error.hint}")
                except Exception as error:  # (whatever a disk comes up with, the next job is tried)
                    log.exception("Writing failed: %s", kind)
                    self._fault(kind, f"{kind}: {one_line_error(error)}")
