"""TensorBoard events of a training, read back by TensorBoard's own reader."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sonorama.training.data.photos import picture_set
from sonorama.training.event_log import FOLDER, EventLog
from sonorama.training.stages.generator.plan import Phase
from sonorama.training.stages.generator.progress import Progress
from sonorama.training.stages.generator.trainer import GeneratorTrainer
from sonorama.training.status import Status

from ..disks import small_disk
from .stages.test_generator import PLAN, TINY
from .wide_data import wide_data

JPEG_START = b"\xff\xd8\xff"


def read(work: Path) -> EventAccumulator:
    return EventAccumulator(str(work / FOLDER), {"scalars": 0, "images": 0}).Reload()


def test_what_stages_tell_is_read_back(tmp_path: Path) -> None:
    events = EventLog(tmp_path)
    assert not (tmp_path / FOLDER).exists()
    events(Status("generator 32 px", 0.5, {"images": 400, "l1": 0.25}))
    events(Status("encoder", 0.04, {"loss": 1.5, "cosine": float("nan")}))
    # A training that goes on writes another file beside the first.
    EventLog(tmp_path)(Status("encoder", 0.08, {"loss": 1.25}))
    found = read(tmp_path)
    assert set(found.Tags()["scalars"]) == {"generator 32 px/l1", "encoder/loss", "encoder/cosine"}
    assert [(e.step, e.value) for e in found.Scalars("generator 32 px/l1")] == [(400, 0.25)]
    assert [(e.step, e.value) for e in found.Scalars("encoder/loss")] == [(40, 1.5), (80, 1.25)]


def test_stage_0_leaves_losses_rates_and_sheets(tmp_path: Path) -> None:
    root = wide_data(tmp_path / "data")
    data = picture_set(root, root / "set.safetensors", *TINY.shape(), z_dim=8)
    torch.manual_seed(1)
    plan = replace(PLAN, phases=(Phase(8, 200, 4, 1e-2, 1e-2),))
    trainer = GeneratorTrainer(data, TINY, plan, tmp_path)
    events = EventLog(tmp_path)
    trainer.run(lambda: False, Progress(tmp_path, data, plan, events), events)
    found = read(tmp_path)
    losses = found.Scalars("generator 8 px/l1")
    assert len(losses) == 1 and 0 < losses[0].value < 1
    assert found.Scalars("generator 8 px/rate")[0].value == pytest.approx(1e-2)
    assert len(found.Tags()["images"]) == 2
    for name in found.Tags()["images"]:
        (picture,) = found.Images(name)
        assert picture.encoded_image_string.startswith(JPEG_START)
        (file,) = (tmp_path / "grids").glob(f"{name.split()[0]}_*.jpg")
        assert file.read_bytes() == picture.encoded_image_string


def test_a_full_disk_ends_the_events_and_not_the_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with small_disk(tmp_path, 64) as disk, caplog.at_level(logging.WARNING):
        events = EventLog(disk)
        for step in range(4):
            events.picture("noise", bytes(40_000), (8, 8), step)
        events(Status("encoder", 0.5, {"loss": 1.0}))
    assert sum("No more events" in line for line in caplog.messages) == 1
