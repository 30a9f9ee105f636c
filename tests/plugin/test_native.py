"""Sinks around native libraries: colours and directions, and a child process that crashes, hangs or says what lacks."""

import importlib
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.shared_paths import process_lives
from sonorama.engine.plugins.interfaces import Missing, SinkEnded
from sonorama.plugin.sinks import camera, child, native, ndi, spout, syphon
from sonorama.plugin.sinks.camera import CameraSink, CameraTarget
from sonorama.plugin.sinks.ndi import NdiSink
from sonorama.plugin.sinks.spout import SpoutSink
from sonorama.plugin.sinks.syphon import SyphonSink

from ..speed import slowness
from . import native_fakes
from .native_cases import FAKES, camera_frames, use_fakes
from .native_fakes import MAKERS, Frames, TargetSink
from .sinks import info, picture, until
from .test_stream import COLOURS, quarters


@pytest.mark.parametrize("kind", MAKERS)
def test_colours_and_directions(kind: str) -> None:
    sink = TargetSink(kind)
    sink.open(info("x", 64, 48))
    sink.send(quarters(0))
    assert np.array_equal(sink.frames[0], quarters(0).pixels[..., :3])
    sink.close()


@pytest.mark.parametrize("swap", ["rows", "channels", "both"])
def test_the_stand_ins_show_what_is_the_wrong_way_round(swap: str) -> None:
    """A target that mixes up rows or channels is seen: that is what the test above stands on."""
    rows, channels = swap in ("rows", "both"), swap in ("channels", "both")
    pixels = quarters(0).pixels.copy()
    wrong = pixels[:: -1 if rows else 1, :, [2, 1, 0] if channels else [0, 1, 2]]
    seen: Frames = []
    library = native_fakes.syphon(seen, [])
    server = library.SyphonMetalServer("x")
    texture = library.create_mtl_texture(server.device, 64, 48, 80 if channels else 70)
    library.copy_image_to_mtl_texture(pixels, texture)
    server.publish_frame_texture(texture, is_flipped=not rows)
    native_fakes.spout(seen, []).SpoutSender().sendImage(pixels, 64, 48, 0x80E1 if channels else 0x1908, rows, 0)
    assert len(seen) == 2 and all(np.array_equal(one, wrong) for one in seen)
    assert not np.array_equal(wrong, pixels[..., :3])


@pytest.mark.parametrize(("kind", "constant", "value"), [("syphon", "RGBA8_UNORM", 80), ("spout", "GL_RGBA", 0x80E1)])
def test_another_pixel_format_would_be_seen(
    kind: str, constant: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"sonorama.plugin.sinks.{kind}.{constant}", value)
    sink = TargetSink(kind)
    sink.open(info("x", 64, 48))
    sink.send(quarters(0))
    assert np.array_equal(sink.frames[0], quarters(0).pixels[..., [2, 1, 0]])
    sink.close()


def test_syphon_serves_its_run_loop_and_stops() -> None:
    sink = TargetSink("syphon")
    sink.open(info("x"))
    assert sink.about == "server show, no clients"
    for tick in range(3):
        sink.send(picture(tick))
    assert sink.about == "server show, with clients"
    sink.close()
    assert sink.calls == ["server show", "run loop", "run loop", "run loop", "stop"]


def test_spout_says_when_it_is_refused() -> None:
    sink = TargetSink("spout")
    sink.open(info("x"))
    sink.send(picture(0))
    assert sink.calls == ["name show", "sync show"] and sink.about == "sender show"
    sink.calls.append("refuse")
    with pytest.raises(SonoramaError, match="did not take a picture"):
        sink.send(picture(1))
    sink.close()
    assert sink.calls[-1] == "release"


@pytest.mark.parametrize(("width", "sent"), [(63, 62), (1, 2), (64, 64)])
def test_ndi_has_even_widths(width: int, sent: int) -> None:
    sink = TargetSink("ndi")
    sink.open(info("x", width, 48, Fraction(30000, 1001)))
    sink.send(picture(3, width, 48))
    assert sink.frames[0].shape == (48, sent, 3) and (sink.frames[0] == picture(3).pixels[0, 0, 0]).all()
    assert sink.calls == ["rate 30000/1001", "source show", "open"]
    assert sink.about == "source show, 1 receiver"


def test_what_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for module, sink in ((ndi, NdiSink), (camera, CameraSink), (spout, SpoutSink), (syphon, SyphonSink)):
        lack = module.probe()
        assert isinstance(lack, Missing) and lack.how_to_install
        with pytest.raises(SonoramaError, match="Nothing can be sent") as caught:
            sink()
        assert caught.value.hint == lack.how_to_install
    assert "ndi.link/ndisdk_license" in ndi.probe().how_to_install  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "pip install syphon-python" in str(syphon.probe()) and "for Windows" in str(spout.probe())
    monkeypatch.setattr(sys, "platform", "win32")
    assert "pip install SpoutGL" in str(spout.probe()) and "for macOS" in str(syphon.probe())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    assert "receivers of Spout" in str(spout.probe())


