"""Stage 3 (eqs. 7 to 9) at a tiny size: who is trained by what, and that an interrupted run ends where another does."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sonorama.engine.errors import InputError
from sonorama.engine.model.generator import Generator, GeneratorConfig
from sonorama.engine.model.motion_rnn import MotionConfig, MotionNetwork
from sonorama.engine.model.sound_inversion import EncoderConfig, SoundInversionEncoder
from sonorama.training.data.moving_clips import UNKNOWN, ClipDraws, MovingClip
from sonorama.training.data.sound_windows import frame_columns
from sonorama.training.stages.adversarial_plan import AdversarialTraining
from sonorama.training.stages.motion_adversarial import Fixed, MotionAdversary
from sonorama.training.stages.motion_roll import Physics
from sonorama.training.stages.recovery import TrainingFailed
from sonorama.training.stages.sound_inversion import EncoderTraining, Judges

CODE = 6
PLAN = AdversarialTraining(steps=4, batch=3, ticks=5, lead=2, height=16, stills=2, shown=2, width=4, scales=1)
SMALL = GeneratorConfig(16, z_dim=8, w_dim=12, channel_base=64, channel_max=8)


def clips(frames: int = 9, rate: float = 30.0) -> list[MovingClip]:
    """Three sounds in bands of their own; the first clip is a still, the others flicker more and more."""
    rng = torch.Generator().manual_seed(8)
    columns = frame_columns(40, frames, rate)
    return [
        MovingClip(
            (100 + 60 * (k % 3) * torch.rand(frames, 3, 16, 16, generator=rng)).to(torch.uint8), rate,
            0.2 * torch.rand(128, columns[-1], generator=rng) + 0.6 * (torch.arange(128)[:, None] // 43 == k % 3),
            columns, k, f"{k}",
        )
        for k in (0, 1, UNKNOWN)
    ]  # fmt: skip


def hear(windows: Tensor) -> Tensor:
    """Some fixed sound embedding: how loud six groups of bands are, [N,1,128,344] -> unit [N,6]."""
    return F.normalize(F.adaptive_avg_pool2d(windows, (CODE, 1)).flatten(1) - 0.2, dim=1)


def see(pictures: Tensor) -> Tensor:
    """Some fixed picture embedding of the same width."""
    return F.normalize(F.adaptive_avg_pool2d(pictures, (1, 2)).flatten(1), dim=1)


def trainer(folder: Path, plan: AdversarialTraining = PLAN) -> MotionAdversary:
    torch.manual_seed(5)
    generator = Generator(SMALL)
    generator.mapping.w_std.uniform_(0.5, 1.0)
    motion = MotionNetwork(MotionConfig(SMALL.num_ws, 12, 8, (1, 3)), generator.mapping.w_avg, generator.mapping.w_std)
    encoder = SoundInversionEncoder(
        EncoderConfig(SMALL.num_ws, 12, CODE, widths=(8, 8), hidden=16, groups=4, level_cuts=(1, 3)),
        generator.mapping.w_std,
    )
    for network in (motion, encoder):
        for name, p in network.named_parameters():
            if "outward" in name or "last" in name:
                torch.nn.init.normal_(p, std=0.1)
    ways = 0.3 * torch.randn(2, SMALL.num_ws, 12)
    judges = Judges(hear, see, F.normalize(torch.randn(2, CODE), dim=1))
    physics = Physics.defaults(motion.config.level_sizes, 15.0)
    fixed = Fixed(generator, torch.randn(7, 8), ways, judges, physics, EncoderTraining())
    return MotionAdversary(
        motion, encoder, fixed, ClipDraws(clips(), plan.ticks, 15.0, plan.lead), plan, folder / "a.pt"
    )


def numbers(one: MotionAdversary) -> Tensor:
    parts = (one.motion, one.encoder, one.motion_mean, one.encoder_mean, one.image_judge, one.video_judge)
    return torch.cat([p.detach().flatten() for part in parts for p in part.parameters()])


def test_both_sides_learn_and_the_generator_does_not(tmp_path: Path) -> None:
    one = trainer(tmp_path)
    before = [
        torch.cat([p.detach().flatten().clone() for p in m.parameters()])
        for m in (one.fixed.generator, one.motion, one.encoder, one.image_judge, one.video_judge)
    ]
    losses = one.train_step()
    after = [
        torch.cat([p.detach().flatten() for p in m.parameters()])
        for m in (one.fixed.generator, one.motion, one.encoder, one.image_judge, one.video_judge)
    ]
    moved = [(a - b).abs().max().item() for a, b in zip(after, before, strict=True)]
    assert moved[0] == 0
    assert all(m > 0 for m in moved[1:])
    # E_a learns at a tenth of E_RNN's rate: Adam's first step is the rate itself.
    assert moved[1] == pytest.approx(PLAN.rate, rel=0.01)
    assert moved[2] == pytest.approx(PLAN.rate_encoder, rel=0.01)
    assert set(losses) == {"video", "image", "guidance", "kept", "judges"}


def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole")
    whole.run()
    first = trainer(tmp_path / "parts")
    first.run(stop=lambda: first.step == 2)
    torch.manual_seed(99)
    second = trainer(tmp_path / "parts")
    assert second.load()
    assert second.step == 2
    second.run()
    assert torch.equal(numbers(whole), numbers(second))


def test_nan_goes_back_once_and_then_ends(tmp_path: Path) -> None:
    one = trainer(tmp_path)
    step, spoiled = one.train_step, list[int]()

    def with_nan() -> dict[str, float]:
        losses = step()
        if one.step == 2 and len(spoiled) < limit:
            spoiled.append(one.step)
            next(one.motion.parameters()).data.fill_(float("nan"))
            return losses | {"video": float("nan")}
        return losses

    one.train_step, limit = with_nan, 1
    one.run()
    assert one.step == PLAN.steps and one.slowed and torch.isfinite(numbers(one)).all()
    assert one.optimiser.param_groups[1]["lr"] == PLAN.rate_encoder / 2
    again = trainer(tmp_path)
    assert again.load()
    assert again.slowed and again.optimiser.param_groups[0]["lr"] == PLAN.rate / 2
    other = trainer(tmp_path / "other")
    step, spoiled, limit = other.train_step, [], 2
    one, other.train_step = other, with_nan
    with pytest.raises(TrainingFailed, match="again, at half the rates") as failed:
        other.run()
    assert len(str(failed.value).splitlines()) == 2
    kept = trainer(tmp_path / "other")
    assert kept.load() and torch.isfinite(numbers(kept)).all()


def test_batches_are_halved_where_memory_does_not_suffice(tmp_path: Path) -> None:
    one = trainer(tmp_path)
    step = one.train_step

    def small_memory() -> dict[str, float]:
        if one.batch > 1:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")
        return step()

    one.train_step = small_memory
    one.run(stop=lambda: one.step == 1)
    again = trainer(tmp_path)
    assert again.load()
    assert (again.batch, again.halved) == (1, 1)
    assert again.optimiser.param_groups[0]["lr"] == pytest.approx(PLAN.rate * 0.5**0.5)

    def no_memory() -> dict[str, float]:
        raise MemoryError

    again.train_step = no_memory
    with pytest.raises(TrainingFailed, match="Memory does not suffice for 1 clips"):
        again.run()


def test_guidance_and_place_are_weighed(tmp_path: Path) -> None:
    plan = replace(PLAN, lam_enc=0.0, lam_w=0.0)
    assert trainer(tmp_path, plan).train_step()["guidance"] == 0
    assert trainer(tmp_path, plan).train_step()["kept"] == 0
    assert trainer(tmp_path).train_step()["guidance"] > 0


def test_discriminators_learn_to_tell_sounds_apart(tmp_path: Path) -> None:
    """After training on the wrong-sound clips alone, real clips with their own sound score higher."""
    one = trainer(tmp_path, replace(PLAN, rate=0.0, rate_encoder=0.0, rate_judges=3e-3, steps=60))
    one.run()
    batch = one.draws.batch(one.draws.clips[:2], (0, 0), (False, False))
    sound = one.sounds(batch)[:, one.draws.lead :].mean(1)
    own, wrong = (one.video_judge(batch.frames, s)[0].mean().item() for s in (sound, sound.flip(0)))
    assert own > wrong + 0.1


def test_the_logistic_loss_with_gradient_penalty_runs(tmp_path: Path) -> None:
    losses = trainer(tmp_path, replace(PLAN, loss="logistic")).train_step()
    assert all(torch.isfinite(torch.tensor(v)) for v in losses.values())


def test_draws_take_the_sound_that_was_there(tmp_path: Path) -> None:
    draws = ClipDraws(clips(), 4, 15.0, lead=2)
    clip = draws.clips[0]
    batch = draws.batch([clip], [1], [False])
    assert torch.equal(batch.frames[0], clip.frames[[1, 3, 5, 7]].float() / 127.5 - 1)
    assert batch.windows.shape == (1, 6, 1, 128, 88)
    last = clip.columns[7]
    assert torch.equal(batch.windows[0, -1, 0, :, -1], clip.mel[:, last - 1])
    assert torch.equal(batch.long_windows[0, -1, 0, :, -last:], clip.mel[:, :last][:, -344:])
    before = clip.columns[1] - round((clip.columns[7] - clip.columns[1]) / 3)
    assert torch.equal(batch.windows[0, 1, 0, :, -1], clip.mel[:, before - 1])
    mirrored = draws.batch([clip], [1], [True])
    assert torch.equal(mirrored.frames, batch.frames.flip(-1))
    with pytest.raises(InputError, match="no clip has 6 frames"):
        ClipDraws(clips(), 6, 15.0)
