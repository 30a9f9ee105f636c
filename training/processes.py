"""The processes that train together: one, or several on one machine or more, by Lightning's Fabric.

Several processes do what one does: every process draws the whole batch from the same random numbers and trains on its
share of it; gradients are averaged before every optimiser step, so all hold the same weights. The first process
alone writes files and logs, and decides what depends on the clock.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn

from ..engine.errors import InputError, SonoramaError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")
ACCELERATORS = ("cpu", "cuda", "auto")


@dataclass(frozen=True)
class Processes:
    """One process among `size`, the `rank`-th, which trains on `device`; threads: torch's, before they were shared."""

    device: torch.device = dataclasses.field(default_factory=lambda: torch.device("cpu"))
    rank: int = 0
    size: int = 1
    fabric: Fabric | None = None
    threads: int = 0

    @property
    def first(self) -> bool:
        """Whether this one writes and logs."""
        return self.rank == 0

    @property
    def has_bfloat16(self) -> bool:
        """Whether the first process's device has instructions for bfloat16; others emulate it, which is slower than
        float32.
        """
        return self.of_first(_has_bfloat16(self.device))

    def part(self, whole: Tensor) -> Tensor:
        """Rows of this process, of what all hold: every size-th, from the rank-th on."""
        return whole if self.size == 1 else whole[self.rank :: self.size]

    def mean(self, x: Tensor) -> Tensor:
        """Mean over processes; x itself where there is one."""
        return x if self.fabric is None else self._reduced(x, "mean")

    def _reduced(self, x: Tensor, how: str) -> Tensor:
        assert self.fabric is not None  # noqa: S101
        found = self.fabric.all_reduce(x, reduce_op=how)
        assert isinstance(found, Tensor)  # noqa: S101
        return found

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the mean over processes into every gradient; a gradient that only some processes have counts as zero in
        the others, and one that none has stays None.
        """
        if self.size == 1:
            return
        known = [p for p in parameters if p.requires_grad]
        has = torch.tensor([p.grad is not None for p in known], dtype=torch.float32, device=self.device)
        used = [p for p, some in zip(known, self._reduced(has, "sum").tolist(), strict=True) if some]
        if not used:
            return
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in used])
        means = self._reduced(flat, "mean").split([p.numel() for p in used])
        for p, mean in zip(used, means, strict=True):
            p.grad = torch.empty_like(p).copy_(mean.view_as(p))  # in its memory format: fused Adam takes no other

    def agree(self, stop: bool, seconds: float, *, due: bool) -> tuple[bool, float, bool]:
        """Whether any process wants to stop; and the first one's seconds, and whether something is due by its clock."""
        if self.size == 1:
            return stop, seconds, due
        own = [float(stop), seconds if self.first else 0.0, float(due and self.first)]
        found = self._reduced(torch.tensor(own, dtype=torch.float64, device=self.device), "max").tolist()
        return bool(found[0]), found[1], bool(found[2])

    def any(self, flag: bool) -> bool:
        """Whether any process says so."""
        return self.agree(flag, 0.0, due=False)[0]

    def of_first(self, value: T) -> T:
        """What the first process has."""
        return value if self.fabric is None else self.fabric.broadcast(value)

    def random_of_first(self) -> None:
        """Take over the first process's random numbers, after a step in which not all drew alike."""
        cuda = self.device.type == "cuda"
        state = (torch.get_rng_state(), torch.cuda.get_rng_state(self.device) if cuda else None)
        cpu, gpu = self.of_first(state)
        torch.set_rng_state(cpu)
        if gpu is not None:
            torch.cuda.set_rng_state(gpu, self.device)

    @contextmanager
    def ending_quietly(self) -> Iterator[None]:
        """Let a signal that all have heard end the others with 0: Fabric kills the first one when another one fails."""
        try:
            yield
        except KeyboardInterrupt:
            if self.first:
                raise

    def check_batches(self, batches: Iterable[int]) -> None:
        """InputError where a batch cannot be shared evenly."""
        for batch in batches:
            if batch % self.size:
                message = f"{batch} pictures a step cannot be shared by {self.size} processes"
                raise InputError(message, "Take a number of --devices (times --nodes) that divides it: 2, 4 or 8.")


@dataclass(frozen=True)
class Devices:
    """What a training is spread over.

    accelerator: cpu, cuda, auto (cuda where there is any), or for one process any device of torch, such as cuda:1.
    devices: processes on this machine; with cuda one a GPU. nodes: machines; each is given the same command, by
    torchrun or `fabric run`.
    """

    accelerator: str = "cpu"
    devices: int = 1
    nodes: int = 1

    @staticmethod
    def of(args: argparse.Namespace) -> Devices:
        """Those of a command line."""
        return Devices(args.accelerator, args.devices, args.nodes)

    def launch(self) -> Processes:
        """Start the other processes of this machine, each with the command line of this one, and join those of other
        machines.

        Raises:
            SonoramaError: there are not so many devices, or the processes cannot find each other.

        """
        self.check()
        accelerator = self.accelerator
        if accelerator == "auto":
            accelerator = "cuda" if torch.cuda.is_available() else "cpu"
        if self.devices * self.nodes == 1:
            return Processes(_device(accelerator))
        if accelerator not in ACCELERATORS:
            raise InputError(f"{accelerator} is one device", "With several --devices give --accelerator cpu or cuda.")
        threads = torch.get_num_threads()
        fabric = self._fabric(accelerator)
        if fabric.global_rank:
            logging.getLogger().setLevel(logging.WARNING)
        return Processes(fabric.device, fabric.global_rank, fabric.world_size, fabric, threads)

    def check(self) -> None:
        """InputError where there cannot be so many."""
        if min(self.devices, self.nodes) < 1:
            raise InputError("--devices and --nodes begin at 1", "Leave them out to train with one process.")
        if self.nodes > 1 and "MASTER_ADDR" not in os.environ:  # Fabric would wait for the others for ever
            what = f"Nothing says where the other {self.nodes - 1} machines are"
            raise InputError(what, "Start the command on each of them by torchrun; docs/world.md has an example.")

    def _fabric(self, accelerator: str) -> Fabric:
        from lightning_fabric import Fabric

        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
        try:
            fabric = Fabric(accelerator=accelerator, devices=self.devices, num_nodes=self.nodes, strategy="ddp")
            fabric.launch()
        except (RuntimeError, ValueError) as error:
            what = f"{self.devices * self.nodes} processes could not start: {' '.join(str(error).split())}"
            raise SonoramaError(what, "Ask for fewer devices, or start the same command on all machines.") from error
        return fabric


ALONE = Processes()


def add_device_arguments(parser: argparse.ArgumentParser) -> None:
    """--accelerator (or --device), --devices and --nodes."""
    parser.add_argument(
        "--accelerator", "--device", default="cpu", metavar="NAME", help="cpu, cuda or auto, for stage 0 (%(default)s)"
    )
    parser.add_argument("--devices", type=int, default=1, metavar="N", help="processes for stage 0 (%(default)s)")
    parser.add_argument("--nodes", type=int, default=1, metavar="N", help="machines, by torchrun (%(default)s)")


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capable = torch.cpu.get_capabilities()
    return any(bool(capable.get(name)) for name in ("avx512_bf16", "amx_bf16"))


def _device(accelerator: str) -> torch.device:
    try:
        device = torch.device(accelerator)
    except RuntimeError as error:
        raise InputError(f"{accelerator}: no such device", "Take cpu, cuda or auto.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("torch finds no CUDA device", "Take --accelerator cpu, or auto.")
    return device
