"""Ears by distillation: what clips hold, what the student hears, and that a run goes on where it stopped."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.model.frame_encoder import level_free
from sonorama.training.data.procedural_sounds import Draw
from sonorama.training.stages.ears.classes import balanced_weights, fit
from sonorama.training.stages.ears.clips import CLIP, NONE, ClipMaker, ClipPlan, Clips, clip_mel
from sonorama.training.stages.ears.distil import Distillation, DistilPlan, load_student
from sonorama.training.stages.ears.library import LibrarySound, SoundLibrary
from sonorama.training.stages.ears.student import Student, StudentConfig, frame_encoder, parameters
from sonorama.training.stages.ears.teacher import BANDS, RATE, mel_weights

SMALL = StudentConfig(widths=(4, 6, 8, 8), code=16, names=5, components=4)


def library(count: int = 4) -> SoundLibrary:
    rng = np.random.default_rng(0)
    samples = (rng.standard_normal(count * 60_000) * 3000).astype(np.int16)
    sounds = [LibrarySound(f"{i}.ogg", f"s{i}", f"m{i}", "", i * 60_000, 60_000, 1.0 + i) for i in range(count)]
    return SoundLibrary(samples, sounds)


def clips(count: int = 96) -> Clips:
    """Noise in one of five bands; the teacher names the band."""
    rng = np.random.default_rng(1)
    band = rng.integers(0, 5, count)
    mel = rng.integers(60, 100, (count, 128, 88)).astype(np.uint8)
    for i, k in enumerate(band):
        mel[i, 10 + 20 * k : 30 + 20 * k] += 120
    scores = np.eye(5, dtype=np.float16)[band]
    embedding = np.concatenate([scores, rng.random((count, 3)).astype(np.float16)], 1)
    return Clips(mel, embedding, scores, np.zeros((count, 2), np.int32))


def test_a_clip_is_whole_and_says_what_is_in_it() -> None:
    maker = ClipMaker(library(), ClipPlan())
    drawn = [maker.draw(Draw(np.random.default_rng([5, i]))) for i in range(40)]
    for clip, _ in drawn:
        assert clip.shape == (CLIP,)
        assert np.isfinite(clip).all()
        assert np.abs(clip).max() <= 1
        assert clip_mel(clip).shape == (128, 88)
    first, second = np.array([sounds for _, sounds in drawn]).T
    assert set(first) <= {NONE, 0, 1, 2, 3}
    assert (first == NONE).any()  # procedural
    assert (second == NONE).any()  # alone
    assert (second >= 0).any()  # mixed


def test_the_same_numbers_draw_the_same_clip() -> None:
    maker = ClipMaker(library(), ClipPlan())
    (one, _), (other, _) = (maker.draw(Draw(np.random.default_rng(9))) for _ in range(2))
    assert np.array_equal(one, other)


def test_loudness_does_not_change_what_is_heard() -> None:
    mel = 0.5 + 0.2 * torch.rand(2, 128, 88)
    assert torch.allclose(level_free(mel), level_free(mel + 0.15), atol=1e-4)


def test_the_lowest_band_is_not_heard() -> None:
    mel = 0.5 + 0.2 * torch.rand(1, 128, 88)
    rumbling = mel.clone()
    rumbling[:, 0] = 1.0
    assert torch.equal(level_free(mel), level_free(rumbling))


def test_the_student_is_small() -> None:
    assert parameters(Student()) <= 1_500_000


def test_what_plays_gives_the_codes_that_were_trained() -> None:
    torch.manual_seed(0)
    student, mel = Student(), 0.5 + 0.3 * torch.rand(8, 128, 88)
    for _ in range(20):
        student(mel)
    for part in student.modules():
        if isinstance(part, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.weight, 0.5, 1.5)
            torch.nn.init.uniform_(part.bias, -0.5, 0.5)
    codes = student.eval().encode(mel)
    assert codes.std(0).mean() > 0.01
    assert (frame_encoder(student)(mel) - codes).abs().max() < 1e-4


def test_teachers_bands_rise_and_fall_once() -> None:
    weights = mel_weights()
    assert weights.shape == (257, BANDS)
    hz = np.linspace(0, RATE / 2, 257)
    assert not weights[hz < 125].any()
    assert not weights[hz > 7500].any()
    peaks = weights.argmax(0)
    assert (np.diff(peaks) >= 0).all()
    assert weights.max() <= 1


def test_the_student_learns_what_the_teacher_says(tmp_path: Path) -> None:
    material = clips()
    plan = DistilPlan(steps=60, batch=16, warmup=5, held=0.2, every=1000)
    run = Distillation(material, np.ones(96, bool), tmp_path, plan, SMALL)
    before = run.measure()
    run.run(lambda: False)
    after = run.measure()
    assert after["same_name"] > max(0.6, before["same_name"])
    assert after["r2"] > before["r2"]
    mel = torch.from_numpy(material.mel[:4]).float() / 255
    assert torch.equal(load_student(tmp_path).encode(mel), run.student.encode(mel))


def test_an_interrupted_run_goes_on_to_the_same_student(tmp_path: Path) -> None:
    plan = DistilPlan(steps=8, batch=8, warmup=2, every=1000)

    def run(folder: Path) -> Distillation:
        return Distillation(clips(), np.ones(96, bool), folder, plan, SMALL)

    whole = run(tmp_path / "whole").run(lambda: False)
    first = run(tmp_path / "parts")
    first.run(lambda: first.step == 4)
    second = run(tmp_path / "parts")
    assert second.load()
    assert second.step == 4
    parts = second.run(lambda: False)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[name]), name


def test_clips_that_are_left_out_are_not_drawn(tmp_path: Path) -> None:
    keep = np.arange(96) < 40
    run = Distillation(clips(), keep, tmp_path, DistilPlan(held=0.1), SMALL)
    assert set(run.rows) | set(run.held) == set(range(40))
    assert not set(run.rows) & set(run.held)


def test_sources_weigh_alike_in_a_class_and_classes_alike() -> None:
    weights = balanced_weights([0, 0, 0, 1], ["a", "a", "b", "c"])
    assert weights.tolist() == pytest.approx([0.25, 0.25, 0.5, 1.0])


def test_discriminants_name_separate_classes() -> None:
    rng = np.random.default_rng(2)
    ids = np.repeat(np.arange(3), 30)
    codes = rng.standard_normal((90, 8)) + 4 * np.eye(3, 8)[ids]
    ears = fit(codes, ids.tolist(), [str(i) for i in range(90)], 3)
    scores = ears.scores(codes)
    assert scores.sum(1) == pytest.approx(np.ones(90))
    assert (scores.argmax(1) == ids).mean() > 0.95
