"""Ears by distillation: what clips hold, what the student hears, and that a run goes on where it stopped."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.worlds import write_world

from sonorama.engine.model.build import build_networks
from sonorama.engine.model.config import FramesConfig, SoundConfig
from sonorama.engine.model.frame_encoder import FrameEncoder, level_free
from sonorama.engine.model.joint_embedding import ImageHead, SoundEncoder, TextTower
from sonorama.engine.model.joint_space import Vocabulary
from sonorama.engine.model.world_file import load_world
from sonorama.training.data.procedural_others import OTHERS, compose_other
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.data.procedural_sounds import Draw
from sonorama.training.data.recordings import Recording, Windows
from sonorama.training.metrics.hearing import (
    Named,
    Probe,
    extra_classes,
    leave_sources_out,
    none_of_these,
    summary,
)
from sonorama.training.stages.ears import names
from sonorama.training.stages.ears.classes import balanced_weights, fit
from sonorama.training.stages.ears.clips import CLIP, NONE, ClipMaker, ClipPlan, Clips, clip_mel
from sonorama.training.stages.ears.distil import Distillation, DistilPlan, load_student
from sonorama.training.stages.ears.labelled import labelled_clips
from sonorama.training.stages.ears.library import LibrarySound, SoundLibrary
from sonorama.training.stages.ears.listening import EarsTraining, Listening, drawn_clips, listen
from sonorama.training.stages.ears.student import Student, StudentConfig, frame_encoder, parameters
from sonorama.training.stages.ears.teacher import BANDS, RATE, Teacher, mel_weights, teacher_file
from sonorama.training.stages.joint import Material, Targets, train_sound
from sonorama.training.stages.joint_space import NAMES_SCALE, JointTraining, Space, save

DATA = Path(os.environ.get("SONORAMA_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
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


GROUPED = [name for group in (names.OF_CLASS, names.EXTRA_CLASSES) for some in group.values() for name in some]
NAMES = (*GROUPED, *names.UNTOLD, "Speech", "Guitar")


def test_targets_are_the_classes_and_the_other_names() -> None:
    assert names.other_names(NAMES) == (*names.EXTRA_CLASSES, "Speech", "Guitar")
    scores = np.zeros((5, len(NAMES)), np.float16)
    scores[4, NAMES.index("Chirp, tweet")] = 0.7
    scores[0, NAMES.index("Raindrop")] = 0.8
    scores[1, NAMES.index("Speech")], scores[1, NAMES.index("Guitar")] = 0.6, 0.2
    scores[2, NAMES.index("Silence")] = 0.9
    scores[3, NAMES.index("Guitar")] = 0.1
    target, sure = names.targets(scores, NAMES)
    assert sure.tolist() == [True, True, False, False, True]
    assert target[0, CLASSES.index("raining")] == 1
    assert target[1, len(CLASSES) + 3 :].tolist() == pytest.approx([0.75, 0.25], abs=1e-3)
    assert target[4, len(CLASSES) + [*names.EXTRA_CLASSES].index("birds")] == 1


def test_every_name_of_a_class_is_the_teachers() -> None:
    if not teacher_file(DATA).is_file():
        pytest.skip("skipped: no shared data")
    known = Teacher(DATA).names
    assert set(GROUPED) <= set(known)
    assert set(names.UNTOLD) <= set(known)
    assert len(known) == 521


def listening() -> tuple[Listening, torch.Tensor]:
    """A frame encoder that was not trained, and clips in groups: the classes, then two other names."""
    torch.manual_seed(3)
    config = FramesConfig((4, 6, 8, 8), 16)
    centres = 3 * torch.randn(len(CLASSES) + 2, config.code)
    group = torch.arange(20 * len(centres)) % len(centres)
    heard = centres[group] + 0.3 * torch.randn(len(group), config.code)
    target = torch.nn.functional.one_hot(group, len(centres)).float()
    sources = tuple((f"s{i % 7}", "") for i in range(len(group)))
    clips = names.NamedClips(heard, target, ("Speech", "Guitar"), sources)
    return Listening(FrameEncoder(config), clips), centres


@pytest.mark.parametrize("name", OTHERS)
def test_drawn_sounds_of_other_names_differ_and_are_finite(name: str) -> None:
    drawn = [compose_other(name, np.random.default_rng(seed), CLIP) for seed in (1, 2, 1)]
    assert all(x.shape == (CLIP,) and np.isfinite(x).all() and x.std() > 0 for x in drawn)
    assert np.array_equal(drawn[0], drawn[2])
    assert not np.allclose(drawn[0], drawn[1])


def test_drawn_clips_are_taken_for_their_names() -> None:
    given, _ = listening()
    some = ("Speech", "Hum", "Bass drum")
    clips = drawn_clips(given.frames, some, 3)
    assert clips.names == some and clips.heard.shape == (6, given.frames.config.code)
    assert clips.target.argmax(1).tolist() == [len(CLASSES) + 1] * 3 + [len(CLASSES) + 2] * 3
    both = clips.joined(clips)
    assert len(both.heard) == len(both.target) == len(both.sources) == 12
    assert len(both.without("s3").heard) == 12
    assert len(drawn_clips(given.frames, some, 0).heard) == 0


def test_recordings_with_other_labels_are_taken_for_these_and_two_at_once_for_both() -> None:
    frames = FrameEncoder(FramesConfig((4, 6, 8, 8), 16))
    rng = np.random.default_rng(3)
    some = [
        Recording(f"{name}.ogg", name, f"by {name}", (0.1 * rng.standard_normal(60_000)).astype(np.float32))
        for name in ("raining", "fire_crackling", "x_birds", "x_forest", "x_traffic")
    ]
    known = ("sea_waves", "birds", "Speech")
    clips = labelled_clips(frames, some, known, 4, 12)
    birds = len(CLASSES) + known.index("birds")
    assert clips.names == known and clips.heard.shape == (16, 16)
    assert clips.target[:4].argmax(1).tolist() == [birds] * 4, (
        "x_forest, too; nothing for sea waves without a recording"
    )
    both = clips.target[4:]
    assert torch.equal(both.sum(1), torch.ones(12))
    allowed = {CLASSES.index("raining"), CLASSES.index("fire_crackling"), birds}
    assert set(both.nonzero()[:, 1].tolist()) == allowed
    assert sorted(both[both > 0].unique().tolist()) in ([0.5], [0.5, 1.0])  # birds and forest are both birds
    for target, sources in zip(both, clips.sources[4:], strict=True):
        names = {"by raining": "raining", "by fire_crackling": "fire_crackling"}
        told = {(*CLASSES, *known)[i] for i in target.nonzero()[:, 0].tolist()}
        assert {names.get(source, "birds") for source in sources} == told
    assert not len(labelled_clips(frames, [], known, 4, 12).heard)
    assert torch.equal(labelled_clips(frames, some, known, 4, 12).heard, clips.heard)


def test_f_a_learns_other_names_beside_its_classes() -> None:
    given, centres = listening()
    assert given.clips is not None
    kept = given.clips.without("s3")
    assert len(kept.heard) == len(kept.sources) == 20 * 11 - len([s for s in given.clips.sources if "s3" in s])
    class_id = torch.arange(9).repeat(6)
    windows = Windows(centres[class_id] + 0.3 * torch.randn(54, 16), class_id, tuple((f"r{i}",) for i in range(54)))
    codes = torch.nn.functional.normalize(torch.randn(9, 1, 128), dim=-1).expand(-1, 4, -1)
    plan = replace(JointTraining(), names_steps=150, sound_batch=27, names_batch=40)
    ears = train_sound(windows, Targets(codes, codes), plan, listening=given)
    assert ears.names is not None and ears.names.shape == (2, 128)
    known = Vocabulary(CLASSES, ("Speech", "Guitar"), torch.cat([codes[:, 0], ears.names]).numpy(), NAMES_SCALE)
    with torch.no_grad():
        heard = ears.sound.code(centres).numpy()
    said = [max(known.scores(code).items(), key=lambda pair: pair[1])[0] for code in heard]
    assert said == [*CLASSES, "Speech", "Guitar"]
    assert min(known.strength(code) for code in heard[:9]) > 0.9
    assert max(known.strength(code) for code in heard[9:]) < 0.1


def test_f_a_learns_a_name_from_labelled_clips_alone() -> None:
    given, centres = listening()
    assert given.clips is not None
    guitar = given.clips.target.argmax(1) == 10
    told, labelled = (
        replace(given.clips, heard=given.clips.heard[rows], target=given.clips.target[rows],
                sources=tuple(s for s, kept in zip(given.clips.sources, rows.tolist(), strict=True) if kept))
        for rows in (~guitar, guitar)
    )  # fmt: skip
    class_id = torch.arange(9).repeat(6)
    windows = Windows(centres[class_id] + 0.3 * torch.randn(54, 16), class_id, tuple((f"r{i}",) for i in range(54)))
    codes = torch.nn.functional.normalize(torch.randn(9, 1, 128), dim=-1).expand(-1, 4, -1)
    plan = replace(JointTraining(), names_steps=150, sound_batch=27, names_batch=40, labelled_batch=20)
    for more in (None, labelled):
        ears = train_sound(windows, Targets(codes, codes), plan, listening=Listening(given.frames, told, more))
        assert ears.names is not None
        known = Vocabulary(CLASSES, ("Speech", "Guitar"), torch.cat([codes[:, 0], ears.names]).numpy(), NAMES_SCALE)
        with torch.no_grad():
            scores = known.scores(ears.sound.code(centres[10:]).numpy()[0])
        assert (scores["Guitar"] > 0.5) == (more is not None)
    kept = Listening(given.frames, told, labelled).without("s3")
    assert kept.clips is not None and kept.labelled is not None
    assert not any("s3" in names for some in (kept.clips, kept.labelled) for names in some.sources)


def test_figures_of_extra_classes_count_recordings() -> None:
    def named(label: str, best: int) -> Named:
        cosines = torch.zeros(2, 12)
        cosines[:, best] = 1.0
        return Named(Recording(f"{label}{best}.ogg", label, "s", np.zeros(1)), 0.0, cosines)

    some = [named("x_sea_waves", 11), named("x_sea_waves", 4), named("x_forest", 9), named("x_night_crickets", 0)]
    assert extra_classes(some, ("birds", "Speech", "sea_waves")) == {"sea_waves": "1 of 2", "birds": "1 of 1"}


def test_names_become_classes() -> None:
    space = Space(None, None, None, torch.eye(2, 4), names=("birds", "Speech"), name_codes=torch.eye(4)[2:])
    more = space.promoted(("birds",))
    assert more.names == ("Speech",)
    assert more.labels.tolist() == torch.eye(3, 4).tolist() and more.tensors()["names.codes"].tolist() == [[0, 0, 0, 1]]
    assert space.promoted(()) is space
    assert space.promoted(("Speech",)).names == ("birds",)
    with pytest.raises(ValueError, match="do not hold Guitar"):
        space.promoted(("Guitar",))


def test_a_space_with_other_names_returns_from_its_file(tmp_path: Path) -> None:
    given, _ = listening()
    torch.manual_seed(4)
    sound = SoundEncoder.sized(SoundConfig(16, 128, 8, 1), given.frames.config).eval()
    text = TextTower(torch.tensor([320, 49406, 49407], dtype=torch.int32), width=32, layers=1, context=8)
    space = Space(text, ImageHead(20), sound, torch.eye(9, 128), None, ("Speech", "Guitar"), torch.eye(2, 128), 17.0)
    save(space, tmp_path / "joint.safetensors", JointTraining(), 1)
    again = Space.read(tmp_path / "joint.safetensors")
    assert (again.names, again.scale) == (("Speech", "Guitar"), 17.0)
    assert again.name_codes is not None and torch.equal(again.name_codes, torch.eye(2, 128))
    window = torch.rand(1, 1, 128, 344)
    assert torch.equal(again.ears()(window), sound(window))


def test_without_a_teacher_a_world_goes_on_with_the_frame_encoder_it_has(tmp_path: Path) -> None:
    assert listen(tmp_path, tmp_path / "work", EarsTraining()) is None
    write_world(tmp_path / "w.safetensors", frames=FramesConfig((4, 6, 8, 8), 16))
    found = listen(tmp_path, tmp_path / "work", EarsTraining(), tmp_path / "w.safetensors")
    assert found is not None and found.clips is None
    torch.manual_seed(0)
    window = torch.rand(2, 1, 128, 344)
    networks = build_networks(load_world(tmp_path / "w.safetensors"))
    assert torch.allclose(found.frames.window(window), networks.sound.hear(window), atol=1e-5)
    write_world(tmp_path / "old.safetensors")
    assert listen(tmp_path, tmp_path / "work", EarsTraining(), tmp_path / "old.safetensors") is None


def test_others_of_left_out_packages_are_told_from_the_classes() -> None:
    given, centres = listening()
    assert given.clips is not None
    packages = tuple((f"package p{i % 4}", "") for i in range(len(given.clips.heard)))
    given = replace(given, clips=replace(given.clips, sources=packages))
    class_id = torch.arange(9).repeat(6)
    windows = Windows(centres[class_id] + 0.3 * torch.randn(54, 16), class_id, tuple((f"r{i % 3}",) for i in range(54)))
    codes = torch.nn.functional.normalize(torch.randn(9, 1, 128), dim=-1).expand(-1, 4, -1)
    space = Space(None, None, None, codes[:, 0])
    material = Material(windows, Targets(codes, codes), space, given)
    probes = [
        Probe(Recording(f"{k}-{i}.wav", CLASSES[k], f"r{i}", np.zeros(1)), 0.0, centres[k][None] + 0.1)
        for k in range(9)
        for i in range(3)
    ]
    plan = replace(JointTraining(), names_steps=120, sound_batch=27, names_batch=40)
    folds = list(leave_sources_out(material, probes, plan, folds=3))
    named, others = [n for fold in folds for n in fold.named], torch.cat([fold.others for fold in folds])
    assert len(named) == 27
    assert len(others) == 40, "all clips of the two other names, once"
    assert summary(named, material.scale())["balanced_top1"] == 1
    told = none_of_these(named, others, material.scale())
    assert told["auroc"] > 0.99
    assert told["refused_where_90_percent_are_kept"] > 0.95
