"""From a folder of one's own videos to a world that plays: classes of its own, found by name or by ear."""

import copy
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sonorama.engine.cli.main import main as sonorama_main
from sonorama.engine.control.addresses import LOOK_SWAY, LOOK_TRAVEL, meaning
from sonorama.engine.control.render_table import TABLE
from sonorama.engine.errors import InputError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.build import build_networks
from sonorama.engine.model.generator import GeneratorConfig
from sonorama.engine.model.joint_space import unknown_words
from sonorama.engine.model.world_file import World, find_world, load_world
from sonorama.engine.pipeline.classify import classify
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.units import DEFAULT_WORLD, SAMPLE_RATE
from sonorama.training.__main__ import main as training_main
from sonorama.training.backbone import Backbone
from sonorama.training.data.footage_clips import footage_clips
from sonorama.training.data.inverted_clips import Clip, invert_footage
from sonorama.training.data.labels import amounts, table
from sonorama.training.data.moving_clips import UNKNOWN
from sonorama.training.data.photos import PICTURES, code_book
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.data.procedural_sounds import compose
from sonorama.training.data.recordings import read_recordings
from sonorama.training.evaluate.command import _recordings
from sonorama.training.evaluate.films import stimuli
from sonorama.training.joint_stage import joint_stage, known_space
from sonorama.training.packing import About
from sonorama.training.recipe import Recipe
from sonorama.training.runner import TrainingRun, make_world
from sonorama.training.stages import own_labels
from sonorama.training.stages.directions import picture_loss
from sonorama.training.stages.joint_space import JointTraining, Space, save
from sonorama.training.stages.motion_teacher import MotionTraining, prepare, train_motion
from sonorama.training.stages.sound_groups import group, k_means, silhouette

from ..engine.model.test_joint_embedding import tiny_clip
from .footage.media import Sound, moving, write_video

SECONDS = 4
OWN = ("bell", "motor")
GENERATOR = GeneratorConfig(64, z_dim=16, w_dim=32, channel_base=512, channel_max=16)
SMALL = replace(Recipe().up_to(64).scaled(0.001), generator=GENERATOR)


def bell(pitch: float, seconds: float = SECONDS) -> np.ndarray:
    """Strokes of a bell, float32 [n]."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    y = np.zeros(len(t))
    for start in np.arange(0, seconds, 0.9):
        u = np.clip(t - start, 0, None)
        for k, level in ((1, 1), (2.76, 0.6), (5.4, 0.4), (8.9, 0.2)):
            y = y + level * np.where(t >= start, np.exp(-2.5 * u), 0) * np.sin(2 * np.pi * pitch * k * u)
    return (0.1 * y).astype(np.float32)


def motor(pitch: float, seconds: float = SECONDS) -> np.ndarray:
    """A motor that runs, float32 [n]."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * pitch * t * (1 + 0.02 * np.sin(2 * np.pi * 0.3 * t))
    return (0.1 * np.sum([np.sin(k * phase) / k for k in range(1, 25)], axis=0)).astype(np.float32)


def rain(seed: int, seconds: float = SECONDS) -> np.ndarray:
    y = compose("raining", np.random.default_rng(seed), int(seconds * SAMPLE_RATE))
    return (0.2 * y / np.abs(y).max()).astype(np.float32)


FILMS = {"bell/a": bell(440), "bell/b": bell(520), "motor/a": motor(60), "motor/b": motor(68), "rain/a": rain(1)}


def data_set(folder: Path, films: Mapping[str, np.ndarray | None], *more: str) -> Path:
    """A data set that `sonorama footage` makes of videos of about a second, with sounds of some seconds."""
    for number, (name, sound) in enumerate(films.items()):
        frames = moving(40 + number, 28, 2, (128, 72))
        write_video(folder / "films" / f"{name}.mkv", frames, sound=None if sound is None else Sound(sound))
    command = ["footage", str(folder / "films"), "-o", str(folder / "data"), "--clip-height", "64", "--size", "72"]
    assert sonorama_main([*command, "--licence", "CC0 1.0", "--author", "nobody", *more]) == 0
    return folder / "data"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small steps on two threads wait for each other for minutes where other programs run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path, Path]:
    """A world made of FILMS, its work folder and its data."""
    folder = tmp_path_factory.mktemp("own")
    data = data_set(folder, FILMS)
    torch.set_num_threads(1)
    run = TrainingRun(data, folder / "work", SMALL, base=find_world(DEFAULT_WORLD))
    make_world(run, folder / "own.safetensors", About("own", "1"))
    return load_world(folder / "own.safetensors"), folder / "work", data


