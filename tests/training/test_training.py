"""The stages learn, on made-up data small enough for every run."""

import math

import numpy as np
import pytest
import torch

from sonorama.engine.control.render_table import TABLE
from sonorama.engine.model.config import GeneratorConfig
from sonorama.engine.model.generator import Generator
from sonorama.engine.model.mel import BANDS, ENCODER_COLUMNS
from sonorama.engine.model.motion_rnn import MotionConfig, MotionNetwork
from sonorama.engine.model.sound_inversion import EncoderConfig, SoundInversionEncoder
from sonorama.engine.pipeline.class_places import FULL
from sonorama.engine.pipeline.meaning_mixer import Displacement, MeaningMixer, class_weights
from sonorama.training.data.photos import CodeBook
from sonorama.training.stages.directions import PlaceLatents, random_places
from sonorama.training.stages.generator.statistics import set_w_statistics
from sonorama.training.stages.motion_teacher import ClipBatch, MotionTraining, train_motion
from sonorama.training.stages.sound_inversion import (
    EncoderTraining,
    Judges,
    change_gain,
    displaced,
    draw_windows,
    guide_by_sound,
    look_at,
    sound_guidance_loss,
    to_sounds,
)


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


def small_world() -> tuple[Generator, SoundInversionEncoder]:
    """A generator of 32 px with seeded weights, and an encoder for it that adds nothing yet."""
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig(32, 8, 16, 1, 256, 16)).eval()
    set_w_statistics(generator, torch.randn(64, 8), seeds=500)
    encoder = SoundInversionEncoder(EncoderConfig(8, 16, 4, (8, 8, 8, 8), 16), generator.mapping.w_std)
    return generator, encoder


def test_e_a_is_trained_as_it_is_mixed() -> None:
    generator, encoder = small_world()
    for name, weight in encoder.named_parameters():
        if name.startswith("last."):
            torch.nn.init.normal_(weight, std=0.1)
    own = torch.randn(2, generator.config.num_ws, 16)
    window, code = torch.rand(1, 1, BANDS, ENCODER_COLUMNS) * 0.7, torch.randn(1, 4)
    moved, added, present = displaced(encoder, window, code, own[1])
    shares = np.array([0, 1], np.float32)
    weights = class_weights(shares, float(present), window[0, 0].numpy())
    heard = Displacement(added[0].detach().numpy(), float(present), np.stack([shares, weights]))
    mixer = MeaningMixer(2, (own * encoder.sigma_w).numpy())
    played = mixer({path: one.default for path, one in TABLE.items()}, heard)
    np.testing.assert_allclose(played, moved[0].detach().numpy(), rtol=1e-4, atol=1e-6)
    assert 0 < weights[1] < 1 and added.abs().max() > 0


def test_e_a_learns_to_be_seen_as_it_sounds() -> None:
    """Sounds of two classes should lighten or darken the picture; without displacements only R can do it."""
    generator, encoder = small_world()
    low, high = torch.zeros(2, BANDS, 400)
    low[:40], high[80:] = 0.6, 0.6

    def hear(windows: torch.Tensor) -> torch.Tensor:
        sign = torch.sign(windows[:, 0, 80:].mean((1, 2)) - windows[:, 0, :40].mean((1, 2)))
        return torch.nn.functional.normalize(torch.stack([sign, *(0 * sign,) * 3], 1))

    def see(pictures: torch.Tensor) -> torch.Tensor:
        light = 4 * (pictures.mean((1, 2, 3)) - usual)
        return torch.nn.functional.normalize(
            torch.stack([light, light.new_full((len(light),), 0.5), *(0 * light,) * 2], 1)
        )

    codes = torch.randn(32, 8)
    with torch.no_grad():
        usual = generator.synthesis(generator.mapping(codes, 0.7), "const", 32, "activations").mean()
    labels = torch.nn.functional.normalize(torch.tensor([[-1.0, 0.5, 0.0, 0.0], [1.0, 0.5, 0.0, 0.0]]))
    still = torch.full((2, generator.config.num_ws, 16), 1e-3)
    plan = EncoderTraining(steps=40, clips=2, windows=2, rate=1e-2, lam_r=0.0, size=32)
    figures = guide_by_sound(encoder, generator, still, [[low], [high]], codes, Judges(hear, see, labels), plan)
    assert figures["cosine_after"] > figures["cosine_before"] + 0.3


def test_base_latents_go_to_photos_of_what_is_heard() -> None:
    generator, _ = small_world()
    anchors = torch.nn.functional.normalize(torch.randn(40, 8), dim=1) * 8**0.5
    places = PlaceLatents.of(generator, [anchors[:3], anchors[:0], anchors[7:8]])
    assert places.classes.tolist() == [0, 0, 0, 2] and places.latents.shape == (4, 16)
    rng, mean = torch.Generator().manual_seed(9), generator.mapping.w_avg
    w = generator.mapping(random_places(anchors, 4, rng), 0.7)
    strength = torch.tensor([1.0, FULL / 2, 1.0, 0.0])
    moved = places.go(w, [2, 2, 1, 2], strength, 0.7, mean, rng)
    there = generator.mapping(anchors[7:8], 0.7)[0]
    assert torch.allclose(moved[0], there, atol=1e-5)
    assert torch.allclose(moved[1], (w[1] + there) / 2, atol=1e-5)
    assert torch.equal(moved[2], w[2]) and torch.equal(moved[3], w[3])
    several = places.go(w[:1].repeat(20, 1, 1), [0] * 20, torch.ones(20), 1.0, mean, rng)
    assert {int((places.latents - x[0]).square().sum(1).argmin()) for x in several} == {0, 1, 2}


