"""`sonorama render` from end to end: real processes, a real world file, films read back by ffprobe."""

import json
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.control.render_table import TABLE
from sonorama.export.frame_source import film_values

from ..speed import slowness


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_wav(name: str, seconds: float, rate: int = 44100, channels: int = 1) -> None:
    noise = np.random.default_rng(1).integers(-9000, 9000, (round(seconds * rate), channels), dtype=np.int16)
    with wave.open(name, "wb") as file:
        file.setparams((channels, 2, rate, len(noise), "NONE", ""))
        file.writeframes(noise.tobytes())


def probe(path: str) -> dict[str, str]:
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-count_frames", "-of", "json"]
    done = subprocess.run([*command, "-show_streams", path], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["streams"][0]


def test_film_and_report(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav("rain.wav", 1.0)
    arguments = ["render", "rain.wav", "-o", "film.mp4", "--world", tiny_world, "--device", "ort"]
    assert main([*arguments, "--fps", "29.97", "--size", "128x96", "--seed", "3", "--json"]) == 0
    out, _ = capsys.readouterr()
    report = json.loads(out)
    assert out.count("\n") == 1
    assert (report["out"], report["frames"], report["fps"]) == ("film.mp4", 30, "30000/1001")
    film = probe("film.mp4")
    assert (film["width"], film["height"], film["nb_read_frames"]) == (128, 96, "30")
    assert film["avg_frame_rate"] == "30000/1001"
    sidecar = json.loads(Path("film.mp4.json").read_text())
    assert sidecar["seed"] == 3
    assert sidecar["values"] == film_values({path: p.default for path, p in TABLE.items()} | {"/look/seed": 3})

    assert main([*arguments, "--overwrite"]) == 0  # replaces the film
    out, _ = capsys.readouterr()
    assert out.startswith("film.mp4: 30 frames, 1.00 s, ")
    assert out.endswith("times real time\n")
    assert probe("film.mp4")["width"] == 64


@pytest.mark.parametrize(
    ("options", "frames"),
    [
        (["--duration", "0.5"], 15),
        (["--start", "0.5"], 15),
        (["--duration", "2"], 30),
        (["--duration", "2", "--loop"], 60),
        (["--start", "0.25", "--duration", "0.1", "--fps", "50"], 5),
    ],
)
def test_part_of_a_sound(options: list[str], frames: int, tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav("rain.wav", 1.0)
    assert main(["render", "rain.wav", "-o", "film.mp4", "--world", tiny_world, "--device", "ort", *options]) == 0
    assert probe("film.mp4")["nb_read_frames"] == str(frames)


def write_float(name: str, samples: "np.ndarray", rate: int) -> None:
    """Float WAV, [n] or [channels, n] where eight channels are 7.1."""
    with av.open(name, "w") as container:
        layout = "7.1" if samples.ndim == 2 else "mono"
        stream = container.add_stream("pcm_f32le", rate=rate, layout=layout)
        packed = np.atleast_2d(samples).T.reshape(1, -1).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(packed), format="flt", layout=layout)
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.parametrize("kind", ["8 kHz", "24 bit", "96 kHz 7.1", "not finite", "clipping", "20 ms", "a film"])
def test_unusual_sounds_render(kind: str, tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(2).standard_normal(48000).astype(np.float32)
    name, seconds = "odd.wav", 0.5
    match kind:
        case "8 kHz":
            write_wav(name, 0.5, rate=8000)
        case "24 bit":
            with wave.open(name, "wb") as file:
                file.setparams((2, 3, 48000, 24000, "NONE", ""))
                file.writeframes(np.random.default_rng(3).bytes(24000 * 6))
        case "96 kHz 7.1":
            write_float(name, np.broadcast_to(noise, (8, 48000)), 96000)
        case "not finite":
            noise[1000:2000], noise[3000] = np.nan, np.inf
            write_float(name, noise, 96000)
        case "clipping":
            write_float(name, 40 * noise, 96000)
        case "20 ms":
            write_wav(name, 0.02)
            seconds = 0.02
        case _:
            write_wav("rain.wav", 0.5)
            assert main(["render", "rain.wav", "-o", "odd.mkv", "--world", tiny_world, "--device", "ort"]) == 0
            name = "odd.mkv"
    assert main(["render", name, "-o", "film.mp4", "--world", tiny_world, "--device", "ort"]) == 0
    assert int(probe("film.mp4")["nb_read_frames"]) == -(-round(seconds * 3000) // 100)
    _, err = capsys.readouterr()
    assert err.count("silence") == (kind == "not finite"), err


def test_the_end_of_an_hour(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All of an hour is read and counted; the whole of it is rendered by tests/world/test_soak.py, by hand."""
    with wave.open("hour.wav", "wb") as file:
        file.setparams((1, 1, 8000, 3600 * 8000, "NONE", ""))
        file.writeframes(np.random.default_rng(4).integers(60, 196, 8000, dtype=np.uint8).tobytes() * 3600)
    options = ["--start", "3598.5", "--world", tiny_world, "--device", "ort", "--json"]
    assert main(["render", "hour.wav", "-o", "film.mp4", *options]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 45
    assert json.loads(Path("film.mp4.json").read_text())["samples"] == 12000


@pytest.mark.parametrize(
    ("out", "number", "code"),
    [
        ("film.mp4", signal.SIGINT, 130),
        pytest.param("film.mp4", signal.SIGTERM, 143, marks=pytest.mark.soak),
        pytest.param("pictures", signal.SIGINT, 130, marks=pytest.mark.soak),
        ("pictures", signal.SIGTERM, 143),
    ],
)
def test_a_signal_leaves_no_half_film(out: str, number: signal.Signals, code: int, tiny_world: str, room: Path) -> None:
    write_wav("long.wav", 600.0, rate=8000)
    program = "import sys; from sonorama.engine.cli.main import main; sys.exit(main())"
    arguments = ["render", "long.wav", "-o", out, "--world", tiny_world, "--device", "ort"]
    process = subprocess.Popen([sys.executable, "-c", program, *arguments], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not is_under_way(room, out):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    begun = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - begun < slowness()
    assert process.returncode == code, err
    assert "Traceback" not in err
    left = {path.name for path in room.rglob("*")}
    if out == "film.mp4":
        assert left == {"long.wav"}
    else:  # a sequence keeps its whole pictures, to be continued
        assert not [name for name in left if "part" in name]
        for picture in room.glob("pictures/*.png"):
            with av.open(str(picture)) as container:
                assert next(container.decode(video=0)).width == 64


def is_under_way(room: Path, out: str) -> bool:
    """Whether frames are being written."""
    if out == "film.mp4":
        return any(room.glob(".film.mp4.sonorama-*"))
    return len(list(room.glob("pictures/*.png"))) > 5
