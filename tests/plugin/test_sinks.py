"""What is particular to the sinks null, map and images."""

import os
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.frame_map import FrameMap, FrameMapTaken, FrameMapWriter
from sonorama.engine.plugins.interfaces import Picture
from sonorama.engine.show.sink_runner import SinkRunner
from sonorama.plugin.sinks.images import ImagesSink
from sonorama.plugin.sinks.map import MapSink
from sonorama.plugin.sinks.null import NullSink

from .sinks import info, noise, picture, small_disk, until


@pytest.fixture
def name() -> str:
    return f"sinks-{os.getpid()}-{time.monotonic_ns()}"


def test_null_counts() -> None:
    sink = NullSink()
    sink.send(picture(3))
    sink.send(picture(4))
    assert (sink.count, sink.about) == (2, "nowhere")
    assert sink.last is not None and sink.last.tick == 4


def test_the_map_tells_all_of_a_picture(name: str) -> None:
    sink = MapSink("")
    sink.open(info(name))
    one = noise(7, 64, 64)
    sink.send(Picture(one.pixels, 7, 9, 1234, 5678, True))
    with FrameMap(f"{name}-2") as reader:
        assert sink.about == str(reader.path)
        slot = reader.newest()
        assert slot is not None
        assert (slot.frame, slot.sample, slot.pts_ns, slot.repeated) == (7, 1234, 5678, True)
        assert np.array_equal(slot.pixels, one.pixels)
        sink.open(info(name, 32, 16))
        sink.send(picture(8, 32, 16))
        assert (reader.count, reader.generation, reader.size) == (2, 2, (32, 16))
        sink.close()
        assert not reader.owner_alive()


def test_a_map_that_belongs_to_another_is_left_alone(name: str) -> None:
    with FrameMapWriter(f"{name}.x", 8, 8) as owner:
        sink = MapSink(f"{name}.x")
        with pytest.raises(FrameMapTaken):
            sink.open(info(name))
        sink.close()
        assert owner.path.exists()


def read(path: Path, form: str) -> np.ndarray:
    with av.open(str(path)) as file:
        return next(file.decode(video=0)).to_ndarray(format=form)


@pytest.mark.parametrize(
    ("spec", "suffix", "codec", "form", "white"),
    [
        ("shots", ".png", "png", "rgb24", 1),
        ("shots.png", ".png", "png", "rgb24", 1),
        ("shots.tiff16", ".tif", "tiff", "rgb48le", 257),
        ("my.shots", ".png", "png", "rgb24", 1),
    ],
)
def test_images_are_exact(tmp_path: Path, spec: str, suffix: str, codec: str, form: str, white: int) -> None:
    sink = ImagesSink(f"{tmp_path}/{spec}")
    sink.open(info("night", 33, 17))
    folder = tmp_path / (spec if spec == "my.shots" else "shots")
    assert sink.about == str(folder)
    for tick in (0, 1):
        sink.send(noise(tick, 33, 17))
    sink.close()
    assert sorted(path.name for path in folder.iterdir()) == [f"frame_00000{n}{suffix}" for n in (1, 2)]
    for tick in (0, 1):
        path = folder / f"frame_00000{tick + 1}{suffix}"
        with av.open(str(path)) as file:
            assert (file.streams.video[0].codec_context.name, file.streams.video[0].codec_context.pix_fmt) == (
                codec,
                form,
            )
        assert np.array_equal(read(path, form), noise(tick, 33, 17).pixels[..., :3].astype(np.uint16) * white)


def test_folders_with_something_in_them_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots" / "frame_000001.png").write_bytes(b"mine")
    (tmp_path / "shots-2").write_bytes(b"a file")
    (tmp_path / "shots-3").mkdir()
    sink = ImagesSink(str(tmp_path / "shots"))
    for folder in ("shots-3", "shots-4"):
        sink.open(info("night"))
        sink.send(picture(0))
        assert [path.name for path in (tmp_path / folder).iterdir()] == ["frame_000001.png"]
    sink.close()
    assert (tmp_path / "shots" / "frame_000001.png").read_bytes() == b"mine"


def test_a_repeated_picture_is_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink, calls = ImagesSink(str(tmp_path / "shots")), []
    own = sink._format.frame
    monkeypatch.setattr(
        sink, "_format", type(sink._format)(".png", "png", {}, lambda pixels: (calls.append(1), own(pixels))[1])
    )
    sink.open(info("night"))
    one = picture(0)
    for tick in range(3):
        sink.send(Picture(one.pixels, 0, tick, 0, 0, tick > 0))
    sink.send(picture(1))
    assert len(calls) == 2
    files = sorted((tmp_path / "shots").iterdir())
    assert files[0].read_bytes() == files[2].read_bytes() != files[3].read_bytes()


def test_a_full_disk_leaves_whole_pictures_only(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "200k") as disk:
        if disk is None:
            pytest.skip("mounting a small disk needs root")
        runner = SinkRunner("images", lambda: ImagesSink(str(disk / "shots")), info("night"))
        runner.start()
        for tick in range(60):
            if runner.alive:
                runner.offer(noise(tick, 64, 64))
            until(lambda: runner.counts.offered == runner.counts.sent + runner.counts.failed or not runner.alive)
        assert not runner.alive
        assert "The disk is full" in runner.faults()[0]
        assert runner.close(30)
        files = sorted((disk / "shots").iterdir())
        assert [path.name for path in files] == [f"frame_{n + 1:06}.png" for n in range(len(files))]
        assert len(files) > 5
        for tick, path in enumerate(files):
            assert np.array_equal(read(path, "rgb24"), noise(tick, 64, 64).pixels[..., :3])


@pytest.mark.parametrize("argument", ["", ".png", "no/such/shots", "/"])
def test_no_folder_is_refused_at_once(argument: str) -> None:
    with pytest.raises(SonoramaError):
        ImagesSink(argument)


def test_loading_them_all_loads_neither_torch_nor_qt() -> None:
    code = (
        "import sys\nfrom sonorama.engine.plugins.registry import KINDS, load, names\n"
        "for kind in KINDS:\n    for name in names(kind):\n        load(kind, name)\n"
        "print(*sorted({'torch', 'onnxruntime', 'openvino', 'PyQt6'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
