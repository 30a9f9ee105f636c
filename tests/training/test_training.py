"""The stages learn, on made-up data small enough for every run."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sonorama.engine.model.encoder import EncoderConfig, SoundInversionEncoder
from sonorama.engine.model.mel import BANDS
from sonorama.engine.model.motion import MotionConfig, MotionNetwork
from sonorama.engine.model.synthesis import GeneratorConfig
from sonorama.training.encoder import EncoderTraining, change_gain, learn_directions, sound_guidance_loss
from sonorama.training.generator import GeneratorTrainer, GeneratorTraining, Phase, resized
from sonorama.training.metrics.pictures import kernel_distance
from sonorama.training.motion import ClipBatch, MotionTraining, train_motion
from sonorama.training.pictures import CLEAN, CodeBook, PictureSet

TINY = GeneratorConfig(64, z_dim=8, w_dim=16, channel_base=256, channel_max=16)
PLAN = GeneratorTraining(
    phases=(Phase(32, 64, 4, 64), Phase(64, 8, 4, 64, crop=True, train_from=64)), adversarial_from=(8, 16)
)


def pictures() -> PictureSet:
    rng = torch.Generator().manual_seed(0)
    colours = torch.randint(0, 255, (12, 3, 1, 1), generator=rng, dtype=torch.uint8).expand(-1, -1, 64, 64).contiguous()
    codes = torch.nn.functional.normalize(torch.randn(12, 8, generator=rng), dim=1) * 8**0.5
    rows = torch.arange(12)
    return PictureSet(colours, torch.full((12,), CLEAN), rows // 3, rows, codes, codes)


def test_stage_0_learns_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trainer = GeneratorTrainer(pictures(), TINY, PLAN, tmp_path)
    first = trainer.train_step(PLAN.phases[0])["reconstruction"]
    trainer.run()
    assert trainer.checkpoint.is_file()
    again = GeneratorTrainer(pictures(), TINY, PLAN, tmp_path)
    assert again.load()
    assert again.phase == len(PLAN.phases)
    for a, b in zip(trainer.ema.parameters(), again.ema.parameters(), strict=True):
        assert torch.equal(a, b)
    again.step, plain = 0, replace(PLAN, adversarial=0.0)
    again.plan = plain
    assert again.train_step(replace(PLAN.phases[0], warmup=1))["reconstruction"] < first


def test_a_stopped_training_goes_on_as_if_nothing_had_come_between(tmp_path: Path) -> None:
    def trainer(folder: Path) -> GeneratorTrainer:
        folder.mkdir(exist_ok=True)
        torch.manual_seed(3)
        return GeneratorTrainer(pictures(), TINY, PLAN, folder)

    def steps(trainer: GeneratorTrainer, count: int) -> None:
        for _ in range(count):
            trainer.train_step(PLAN.phases[0])
            trainer.step, trainer.images = trainer.step + 1, trainer.images + 4

    whole, parted = trainer(tmp_path / "whole"), trainer(tmp_path / "parted")
    torch.manual_seed(4)
    steps(whole, 6)
    torch.manual_seed(4)
    steps(parted, 3)
    parted.save()
    torch.manual_seed(99)
    again = trainer(tmp_path / "parted")
    assert again.load()
    steps(again, 3)
    for a, b in zip(whole.ema.parameters(), again.ema.parameters(), strict=True):
        assert torch.equal(a, b)


def test_growing_keeps_what_was_learned(tmp_path: Path) -> None:
    trainer = GeneratorTrainer(pictures(), TINY, PLAN, tmp_path)
    small = resized(trainer.g, 32)
    trainer.start_from(small)
    assert trainer.phase == 1
    before = {k: v.clone() for k, v in trainer.g.state_dict().items()}
    trainer.train_step(PLAN.phases[1])
    after = trainer.g.state_dict()
    changed = {k for k in before if not torch.equal(before[k], after[k])}
    assert changed
    assert all(k.startswith("synthesis.b64.") for k in changed)
    ws = small.mapping(torch.randn(1, 8))
    wide = trainer.g.mapping(torch.zeros(1, 8)) * 0 + ws[:, :1]
    assert torch.allclose(small.synthesis(ws), trainer.g.synthesis(wide, size=32), atol=1e-5)


def test_codes_lie_on_the_sphere() -> None:
    raw = torch.randn(50, 20) @ torch.randn(20, 20)
    codes = CodeBook.fit(raw, 8).encode(raw)
    assert torch.allclose(codes.norm(dim=1), torch.full((50,), 8**0.5), atol=1e-4)
    assert torch.equal(codes, CodeBook.fit(raw, 8).encode(raw))


def test_e_a_learns_what_sounds_mean() -> None:
    torch.manual_seed(0)
    encoder = SoundInversionEncoder(EncoderConfig(10, 16, 4, (8, 8, 8, 8), 16))
    low, high = torch.zeros(2, BANDS, 400)
    low[:40], high[80:] = 0.6, 0.6
    directions = torch.randn(2, 10, 16)
    plan = EncoderTraining(steps_a=120, batch_a=8, rate_a=1e-2)
    error = learn_directions(encoder, directions, [[low], [high]], lambda x: x.new_zeros(len(x), 4), plan)
    assert error < 0.5


def test_gain_leaves_silence_alone() -> None:
    mel = torch.tensor([[0.0, 0.5]])
    assert change_gain(mel, 0.15).tolist() == [[0.0, pytest.approx(0.65)]]


def test_w_bar_is_a_mean() -> None:
    """Eq. 2 prints a sum over t: with it, a film that stands still would be punished for its length."""
    still = torch.randn(1, 1, 4, 8).expand(2, 5, 4, 8)
    code = torch.nn.functional.normalize(torch.ones(2, 5, 3), dim=-1)
    loss = sound_guidance_loss(code, code, code, still, still * 0, EncoderTraining())
    assert loss.item() == pytest.approx(0.0, abs=1e-6)


def test_e_rnn_learns_and_its_delta_is_not_zero() -> None:
    torch.manual_seed(0)
    network = MotionNetwork(MotionConfig(10, 8, 16))
    phase = torch.arange(12)[None, :, None, None] * 0.9 + torch.arange(6)[:, None, None, None]
    heard = torch.sin(phase).expand(6, 12, 10, 8)
    batch = ClipBatch(torch.zeros(6, 10, 8), heard, torch.ones(6, 12), heard * 0.8)
    figures = train_motion(network, batch, 15.0, MotionTraining(steps=80, batch=6, rate=5e-3))
    assert figures["loss_with"] < 0.95 * figures["loss_without"]
    delta, _ = network(torch.randn(1, 10, 8), network.start())
    assert delta.abs().max() > 0


def test_kernel_distance_tells_sets_apart() -> None:
    rng = torch.Generator().manual_seed(0)
    a, b, far = (torch.randn(200, 16, generator=rng) for _ in range(3))
    assert abs(kernel_distance(a, b)) < 0.05
    assert kernel_distance(a, far + 1) > 0.5
