"""Stage 0 when numbers, memory, disk or checkpoint fail: nothing good is lost, and two lines say what to do."""

import logging
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sonorama.engine.errors import InputError, OutputError
from sonorama.training.backbone import Backbone
from sonorama.training.checkpoints import read_state, write_state, write_tensors
from sonorama.training.data.photos import PictureSet, picture_set
from sonorama.training.recipe import Recipe
from sonorama.training.runner import TrainingRun
from sonorama.training.stages.generator.diversity import relative_spread
from sonorama.training.stages.generator.plan import Phase
from sonorama.training.stages.generator.trainer import CHECKPOINT, GOOD, GeneratorTrainer
from sonorama.training.stages.recovery import TrainingFailed, all_finite, out_of_memory

from ...disks import small_disk
from ..wide_data import wide_data
from .test_generator import PLAN, TINY

SHORT = replace(PLAN, phases=(Phase(8, 64, 8, 2e-2, 1e-2),), checkpoint_s=0.0)
LONGER = (Phase(8, 160, 8, 2e-2, 1e-2),)
Step = Callable[[], dict[str, Tensor]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PictureSet:
    root = wide_data(tmp_path_factory.mktemp("data"))
    return picture_set(root, root / "set.safetensors", *TINY.shape(), z_dim=8)


@cache
def backbone() -> Backbone:
    return Backbone()


def trainer(data: PictureSet, folder: Path, **changes: Any) -> GeneratorTrainer:
    torch.manual_seed(3)
    return GeneratorTrainer(data, TINY, replace(SHORT, **changes), folder, backbone=backbone())


def run(one: GeneratorTrainer) -> None:
    one.run(lambda: False, lambda _: None)


def spoil(one: GeneratorTrainer, when: Callable[[], bool], how: Callable[[], None]) -> None:
    """Let `how` happen after each real step for which `when` holds."""
    step = one.train_step

    def spoiled() -> dict[str, Tensor]:
        losses = step()
        if when():
            how()
        return losses

    one.train_step = spoiled


def two_lines(error: BaseException) -> bool:
    return len(str(error).splitlines()) == 2


# ---- numbers


def make_nan(one: GeneratorTrainer) -> None:
    one.generator.mapping.w_avg.fill_(float("nan"))
    next(one.generator.parameters()).data.fill_(float("nan"))


def test_nan_goes_back_once_with_half_the_rates(
    data: PictureSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, seen = trainer(data, tmp_path), list[int]()
    spoil(one, lambda: one.step == 3 and not seen, lambda: (seen.append(one.step), make_nan(one))[0])
    with caplog.at_level(logging.WARNING):
        run(one)
    assert "with half the rates" in caplog.text
    assert one.done and all_finite(one.generator, one.average)
    assert one.optimiser.param_groups[1]["lr"] < 0.51 * 2e-2
    whole = trainer(data, tmp_path / "whole")
    run(whole)
    assert not torch.equal(one.generator.mapping.w_avg, whole.generator.mapping.w_avg)


def test_nan_again_ends_and_the_last_good_state_is_kept(data: PictureSet, tmp_path: Path) -> None:
    one = trainer(data, tmp_path)
    spoil(one, lambda: one.step == 3, lambda: make_nan(one))
    with pytest.raises(TrainingFailed, match="again, at half the rates") as failed:
        run(one)
    assert two_lines(failed.value)
    assert str(tmp_path / CHECKPOINT) in failed.value.hint
    again = trainer(data, tmp_path)
    assert again.load()
    assert again.step == 3 and all_finite(again.generator, again.average, again.judges)


def test_a_loss_that_is_no_number_is_found_before_the_next_checkpoint(data: PictureSet, tmp_path: Path) -> None:
    plan = {"phases": (Phase(8, 800, 8, 2e-2, 1e-2),), "checkpoint_s": 1e9}
    one = trainer(data, tmp_path, **plan)
    step, steps = one.train_step, [0]

    def spoiled() -> dict[str, Tensor]:
        steps[0] += 1
        return step() | {"l1": torch.tensor(float("inf"))}

    one.train_step = spoiled
    with pytest.raises(TrainingFailed, match="A loss is NaN or infinite"):
        run(one)
    assert steps[0] == 100  # after 50, and after 50 again from the beginning


# ---- collapse


def make_alike(one: GeneratorTrainer) -> None:
    for name, p in one.average.named_parameters():
        if "torgb.weight" in name:
            p.data.zero_()


def test_alike_pictures_have_no_spread(data: PictureSet, tmp_path: Path) -> None:
    one = trainer(data, tmp_path)
    for name, p in one.average.named_parameters():
        if "torgb" not in name:
            p.data += 0.3 * torch.randn_like(p)
    before = relative_spread(one.average, data, 8)
    make_alike(one)
    assert relative_spread(one.average, data, 8) < 1e-3 < before


def test_a_collapse_is_said_goes_back_and_ends_if_it_comes_again(
    data: PictureSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = trainer(data, tmp_path, phases=LONGER)
    spoil(one, lambda: one.step >= 12, lambda: make_alike(one))
    with caplog.at_level(logging.WARNING), pytest.raises(TrainingFailed, match="become alike") as failed:
        run(one)
    assert two_lines(failed.value)
    assert str(tmp_path / GOOD) in failed.value.hint
    assert sum("Seeds look alike" in line for line in caplog.messages) == 6
    assert sum("half the rates" in line for line in caplog.messages) == 1
    good = read_state(tmp_path / GOOD)
    assert good["at"][2] == 12 and good["upkeep"]["alike"] == 0
    (tmp_path / GOOD).replace(tmp_path / CHECKPOINT)
    again = trainer(data, tmp_path)
    assert again.load()
    assert relative_spread(again.average, data, 8) > 0.4 * good["upkeep"]["best"] > 0.2


def test_a_training_that_recovers_goes_on(data: PictureSet, tmp_path: Path) -> None:
    one = trainer(data, tmp_path, phases=LONGER)
    before: list[dict[str, Tensor]] = []

    def alike_for_one_checkpoint() -> None:
        if one.step == 12:
            before.append({k: v.clone() for k, v in one.average.state_dict().items()})
            make_alike(one)
        elif one.step == 13:
            one.average.load_state_dict(before[0])

    spoil(one, lambda: True, alike_for_one_checkpoint)
    run(one)
    assert one.done and not one.slowed and one.alike == 0


# ---- memory


def test_batches_are_halved_until_they_fit_and_stay_so_after_a_stop(
    data: PictureSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = trainer(data, tmp_path)
    step = one.train_step

    def small_memory() -> dict[str, Tensor]:
        if one.batch > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return step()

    one.train_step = small_memory
    with caplog.at_level(logging.WARNING):
        one.run(lambda: one.step == 3, lambda _: None)
    assert "Memory does not suffice for 8 pictures a step" in caplog.text
    assert (one.batch, one.images) == (2, 6)
    again = trainer(data, tmp_path)
    assert again.load()
    assert again.batch == 2
    again.advance()
    assert again.images == 8
    warm = 4 / PLAN.warmup if PLAN.warmup > 4 else 1.0
    assert again.optimiser.param_groups[1]["lr"] == pytest.approx(again.now.rate_at(6 / 64) * 0.5 * warm)


def test_no_memory_for_one_picture_is_an_error_and_other_errors_stay(data: PictureSet, tmp_path: Path) -> None:
    one = trainer(data, tmp_path)

    def no_memory() -> dict[str, Tensor]:
        torch.empty(1 << 55)  # the CPU's allocator refuses
        raise AssertionError

    one.train_step = no_memory
    with pytest.raises(TrainingFailed, match="1 pictures a step") as failed:
        run(one)
    assert two_lines(failed.value)

    def wrong() -> dict[str, Tensor]:
        raise RuntimeError("shapes do not fit")

    one.train_step = wrong
    with pytest.raises(RuntimeError, match="shapes"):
        run(one)
    assert not out_of_memory(RuntimeError("shapes do not fit"))


# ---- disk


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 64 KiB."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    data: PictureSet, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    one = trainer(data, tmp_path)
    one.save()
    before = one.checkpoint.read_bytes()
    assert len(before) > 1 << 16
    request.getfixturevalue("small_files")
    with pytest.raises(OutputError, match="could not be written: File too large") as refused:
        run(one)
    assert two_lines(refused.value)
    assert one.checkpoint.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [CHECKPOINT]
    with pytest.raises(OutputError, match="File too large"):
        write_tensors(tmp_path / "a.safetensors", {"a": torch.zeros(1 << 15)})


def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path, 256) as disk:
        write_state(disk / "a.pt", {"a": torch.zeros(1 << 13)})
        before = (disk / "a.pt").read_bytes()
        with pytest.raises(OutputError, match="The disk is full"):
            write_state(disk / "a.pt", {"a": torch.zeros(1 << 18)})
        with pytest.raises(OutputError, match="The disk is full"):
            write_tensors(disk / "a.safetensors", {"a": torch.zeros(1 << 18)})
        assert (disk / "a.pt").read_bytes() == before
        assert [p.name for p in disk.iterdir()] == ["a.pt"]


# ---- checkpoints that cannot be used


class Payload:
    """Would write a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_bad_checkpoints_are_refused_and_stay(data: PictureSet, tmp_path: Path) -> None:
    one = trainer(data, tmp_path)
    one.save()
    good, bad = one.checkpoint.read_bytes(), dict[str, bytes]()
    bad |= {"cut": good[: len(good) // 2], "empty": b"", "text": b"abc", "flipped": b"\0" * 100 + good[100:]}
    torch.save({"generator": Payload(tmp_path / "ran")}, tmp_path / "payload.pt")
    bad["payload"] = (tmp_path / "payload.pt").read_bytes()
    torch.save([1, 2], tmp_path / "list.pt")
    bad["list"] = (tmp_path / "list.pt").read_bytes()
    torch.save({"step": 3}, tmp_path / "other.pt")
    bad["another stage's"] = (tmp_path / "other.pt").read_bytes()
    wider = GeneratorTrainer(data, replace(TINY, w_dim=24), SHORT, tmp_path / "wider")
    wider.save()
    bad["another recipe's"] = wider.checkpoint.read_bytes()
    for name, content in bad.items():
        one.checkpoint.write_bytes(content)
        with pytest.raises(InputError) as refused:
            trainer(data, tmp_path).load()
        assert two_lines(refused.value), name
        assert str(one.checkpoint) in refused.value.message, name
        assert one.checkpoint.read_bytes() == content, name
    assert not (tmp_path / "ran").exists()


def test_a_stage_that_made_nan_writes_nothing(tmp_path: Path) -> None:
    """The stages without checkpoints, too: a world with NaN in it plays without a word."""
    run = TrainingRun(tmp_path, tmp_path, Recipe())
    good, bad = {"a": torch.ones(2)}, {"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")])}
    with pytest.raises(TrainingFailed, match="Stage encoder: b is NaN or infinite"):
        run.once("encoder", lambda: bad)
    assert not list(tmp_path.glob("*.safetensors"))
    assert run.once("encoder", lambda: good)["a"].tolist() == [1, 1]
