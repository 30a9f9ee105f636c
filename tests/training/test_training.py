"""The stages learn, on made-up data small enough for every run."""

import pytest
import torch

from sonorama.engine.model.mel import BANDS
from sonorama.engine.model.motion_rnn import MotionConfig, MotionNetwork
from sonorama.engine.model.sound_inversion import EncoderConfig, SoundInversionEncoder
from sonorama.training.data.photos import CodeBook
from sonorama.training.stages.motion_teacher import ClipBatch, MotionTraining, train_motion
from sonorama.training.stages.sound_inversion import EncoderTraining, change_gain, learn_directions, sound_guidance_loss


def test_codes_lie_on_the_sphere() -> None:
    raw = torch.randn(50, 20) @ torch.randn(20, 20)
    codes = CodeBook.fit(raw, 8).encode(raw)
    assert torch.allclose(codes.norm(dim=1), torch.full((50,), 8**0.5), atol=1e-4)
    assert torch.equal(codes, CodeBook.fit(raw, 8).encode(raw))


def test_few_pictures_make_codes_of_the_same_width() -> None:
    raw = torch.randn(5, 20)
    codes = CodeBook.fit(raw, 8).encode(raw)
    assert codes.shape == (5, 8)
    assert torch.isfinite(codes).all()
    assert torch.allclose(codes.norm(dim=1), torch.full((5,), 8**0.5), atol=1e-4)


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