@pytest.mark.timeout(600)
def test_a_world_has_the_classes_of_its_folder_in_mixer_slots(trained: tuple[World, Path, Path]) -> None:
    world, _, _ = trained
    assert world.card.classes == (*CLASSES, *OWN)
    assert world.vocabulary.find("rain") == "raining"
    assert world.card.joint["base"] == DEFAULT_WORLD
    assert world.card.measures["classes"]["named"] == {"rain": "raining"}
    assert world.card.measures["classes"]["left_out"] == []
    assert world.tensors["labels.codes"].shape[0] == len(world.card.classes)
    base = load_world(find_world(DEFAULT_WORLD))
    np.testing.assert_allclose(world.tensors["labels.codes"][:9], base.tensors["labels.codes"][:9], atol=1e-3)
    assert {*world.tensors["meaning.place_classes"].tolist()} >= {CLASSES.index("raining"), 9, 10}
    assert world.tensors["meaning.places"].shape == (len(world.tensors["meaning.place_classes"]), world.card.w_dim)


@pytest.mark.timeout(600)
def test_an_unheard_sound_of_an_own_class_scores_highest_for_it_and_moves_the_picture_there(
    trained: tuple[World, Path, Path],
) -> None:
    world, _, _ = trained
    for name, sound in (("bell", bell(475)), ("motor", motor(64))):
        scores = [*classify(world, [sound])][-1].scores
        assert max(scores, key=lambda label: scores[label]) == name, scores
    heard = [codes(world, sound) for sound in (bell(475), motor(64))]
    assert np.isfinite(heard).all()
    muted = codes(world, bell(475), **{meaning(1 + world.card.classes.index("bell"), "mute"): True})
    assert np.abs(heard[0] - muted).max() > 1e-3
    assert np.abs(heard[0] - heard[1]).max() > 1e-3


def codes(world: World, sound: np.ndarray, **changes: object) -> np.ndarray:
    """Style codes [30,L,W] of the first two seconds."""
    values: dict[str, object] = (
        {path: p.default for path, p in TABLE.items()} | {LOOK_TRAVEL: 0.0, LOOK_SWAY: 0.0} | changes
    )
    return np.stack([*OfflineRender(world, values, Fraction(15), open_backend(world, "reference")).codes([sound], 30)])


def test_motion_is_learned_from_footage_with_its_sound(trained: tuple[World, Path, Path]) -> None:
    world, work, _ = trained
    filmed = sorted((work / "clips").glob("filmed-*.safetensors"))
    drawn = sorted((work / "clips").glob("0*.safetensors"))
    assert (len(filmed), len(drawn)) == (4, 5), "at most half of one clip for each class that can be drawn"
    for path in filmed:
        clip = load_file(path)
        assert clip["targets"].shape == (SMALL.clips.ticks, world.card.generator.num_ws, GENERATOR.w_dim)
        assert clip["targets"].abs().max() > 0 and clip["mel"].shape[1] == clip["columns"][-1]
    assert {"loss_with", "loss_without"} <= set(world.card.measures["motion"])


