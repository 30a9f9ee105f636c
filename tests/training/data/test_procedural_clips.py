"""Procedural clips: moved by their recording, the same every time, held-out ones of held-out photos and sounds."""

from pathlib import Path

import pytest
import torch

from sonorama.training.data.procedural_clips import SceneClipPlan, SceneClips, split_sources
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.metrics.motion import frame_change

PLAN = SceneClipPlan(clips=2, held_every=2, frames=6, height=32)


def hits() -> torch.Tensor:
    """Log-mel that is quiet but for a hit in its middle."""
    mel = torch.full((128, 60), 0.2)
    mel[:, 30:36] = 0.8
    return mel


@pytest.fixture(scope="module")
def scenes() -> SceneClips:
    dark, light = torch.full((2, 3, 32, 56), 0.2), torch.full((1, 3, 32, 56), 0.9)
    mels = [[(f"{k}-{i}", hits()) for i in range(3)] for k in CLASSES]
    return SceneClips((dark, light), mels, PLAN)


def test_clips_are_the_same_every_time_and_kept(scenes: SceneClips, tmp_path: Path) -> None:
    one = SceneClips(scenes.photos, [scenes.mels[0]] * len(CLASSES), SceneClipPlan(clips=1, frames=3, height=16))
    first = one.all(tmp_path)
    assert len(first) == len(CLASSES)
    stamps = [p.stat().st_mtime_ns for p in sorted(tmp_path.iterdir())]
    again = one.all(tmp_path)
    assert [p.stat().st_mtime_ns for p in sorted(tmp_path.iterdir())] == stamps
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a.frames, b.frames)
        assert (a.columns, a.class_id, a.source, a.held, a.rate) == (b.columns, b.class_id, b.source, b.held, b.rate)
        assert torch.equal(a.mel, b.mel)
        assert a.columns[-1] == a.mel.shape[1]


def test_held_out_clips_share_neither_photo_nor_source_with_the_others(scenes: SceneClips) -> None:
    trained, held = scenes.make(6), scenes.make(6 + len(CLASSES))  # raining
    assert (trained.held, held.held) == (False, True)
    assert (trained.class_id, held.class_id) == (6, 6)
    assert trained.source != held.source
    assert held.frames.float().mean() > trained.frames.float().mean() + 60


def test_sources_are_split_whole_and_a_single_one_serves_for_both() -> None:
    mels = [(s, torch.zeros(1)) for s in ("a", "a", "b", "c", "d")]
    trained, held = split_sources(mels, 2)
    assert {s for s, _ in held} == {"b", "d"}
    assert {s for s, _ in trained} == {"a", "c"}
    assert [len(part) for part in split_sources(mels[:2], 2)] == [2, 2]


def test_a_scene_jumps_at_a_hit(scenes: SceneClips) -> None:
    """Fire grows where the sound is loud: the frame that first hears the hit changes most."""
    clip = scenes.make(5)
    assert CLASSES[clip.class_id] == "fire_crackling"
    changes = frame_change(clip.frames)
    hit = next(i for i, c in enumerate(clip.columns) if c > 30)
    assert hit > 0, clip.columns
    assert int(changes.argmax()) in (hit - 1, hit)
