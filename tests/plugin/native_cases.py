"""Cases of the sinks around native libraries: a virtual camera in its child process, the others in this one."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

from sonorama.engine.plugins.interfaces import FrameSink
from sonorama.plugin.sinks import camera, ndi, spout, syphon

from .native_fakes import TargetSink
from .sink_cases import Case, Seen
from .sinks import grey, until

FAKES = Path(__file__).parent / "fakes"


class TargetCase(Case):
    """A target with a stand-in for its library."""

    kind: ClassVar[str]

    def make(self) -> FrameSink:
        return TargetSink(self.kind)

    def look(self) -> None:
        assert isinstance(self.sink, TargetSink)
        frame = self.sink.frames.pop()
        assert not self.sink.frames and (frame == frame[0, 0, 0]).all()
        self._seen = [*self.seen(), (round((int(frame[0, 0, 0]) - grey(0)) / 5), frame.shape[1])]

    def seen(self) -> Seen:
        return getattr(self, "_seen", [])

    def end(self) -> None:
        super().end()
        assert isinstance(self.sink, TargetSink)
        self.sink.frames.clear()


class NdiCase(TargetCase):
    """NDI."""

    module: ModuleType = ndi
    kind = "ndi"


class SpoutCase(TargetCase):
    """Spout."""

    module: ModuleType = spout
    kind = "spout"


class SyphonCase(TargetCase):
    """Syphon."""

    module: ModuleType = syphon
    kind = "syphon"


def use_fakes(monkeypatch: pytest.MonkeyPatch, log: Path) -> None:
    """Let this process and its children find the stand-ins."""
    monkeypatch.syspath_prepend(str(FAKES))
    monkeypatch.setenv("PYTHONPATH", str(FAKES))
    monkeypatch.setenv("FAKE_CAMERA_LOG", str(log))


def camera_frames(log: Path) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """(width, colours of the corners) of each picture that the camera was given."""
    for line in log.read_text().splitlines() if log.exists() else ():
        if line.startswith("frame "):
            width, _, corners = line.removeprefix("frame ").partition(" ")
            numbers = [int(text) for text in corners.replace("(", "").replace(")", "").strip("[]").split(",")]
            yield int(width), [(r, g, b) for r, g, b in zip(*[iter(numbers)] * 3, strict=True)]


class CameraCase(Case):
    """A virtual camera, with a stand-in for pyvirtualcam in the child process."""

    module: ModuleType = camera

    def __init__(self, name: str, room: Path) -> None:
        self._monkeypatch = pytest.MonkeyPatch()
        self._log = room / "camera.log"
        use_fakes(self._monkeypatch, self._log)
        super().__init__(name, room)
        self._count = 0

    def make(self) -> FrameSink:
        return camera.CameraSink()

    def look(self) -> None:
        self._count += 1
        until(lambda: len(list(camera_frames(self._log))) >= self._count)

    def seen(self) -> Seen:
        return [(round((corners[0][0] - grey(0)) / 5), width) for width, corners in camera_frames(self._log)]

    def end(self) -> None:
        super().end()
        self._monkeypatch.undo()
        assert not list(Path("/dev/shm").glob(f"sonorama-camera-{os.getpid()}-*"))  # noqa: S108