def test_e_rnn_is_taught_by_filmed_clips_of_known_and_unknown_class(trained: tuple[World, Path, Path]) -> None:
    """A clip of no class has no displacement of a class; what it asks of E_RNN is what is seen."""
    world, work, _ = trained
    networks = build_networks(world)
    one = load_file(sorted((work / "clips").glob("filmed-*.safetensors"))[0])
    ways = torch.ones(len(world.card.classes), world.card.num_ws, world.card.w_dim)
    clips = [Clip(**one, class_id=k) for k in (world.card.classes.index("bell"), UNKNOWN)]
    with torch.no_grad():
        heard = [networks.sound(c.long_windows) for c in clips]
    batch = prepare(clips, networks.encoder, heard, ways)
    far = (batch.heard[0] - batch.heard[1]) / networks.encoder.sigma_w
    assert torch.allclose(far, far[:, :1, :1].expand_as(far), atol=1e-3) and float(far.amax()) > 0.1
    before = copy.deepcopy(networks.motion).requires_grad_(True)
    after = copy.deepcopy(before)
    train_motion(after, batch, 15.0, MotionTraining(steps=1, batch=2))
    assert any(not torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))


def test_inverted_footage_is_painted_as_it_was_filmed_and_its_base_latent_has_no_sound_in_it(
    trained: tuple[World, Path, Path],
) -> None:
    world, work, data = trained
    generator, plan = build_networks(world).generator, SMALL.clips
    generator.requires_grad_(False)
    clip = next(c for c in footage_clips(data, size=(64, 64), classes=world.card.classes) if not c.held)
    clip = replace(clip, frames=clip.frames[: plan.ticks * 2 - 1], columns=clip.columns[: plan.ticks * 2 - 1])
    backbone, std = Backbone(), generator.mapping.w_std
    ways = torch.zeros(len(world.card.classes), world.card.num_ws, world.card.w_dim)

    def inverted(way: float, steps: int) -> Clip:
        rng, plan = torch.Generator().manual_seed(1), replace(SMALL.clips, steps=steps, first_steps=12)
        return invert_footage(generator, ways + way, clip, code_book(work / PICTURES), backbone, plan, rng)

    made = inverted(0.0, 6)
    filmed = clip.frames[::2].float() / 127.5 - 1
    with torch.no_grad():
        painted = generator.synthesis(made.base + made.targets * std, "const", 64, "activations")
        still = generator.synthesis(
            generator.mapping.w_avg.expand(1, world.card.num_ws, -1), "const", 64, "activations"
        )
        assert (picture_loss(painted, filmed, backbone) < 0.9 * picture_loss(still, filmed, backbone)).all()
    pushed = inverted(0.5, 1)
    far = (made.base - pushed.base) / std
    assert torch.allclose(far, far[:1, :1].expand_as(far), atol=1e-3) and 0.2 < float(far.mean()) <= 0.5


def test_a_finished_joint_stage_returns_with_its_classes(trained: tuple[World, Path, Path]) -> None:
    """As a variant (an ablation) reads it: without the base world."""
    world, work, data = trained
    space = joint_stage(TrainingRun(data, work, SMALL))
    assert space.classes == world.card.classes
    np.testing.assert_allclose(space.labels.numpy(), world.tensors["labels.codes"], atol=1e-3)
    assert TrainingRun(data, work, SMALL).labels.named == {"rain": "raining"}


def test_evaluation_hears_recordings_of_all_its_classes(trained: tuple[World, Path, Path]) -> None:
    world, _, data = trained
    found = _recordings(Namespace(data=str(data), split="development"), world)
    assert {r.class_id for r in found} == {*OWN, "raining"}
    assert [s.class_id for s in stimuli(found, 1, world.card.classes)] == ["raining", *OWN]


# ---- the joint space of a base world, or none


def base_space(*names: str) -> Space:
    """The default world's joint space, with other names."""
    space = known_space(find_world(DEFAULT_WORLD))
    codes = torch.nn.functional.normalize(torch.randn(len(names), 128, generator=torch.Generator().manual_seed(1)))
    return replace(space, names=names, name_codes=codes if names else None)


