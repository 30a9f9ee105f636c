"""The real stage: a world file, heard, moved and painted."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import WorldError
from sonorama.engine.files.fingerprint import sha256
from sonorama.export.frame_source import WorldFrameSource, film_values, world_frame_source
from sonorama.export.render import RenderJob, render

from ..worlds import write_world
from .helpers import write_wav


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("world") / "tiny.safetensors"
    write_world(path)
    return str(path)


def test_a_world_takes_the_stage(world: str) -> None:
    stage = world_frame_source(world, {"/look/seed": 3}, Fraction(30), "reference")
    assert (stage.world, stage.version, stage.size) == ("tiny", "0", (64, 64))
    assert "cpu" in stage.device
    assert stage.sha256 == sha256(Path(world))
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 44_100).astype(np.float32)
    frames = list(stage.frames([noise], 6, have={1, 4}))
    assert [frame is None for frame in frames] == [False, True, False, False, True, False]
    whole = list(stage.frames([noise], 6))
    for frame, same in zip(frames, whole, strict=True):
        assert same is not None
        assert same.shape == (64, 64, 3)
        assert same.dtype == np.float32
        if frame is not None:
            assert np.array_equal(frame, same)


def test_an_unknown_world_is_refused() -> None:
    with pytest.raises(WorldError):
        world_frame_source("atlantis", {}, Fraction(30), "reference")


def test_a_continued_sequence_equals_one_made_at_once(
    tmp_path: Path, world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wav = write_wav(tmp_path / "rain.wav", np.random.default_rng(1).uniform(-0.5, 0.5, (1, 9600)), 48_000)
    out = tmp_path / "shots"

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    job = RenderJob(wav, out, world, device="reference")
    with pytest.raises(KeyboardInterrupt):
        render(job, stop)
    painted: list[int] = []
    original = WorldFrameSource.frames

    def counting(self: WorldFrameSource, *arguments: object) -> object:
        for frame in original(self, *arguments):  # pyright: ignore[reportArgumentType]
            painted.append(frame is not None)
            yield frame

    monkeypatch.setattr(WorldFrameSource, "frames", counting)
    render(job)
    assert painted == [False] * 3 + [True] * 3
    render(RenderJob(wav, tmp_path / "whole", world, device="reference"))
    for path in sorted((tmp_path / "whole").glob("frame_*")):
        assert (out / path.name).read_bytes() == path.read_bytes()


def test_films_have_the_modulators_of_a_show() -> None:
    values = film_values({})
    assert values["/moves/1/source"] == "onset"
    assert not any(path.startswith("/moves/4/") for path in values)
    without = film_values({"/moves/1/source": "off", "/moves/4/source": "lfo"})
    assert (without["/moves/1/source"], without["/moves/4/source"]) == ("off", "lfo")
    assert "/moves/1/depth" not in without
    assert without["/moves/4/rate"] == 0.25
    for some in (values, without):
        assert film_values(some) == some
