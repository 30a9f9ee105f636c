"""Hearing: who is left out of what, what the figures mean, and that an evaluation runs from end to end."""

import json
import os
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sonorama.engine.model.joint_embedding import unit
from sonorama.engine.units import SAMPLE_RATE
from sonorama.training.data import recordings as sounds
from sonorama.training.data.captions import Captions, Narrator, colours_of
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.data.procedural_sounds import TEXTURES, compose
from sonorama.training.metrics import hearing
from sonorama.training.stages.joint import JointTraining, Targets, train_sound
from sonorama.training.stages.joint_space import info_nce
from sonorama.training.stages.joint_words import Scenes, applies, new_space, towers

DATA = Path(os.environ.get("SONORAMA_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "MANIFEST.tsv").is_file(), reason="skipped: no shared data")
JOINT = Path(__file__).resolve().parents[2] / "engine" / "worlds" / "shore.safetensors"


def recording(class_id: str, source: str, seed: int, seconds: float = 2.0) -> sounds.Recording:
    samples = compose(class_id, np.random.default_rng(seed), int(seconds * SAMPLE_RATE))
    samples = (0.2 * samples / np.abs(samples).max()).astype(np.float32)
    return sounds.Recording(f"{class_id}-{source}.wav", class_id, source, samples)


@pytest.fixture(scope="module")
def recordings() -> list[sounds.Recording]:
    return [recording(k, f"{k} {i}", 10 * n + i) for n, k in enumerate(CLASSES) for i in range(2)]


@pytest.fixture(scope="module")
def windows(recordings: list[sounds.Recording], tmp_path_factory: pytest.TempPathFactory) -> sounds.Windows:
    return sounds.make_windows(recordings, tmp_path_factory.mktemp("windows"), real=6, procedural=2)


@pytest.fixture(scope="module")
def targets() -> Targets:
    torch.manual_seed(0)
    codes = unit(torch.randn(9, 1, 128)).expand(-1, 4, -1)
    return Targets(codes, codes)


def test_sources_are_uploaders_sounds() -> None:
    assert sounds.source_of("Yuval (freesound 197023)", "a.ogg") == "freesound 197023"
    assert sounds.source_of("CGEffex (freesound 98335), modified by Sven2", "b.ogg") == "freesound 98335"
    assert sounds.source_of("AGFX (freesound pack 1253)", "c.ogg") == "freesound pack 1253"
    assert sounds.source_of("ezwa (soundbible 1543)", "d.ogg") == "soundbible 1543"
    assert sounds.source_of("Q009 (morph ambient pack)", "e.ogg") == "e"
    assert sounds.source_of("lgarrett ESC-10 (freesound 17150: lg fire5.wav)", "f.ogg") == "freesound 17150"
    assert sounds.source_of("unknown", "a/steps.1.ogg") == sounds.source_of("unknown", "a/steps.2.ogg") == "a/steps"


@needs_data
def test_derived_files_share_their_recordings_fold() -> None:
    of = {file: source for file, _, source in sounds.list_recordings(DATA)}
    derived = of["audio/underwater_bubbling/derived__env_water_lowpass500.ogg"]
    streams = [source for file, source in of.items() if "env_sounds_water" in file]
    assert len(streams) == 4
    assert set(streams) == {derived}
    assert (
        of["audio/squishing_water/openclonk-data__swim1.ogg"] == of["audio/splashing_water/openclonk-data__splash1.wav"]
    )


@needs_data
def test_classes_in_the_data_are_the_nine() -> None:
    named = {class_id for _, class_id, _ in sounds.list_recordings(DATA) if not class_id.startswith("x_")}
    assert named == set(CLASSES)


def test_a_left_out_source_is_in_no_window(windows: sounds.Windows) -> None:
    source = "raining 1"
    kept = windows.without(source)
    assert any(source in names for names in windows.sources)
    assert not any(source in names for names in kept.sources)
    assert len(kept.class_id) == len(kept.heard) == len(kept.sources)


def test_mixed_windows_name_both_sources(windows: sounds.Windows) -> None:
    mixed = [names for names in windows.sources if len(names) == 2]
    assert mixed, "some windows lay one recording over another"
    assert all(names == tuple(sorted(names)) for names in mixed)


def test_every_class_is_drawn_alike(windows: sounds.Windows) -> None:
    weights = windows.weights(0.7)
    by_class = [weights[windows.class_id == k].sum().item() for k in range(9)]
    assert by_class == pytest.approx([1.0] * 9, abs=1e-4)
    unreal = torch.tensor([sounds.PROCEDURAL in names for names in windows.sources])
    assert (weights[unreal].sum() / weights[~unreal].sum()).item() == pytest.approx(0.7, abs=1e-3)


def test_windows_are_made_once(recordings: list[sounds.Recording], tmp_path: Path) -> None:
    first = sounds.make_windows(recordings, tmp_path, real=1, procedural=1)
    stamps = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    again = sounds.make_windows(recordings, tmp_path, real=1, procedural=1)
    assert torch.equal(first.heard, again.heard)
    assert stamps == {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}


@pytest.mark.parametrize("class_id", sorted(TEXTURES))
def test_procedural_sounds_are_sounds(class_id: str) -> None:
    short, long = (compose(class_id, np.random.default_rng(4), n) for n in (SAMPLE_RATE // 2, 3 * SAMPLE_RATE))
    assert (len(short), len(long)) == (SAMPLE_RATE // 2, 3 * SAMPLE_RATE)
    assert np.isfinite(long).all()
    assert long.std() > 0
    assert not np.array_equal(long, compose(class_id, np.random.default_rng(5), 3 * SAMPLE_RATE))


def test_aligned_codes_cost_less_than_chance() -> None:
    torch.manual_seed(1)
    codes, same = unit(torch.randn(9, 64)), torch.eye(9)
    aligned, chance = info_nce(codes, codes, same, 100.0), info_nce(codes, unit(torch.randn(9, 64)), same, 1.0)
    assert aligned < 1e-3
    assert chance.item() == pytest.approx(np.log(9), abs=0.3)


def test_items_of_one_class_are_positives_of_each_other() -> None:
    codes = unit(torch.randn(2, 16)).repeat_interleave(3, 0)
    same = torch.eye(2).repeat_interleave(3, 0).repeat_interleave(3, 1)
    assert info_nce(codes, codes, same, 50.0).item() == pytest.approx(np.log(3), abs=0.05)


def test_f_a_learns_and_its_figures_add_up(
    recordings: list[sounds.Recording], windows: sounds.Windows, targets: Targets
) -> None:
    plan = replace(JointTraining(), sound_steps=30, sound_batch=27)
    probes = [hearing.probe(r, gain) for r in recordings for gain in hearing.GAINS]
    space = new_space(Captions.load(), scenes())
    space.labels = targets.texts[:, 0]
    material = hearing.Material(windows, targets, space)
    two = {"raining 0", "fire_crackling 1"}
    folds = list(hearing.leave_sources_out(material, [p for p in probes if p.recording.source in two], plan))
    assert [{n.recording.source for n in fold.named} for fold in folds] in ([{a}, {b}] for a, b in permutations(two))
    assert not any(len(fold.others) for fold in folds)
    net = train_sound(windows, targets, replace(plan, sound_steps=60)).sound
    heard = [hearing.Named(p.recording, p.gain, (net.code(p.heard) @ space.labels.T).detach()) for p in probes]
    figures = hearing.summary(heard, 12.0)
    assert figures["balanced_top1"] > 0.5, "on the very sounds it has heard"
    low, high = figures["interval_95"]
    assert low <= figures["balanced_top1"] <= high
    assert sum(sum(row.values()) for row in figures["confusion"].values()) == figures["recordings"] == len(recordings)
    json.dumps(figures)


def test_balanced_means_over_classes_not_recordings() -> None:
    assert hearing.balanced([True, True, True, False], ["a", "a", "a", "b"]) == pytest.approx(0.5)


def test_wilson_interval_of_a_half() -> None:
    low, high = hearing.wilson(10, 20)
    assert (low, high) == pytest.approx((0.299, 0.701), abs=1e-3)


def test_colours_are_named_as_they_look() -> None:
    red, night = torch.zeros(1, 3, 4, 4) - 0.4, torch.zeros(1, 3, 4, 4) - 0.95
    red[:, 0] = 0.8
    shown = [hearing_name for row in (red, night) for hearing_name in [set(names(colours_of(row)[0]))]]
    assert {"red", "warm"} <= shown[0]
    assert {"dark", "grey"} <= shown[1]


def names(shown: torch.Tensor) -> list[str]:
    from sonorama.training.data.captions import COLOURS

    return [c for c, there in zip(COLOURS, shown.tolist(), strict=True) if there]


def scenes() -> Scenes:
    torch.manual_seed(2)
    photos = tuple(sorted(Captions.load().photos))[:3]
    class_id = torch.tensor([-1, 0, 5, -1, 0, 5])
    return Scenes(torch.randn(6, 816) * 0.3, class_id, torch.tensor([0, 0, 0, 1, 1, 2]), photos)


def test_what_is_said_of_a_picture_is_true_of_it() -> None:
    captions, pictures = Captions.load(), scenes()
    narrator, rng = Narrator(captions, pictures.names), torch.Generator().manual_seed(0)
    colours = pictures.colours
    for _ in range(30):
        rows = torch.arange(6)
        texts = [narrator.say(int(pictures.photo[i]), int(pictures.class_id[i]), colours[i], rng) for i in range(6)]
        assert applies(texts, pictures, rows, colours).diagonal().min() == 1


def test_every_photo_and_class_has_words() -> None:
    captions = Captions.load()
    assert set(captions.classes) == set(CLASSES)
    assert all(2 <= len(lines) <= 4 for lines in captions.photos.values())
    if DATA.is_dir():
        assert set(captions.photos) == {p.stem for p in (DATA / "images").glob("*.jpg")}


def test_words_of_the_captions_are_known_to_the_tower() -> None:
    captions, pictures = Captions.load(), scenes()
    tower, _ = towers(new_space(captions, pictures))
    assert (tower.rows(["a red canyon, thunder and lightning", "a stormy sea at dusk"]) != 1).all()
    assert (tower.rows(["a xylophone"]) == 1).any()


@needs_data
def test_gain_does_not_change_what_most_recordings_are_taken_for() -> None:
    from safetensors import safe_open

    if not JOINT.is_file():
        pytest.skip("skipped: no shipped world")
    from sonorama.engine.model.joint_embedding import SoundEncoder

    with safe_open(str(JOINT), "pt") as world:
        tensors = {k: world.get_tensor(k).float() for k in world.keys() if k.startswith(("sound.", "labels."))}  # noqa: SIM118
    net = SoundEncoder.from_tensors({k[6:]: v for k, v in tensors.items() if k.startswith("sound.")})
    files = [file for file, class_id, _ in sounds.list_recordings(DATA) if class_id in CLASSES][::30]
    kept = sounds.read_recordings(DATA, files)
    said = {}
    for r in kept:
        for gain in hearing.GAINS:
            cosines = net.code(hearing.probe(r, gain).heard) @ F.normalize(tensors["labels.codes"], dim=1).T
            said[r.file, gain] = int((12 * cosines).softmax(1).mean(0).argmax())
    same = [said[file, 0.0] == name for (file, gain), name in said.items() if gain]
    assert np.mean(same) > 0.8