def test_other_classes_of_a_base_world_are_names_and_names_of_own_classes_make_room(tmp_path: Path) -> None:
    space = base_space("birds", "Violin, fiddle", "Speech").promoted(["birds"])
    space = space.with_classes(["organ"], torch.eye(1, 128))
    save(space, tmp_path / "base.safetensors", JointTraining(), 0)
    again = known_space(tmp_path / "base.safetensors")
    assert again.classes == CLASSES and again.names == ("birds", "organ", "Violin, fiddle", "Speech")
    assert torch.equal(again.labels, space.labels[:9])
    assert again.name_codes is not None and torch.equal(again.name_codes[1], torch.eye(1, 128)[0])
    assert again.without_names(["violin"]).names == ("birds", "organ", "Speech")
    code = own_labels.prior(again, "violin", torch.zeros(0, 3, 64, 64))
    assert code is not None and torch.allclose(code, again.name_codes[2])


@pytest.mark.timeout(600)
def test_a_folder_of_birds_is_the_class_that_the_base_world_knows(tmp_path: Path) -> None:
    root = data_set(tmp_path, {"birds/a": None, "rain/b": None})
    space = joint_stage(TrainingRun(root, tmp_path / "work", SMALL, base=find_world(DEFAULT_WORLD)))
    assert space.classes == (*CLASSES, "birds")
    assert "crickets" in space.names and "birds" not in space.names


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_own_classes_have_codes_in_the_space_of_a_named_clip_model(tmp_path: Path) -> None:
    """There F_a is trained on the data's own sounds, and names and photos are those of the model."""
    name, _ = tiny_clip(tmp_path)
    root = data_set(tmp_path, {"bell/a": bell(440), "motor/a": motor(60), "birds/a": None})
    recipe = replace(SMALL, joint=replace(SMALL.joint, clip=name))
    space = joint_stage(TrainingRun(root, tmp_path / "work", recipe, base=find_world(DEFAULT_WORLD)))
    assert space.clip is not None and space.clip.name == name
    assert space.classes[:9] == CLASSES and {*space.classes[9:]} == {"bell", "motor", "birds"}
    assert space.labels.shape == (12, space.labels.shape[1])
    assert torch.allclose(space.labels.norm(dim=1), torch.ones(12), atol=1e-3)
    code = own_labels.prior(space, "birds", torch.zeros(0, 3, 64, 64))
    assert code is not None and code.shape == space.labels[0].shape
    others = space.labels[9:] @ space.labels[9:].T
    assert float(others.fill_diagonal_(0).max()) < 0.99, "classes of one code cannot be told apart"


def test_a_base_world_that_lacks_a_class_is_refused(tmp_path: Path) -> None:
    space = base_space()
    save(replace(space, classes=("rain", *CLASSES[1:])), tmp_path / "base.safetensors", JointTraining(), 0)
    with pytest.raises(InputError, match="does not know thunderstorm"):
        known_space(tmp_path / "base.safetensors")
    save(replace(space, sound=None), tmp_path / "base.safetensors", JointTraining(), 0)
    with pytest.raises(InputError, match="hears no sounds"):
        known_space(tmp_path / "base.safetensors")


@pytest.mark.parametrize("names", [(), ("door", "car")])  # a base world may know others: its own classes, for one
def test_a_class_without_sound_is_its_prior_and_one_without_anything_is_refused(names: tuple[str, ...]) -> None:
    known = torch.eye(16)[13 : 13 + len(names)] if names else None
    space = Space(None, None, None, torch.eye(9, 16), names=names, name_codes=known)
    rng = torch.Generator().manual_seed(2)
    near = torch.nn.functional.normalize(torch.eye(10, 16)[9] + 0.1 * torch.randn(20, 16, generator=rng))
    codes = torch.cat([torch.eye(9, 16), near])
    heard = own_labels.HeardWindows(codes, torch.cat([torch.arange(9), torch.full((20,), 9)]))
    prior = torch.eye(16)[12]
    learned = own_labels.learn(space, ("bell", "street"), heard, {"street": prior}, own_labels.OwnLabelTraining())
    assert torch.equal(learned[1], prior)
    more = space.with_classes(("bell", "street"), learned)
    assert own_labels.shares(more, heard) == dict.fromkeys([*CLASSES, "bell"], 1.0)
    with pytest.raises(ValueError, match="no code"):
        own_labels.learn(space, ("bell", "street"), heard, {}, own_labels.OwnLabelTraining())