def test_a_world_without_photos_of_classes_has_no_places() -> None:
    generator, _ = small_world()
    none = PlaceLatents.of(generator, [torch.zeros(0, 8)] * 3)
    assert none.tensors() == {}
    w = generator.mapping(torch.randn(2, 8), 0.7)
    assert torch.equal(none.go(w, [0, 1], torch.ones(2), 0.7, generator.mapping.w_avg, torch.Generator()), w)


def test_gain_leaves_silence_alone() -> None:
    mel = torch.tensor([[0.0, 0.5]])
    assert change_gain(mel, 0.15).tolist() == [[0.0, pytest.approx(0.65)]]


def test_w_bar_is_a_mean() -> None:
    """Eq. 2 prints a sum over t: with it, a film that stands still would be punished for its length."""
    still = torch.randn(1, 1, 4, 8).expand(2, 5, 4, 8)
    code = torch.nn.functional.normalize(torch.ones(2, 5, 3), dim=-1)
    loss = sound_guidance_loss(code, code, code, still, still * 0, EncoderTraining())
    assert loss.item() == pytest.approx(0.0, abs=1e-6)


def test_windows_of_a_clip_follow_each_other() -> None:
    """w_bar of eq. 2 is a mean over time: its windows are 9 columns apart; those of short sounds closer."""
    mel = (0.3 + torch.arange(200) / 1000)[None].expand(BANDS, -1)  # the later, the louder
    drawn = draw_windows([[mel], [mel[:, :24]], [mel[:, :5]]], [0, 1, 2], 4, torch.Generator().manual_seed(1))
    steps = drawn.windows[:, 0, 0, -1].unflatten(0, (3, 4)).diff(dim=1)
    assert torch.allclose(steps, torch.tensor([[0.009], [0.001], [0.0]]).expand(3, 3), atol=1e-6)
    assert torch.equal(drawn.long_windows[:, 0, 0, -1], drawn.windows[:, 0, 0, -1])


def test_cutouts_are_parts_of_the_picture() -> None:
    plan, sizes = EncoderTraining(cutouts=5, cut=0.5), []

    def see(x: torch.Tensor) -> torch.Tensor:
        sizes.append(tuple(x.shape[2:]))
        return x.mean((2, 3))

    seen = look_at(see, torch.ones(2, 3, 32, 56), plan, torch.Generator().manual_seed(3))
    assert torch.allclose(seen, torch.ones(2, 3))
    assert len(sizes) == 5 and sizes[0] == (32, 56)
    assert all(16 <= h < 32 and abs(w / h - 56 / 32) < 0.1 for h, w in sizes[1:])


def test_infonce_wants_the_sounds_of_the_class_and_no_other() -> None:
    """Images against all sounds: by hand for two clips of two classes, and of one class."""
    axes = torch.eye(2)[:, None]  # [clips, 1, D]
    right, wrong = (to_sounds(axes, x, torch.tensor([0, 1]), 20.0).item() for x in (axes, axes.flip(0)))
    assert right == pytest.approx(math.log1p(math.exp(-20)), abs=1e-6)
    assert wrong == pytest.approx(20 + math.log1p(math.exp(-20)))
    assert to_sounds(axes, axes, torch.tensor([1, 1]), 20.0).item() == pytest.approx(10 + math.log1p(math.exp(-20)))
    plan = EncoderTraining(mode="infonce", lam_t=0, lam_b=0, lam_n=0)
    still = torch.zeros(2, 1, 4, 8)
    loss = sound_guidance_loss(axes, axes, axes, still, still, plan, torch.tensor([0, 1]))
    assert loss.item() == pytest.approx(right, abs=1e-6)
    with pytest.raises(ValueError, match="mode"):
        sound_guidance_loss(axes, axes, axes, still, still, plan)


def test_e_rnn_learns_and_its_delta_is_not_zero() -> None:
    torch.manual_seed(0)
    network = MotionNetwork(MotionConfig(10, 8, 16))
    phase = torch.arange(12)[None, :, None, None] * 0.9 + torch.arange(6)[:, None, None, None]
    heard = torch.sin(phase).expand(6, 12, 10, 8)
    batch = ClipBatch(torch.zeros(6, 10, 8), heard, torch.ones(6, 12), heard * 0.8)
    figures = train_motion(network, batch, 15.0, MotionTraining(steps=50, batch=6, rate=5e-3))
    assert figures["loss_with"] < 0.95 * figures["loss_without"]
    delta, _ = network(torch.randn(1, 10, 8), network.start())
    assert delta.abs().max() > 0
