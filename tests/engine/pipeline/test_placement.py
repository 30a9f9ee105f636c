"""`/look/shift_x`, `/look/shift_y` and `/look/turn` move the picture of a StyleGAN3 world, and of no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.addresses import LOOK_SHIFT_X, LOOK_SHIFT_Y, LOOK_TURN
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.stylegan3_config import StyleGAN3Config
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.frame_pipeline import FramePipeline, FrameResult
from sonorama.engine.pipeline.loaded_world import LoadedWorld

from ...worlds import write_world
from ..model.stylegan3_networks import untrained

R = StyleGAN3Config(32, 16, 24, 2, 512, 12, kernel=1, radial=True)
STILL: dict[str, Value] = {
    "/look/travel": 0.0, "/look/sway": 0.0, **{f"/moves/{i}/source": "off" for i in range(1, 9)},
    **{f"/motion/{level}/mute": True for level in ("coarse", "mid", "fine")},
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Of 32 px; its pictures have contrast."""
    folder: Path = tmp_path_factory.mktemp("stylegan3")
    write_world(folder / "r.safetensors", generator=R)
    loaded = load_world(folder / "r.safetensors")
    own = {f"generator.{name}": value.numpy() for name, value in untrained(R).state_dict().items()}
    loaded.tensors.update({name: value.reshape(loaded.tensors[name].shape) for name, value in own.items()})
    return loaded


def played(world: World, changes: dict[str, Value], frames: int, values: dict[str, Value] | None = None) -> FrameResult:
    """The last of some silent frames, with changes at the first."""
    loaded = LoadedWorld(world, open_backend(world, "ort"))
    pipeline = FramePipeline(lambda _world, _device: loaded, STILL | (values or {}))
    step = None
    for frame in range(frames):
        posted = [Change(path, value, "test") for path, value in changes.items()] if frame == 0 else []
        step = pipeline.step(np.zeros(pipeline.missing, np.float32), posted)
    assert step is not None
    return step


def test_the_picture_is_shifted(world: World) -> None:
    still = played(world, {}, 1)
    assert still.w.shape == (17, 24)
    assert not still.w[-1].any()
    moved = played(world, {LOOK_SHIFT_X: 0.125, LOOK_SHIFT_Y: -0.25}, 60)  # it glides there
    np.testing.assert_array_equal(moved.w[:-1], still.w[:-1])
    assert moved.w[-1, :3] == pytest.approx([0.125, -0.25, 0.0], abs=1e-3)
    before, after = still.picture(), moved.picture()
    assert before.std() > 0.05
    difference = np.abs(after[:24, 4:] - before[8:, :28])  # 4 px to the right, 8 up
    assert np.sqrt(np.mean(difference**2)) < 0.03
    assert np.sqrt(np.mean((after - before) ** 2)) > 0.05


def test_the_picture_is_turned(world: World) -> None:
    still, turned = played(world, {}, 1), played(world, {}, 1, {LOOK_TURN: 90.0})
    difference = turned.picture() - np.rot90(still.picture(), -1)  # clockwise
    assert np.sqrt(np.mean(difference**2)) < 1e-3


def test_every_backend_places_alike(world: World) -> None:
    ws = played(world, {}, 1, {LOOK_SHIFT_X: 0.1, LOOK_TURN: -20.0}).w
    exact = open_backend(world, "reference")
    for device in ("ort", "cpu"):
        backend = open_backend(world, device)
        assert np.abs(backend.synthesize(ws) - exact.synthesize(ws)).max() < 1e-4
        at_rest = np.concatenate([ws[:-1], np.zeros_like(ws[:1])])
        np.testing.assert_array_equal(backend.synthesize(ws[:-1]), backend.synthesize(at_rest))


def test_other_worlds_stay_where_they_are(tiny_world: str) -> None:
    world = load_world(tiny_world)
    moved = played(world, {}, 1, {LOOK_SHIFT_X: 0.5, LOOK_SHIFT_Y: 0.5, LOOK_TURN: 90.0})
    np.testing.assert_array_equal(moved.w, played(world, {}, 1).w)
