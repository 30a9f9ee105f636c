"""F_a a frame at a time: what it answers depends on the window alone, and three of four frames are remembered."""

from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.inference import onnx_backend
from sonorama.engine.inference.graph_cache import ready_graphs
from sonorama.engine.inference.onnx_backend import open_session
from sonorama.engine.inference.sound_frames import FRAME, SoundFrames, listens_by_frames
from sonorama.engine.model.config import FRAME_STEP, FramesConfig
from sonorama.engine.model.mel import BANDS, SOUND_COLUMNS
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.units import Array

from ...worlds import write_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    path = tmp_path_factory.mktemp("frames") / "frames.safetensors"
    write_world(path, frames=FramesConfig((4, 6, 8, 12), 20))
    return load_world(path)


def windows(steps: int) -> list[Array]:
    """Those of a sound that begins after the first window, as they are heard one step after the other."""
    columns = np.random.default_rng(0).random((BANDS, SOUND_COLUMNS + steps * FRAME_STEP)).astype(np.float32)
    columns[:, :SOUND_COLUMNS] = 0
    return [columns[:, end - SOUND_COLUMNS : end] for end in range(SOUND_COLUMNS, columns.shape[1] + 1, FRAME_STEP)]


def test_one_frame_is_heard_a_step(world: World) -> None:
    folder, heard = ready_graphs(world), list[Path]()

    class Counted:
        def __init__(self, graph: Path) -> None:
            self._graph, self._session = graph, open_session(graph)

        def run(self, *arguments: object) -> object:
            heard.append(self._graph)
            return self._session.run(*arguments)

    encoder = SoundFrames(folder, Counted)
    for window in windows(12):
        encoder(window)
    frames = [graph for graph in heard if graph.stem == FRAME]
    assert len(frames) == 12 + 1  # and silence


def test_what_was_heard_before_does_not_matter(world: World) -> None:
    encoder, whole = SoundFrames(ready_graphs(world), open_session), open_session(ready_graphs(world) / "sound.onnx")
    several = windows(6)
    codes = [encoder(window) for window in several]
    assert not codes[0].any() and all(code.any() for code in codes[1:])
    for window, code in zip(several, codes, strict=True):
        assert np.array_equal(SoundFrames(ready_graphs(world), open_session)(window), code)
        np.testing.assert_allclose(whole.run(None, {"window": window[None, None]})[0][0], code, atol=1e-5)


def test_worlds_that_hear_statistics_have_no_frames(tiny_world: str) -> None:
    world = load_world(tiny_world)
    assert not listens_by_frames(ready_graphs(world))
    assert onnx_backend.open_sound_encoder(world)(windows(1)[1]).any()
