"""A farm of processes on this machine: `--jobs N`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...engine.units import Array
from .painter import Painter
from .segments import WorkerDied

_LOOK_S = 0.5
"""Seconds between two looks at whether the workers live."""
_painter: Painter | None = None  # of this worker process


class Processes:
    """See Farm.

    Args:
        workers: how many processes.
        world: the world's file.
        device: see `open_backend`.

    """

    def __init__(self, workers: int, world: Path, device: str) -> None:
        self.workers = workers
        self._arguments = world, device
        self._pool = self._begin()

    @property
    def pids(self) -> list[int]:
        """The workers' processes."""
        return [*(self._pool._processes or {})]  # Python 3.14 has terminate_workers instead

    def _begin(self) -> ProcessPoolExecutor:
        # Not forked: threads of the networks' libraries would hang.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, context, _open, self._arguments)

    def submit(self, codes: Array) -> Future[Array]:
        """See Farm."""
        try:
            return self._pool.submit(_paint, codes)
        except BrokenProcessPool as error:
            broken: Future[Array] = Future()
            broken.set_exception(error)
            return broken

    def result(self, ticket: Future[Array]) -> Array:
        """See Farm."""
        while True:
            try:
                return ticket.result(_LOOK_S)
            except TimeoutError:
                self._end_if_one_died()
            except BrokenProcessPool as error:
                raise WorkerDied from error

    def _end_if_one_died(self) -> None:
        """A worker that was killed while it sent pictures leaves half of them in the pipe, whose other half the pool
        waits for without end, and the other workers for their turn. Without anybody who writes the pipe is at its end.
        """
        processes = [*(self._pool._processes or {}).values()]
        if all(process.is_alive() for process in processes):
            return
        for process in processes:
            process.kill()
        pipe: Any = self._pool._result_queue
        pipe._writer.close()

    def restart(self) -> None:
        """See Farm."""
        self._pool.shutdown(wait=False)
        self._pool = self._begin()

    def close(self) -> None:
        """See Farm."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        self._pool.shutdown(cancel_futures=True)


def _open(world: Path, device: str) -> None:
    """First of all in a worker."""
    global _painter  # what an initializer makes can be kept nowhere else
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the whole group; the film's process ends us
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _painter = Painter(world, device)


def _end_with_parent() -> None:
    """Also after kill -9, when nobody could end us."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _paint(codes: Array) -> Array:
    if _painter is None:
        raise RuntimeError("this process is no worker")
    return _painter.paint(codes)
