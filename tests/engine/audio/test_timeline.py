"""Time stamps are the truth: sound lies where the file's own clock has it, and what is not there is silence."""

import subprocess
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from sonorama.engine.audio import seeking
from sonorama.engine.audio.audio_file import Sound, open_sound
from sonorama.engine.errors import InputError

DATA = Path(__file__).parents[2] / "data/editor"


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def read(sound: Sound, start: float = 0.0, duration: float | None = None) -> np.ndarray:
    return np.concatenate(list(sound.blocks(start, duration)), axis=1)


def clicks(sound: Sound) -> list[float]:
    """Seconds at which it gets loud after 0.2 s of quiet."""
    loud = np.flatnonzero(np.abs(read(sound)[0]) > 0.15) / sound.rate
    return [t for t, before in zip(loud, [-1.0, *loud[:-1]], strict=True) if t - before > 0.2]


@pytest.mark.parametrize("name", ["click.m4a", "click.mkv"])
def test_the_encoders_own_samples_are_left_out(name: str) -> None:
    """mp4 by its edit list; this mkv says only which encoder made it."""
    with open_sound(DATA / name) as sound:
        assert float(sound.duration) == pytest.approx(4.0, abs=0.001)
        assert clicks(sound) == pytest.approx([0, 1, 2, 3], abs=0.002)


