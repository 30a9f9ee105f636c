"""Films of takes at the size that left: the take's own, and in 8 bits the very pictures of the show."""

import os
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.plane import VideoPlane

from sonorama.engine.faults import Faults
from sonorama.engine.ipc.frame_map import FrameMap, FrameMapMissing
from sonorama.engine.picture.output_controls import OutputControls, lifted
from sonorama.engine.picture.scale import scaler
from sonorama.engine.pipeline.frame_pipeline import FrameResult
from sonorama.engine.renderer.paint_thread import PaintThread
from sonorama.engine.units import Pixels
from sonorama.export import render as video
from sonorama.export.picture import Converter
from sonorama.export.presets import PRESETS
from sonorama.export.render import RenderJob, render

from .helpers import pixels, probe
from .replay_helpers import Live, by

SIZE = (96, 54)
EIGHT = replace(PRESETS["ffv1"], deep=False)
"""A lossless film of 8 bits a colour, which no preset makes."""


def picture_of(painter: PaintThread, name: str, step: FrameResult) -> Pixels:
    """What the show's painter publishes of a step."""
    painter.offer(step, 0)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with FrameMap.open(name) as there:
                slot = there.newest()
        except FrameMapMissing:
            slot = None
        if slot is not None and slot.frame == step.frame:
            return slot.pixels
        time.sleep(0.001)
    raise AssertionError(f"frame {step.frame} was not painted")


def levels(plane: VideoPlane) -> np.ndarray:
    data = np.frombuffer(plane, np.uint16)  # pyright: ignore
    return data.reshape(plane.height, -1)[:, : plane.width]


def colours(path: Path) -> np.ndarray:
    """The 8 bits a colour that a film of EIGHT was made from: BT.709 of 16 bits, undone in exact arithmetic."""
    frames = []
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            assert frame.format.name == "yuv444p16le"
            y, cb, cr = (levels(plane) / 256 for plane in frame.planes)
            y, cb, cr = (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224
            red, blue = y + 1.5748 * cr, y + 1.8556 * cb
            frames.append(np.stack([red, (y - 0.2126 * red - 0.0722 * blue) / 0.7152, blue], axis=2))
    return np.rint(np.stack(frames) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory, tiny_world: str) -> Iterator[Live]:
    """A show that leaves at 96x54 from a world of 64x64, with light that moves and output controls."""
    out = {
        8: [by("/out/master", 0.5), by("/moves/3/depth", 0.6)],
        20: [by("/out/freeze", True)],
        24: [by("/out/freeze", False), by("/out/master", 1.0)],
        30: [by("/out/blackout", True)],
        33: [by("/out/blackout", False), by("/out/flip", "both")],
        40: [by("/out/width", 128), by("/out/height", 32)],
        46: [by("/out/width", 96), by("/out/height", 54)],
    }
    values = {"/out/width": SIZE[0], "/out/height": SIZE[1], "/moves/3/target": "/out/master"}
    folder = tmp_path_factory.mktemp("wide") / "wide.take"
    yield Live(folder, tiny_world, changes=out, frames=52, values=values, size=SIZE).begin().play()


@pytest.fixture(scope="module")
def left(wide: Live) -> np.ndarray:
    """The pictures a show outputs if none is late: uint8 [n,H,W,3], from its paint thread and output controls."""
    name, out = f"left-{os.getpid()}-{random.randrange(1 << 30)}", []
    painter, finish = PaintThread(name, Faults()), OutputControls(*SIZE)
    try:
        for index, step in enumerate(wide.steps):
            came = picture_of(painter, name, step)
            came = scaler((came.shape[1], came.shape[0]), SIZE)(came)  # a film has one size
            out.append(finish.apply(came, lifted(step.values, step.lift), index / 30, 1 / 30)[..., :3].copy())
    finally:
        painter.close()
    return np.stack(out)


def job(live: Live, out: Path, **changed: object) -> RenderJob:
    return replace(RenderJob(live.folder, out, command=("sonorama",)), **changed)


@pytest.mark.parametrize("changed", [{"preset": "h264"}, {"clean": True}, {"preset": "ffv1", "fit": "contain"}])
def test_a_film_has_the_size_of_its_take(wide: Live, tmp_path: Path, changed: dict[str, object]) -> None:
    report = render(job(wide, tmp_path / "film.mkv", **changed))
    assert report.size == SIZE
    film = probe(tmp_path / "film.mkv")["video"]
    assert (film["width"], film["height"]) == SIZE
    assert render(job(wide, tmp_path / "other.mkv", size=(64, 64), duration=0.1)).size == (64, 64)


@pytest.mark.parametrize("size", [None, SIZE])
def test_at_the_size_of_its_take_a_film_holds_what_left(
    wide: Live, left: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int] | None
) -> None:
    """To the bit, through scaling, lift, output controls and another size on the way."""
    monkeypatch.setattr(video, "choose", lambda *_: EIGHT)
    render(job(wide, tmp_path / "film.mkv", size=size))
    assert max(step.lift for step in wide.steps) != min(step.lift for step in wide.steps)
    assert len(np.unique(left.reshape(len(left), -1), axis=0)) > 30
    np.testing.assert_array_equal(colours(tmp_path / "film.mkv"), left)


def test_a_part_of_it_is_what_left_then(
    wide: Live, left: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From within the frozen picture on."""
    monkeypatch.setattr(video, "choose", lambda *_: EIGHT)
    render(job(wide, tmp_path / "film.mkv", start=22 / 30, duration=0.5))
    np.testing.assert_array_equal(colours(tmp_path / "film.mkv"), left[22:37])


def test_deeper_films_come_from_the_full_depth(wide: Live, tmp_path: Path) -> None:
    render(job(wide, tmp_path / "shots", clean=True))
    convert = Converter(PRESETS["png"], (64, 64), SIZE, "cover")
    for step in wide.steps[::13]:
        written = pixels(tmp_path / "shots" / f"frame_{step.frame + 1:06}.png", "rgb48le", SIZE)[0]
        np.testing.assert_array_equal(written, convert(wide.painted(step)).to_ndarray())
        assert len(np.unique(written)) > 256
