"""A farm on a Ray cluster: `--ray ADDRESS`. The world travels through Ray's object store; extra `ray`."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...engine.errors import SonoramaError, needing_extra, one_line
from ...engine.files.fingerprint import sha256
from ...engine.units import Array
from ...engine.versions import versions
from .segments import WorkerDied

SLOW = "Try again when the machine has less to do, or paint without Ray: --jobs N."
_HINT = "Give the address of a running cluster (ray start --head), or `local` for one of this machine."


class RayCluster:
    """See Farm. A worker that dies is begun anew by Ray, and its segments are painted again.

    Args:
        address: of the cluster's head, `auto`, or `local` for a new one of this machine.
        workers: how many; 0: as many as the cluster has processors.
        world: the world's file on this machine.
        device: see `open_backend`.

    Raises:
        SonoramaError: Ray is not installed, there is no such cluster, or its machines have another sonorama.

    """

    def __init__(self, address: str, workers: int, world: Path, device: str) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        with needing_extra():
            import ray
        self._ray: Any = ray
        _check_address(address)
        options: dict[str, Any] = {"num_cpus": workers or None, "include_dashboard": False}
        self._init(address, options if address == "local" else {})
        self.workers = workers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        try:
            self._open(world, device)
        except BaseException:
            self.close()
            raise

    def _init(self, address: str, options: Mapping[str, Any]) -> None:
        """Join or begin the cluster; Ray gives its own processes 30 s to start, which a busy machine may exceed."""
        for last in (False, True):
            try:
                with _own_signals():
                    self._ray.init(address=address, log_to_driver=False, logging_level="ERROR", **options)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise SonoramaError(f"No Ray cluster at {address}: {one_line(error)}", _HINT) from error
            except Exception as error:  # (Ray raises it as it is where time is up)
                self._ray.shutdown()
                if last:
                    raise SonoramaError(f"Ray does not start: {one_line(error)}", SLOW) from error
            else:
                return

    def _open(self, world: Path, device: str) -> None:
        kept = self._ray.put(world.read_bytes())
        remote = self._ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1)(RayPainter)
        self._painters = [remote.remote(kept, sha256(world), device) for _ in range(self.workers)]
        self._next = 0
        try:
            there = set(self._ray.get([painter.version.remote() for painter in self._painters]))
        except self._ray.exceptions.RayError as error:
            raise SonoramaError(f"The cluster's machines cannot paint: {one_line(error)}", _HINT) from error
        if others := there - {versions()["sonorama"]}:
            message = f"The cluster has sonorama {', '.join(sorted(others))}, and this is {versions()['sonorama']}"
            raise SonoramaError(message, "Install the same on all machines.")

    @property
    def pids(self) -> list[int]:
        """The workers' processes, on their machines."""
        return self._ray.get([painter.process.remote() for painter in self._painters])

    def submit(self, codes: Array) -> Any:
        """See Farm."""
        self._next = (self._next + 1) % self.workers
        return self._painters[self._next].paint.remote(codes)

    def result(self, ticket: Any) -> Array:
        """See Farm."""
        try:
            return self._ray.get(ticket)
        except self._ray.exceptions.RayActorError as error:
            raise WorkerDied from error

    def restart(self) -> None:
        """See Farm. Ray has begun the worker anew already."""

    def close(self) -> None:
        """See Farm; the cluster itself stays, unless it is of this process."""
        self._ray.shutdown()


def _check_address(address: str) -> None:
    """Refuse within seconds where nobody listens; Ray itself tries for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or "/" in address:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), 5.0).close()
    except (OSError, ValueError, OverflowError) as error:
        raise SonoramaError(f"No Ray cluster at {address}: {one_line(error)}", _HINT) from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself; afterwards it is ours again."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


class RayPainter:
    """A worker: the world's bytes from the object store, in a file of its own, and a Painter."""

    def __init__(self, world: bytes, fingerprint: str, device: str) -> None:
        from .painter import Painter

        self._folder = tempfile.TemporaryDirectory(prefix="sonorama-")
        file = Path(self._folder.name) / f"{fingerprint[:16]}.safetensors"
        file.write_bytes(world)
        self._painter = Painter(file, device)

    def version(self) -> str:
        """Of sonorama on this machine."""
        return versions()["sonorama"]

    def paint(self, codes: Array) -> Array:
        """See Painter."""
        return self._painter.paint(codes)

    def process(self) -> int:
        """Its number."""
        return os.getpid()
