"""Which farm a job asks for. Light: nothing is begun or imported before it paints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import ValueRefused

if TYPE_CHECKING:
    from .segments import Farm

MOST_JOBS = 256


def farm_of(jobs: int, ray: str | None, device: str) -> Callable[[Path], Farm] | None:
    """Begins it for a world's file; None: the process itself paints.

    Args:
        jobs: processes, or workers of the cluster (0: one for each of its processors).
        ray: address of a cluster.
        device: see `open_backend`.

    Raises:
        ValueRefused: a number of jobs that is not possible.

    """
    lowest = 1 if ray is None else 0
    if not lowest <= jobs <= MOST_JOBS:
        raise ValueRefused(f"--jobs {jobs} is not possible", f"Use {lowest} to {MOST_JOBS}.")
    if ray is not None:
        return partial(_cluster, ray, jobs, device)
    return None if jobs == 1 else partial(_processes, jobs, device)


def _processes(jobs: int, device: str, world: Path) -> Farm:
    from .processes import Processes

    return Processes(jobs, world, device)


def _cluster(address: str, jobs: int, device: str, world: Path) -> Farm:
    from .ray_cluster import RayCluster

    return RayCluster(address, jobs, world, device)
