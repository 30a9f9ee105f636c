"""Reading clips of a data set: what each frame hears, sound that begins late or ends early, tables that do not hold."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from tests.training.footage.media import moving, noise, write_sound

from sonorama.engine.errors import InputError
from sonorama.engine.model.mel import HOP, log_mel
from sonorama.training.data.footage_clips import BEFORE, footage_clips
from sonorama.training.data.labels import Labels
from sonorama.training.data.moving_clips import UNKNOWN, ClipDraws
from sonorama.training.footage.clips import write_clip
from sonorama.training.footage.manifest import CLIP_COLUMNS

if TYPE_CHECKING:
    from sonorama.engine.model.generator import Generator
    from sonorama.training.runner import TrainingRun

RATE = 44100


def data_set(root: Path, *rows: tuple[object, ...], frames: int = 30, seconds: float = 12.0) -> np.ndarray:
    """Clips a.mkv and b.mkv with the sound s.wav; returns the sound as it is read."""
    for name in ("a", "b"):
        write_clip(root / f"{name}.mkv", moving(ord(name), frames, size=(40, 24)))
    samples = noise(seconds)
    write_sound(root / "s.wav", samples)
    lines = [CLIP_COLUMNS, *rows]
    (root / "clips.tsv").write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))
    return np.rint(samples * 32767).astype(np.float32) / 32768


def test_windows_end_where_the_frame_is_shown(tmp_path: Path) -> None:
    first = 10 * RATE + 123
    sound = data_set(tmp_path, ("a.mkv", "s.wav", first, 30, 30, "raining", "train", "a"))
    (clip,) = footage_clips(tmp_path)
    assert clip.class_id == 6 and not clip.held and clip.source == "a"
    for i in (0, 7, 29):
        until = first + i * RATE / 30
        heard = log_mel(sound)[:, : int(until // HOP)]
        np.testing.assert_allclose(clip.mel[:, : clip.columns[i]][:, -344:].numpy(), heard[:, -344:], atol=1e-5)
        assert (heard.shape[1] + 1) * HOP > until >= heard.shape[1] * HOP
    assert clip.columns[0] == BEFORE


def test_late_sound_and_sound_that_ends(tmp_path: Path) -> None:
    data_set(
        tmp_path,
        ("a.mkv", "s.wav", -RATE // 2, 30, 30, "surf", "held-out", "a"),
        ("b.mkv", "s.wav", round(0.7 * RATE), 30, 30, "surf", "train", "b"),
        seconds=1.0,
    )
    late, ending = footage_clips(tmp_path)
    assert late.held and late.class_id == UNKNOWN and not ending.held
    assert late.columns[:15] == (0,) * 15 and late.columns[29] == int((29 / 30 - 0.5) * RATE) // HOP
    assert ending.mel.shape[1] == ending.columns[-1] == int(0.7 * RATE + 29 * RATE / 30) // HOP
    assert not ending.mel[:, RATE // HOP :].any() and ending.mel[:, : RATE // HOP].mean() > 0.2


def test_batches_can_be_drawn(tmp_path: Path) -> None:
    import torch

    rows = ("a.mkv", "s.wav", 0, 30, 30, "raining", "train", "a"), ("b.mkv", "", "", 30, 30, "x", "train", "b")
    data_set(tmp_path, *rows)
    assert [c.source for c in footage_clips(tmp_path)] == ["a"]
    clips = footage_clips(tmp_path, silent=True)
    assert [c.source for c in clips] == ["a", "b"] and not clips[1].mel.any()
    batch = ClipDraws(clips, 8, 15.0)(3, torch.Generator().manual_seed(0))
    assert batch.frames.shape == (3, 8, 3, 24, 40)


def test_frames_are_cropped_and_scaled_to_a_size(tmp_path: Path) -> None:
    data_set(tmp_path, ("a.mkv", "s.wav", 0, 30, 30, "raining", "train", "a"), seconds=1.0)
    (whole,), (small,) = footage_clips(tmp_path), footage_clips(tmp_path, size=(12, 12))
    middle = whole.frames[:, :, :, 8:32].float().unflatten(2, (12, 2)).unflatten(4, (12, 2)).mean((3, 5))
    assert small.frames.shape == (30, 3, 12, 12) and small.columns == whole.columns
    assert (small.frames.float() - middle).abs().mean() < 3


def test_footage_is_what_the_discriminators_take_for_real(tmp_path: Path) -> None:
    import torch

    from sonorama.training.motion_stages import real_clips
    from sonorama.training.stages.adversarial_plan import AdversarialTraining
    from sonorama.training.stages.joint_space import Space

    data_set(tmp_path, ("a.mkv", "s.wav", 0, 30, 30, "raining", "train", "a"), seconds=1.0)
    recipe = SimpleNamespace(adversarial=AdversarialTraining(real="frames", height=16), scenes=None)
    pictures = SimpleNamespace(pictures=torch.zeros(1, 3, 64, 112))
    labels = Labels({"raining": "harbour"})
    shop = SimpleNamespace(root=tmp_path, recipe=recipe, pictures=lambda: pictures, labels=labels)
    space = Space(None, None, None, torch.eye(2), classes=("wind_noise", "harbour"))
    (clip,) = real_clips(cast("TrainingRun", shop), cast("Generator", None), space, [])
    assert clip.frames.shape == (30, 3, 16, 28) and clip.source == "a" and clip.class_id == 1


def test_a_folder_without_clips_gives_none(tmp_path: Path) -> None:
    assert footage_clips(tmp_path) == []


@pytest.mark.parametrize(
    "row",
    [("gone.mkv", "s.wav", 0, 30, 30, "", "", ""), ("a.mkv", "gone.wav", 0, 30, 30, "", "", ""),
     ("a.mkv", "s.wav", 0, 30, 29, "", "", ""), ("a.mkv", "s.wav", "x", 30, 30, "", "", ""),
     ("clips.tsv", "s.wav", 0, 30, 30, "", "", "")],
)  # fmt: skip
def test_tables_that_do_not_hold_are_refused(tmp_path: Path, row: tuple[object, ...]) -> None:
    data_set(tmp_path, row, seconds=1.0)
    with pytest.raises(InputError):
        footage_clips(tmp_path)