def test_codec_delay_of_matroska(tmp_path: Path) -> None:
    """As the FFmpeg in PyAV writes it, without the encoder's name."""
    path = tmp_path / "delay.mkv"
    with open_sound(DATA / "click.wav") as sound, av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=sound.rate)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        for at, block in enumerate(np.array_split(read(sound), 50, axis=1)):
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = sound.rate, 882 * at, Fraction(1, sound.rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert b"\x56\xaa" in path.read_bytes()[:1000]
    with open_sound(path) as sound:
        assert float(sound.duration) == pytest.approx(2.0, abs=0.005)
        assert clicks(sound) == pytest.approx([0, 1], abs=0.002)


def test_sound_that_begins_after_the_pictures(caplog: pytest.LogCaptureFixture) -> None:
    with open_sound(DATA / "late.mp4") as sound:
        assert float(sound.duration) == pytest.approx(10.0, abs=0.001)
        late = round(Fraction(65092, 44100) * sound.rate)
        assert not read(sound)[:, :late].any()
        assert np.abs(read(sound)[:, late + 2000 : late + 4000]).max() > 0.05
        part = read(sound, 1.0, 1.0)
        assert np.array_equal(part, read(sound)[:, sound.rate : 2 * sound.rate])
    assert caplog.messages == [f"{DATA / 'late.mp4'}: silence from 0.00 to 1.48 s: the file has no sound there."]


def test_a_hole_is_silence_and_said(caplog: pytest.LogCaptureFixture) -> None:
    with open_sound(DATA / "gap.mkv", strict=True) as sound:
        assert float(sound.duration) == pytest.approx(12.0, abs=0.001)
        whole = read(sound)
        middle = whole[:, round(5.05 * sound.rate) : round(7.99 * sound.rate)]
        assert not middle.any()
        assert np.abs(whole[:, round(4.5 * sound.rate) : 5 * sound.rate]).max() > 0.05
        assert np.abs(whole[:, round(8.1 * sound.rate) : round(8.5 * sound.rate)]).max() > 0.05
    assert len(caplog.messages) == 1
    assert "silence from 5.01 to 8.02 s: the file has no sound there" in caplog.messages[0]


def test_many_holes_make_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=9", "-af", "aselect='lt(mod(t,1),0.6)'", tmp_path / "holes.mov")
    with open_sound(tmp_path / "holes.mov") as sound:
        assert float(sound.duration) == pytest.approx(8.6, abs=0.05)
    assert len(caplog.messages) == 1
    assert "and 4 more" in caplog.messages[0]


@pytest.mark.parametrize(("name", "seconds"), [("vbr-zero.mp3", 8.0), ("vbr0.mp3", 8.05)])
def test_a_guessed_length_is_not_held_against_a_file(
    name: str, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    with open_sound(DATA / name, strict=True) as sound:
        assert float(sound.duration) == pytest.approx(seconds, abs=0.01)
    assert not caplog.messages


def test_mp3_and_opus_without_their_encoders_samples(tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "sine=f=200:r=48000:d=2.5"]
    for codec, name in (
        ("libmp3lame", "a.mp3"), ("libmp3lame", "a.mkv"), ("libopus", "a.opus"), ("libopus", "a.webm"),
        ("libopus", "a.mp4"), ("aac", "a.m4a"), ("aac", "b.mkv"),
    ):  # fmt: skip
        ffmpeg(*source, "-c:a", codec, tmp_path / name)
        with open_sound(tmp_path / name) as sound:
            assert float(sound.duration) == pytest.approx(2.5, abs=0.0011), name
            rise = np.flatnonzero(np.abs(read(sound)[0]) > 0.05)[0] / sound.rate
            assert rise < 0.005, name


def test_the_clock_is_the_pictures(tmp_path: Path) -> None:
    """A transport stream begins anywhere: what counts is how much later than the pictures the sound begins."""
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:d=3", "-f", "lavfi", "-itsoffset", "1", "-i", "sine=d=2",
           "-c:v", "mpeg2video", "-c:a", "mp2", tmp_path / "a.ts")  # fmt: skip
    with open_sound(tmp_path / "a.ts") as sound:
        rise = np.flatnonzero(np.abs(read(sound)[0]) > 0.05)[0] / sound.rate
    assert rise == pytest.approx(1.0, abs=0.04)


def test_a_file_that_is_cut_plays_up_to_the_cut(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=4", tmp_path / "a.flac")
    data = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(data[: len(data) // 2])
    with open_sound(tmp_path / "a.flac") as sound:
        assert 1 < float(sound.duration) < 3
        assert read(sound).shape[1] == sound.samples
    assert len(caplog.messages) == 1
    assert "truncated" in caplog.messages[0] and "used up to" in caplog.messages[0]
    with pytest.raises(InputError, match="truncated"):
        open_sound(tmp_path / "a.flac", strict=True)


def test_what_is_damaged_keeps_the_rest_in_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=4", "-c:a", "aac", tmp_path / "a.m4a")
    data = bytearray((tmp_path / "a.m4a").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = b"\xff" * 3000
    (tmp_path / "a.m4a").write_bytes(data)
    with open_sound(tmp_path / "a.m4a") as sound:
        assert float(sound.duration) == pytest.approx(4.0, abs=0.01)
    assert "is damaged" in caplog.messages[0]
    with pytest.raises(InputError, match="damaged"):
        open_sound(tmp_path / "a.m4a", strict=True)


def test_a_wav_whose_sizes_have_wrapped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "w.wav"
    path.write_bytes((DATA / "wrap-header.bin").read_bytes())
    with path.open("r+b") as file:
        file.truncate(4295849340)  # 4 GiB and 10 s; sparse
    with open_sound(path) as sound:
        assert sound.samples == (4295849340 - 44) // 2
        assert read(sound, 48_690.0, 2.0).shape == (1, 88_200)
    assert not caplog.messages


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mov", "a.caf", "a.w64", "a.aiff"])
def test_a_part_of_what_is_kept_exactly_has_the_bits_of_the_whole(tmp_path: Path, name: str) -> None:
    codec = {"flac": "flac", "aiff": "pcm_s16be"}.get(name[2:], "pcm_s16le")
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=d=30:r=22050:seed=4", "-ac", "2", "-c:a", codec, tmp_path / name)
    with open_sound(tmp_path / name) as sound:
        whole = read(sound)
        for start in (0.5, 1.25, 17.003, 29.9):
            first = round(start * sound.rate)
            assert np.array_equal(read(sound, start, 3.0), whole[:, first : first + 3 * sound.rate])


@pytest.mark.parametrize(
    "name",
    [
        "a.mp3", "a.m4a", "a.ogg", "a.aac", "a.ts",
        *(pytest.param(name, marks=pytest.mark.soak) for name in ("constant.mp3", "a.opus", "a.mkv")),
    ],
)  # fmt: skip
def test_a_part_far_from_the_beginning_lies_where_it_does_in_the_whole(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far from it the file is sought; a chirp tells where."""
    codec = {"mp3": "libmp3lame", "ogg": "libvorbis", "opus": "libopus"}.get(name.split(".")[1], "aac")
    rate = ["-b:a", "64k"] if name == "constant.mp3" else ["-q:a", "7"] if codec == "libmp3lame" else []
    chirp = "aevalsrc='0.4*sin(2*PI*(200+5*t)*t)':s=16000:d=40"
    ffmpeg("-f", "lavfi", "-i", chirp, "-c:a", codec, *rate, tmp_path / name)
    with open_sound(tmp_path / name) as sound:
        near = read(sound, 30.0, 2.0)
        monkeypatch.setattr(seeking, "_NEAR_S", 10)
        far = read(sound, 30.0, 2.0)
        if name.endswith(("mp3", "aac")):  # nothing but frames: found by their headers, not by FFmpeg's reading them
            monkeypatch.setattr(seeking, "_seek", None)
            assert np.array_equal(read(sound, 30.0, 2.0), far)
    error = np.sqrt(np.square(far - near).mean()) / np.sqrt(np.square(near).mean())
    assert error < (0.02 if name != "a.mkv" else 1.0), error  # Matroska's stamps are rounded to 1 ms


@pytest.mark.parametrize("name", [pytest.param("constant.mp3", marks=pytest.mark.soak), "variable.mp3", "a.aac"])
def test_a_part_behind_damage_lies_where_it_does_in_the_whole(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rate = {"constant.mp3": ["-b:a", "64k"], "variable.mp3": ["-q:a", "6"], "a.aac": ["-b:a", "64k"]}[name]
    clicks = "aevalsrc='0.8*lt(mod(t,1),0.005)*sin(2*PI*1000*t)+0.01*sin(2*PI*110*t)':s=44100:d=60"
    ffmpeg("-f", "lavfi", "-i", clicks, *rate, tmp_path / name)
    data = bytearray((tmp_path / name).read_bytes())
    at = len(data) * 2 // 5
    data[at : at + 3000] = np.random.default_rng(3).integers(0, 256, 3000, np.uint8).tobytes()
    (tmp_path / name).write_bytes(data)
    with open_sound(tmp_path / name) as sound:
        whole = read(sound, 40.0, 3.0)
    caplog.clear()
    monkeypatch.setattr(seeking, "_NEAR_S", 10)
    with open_sound(tmp_path / name) as sound:
        part = read(sound, 40.0, 3.0)
    assert np.array_equal(part, whole)
    assert "is damaged" in caplog.text


def test_tags_between_files_that_were_joined_are_no_damage(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=4", "-b:a", "64k", tmp_path / "a.mp3")
    one = (tmp_path / "a.mp3").read_bytes()
    assert one.startswith(b"ID3")
    (tmp_path / "b.mp3").write_bytes(one + one + b"TAG" + bytes(125))
    with open_sound(tmp_path / "b.mp3", strict=True) as sound:
        assert abs(sound.samples / sound.rate - 8) < 0.1


def test_only_the_end_of_a_part_is_looked_at(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a part that lies before the damage nothing is said, since what follows is not read."""
    ffmpeg("-f", "lavfi", "-i", "sine=d=40", "-c:a", "aac", tmp_path / "a.m4a")
    data = bytearray((tmp_path / "a.m4a").read_bytes())
    data[len(data) * 8 // 10 : len(data) * 8 // 10 + 3000] = b"\xff" * 3000
    (tmp_path / "a.m4a").write_bytes(data)
    with open_sound(tmp_path / "a.m4a", start=3.0, duration=2.0) as sound:
        assert read(sound, 3.0, 2.0).shape == (1, 2 * sound.rate)
        assert not caplog.messages
        assert sound.samples > 39 * sound.rate
    assert "is damaged" in caplog.text


def with_noise(path: Path, rng: np.random.Generator) -> None:
    """Five seconds, 44.1 kHz mono, 16 bit."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes((8000 * rng.standard_normal(5 * 44_100)).clip(-32768, 32767).astype("<i2").tobytes())


@pytest.mark.parametrize(
    "kind", ["flac", "mp3", *(pytest.param(kind, marks=pytest.mark.soak) for kind in ("wav", "ogg"))]
)
def test_parts_of_joined_files_are_those_of_the_whole(kind: str, tmp_path: Path) -> None:
    """Joined without encoding: the stamps of FLAC begin anew with every file."""
    rng, names = np.random.default_rng(0), list[str]()
    for k in range(3):
        with_noise(tmp_path / f"noise{k}.wav", rng)
        ffmpeg("-i", tmp_path / f"noise{k}.wav", tmp_path / f"{k}.{kind}")
        names.append(f"file '{tmp_path}/{k}.{kind}'\n")
    (tmp_path / "list.txt").write_text("".join(names))
    joined = tmp_path / f"joined.{kind}"
    ffmpeg("-f", "concat", "-safe", "0", "-i", tmp_path / "list.txt", "-c", "copy", joined)
    with open_sound(joined) as sound:
        whole = read(sound)
    for start in (2, 7, 12):
        with open_sound(joined) as sound:
            part = read(sound, start, 1.0)
        np.testing.assert_array_equal(part, whole[:, start * 44_100 : (start + 1) * 44_100])
