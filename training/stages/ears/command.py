"""Ears alone: makes clips with the teacher's answers, trains the student, and measures it on strangers."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ...data.photos import data_root
from ...data.recordings import of_classes, read_recordings
from ..generator.interrupt import stop_between_steps
from .clips import Clips, make_clips, read_clips
from .distil import Distillation, DistilPlan, load_student
from .library import SoundLibrary, sound_library
from .listening import EarsTraining
from .student import parameters
from .teacher import Teacher

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ears`."""
    parser.add_argument("--data", help="data folder (default: $SONORAMA_DATA, else ../shared/data)")
    parser.add_argument("--work", type=Path, default=Path("build/ears"), help="clips and checkpoints (%(default)s)")
    shards = EarsTraining().shards
    parser.add_argument(
        "--clips", type=int, default=shards, metavar="N", help="files of 1,024 clips each (%(default)s)"
    )
    parser.add_argument("--steps", type=int, default=DistilPlan().steps, help="of training (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="of the processor; 0: torch's own choice")
    parser.add_argument("--twin", action="store_true", help="train a twin that knows nothing of the kept-out makers")
    parser.add_argument("--measure", action="store_true", help="only measure what is there")


def known(library: SoundLibrary, clips: Clips, twin: bool) -> npt.NDArray[np.bool_]:
    """Which clips [N] may be used: a twin does without those in which a kept-out maker is heard."""
    from ...metrics.strangers import STRANGERS

    strange = np.array([*(twin and sound.maker in STRANGERS for sound in library.sounds), False])
    return np.logical_not(strange[clips.sounds].any(axis=1))  # index -1, no sound, is the last entry


def run_ears(args: argparse.Namespace) -> int:
    """Make clips, train, measure; goes on where it stopped."""
    if args.threads:
        torch.set_num_threads(args.threads)
    root = data_root(args.data)
    folder = args.work / ("twin" if args.twin else "student")
    if not args.measure:
        library = sound_library(root, args.work)
        make_clips(library, Teacher(root), args.work / "clips", args.clips)
        clips = read_clips(args.work / "clips")
        plan = replace(DistilPlan(), steps=args.steps)
        run = Distillation(clips, known(library, clips, args.twin), folder, plan)
        run.load()
        log.info("%d clips, %d kept out; components explain %.3f", len(run.rows), len(run.held), run.targets.explained)
        with stop_between_steps() as stop:
            run.run(stop)
    sys.stdout.write(json.dumps(measure(root, folder, args.twin), indent=1) + "\n")
    return 0


def measure(root: Path, folder: Path, twin: bool) -> dict[str, object]:
    """Figures of a trained student: cross-validated by source, or of a twin on the kept-out makers."""
    from ...metrics import strangers

    student = load_student(folder)
    everything = strangers.coded(student, of_classes(read_recordings(root)))
    found: dict[str, object] = {"parameters": parameters(student)}
    if twin:
        ears = strangers.fitted([one for one in everything if not strangers.is_stranger(one.recording)])
        strange = [one for one in everything if strangers.is_stranger(one.recording)]
        found["strangers"] = strangers.figures(strange, strangers.answers(strange, lambda _: ears))
    else:
        found["by_source"] = strangers.figures(everything, strangers.by_source(everything))
    return found