@pytest.mark.parametrize("module", [ndi, camera, spout, syphon])
def test_a_library_that_does_not_load_is_said(module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> None:
        raise OSError(f"{name}: wrong ELF class")

    monkeypatch.setattr("importlib.import_module", fails)
    with pytest.raises(SonoramaError, match="does not load: OSError"):
        module.open_target("x")  # pyright: ignore[reportAttributeAccessIssue]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    use_fakes(monkeypatch, tmp_path / "log")
    monkeypatch.setattr(child, "PAUSE_S", 0.0)
    return tmp_path / "log"


def test_a_child_sends_the_pictures_and_is_started_again(
    log: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_CAMERA_DIES", str(tmp_path / "dies"))
    sink = CameraSink("/dev/video3")
    try:
        sink.open(info("x", 64, 48))
        assert sink.about == "is starting"
        sink.send(quarters(0))
        until(lambda: list(camera_frames(log)))
        assert next(camera_frames(log)) == (64, [tuple(int(c) for c in one) for one in COLOURS.reshape(-1, 3)])
        until(lambda: sink.about == "/dev/video3")
        first = sink.pid
        (tmp_path / "dies").touch()
        sink.send(quarters(1))
        until(lambda: not process_lives(first))
        (tmp_path / "dies").unlink()
        until(lambda: sink.send(quarters(2)) or sink.about == "/dev/video3, restarts: 1")
        second, count = sink.pid, len(list(camera_frames(log)))
        until(lambda: sink.send(quarters(3)) or len(list(camera_frames(log))) > count)
        sink.open(info("x", 64, 48, Fraction(60)))  # a camera has one rate
        until(lambda: sink.send(quarters(4)) or "open 64x48 60 /dev/video3" in log.read_text())
        assert not process_lives(second)
        last = sink.pid
    finally:
        sink.close()
    assert sink.about == "" and sink.pid == 0 and not process_lives(last)
    assert log.read_text().splitlines()[-1] == "close", "the library was closed"


def test_a_device_that_is_not_there_is_said(log: Path) -> None:
    sink = CameraSink("/dev/none")
    sink.open(info("x"))
    end = time.monotonic() + 60 * slowness()
    with pytest.raises(
        SinkEnded, match="No virtual camera of 64x64 can be opened: RuntimeError: 'v4l2loopback'"
    ) as hint:
        while time.monotonic() < end:
            sink.send(picture(0))
            time.sleep(0.01)
    assert "modprobe" in hint.value.hint or sys.platform != "linux"
    sink.close()


def test_the_child_leaves_with_a_show_that_is_killed(log: Path) -> None:
    code = (
        "import sys\nfrom fractions import Fraction\nfrom sonorama.engine.plugins.interfaces import StreamInfo\n"
        "from sonorama.plugin.sinks.camera import CameraSink\n"
        "sink = CameraSink(); sink.open(StreamInfo('x', 64, 40, Fraction(30)))\n"
        "print(sink.pid, sink._map.path, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as show:
        assert show.stdout is not None
        pid, path = show.stdout.readline().split()
        show.kill()
    until(lambda: not process_lives(int(pid)))
    Path(path).unlink()


def test_main_knows_its_targets_only() -> None:
    command = [sys.executable, "-P", "-c", native._CHILD, "os", "x", "30", "x"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "There is no target os\n"
        assert process.wait(30) == 2


def test_a_hanging_child_holds_nobody_up(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "END_S", 0.2)
    sink = CameraSink()
    sink.open(info("x"))
    sink.send(picture(0))
    until(lambda: list(camera_frames(log)))
    pid = sink.pid
    os.kill(pid, signal.SIGSTOP)
    for tick in range(100):
        sink.send(picture(tick))
    sink.close()
    assert not process_lives(pid)


class Pictures:
    """A backend of the real pyvirtualcam."""

    sent: list[np.ndarray]

    def __init__(self, width: int, height: int, fps: float, fourcc: int, device: str | None, **_: object) -> None:
        Pictures.sent = []
        self.size, self.fps = (width, height), fps

    def close(self) -> None:
        Pictures.sent.append(np.empty(0))

    def send(self, frame: np.ndarray) -> None:
        Pictures.sent.append(frame.reshape(self.size[1], self.size[0], 3).copy())

    def device(self) -> str:
        return "pictures"

    def native_fourcc(self) -> None:
        return None


@pytest.mark.hosts
def test_the_real_pyvirtualcam_takes_the_pictures() -> None:
    pyvirtualcam = importlib.import_module("pyvirtualcam")  # make test-hosts installs it
    assert FAKES not in Path(pyvirtualcam.__file__ or "").parents
    pyvirtualcam.register_backend("pictures", Pictures)
    target = CameraTarget("", pyvirtualcam)
    pyvirtualcam.camera.BACKENDS = {"pictures": Pictures}
    target.resize(64, 48, Fraction(30000, 1001))
    target.show(quarters(0).pixels)
    assert target.about == "pictures"
    target.close()
    assert np.array_equal(Pictures.sent[0], quarters(0).pixels[..., :3]) and len(Pictures.sent) == 2
