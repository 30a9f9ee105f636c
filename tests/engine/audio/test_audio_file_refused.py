"""Files that are no sound, or not all of one, are refused with two lines."""

import os
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.errors import InputError


def refused(path: Path) -> str:
    """The two lines of the refusal, which must name the file."""
    with pytest.raises(InputError) as caught:
        open_sound(path, strict=True)
    assert str(path) in caught.value.message
    assert len(str(caught.value).splitlines()) == 2
    return caught.value.message


def encode(path: Path, codec: str, seconds: float = 4.0, options: dict[str, str] | None = None) -> Path:
    """A noise at 44.1 kHz: noise, so that no format makes the file small."""
    noise = np.random.default_rng(3).integers(-9000, 9000, (1, int(44_100 * seconds)), dtype=np.int16)
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=44_100)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        for at in range(0, noise.shape[1], 4096):
            frame = AudioFrame.from_ndarray(noise[:, at : at + 4096], "s16", "mono")
            frame.sample_rate, frame.pts = 44_100, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_missing(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "nothing.wav")


def test_folder(tmp_path: Path) -> None:
    assert "folder" in refused(tmp_path)


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    assert "empty" in refused(tmp_path / "empty.wav")


def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert "regular" in refused(tmp_path / "pipe.wav")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("notes.txt", "It rained all day.\n" * 100),
        ("notes.wav", "It rained all day.\n" * 100),
        ("notes.mp3", "It rained all day.\n" * 100),
        ("one.txt", "a"),
        ("page.html", "<html><body>rain</body></html>"),
        ("lines.srt", "1\n00:00:01,000 --> 00:00:02,000\nRain\n"),
        ("list.m3u8", "#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:9/rain.wav\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile rain.wav\n"),
    ],
)
def test_text(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    refused(tmp_path / name)


def test_random_bytes(tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(np.random.default_rng(4).bytes(50_000))
    refused(tmp_path / "noise.wav")


@pytest.mark.parametrize(("name", "codec"), [("still.png", "png"), ("still.jpg", "mjpeg"), ("film.mp4", "libx264")])
def test_pictures_without_sound(tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / name
    pixels = {"png": "rgb24", "mjpeg": "yuvj420p", "libx264": "yuv420p"}[codec]
    with av.open(str(path), "w", format=None if codec == "libx264" else "image2") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = 64
        stream.pix_fmt = pixels
        picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8))
        container.mux(stream.encode(picture.reformat(format=pixels)))
        container.mux(stream.encode(None))
    assert "no sound" in refused(path)


def test_no_samples(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "zero.wav"), "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", ""))
    assert "0 samples" in refused(tmp_path / "zero.wav")


FORMATS = [
    ("a.wav", "pcm_s16le", {}),
    ("deep.wav", "pcm_s24le", {}),
    ("a.w64", "pcm_s16le", {}),
    ("a.caf", "pcm_s16le", {}),
    ("a.aiff", "pcm_s16be", {}),
    ("a.au", "pcm_s16be", {}),
    ("a.flac", "flac", {}),
    ("a.mp3", "libmp3lame", {}),
    ("a.ogg", "flac", {}),
    ("a.opus.ogg", "libopus", {}),
    ("late.m4a", "aac", {}),
    ("early.m4a", "aac", {"movflags": "+faststart"}),
    ("a.mov", "pcm_s16le", {"movflags": "+faststart"}),
    ("a.mka", "flac", {}),
    ("a.mkv", "aac", {}),
    ("a.webm", "libopus", {}),
    ("bare.mp3", "libmp3lame", {"write_xing": "0"}),
    ("layer2.mp2", "mp2", {}),
    ("a.aac", "aac", {}),
    ("a.ac3", "ac3", {}),
    ("a.eac3", "eac3", {}),
    ("a.ts", "aac", {}),
    ("a.flv", "aac", {}),
    ("a.wv", "wavpack", {}),
    ("a.tta", "tta", {}),
    ("a.voc", "pcm_u8", {}),
]
"""Name, codec, options of the container."""


@pytest.fixture(scope="module", params=FORMATS, ids=lambda one: "-".join(one[:2]))
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """The name of a file that is taken, and what is in it."""
    name, codec, options = request.param
    path = tmp_path_factory.mktemp("whole") / name
    encode(path, codec, options=options) if codec != "libopus" else _opus(path)
    open_sound(path, strict=True)
    return name, path.read_bytes()


@pytest.mark.parametrize("kept", [0.43, 0.9, 0.98])
def test_cut_off(whole: tuple[str, bytes], tmp_path: Path, kept: float) -> None:
    name, data = whole
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * kept)])
    assert "truncated" in refused(path)


@pytest.mark.parametrize("name", ["bare.mp3", "layer2.mp2", "a.aac"])
def test_tags_and_padding_at_the_end_are_no_damage(tmp_path: Path, name: str) -> None:
    codec = {"bare.mp3": "libmp3lame", "layer2.mp2": "mp2", "a.aac": "aac"}[name]
    path = encode(tmp_path / name, codec, options={"write_xing": "0"} if codec == "libmp3lame" else {})
    whole, data = open_sound(path).samples, path.read_bytes()
    for tail in (b"TAG" + bytes(125), bytes(1000), b"APETAGEX" + bytes(24)):
        path.write_bytes(data + tail)
        assert open_sound(path).samples == whole


def _opus(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus", rate=48_000)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        noise = np.random.default_rng(3).integers(-9000, 9000, (1, 192_000), dtype=np.int16)
        frame = AudioFrame.from_ndarray(noise, "s16", "mono")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_header_longer_than_its_data(tmp_path: Path) -> None:
    path = encode(tmp_path / "long.wav", "pcm_s16le")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "little") + 2).to_bytes(4, "little")
    path.write_bytes(data)
    assert "2 bytes more" in refused(path)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.flac", "flac"), ("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.ogg", "flac")]
)
def test_damaged_in_the_middle(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, codec)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(data)
    message = refused(path)
    assert "damaged" in message or "truncated" in message


def test_a_file_that_goes_missing_later(tmp_path: Path) -> None:
    path = encode(tmp_path / "gone.wav", "pcm_s16le")
    with open_sound(path) as sound:
        path.unlink()
        with pytest.raises(InputError):
            next(iter(sound.mono()))
