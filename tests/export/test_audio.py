"""--audio copy, pcm24, aac and none."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import OutputError, ValueRefused
from sonorama.export.render import RenderJob, render

from .helpers import PatternSource, maker, probe, samples, write_wav


def packets(path: Path) -> list[str]:
    """Hashes of the sound's packets, by FFmpeg's own demuxer."""
    command = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "a",
        "-show_packets",
        "-show_data_hash",
        "md5",
        "-of",
        "json",
    ]
    told = json.loads(subprocess.run([*command, str(path)], check=True, capture_output=True).stdout)
    return [packet["data_hash"] for packet in told["packets"]]


def convert(source: Path, out: Path, *options: str) -> Path:
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(source), *options, str(out)], check=True)
    return out


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    """Two seconds with a click at 0.5 and 1.5 s, 48 kHz."""
    sound = np.zeros((1, 96_000), np.float32)
    sound[0, [24_000, 72_000]] = 0.9
    return write_wav(tmp_path / "clicks.wav", sound, 48_000)


def film(tmp_path: Path, stage: PatternSource, sound: Path, name: str, **job: object) -> Path:
    out = tmp_path / name
    render(RenderJob(sound, out, fps=Fraction(25), preset="h264", **job), None, maker(stage))  # pyright: ignore
    return out


@pytest.mark.parametrize(
    ("source", "options", "name"),
    [
        ("a.m4a", ("-c:a", "aac"), "f.mp4"),
        pytest.param("a.m4a", ("-c:a", "aac"), "f.mov", marks=pytest.mark.soak),
        ("a.m4a", ("-c:a", "aac"), "f.mkv"),
        pytest.param("a.mka", ("-c:a", "aac"), "f.mp4", marks=pytest.mark.soak),
        ("a.mp3", ("-c:a", "libmp3lame"), "f.mkv"),
        pytest.param("a.flac", (), "f.mp4", marks=pytest.mark.soak),
        ("a.flac", (), "f.mkv"),
        ("a.wav", ("-c:a", "pcm_s16le"), "f.mov"),
        ("a.opus", ("-c:a", "libopus"), "f.mkv"),
    ],
)
def test_copied_packets_are_those_of_the_source(
    tmp_path: Path, stage: PatternSource, clicks: Path, source: str, options: tuple[str, ...], name: str
) -> None:
    sound = convert(clicks, tmp_path / source, *options)
    out = film(tmp_path, stage, sound, name, audio="copy")
    if not source.endswith(".wav"):  # whose packets are cut anywhere
        assert packets(out) == packets(sound)
    begin = float(probe(out)["video"]["start_time"])
    got = np.abs(samples(out, 1, 48_000)[:, 0])
    for at in (0.5, 1.5):
        around = slice(round((at - 0.2 + begin) * 48_000), round((at + 0.2 + begin) * 48_000))
        where = (around.start + got[around].argmax()) / 48_000 - begin
        # FFmpeg 5.1's filter places the 6.5 ms that players leave out of Opus before the sound.
        assert where == pytest.approx(at, abs=0.008 if source.endswith(".opus") else 0.003)
    assert probe(out)["video"]["nb_read_frames"] == "50"


def test_a_copied_wav_is_exact(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = film(tmp_path, stage, sound, "f.mov", audio="copy")
    assert probe(out)["audio"]["codec_name"] == "pcm_s16le"
    assert np.array_equal(samples(out, 2), samples(sound, 2))


@pytest.mark.parametrize("name", ["f.mov", "f.mkv"])
@pytest.mark.parametrize("start", [0.0, 0.52])
def test_a_part_of_a_wav_is_copied_to_the_sample(
    tmp_path: Path, stage: PatternSource, clicks: Path, name: str, start: float
) -> None:
    """Its packets hold more than a second."""
    out = film(tmp_path, stage, clicks, name, audio="copy", start=start, duration=0.2)
    begin = round(start * 48_000)
    assert np.array_equal(samples(out, 1), samples(clicks, 1)[begin : begin + 9_600])


@pytest.mark.parametrize(
    ("source", "options", "name"),
    [("a.opus", ("-c:a", "libopus"), "f.mov"), ("a.ogg", ("-c:a", "libvorbis"), "f.mov"), ("a.flac", (), "f.mov")],
)
def test_what_the_container_does_not_take_is_refused_before_any_work(
    tmp_path: Path, stage: PatternSource, clicks: Path, source: str, options: tuple[str, ...], name: str
) -> None:
    sound = convert(clicks, tmp_path / source, *options)
    with pytest.raises(OutputError, match="does not take") as caught:
        film(tmp_path, stage, sound, name, audio="copy")
    assert len(str(caught.value).splitlines()) == 2
    assert stage.heard == stage.painted == 0
    assert not (tmp_path / name).exists()


def test_a_part_begins_at_a_packet_or_is_refused(tmp_path: Path, stage: PatternSource, clicks: Path) -> None:
    sound = convert(clicks, tmp_path / "a.flac", "-frame_size", "1920")  # packets of 1/25 s, as the frames
    out = film(tmp_path, stage, sound, "f.mkv", audio="copy", start=1.0, duration=0.8)
    assert packets(out) == packets(sound)[25:45]
    assert np.abs(samples(out, 1)[:, 0]).argmax() == 24_000
    sound = convert(clicks, tmp_path / "b.m4a", "-c:a", "aac")
    with pytest.raises(OutputError, match="No packet of aac") as caught:
        film(tmp_path, stage, sound, "g.mov", audio="copy", start=1.0)
    assert len(str(caught.value).splitlines()) == 2


def test_loops_and_other_kinds_of_file_are_refused(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    with pytest.raises(ValueRefused, match="a loop"):
        film(tmp_path, stage, sound, "f.mov", audio="copy", loop=True, duration=1.0)
    for name, audio in (("f.mp4", "pcm24"), ("f.mxf", "aac"), ("shots", "copy"), ("shots", "aac")):
        preset = "dnxhr-hqx" if name == "f.mxf" else "png" if name == "shots" else "h264"
        with pytest.raises(OutputError, match="does not go with"):
            render(RenderJob(sound, tmp_path / name, preset=preset, audio=audio), None, maker(stage))  # pyright: ignore
    assert stage.heard == 0


@pytest.mark.parametrize(
    ("name", "audio", "codec"),
    [("f.mov", "aac", "aac"), ("f.mkv", "aac", "aac"), ("f.mp4", "aac", "aac"), ("f.mov", "pcm24", "pcm_s24le")],
)
def test_the_named_codec_is_used(
    tmp_path: Path, stage: PatternSource, sound: Path, name: str, audio: str, codec: str
) -> None:
    out = film(tmp_path, stage, sound, name, audio=audio)
    assert probe(out)["audio"]["codec_name"] == codec
    assert json.loads(Path(f"{out}.json").read_text())["audio"] == audio


@pytest.mark.parametrize("name", ["f.mov", "f.mp4", "f.mkv"])
def test_a_film_without_sound(tmp_path: Path, stage: PatternSource, sound: Path, name: str) -> None:
    told = probe(film(tmp_path, stage, sound, name, audio="none"))
    assert told["audio"] is None
    assert told["video"]["nb_read_frames"] == "5"


def test_a_sequence_without_sound(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    job = RenderJob(sound, tmp_path / "shots", audio="none")
    render(job, None, maker(stage))
    assert not (tmp_path / "shots" / "sound.wav").exists()
    assert render(job, None, maker(stage)).was_there
