"""One case for each sink: how to make it, and how to see from outside what arrived."""

import importlib.util
import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Literal

import av

from sonorama.engine.ipc.frame_map import FrameMap, FrameMapWriter
from sonorama.engine.ipc.shared_paths import process_lives
from sonorama.engine.plugins.interfaces import Available, FrameSink, Picture, StreamInfo
from sonorama.plugin.sinks import images, null, record, window
from sonorama.plugin.sinks import map as frame_map

from .sinks import grey

Seen = list[tuple[int, int]]
"""(tick, width) of every picture, in the order of arrival."""


class Case:
    """A sink under test. `name` is of the show, `room` an empty folder."""

    module: ModuleType = sys.modules[__name__]

    def __init__(self, name: str, room: Path) -> None:
        self.name, self.room = name, room
        self.sink = self.make()

    def make(self) -> FrameSink:
        raise NotImplementedError

    def wait(self) -> None:
        """Before a picture is sent: a client is there and waits for it."""

    def look(self) -> None:
        """After a picture was sent: a client looks."""

    def leave(self) -> None:
        """The client goes away, not politely."""

    def come_back(self) -> None:
        """The client, or another one, is there again."""

    def seen(self) -> Seen | None:
        """All that arrived, once the sink is closed; None where only eyes could tell."""
        raise NotImplementedError

    def end(self) -> None:
        self.sink.close()


class NullCase(Case):
    """Counts."""

    module = null

    def __init__(self, name: str, room: Path) -> None:
        super().__init__(name, room)
        self._seen: Seen = []

    def make(self) -> FrameSink:
        return null.NullSink()

    def look(self) -> None:
        assert isinstance(self.sink, null.NullSink) and self.sink.last is not None
        self._seen.append((self.sink.last.tick, self.sink.last.pixels.shape[1]))

    def seen(self) -> Seen:
        assert isinstance(self.sink, null.NullSink) and self.sink.count == len(self._seen)
        return self._seen


class MapCase(Case):
    """A frame map and a reader."""

    module = frame_map

    def __init__(self, name: str, room: Path) -> None:
        super().__init__(name, room)
        self._seen: Seen = []
        self._reader: FrameMap | None = None
        self._watching = True

    def make(self) -> FrameSink:
        return frame_map.MapSink(f"{self.name}.x")

    def look(self) -> None:
        if self._watching:
            self._reader = self._reader or FrameMap(f"{self.name}.x")
            slot = self._reader.newest()
            assert slot is not None and slot.pixels[0, 0, 0] == grey(slot.frame)
            self._seen.append((slot.frame, slot.pixels.shape[1]))

    def leave(self) -> None:
        assert self._reader is not None
        self._reader.close()
        self._reader, self._watching = None, False

    def come_back(self) -> None:
        self._watching = True

    def seen(self) -> Seen:
        return self._seen

    def end(self) -> None:
        super().end()
        if self._reader is not None:
            self._reader.close()


def _decoded(path: Path) -> Seen:
    with av.open(str(path)) as film:
        frames = [(frame.to_ndarray(format="gray").mean(), frame.width) for frame in film.decode(video=0)]
    return [(round((level - grey(0)) / 5), width) for level, width in frames]


class ImagesCase(Case):
    """PNG files; the client opens each and goes away."""

    module = images
    form = "png"

    def make(self) -> FrameSink:
        return images.ImagesSink(f"{self.room}/shots.{self.form}")

    def seen(self) -> Seen:
        return [one for path in sorted(self.room.rglob("frame_*")) for one in _decoded(path)]


class TiffCase(ImagesCase):
    """TIFF files of 16 bits."""

    form = "tiff16"


class RecordCase(Case):
    """A film; the client reads it while it is written."""

    module = record
    suffix = "mp4"

    def make(self) -> FrameSink:
        return record.RecordSink(f"{self.room}/show.{self.suffix}")

    def leave(self) -> None:
        with Path(self.sink.about).open("rb") as file:
            file.read(10)

    def seen(self) -> Seen:
        return [one for path in sorted(self.room.iterdir(), key=_number) for one in _decoded(path)]


class MatroskaCase(RecordCase):
    """The same in Matroska."""

    suffix = "mkv"


def _number(path: Path) -> int:
    return int(path.stem.partition("-")[2] or 1)


class WindowCase(Case):
    """A window without a display; its client is its process."""

    module = window

    def __init__(self, name: str, room: Path) -> None:
        self._map = FrameMapWriter(name, 64, 64)
        super().__init__(name, room)

    def make(self) -> FrameSink:
        return window.WindowSink()

    def leave(self) -> None:
        assert isinstance(self.sink, window.WindowSink)
        pid, end = self.sink.pid, time.monotonic() + 30
        os.kill(pid, signal.SIGKILL)
        while process_lives(pid):
            assert time.monotonic() < end
            time.sleep(0.005)

    def seen(self) -> Seen | None:
        return None

    def end(self) -> None:
        super().end()
        self._map.close()


class Received:
    """A stand-in for a native library's sender, such as Spout's or NDI's: it holds a size and has receivers."""

    def __init__(self) -> None:
        self.size = (0, 0)
        self.receivers = 1
        self.frames: Seen = []

    def resize(self, width: int, height: int) -> None:
        self.size = (width, height)

    def send(self, picture: Picture) -> None:
        assert picture.pixels.shape == (self.size[1], self.size[0], 4)
        if self.receivers:
            self.frames.append((picture.tick, self.size[0]))


class FakeSink:
    """How a sink around a native library looks: the library's sender is handed in, a change of size keeps it."""

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, sender: Received) -> None:
        self._sender = sender
        self._open = False

    @property
    def about(self) -> str:
        return f"{self._sender.receivers} receivers"

    def open(self, info: StreamInfo) -> None:
        self._sender.resize(info.width, info.height)
        self._open = True

    def send(self, picture: Picture) -> None:
        if self._open:
            self._sender.send(picture)

    def close(self) -> None:
        self._open = False


def probe() -> Available:
    """Beside FakeSink, as every sink has one."""
    return Available("a fake")


class FakeCase(Case):
    """A sink around a native library."""

    def __init__(self, name: str, room: Path) -> None:
        self.sender = Received()
        super().__init__(name, room)

    def make(self) -> FrameSink:
        return FakeSink(self.sender)

    def leave(self) -> None:
        self.sender.receivers = 0

    def come_back(self) -> None:
        self.sender.receivers = 1

    def seen(self) -> Seen:
        return self.sender.frames


def _example() -> ModuleType:
    path = Path(__file__).parents[2] / "examples" / "plugin-sink" / "sonorama_mean_colour.py"
    spec = importlib.util.spec_from_file_location("sonorama_mean_colour", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ExampleCase(Case):
    """The sink of examples/plugin-sink."""

    module = _example()

    def make(self) -> FrameSink:
        return self.module.MeanColour(f"{self.room}/colours.csv")

    def seen(self) -> Seen:
        rows = [line.split(",") for line in (self.room / "colours.csv").read_text().splitlines()]
        assert all(row[2] == row[3] == row[4] == f"{grey(int(row[0])):.1f}" for row in rows)
        return [(int(row[0]), 0) for row in rows]
