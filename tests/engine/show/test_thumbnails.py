"""Thumbnails of scenes: what is painted, small, beside the scenes, and never at the price of anything else."""

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from sonorama.engine.control.parameters import Change
from sonorama.engine.control.scenes import thumbnail_file
from sonorama.engine.errors import OutputError
from sonorama.engine.ipc.frame_map import FrameMap, FrameMapWriter
from sonorama.engine.ipc.shared_paths import inner_name
from sonorama.engine.show.plan import TEST_PATTERN, ShowPlan
from sonorama.engine.show.show import Show
from sonorama.engine.show.thumbnails import LARGEST, Thumbnails, jpeg

from ...live.stage import PATIENCE_S, until

NAME = f"thumbs-{os.getpid()}"


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], None]]:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path / "looks"))
    return {}


def picture(width: int, height: int) -> np.ndarray:
    """Red on the left, blue on the right."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:, : width // 2, 0], pixels[:, width // 2 :, 2] = 200, 200
    return pixels


def decoded(file: Path) -> np.ndarray:
    with av.open(str(file)) as container:
        frame = next(iter(container.decode(video=0)))
        assert isinstance(frame, VideoFrame)
        return frame.to_ndarray(format="rgb24")


@pytest.mark.parametrize("size", [(1280, 720), (96, 54), (300, 1000), (17, 3)])
def test_it_is_what_is_painted(size: tuple[int, int], jobs: dict[str, Callable[[], None]]) -> None:
    thumbnails = Thumbnails(NAME, jobs.__setitem__)
    with FrameMapWriter(inner_name(NAME), *size) as frames:
        frames.publish(picture(*size), 0, 1)
        thumbnails.keep(3, True)
        assert [*jobs] == ["thumbnail 3"] and not thumbnail_file(NAME, 3).exists(), "the caller does not wait"
        jobs["thumbnail 3"]()
    seen = decoded(thumbnail_file(NAME, 3))
    height, width = seen.shape[:2]
    assert width <= LARGEST[0] and height <= LARGEST[1]
    assert width / height == pytest.approx(size[0] / size[1], rel=0.5 if size == (17, 3) else 0.1)
    assert seen[:, 0].mean(0) == pytest.approx((200, 0, 0), abs=25)
    assert seen[:, -1].mean(0) == pytest.approx((0, 0, 200), abs=25)


def test_without_a_picture_the_one_of_the_scene_before_goes(jobs: dict[str, Callable[[], None]]) -> None:
    file = thumbnail_file(NAME, 1)
    file.parent.mkdir(parents=True)
    file.write_bytes(jpeg(picture(64, 36)))
    thumbnails = Thumbnails(NAME, jobs.__setitem__)
    thumbnails.keep(1, True)
    jobs["thumbnail 1"]()
    assert not file.exists()


def test_a_folder_in_the_way_is_said(jobs: dict[str, Callable[[], None]]) -> None:
    thumbnail_file(NAME, 2).mkdir(parents=True)
    with FrameMapWriter(inner_name(NAME), 64, 36) as frames:
        frames.publish(picture(64, 36), 0, 1)
        Thumbnails(NAME, jobs.__setitem__).keep(2, True)
        with pytest.raises(OutputError, match="no thumbnail"):
            jobs["thumbnail 2"]()


def test_a_scene_stored_during_a_blackout_has_a_picture(tiny_world: str, jobs: dict[str, Callable[[], None]]) -> None:
    plan = ShowPlan(
        f"{NAME}-dark", "silence", tiny_world, {"/out/width": 64, "/out/height": 36, "/out/blackout": True},
        osc_port=0, osc_out=0, renderer=TEST_PATTERN,
    )  # fmt: skip
    with Show(plan) as show:
        assert show.wait_for_picture(PATIENCE_S)
        show.control_state.take(Change("/scene/store", 4, "test"))
        until(lambda: thumbnail_file(plan.name, 4).exists(), "no thumbnail")
        with FrameMap.open(plan.name) as out:
            slot = out.newest()
        assert slot is not None and slot.pixels[..., :3].max() == 0
    assert decoded(thumbnail_file(plan.name, 4)).max() > 100
