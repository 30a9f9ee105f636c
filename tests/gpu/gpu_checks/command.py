"""Checks a GPU: what it paints, against the reference, then how fast, size by size; what is known is on disk at once.

Needs torch, numpy and safetensors. On the CPU (`--device cpu`) a stand-in takes the place of torch.cuda, to try this
program; its times mean nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from sonorama.engine.inference import cuda_graphs
from sonorama.engine.model.config import GeneratorConfig
from sonorama.engine.model.generator import Synthesis

from . import fake_cuda
from .networks import seeded, seeded_codes
from .parity import NETWORKS, OBLONG, checks
from .report import Report
from .speed import floors, least, rows
from .world import check_world, world_network

SIZES = ("256/4096", "512/16384", "512/32768")
CODES = 8


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    made = argparse.ArgumentParser("tests/gpu/run.sh checks", description=__doc__)
    made.add_argument("--out", type=Path, required=True, help="folder for rows.jsonl and table.txt")
    made.add_argument("--seconds", type=float, default=300.0, help="no measurement begins later (%(default)s)")
    made.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    made.add_argument("--size", action="append", metavar="PX/BASE", help=f"of random networks ({', '.join(SIZES)})")
    made.add_argument("--world", type=Path, help="a world file to check and measure besides")
    made.add_argument("--runs", type=int, default=300, help="pictures a measurement (%(default)s)")
    made.add_argument("--small", action="store_true", help="small matrices and networks, to try this program")
    return made


def main() -> int:
    """Run it; 1 if a check failed, 2 where there is no such device."""
    args = parser().parse_args()
    end = time.monotonic() + args.seconds
    report = Report(args.out)
    os.environ.setdefault("SONORAMA_CACHE", str(args.out / "cache"))
    if args.device == "cpu":
        fake_cuda.install(_Patch(), lambda _: True)
    elif not torch.cuda.is_available():
        print("No CUDA device that torch can use.\nSee nvidia-smi, or try this program with --device cpu.")
        return 2
    if args.small:
        cuda_graphs.RUNS = 1
    cuda_graphs.repeatable()
    device = torch.device(args.device)
    name, when = torch.cuda.get_device_name(device), time.strftime("%Y-%m-%d")
    told = "THE CPU: these times mean nothing" if args.device == "cpu" else name
    report.add(
        "machine", f"{told}, torch {torch.__version__}, Python {platform.python_version()}, {when}",
        device=told, torch=torch.__version__, date=when,
    )  # fmt: skip
    for check in checks(device, {"oblong": OBLONG} if args.small else NETWORKS):
        report.check(*check)
    if args.world is not None:
        for check in check_world(args.world, args.device):
            report.check(*check)
    for size, synthesis, codes in _networks(args.size or SIZES, args.world):
        if time.monotonic() > end:
            report.add("stopped", f"{args.seconds:.0f} s are over: {size} is not measured", size=size)
            break
        _measure(report, size, synthesis, codes, device, args, end)
    report.close()
    return 1 if report.failed else 0


def _networks(sizes: tuple[str, ...], world: Path | None) -> Iterator[tuple[str, object, Tensor]]:
    for size in sizes:
        side, base = (int(part) for part in size.split("/"))
        config = GeneratorConfig(side, 512, 512, 8, base, 512)
        yield size, seeded(config), seeded_codes(config, CODES)
    if world is not None:
        yield world.name, *world_network(world, CODES)


def _measure(
    report: Report,
    size: str,
    synthesis: object,
    codes: Tensor,
    device: torch.device,
    args: argparse.Namespace,
    end: float,
) -> None:
    if not isinstance(synthesis, Synthesis):
        report.add("stopped", f"{size}: only StyleGAN2 is measured", size=size)
        return
    shape = synthesis.config.shape()
    found = floors(device, shape, codes.shape[1], codes.shape[2], args.runs, 64 if args.small else 8192)
    bound = least(synthesis, found)
    report.add(
        "floors",
        f"\n{size}: {found.flops / 1e12:.0f} TFLOP/s in float16, {found.bandwidth / 1e9:.0f} GB/s, a graph "
        f"{found.launch:.3f} ms, copies {found.copy:.3f} ms; floor {bound:.3f} ms\n"
        f"{'':58}{'wall':>9}{'p99':>9}{'device':>9}{'error':>10}{'':>8}",
        size=size, floor_ms=bound, **asdict(found),
    )  # fmt: skip
    for row in rows(synthesis, codes, device, args.runs):
        t = row.times
        report.add(
            "speed",
            f"{row.name:58}{t.wall:9.3f}{t.p99:9.3f}{t.device:9.3f}{row.error:10.1e}{row.times_reference:7.2f}x",
            size=size, name=row.name, wall_ms=t.wall, p99_ms=t.p99, device_ms=t.device, error=row.error,
            times_reference=row.times_reference, times_floor=t.wall / bound,
        )  # fmt: skip
        if time.monotonic() > end:
            report.add("stopped", f"{args.seconds:.0f} s are over", size=size)
            return


class _Patch:
    def setattr(self, target: object, name: str, value: object) -> None:
        setattr(target, name, value)
