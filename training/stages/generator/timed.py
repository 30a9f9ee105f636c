"""Trains stage 0 from one packed file within a time, on a GPU: `python -m sonorama.training.stages.generator.timed`.

Needs torch, timm, numpy and safetensors only. Whenever it is stopped, `generator.safetensors` (the averaged generator
in half precision, and the anchors of seeds), sheets of pictures and distances lie in the output folder; where the
whole checkpoint may be kept, the same command goes on from it.
"""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from ....engine.errors import SonoramaError
from ....engine.files.atomic import replacing, tensors_into
from ....engine.model.generator import GeneratorConfig
from .interrupt import stop_between_steps
from .pack import read_pack
from .plan import timed_plan
from .progress import Progress
from .trainer import GeneratorTrainer

log = logging.getLogger(__name__)
RESULT = "generator.safetensors"


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    made = argparse.ArgumentParser("python -m sonorama.training.stages.generator.timed", description=__doc__)
    made.add_argument("--pack", type=Path, required=True, help="file written by `generator-pack`")
    made.add_argument("--out", type=Path, required=True, help="folder for results and the checkpoint")
    made.add_argument("--seconds", type=float, default=440.0, help="of training (%(default)s)")
    made.add_argument("--size", type=int, default=256, help="height in px, at most that of the pack (%(default)s)")
    made.add_argument("--largest", type=float, default=64.0, metavar="MB", help="of a file kept (%(default)s)")
    made.add_argument("--batch", type=int, default=64, help="pictures a step (%(default)s)")
    made.add_argument("--channels", type=int, nargs=2, default=[4096, 256], metavar=("BASE", "MAX"))
    made.add_argument("--seeds", type=int, default=100, help="painted for a measure (%(default)s)")
    made.add_argument("--device", default="cuda", help="cuda or cpu (%(default)s)")
    return made


class Results:
    """Writes what can be used at once beside every checkpoint."""

    def __init__(self, out: Path, progress: Progress, largest_mb: float) -> None:
        self.out, self.progress, self.largest_mb = out, progress, largest_mb

    def __call__(self, trainer: GeneratorTrainer) -> None:
        """The averaged generator, then sheets and measures; a checkpoint over the limit is taken away again."""
        tensors = {f"generator.{k}": v.half().cpu().contiguous() for k, v in trainer.average.state_dict().items()}
        with replacing(self.out / RESULT) as part, tensors_into(self.out / RESULT):
            save_file(tensors | {"bank.anchors": trainer.anchors.half().cpu()}, part)
        size = trainer.checkpoint.stat().st_size / 1e6
        if size > self.largest_mb:
            log.warning("the checkpoint has %.0f MB, %.0f are allowed: only the result is kept", size, self.largest_mb)
            trainer.checkpoint.unlink()
        self.progress(trainer)


def run(args: argparse.Namespace) -> int:
    """Train; 0 when the time is over."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    data, backbone = read_pack(args.pack)
    data = data.smaller(args.size)
    rows, columns = data.pictures.shape[2:]
    base, most = args.channels
    config = GeneratorConfig(args.size, data.codes.shape[1], 512, 2, base, most, const_width=round(4 * columns / rows))
    plan = replace(timed_plan(args.seconds, args.size, args.batch), measure_seeds=args.seeds)
    torch.manual_seed(20)
    cuda = args.device == "cuda"
    trainer = GeneratorTrainer(data, config, plan, args.out, device=args.device, bfloat16=cuda, backbone=backbone)
    trainer.cache = args.pack.with_suffix(".features")  # beside the pack: they may be larger than what may be kept
    log.info("goes on" if trainer.load() else "begins")
    results = Results(args.out, Progress(args.out, trainer.data, plan), args.largest)
    with stop_between_steps() as stop:
        trainer.run(stop, results)
    return 0


def main() -> int:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        return run(parser().parse_args())
    except SonoramaError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. The same command goes on from the last checkpoint.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
