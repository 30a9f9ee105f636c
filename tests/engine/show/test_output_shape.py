"""Several outputs at once, each with its own size, flip and delay."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.interfaces import FrameSink, Picture, StreamInfo
from sonorama.engine.show.output_shape import OutputShape, ShapedSink, open_output, parse_spec
from sonorama.engine.show.sink_runner import SinkRunner
from sonorama.plugin.sinks.map import MapSink
from sonorama.plugin.sinks.null import NullSink

from ...live.stage import until

INFO = StreamInfo("shape", 64, 48, Fraction(30))
COLOURS = np.array([[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 255, 255)]], np.uint8)


def quarters(tick: int = 0, width: int = 64, height: int = 48) -> Picture:
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3] = COLOURS.repeat(height // 2, 0).repeat(width // 2, 1)
    pixels.setflags(write=False)
    return Picture(pixels, tick, tick, 0, 10**12 + tick * 33_333_333, False)


def colours(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    return pixels[height // 4 :: height // 2, width // 4 :: width // 2, :3]


@pytest.mark.parametrize(
    ("spec", "plain", "shape"),
    [
        ("map", "map", OutputShape()),
        ("map:wall", "map:wall", OutputShape()),
        ("map:wall,size=640x360", "map:wall", OutputShape((640, 360))),
        ("null,flip=both,delay=80", "null", OutputShape(flip="both", delay_ms=80.0)),
        ("stream:tcp:0,fit=mirror,size=8x9,flip=none", "stream:tcp:0", OutputShape((8, 9), "mirror")),
        ("record:a,b.mp4", "record:a,b.mp4", OutputShape()),
        ("images:a=1,b=2/x,size=8x8", "images:a=1,b=2/x", OutputShape((8, 8))),
        ("images:x,y=2", "images:x,y=2", OutputShape()),
    ],
)
def test_specs(spec: str, plain: str, shape: OutputShape) -> None:
    assert parse_spec(spec) == (plain, shape)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("size=0x9", "no size"),
        ("size=640", "no size"),
        ("size=9999x9", "no size"),
        ("size=\u0663x9", "no size"),
        ("fit=stretch", "fit=stretch"),
        ("flip=h", "flip=h"),
        ("delay=-1", "no delay"),
        ("delay=1001", "no delay"),
        ("delay=nan", "no delay"),
        ("delay=", "no delay"),
        ("dely=80", "no option dely"),
        ("sizes=8x8", "no option sizes"),
    ],
)
def test_options_that_are_none(options: str, said: str) -> None:
    with pytest.raises(SonoramaError, match=said):
        open_output(f"null,{options}")


def test_a_comma_that_a_sink_does_not_take_may_be_meant_as_an_option() -> None:
    with pytest.raises(SonoramaError, match="'wall,colour=1' cannot name") as caught:
        open_output("map:wall,colour=1")
    assert caught.value.hint.endswith("Behind a comma there may be size, fit, flip, delay, such as ,size=640x360.")


def test_sinks_that_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SonoramaError, match="has no delay"):
        open_output(f"images:{tmp_path}/shots,delay=80")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    with pytest.raises(SonoramaError, match="The sink window has no size") as caught:
        open_output("window:0,flip=both")
    assert "/window/2/" in caught.value.hint
    assert isinstance(open_output("null")[1](), NullSink)
    assert open_output("null,flip=both")[0] == "null"


class Kept(NullSink):
    def __init__(self) -> None:
        super().__init__()
        self.info: StreamInfo | None = None
        self.ticks: list[int] = []

    def open(self, info: StreamInfo) -> None:
        self.info = info

    def send(self, picture: Picture) -> None:
        super().send(picture)
        self.ticks.append(picture.tick)
        assert self.info is not None and not picture.pixels.flags.writeable
        assert picture.pixels.shape == (self.info.height, self.info.width, 4)


def shaped(**options: object) -> tuple[ShapedSink, Kept]:
    kept = Kept()
    sink = ShapedSink(kept, OutputShape(**options))  # pyright: ignore[reportArgumentType]
    assert isinstance(sink, FrameSink)
    sink.open(INFO)
    return sink, kept


@pytest.mark.parametrize(("flip", "rows", "columns"), [("horizontal", 1, -1), ("vertical", -1, 1), ("both", -1, -1)])
def test_flip_and_size(flip: str, rows: int, columns: int) -> None:
    sink, kept = shaped(flip=flip, size=(32, 24))
    sink.send(quarters())
    assert kept.last is not None and kept.last.pixels.shape == (24, 32, 4)
    assert np.array_equal(colours(kept.last.pixels), COLOURS[::rows, ::columns])
    assert quarters().pixels[0, 0, 0] == 255, "the show's own picture is what it was"


def test_fit() -> None:
    sink, kept = shaped(size=(64, 96), fit="contain")
    sink.send(quarters())
    assert kept.last is not None and not kept.last.pixels[:20, :, :3].any() and kept.last.pixels[30, 8, 0]


def test_the_same_picture_is_the_same_array() -> None:
    sink, kept = shaped(flip="both")
    one, arrays = quarters(), list[int]()
    for _ in range(2):
        sink.send(one)
        assert kept.last is not None
        arrays.append(id(kept.last.pixels))
    assert arrays[0] == arrays[1]


def test_delay_by_the_pictures_own_times() -> None:
    sink, kept = shaped(delay_ms=99.0)  # three pictures of 30 a second
    for tick in range(10):
        sink.send(quarters(tick))
    assert kept.ticks == list(range(7))
    sink.send(quarters(20))  # after a standstill the newest that is old enough
    assert kept.ticks == [*range(7), 9]
    sink.close()
    sink.open(INFO)
    sink.send(quarters(30))
    assert kept.ticks[-1] == 9, "nothing of before is left"


def test_delay_holds_a_limited_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonorama.engine.show.output_shape.MOST_BYTES", 4 * 64 * 48 * 4)
    sink, kept = shaped(delay_ms=1000.0)
    for tick in range(100):
        sink.send(quarters(tick))
        assert len(sink._held) <= 5
    assert len(kept.ticks) > 5 and kept.ticks == sorted(set(kept.ticks))


def test_another_size_of_the_show() -> None:
    sink, kept = shaped(size=(32, 24), delay_ms=50.0)
    for tick in range(4):
        sink.send(quarters(tick))
    sink.open(StreamInfo("shape", 96, 96, Fraction(30)))
    for tick in range(4, 9):
        sink.send(quarters(tick, 96, 96))
    assert kept.info is not None and (kept.info.width, kept.info.height) == (32, 24)
    assert kept.ticks[-1] == 6
    sink, kept = shaped(flip="both")
    sink.open(StreamInfo("shape", 96, 96, Fraction(30)))
    sink.send(quarters(0, 96, 96))
    assert kept.last is not None and kept.last.pixels.shape == (96, 96, 4)


def test_each_output_has_its_own(tmp_path: Path) -> None:
    specs = (
        "null", f"images:{tmp_path}/big,size=128x96", f"images:{tmp_path}/small,size=32x24,flip=horizontal",
        f"record:{tmp_path}/film.mp4,flip=vertical",
    )  # fmt: skip
    runners = [SinkRunner(*open_output(spec), INFO) for spec in specs]
    for runner in runners:
        runner.start()
        runner.offer(quarters())
    until(lambda: all(runner.counts.sent for runner in runners), "all have sent")  # "null" ends without what waits
    assert all(runner.close(30) for runner in runners)
    assert [(runner.counts.sent, runner.faults()) for runner in runners] == [(1, [])] * 4
    import av

    for name, size, expected in (
        ("big/frame_000001.png", (128, 96), COLOURS),
        ("small/frame_000001.png", (32, 24), COLOURS[:, ::-1]),
        ("film.mp4", (64, 48), COLOURS[::-1]),
    ):
        with av.open(str(tmp_path / name)) as film:
            frame = next(film.decode(video=0))
            assert (frame.width, frame.height) == size
            seen = colours(frame.to_ndarray(format="rgb24"))
            assert np.abs(seen.astype(int) - expected).max() < 40


def test_a_map_of_its_own_size(tmp_path: Path) -> None:
    label, make = open_output("map:shape-wall,size=32x24")
    sink = make()
    assert label == "map shape-wall" and isinstance(sink, ShapedSink) and isinstance(sink._sink, MapSink)
    sink.open(INFO)
    assert sink.about.endswith("sonorama-shape-wall")
    sink.close()