@pytest.mark.timeout(600)
def test_without_a_base_world_words_are_learned_from_the_captions_of_footage(tmp_path: Path) -> None:
    root = data_set(tmp_path, {"rain/quayside lanterns": rain(1), "rain/b": None})
    space = joint_stage(TrainingRun(root, tmp_path / "work", SMALL))
    assert space.classes == CLASSES and space.text is not None
    known = space.text.vocabulary.tolist()
    assert unknown_words("quayside lanterns", known) == (["quayside", "lanterns"], [])
    assert unknown_words("xylophone", known)[1] == ["xylophone"]
    assert TrainingRun(root, tmp_path / "work", SMALL).labels.named == {"rain": "raining"}


# ---- no classes


@pytest.mark.timeout(600)
def test_sounds_of_a_folder_without_classes_are_grouped_by_ear(tmp_path: Path) -> None:
    films = {"1": bell(440, 8), "2": bell(460, 8), "3": motor(60, 8), "4": motor(64, 8)}
    root = data_set(tmp_path, {**films, "5": None}, "--layout", "none")
    assert not amounts(root)
    run = TrainingRun(root, tmp_path / "work", SMALL, base=find_world(DEFAULT_WORLD))
    space = joint_stage(run)
    assert space.classes[:9] == CLASSES
    assert len({*space.classes[9:]}) == 2  # a group that the base world knows by name bears that name
    by_film: dict[str, set[str]] = {}
    for r in run.labels.recordings(read_recordings(root)):
        by_film.setdefault(r.source, set()).add(r.class_id)
    for row in table(root / "MANIFEST.tsv"):
        if row["file"].startswith("photos/"):
            by_film.setdefault(row["origin"], set()).add(run.labels.of(row["file"], row["class"]))
    bells, motors = by_film["1.mkv"], by_film["3.mkv"]
    assert len(bells) == len(motors) == 1 and bells != motors
    assert by_film["2.mkv"] == bells and by_film["4.mkv"] == motors and by_film["5.mkv"] == {"unlabelled"}
    clips = {c.source: c.class_id for c in footage_clips(root, classes=space.classes, labels=run.labels)}
    assert {space.classes[clips["1.mkv"]]} == bells and {space.classes[clips["4.mkv"]]} == motors


def test_a_data_set_without_sound_has_the_nine_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = data_set(tmp_path, {"a": None, "b": None}, "--layout", "none")
    run = TrainingRun(root, tmp_path / "work", SMALL, base=find_world(DEFAULT_WORLD))
    with caplog.at_level("INFO"):
        assert joint_stage(run).classes == CLASSES
    assert "the data set has no sound" in caplog.text


def test_a_base_world_and_none_are_asked_for_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "MANIFEST.tsv").touch()
    command = ["training", "world", "--data", str(tmp_path), "--name", "x", "--work", str(tmp_path / "work")]
    for more, said in (
        (["--base", "none", "--from", str(find_world(DEFAULT_WORLD))], "does not go with"),
        (["--base", "y"], "no such world"),
    ):
        monkeypatch.setattr(sys, "argv", [*command, *more])
        assert training_main() == 2
        assert said in capsys.readouterr().err


def test_groups_are_those_that_are_apart() -> None:
    rng = torch.Generator().manual_seed(3)
    centres = torch.eye(3, 8)
    spread = torch.randn(60, 8, generator=rng)
    codes = torch.nn.functional.normalize(centres.repeat_interleave(20, 0) + 0.1 * spread)
    found = group(codes)
    assert len(found) == 3
    assert torch.equal(k_means(codes, 3)[1], k_means(codes, 3)[1])
    of = (codes @ found.T).argmax(1)
    assert len({tuple(of[i : i + 20].tolist()) for i in (0, 20, 40)}) == 3
    assert silhouette(codes, of) > 0.5
    anything = torch.nn.functional.normalize(torch.randn(60, 64, generator=rng))
    assert len(group(anything)) == 1, "nothing is apart"
