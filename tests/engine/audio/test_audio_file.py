"""Sounds read from real files: exact counts, one meaning for every format, and bounded memory."""

import struct
import subprocess
import sys
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.stream import VideoStream

from sonorama.engine.audio.audio_file import Sound, open_sound
from sonorama.engine.audio.in_phase import downmix
from sonorama.engine.errors import InputError


def tone(samples: int, rate: int, channels: int = 1, level: float = 0.5) -> np.ndarray:
    """A 440 Hz sine, float32 [channels, samples]."""
    wave_form = level * np.sin(2 * np.pi * 440 * np.arange(samples) / rate)
    return np.tile(wave_form.astype(np.float32), (channels, 1))


def encode(path: Path, codec: str, sound: np.ndarray, rate: int, layout: str = "mono", kind: str = "s16") -> Path:
    """Write `sound` with any codec into the container that the suffix stands for."""
    scale = {"s16": 2**15 - 1, "s32": 2**31 - 1, "flt": 1}[kind]
    packed = np.ascontiguousarray((sound.astype(np.float64) * scale).T).reshape(1, -1)
    dtype = {"s16": np.int16, "s32": np.int32, "flt": np.float32}[kind]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, AudioStream)
        stream.layout = layout
        frame = AudioFrame.from_ndarray(packed.astype(dtype), kind, layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(sound: Sound, start: float = 0.0, duration: float | None = None, loop: bool = False) -> np.ndarray:
    return np.concatenate(list(sound.blocks(start, duration, loop)), axis=1)


def heard(sound: Sound, start: float = 0.0, duration: float | None = None, loop: bool = False) -> np.ndarray:
    return np.concatenate(list(sound.mono(44_100, start, duration, loop)))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", "pcm_s16le"),
        ("a.flac", "flac"),
        ("a.mp3", "libmp3lame"),
        ("a.ogg", "flac"),
        ("a.m4a", "aac"),
        ("a.mov", "pcm_s16le"),
        ("a.mka", "flac"),
        ("a.aiff", "pcm_s16be"),
        ("a.caf", "pcm_s16le"),
        ("a.w64", "pcm_s16le"),
        ("a.au", "pcm_s16be"),
    ],
)
def test_every_format_gives_its_exact_length(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, codec, tone(50_004, 44_100), 44_100)
    with open_sound(path) as sound:
        assert (sound.samples, sound.rate, sound.channels) == (50_004, 44_100, 1)
        assert sound.duration == Fraction(50_004, 44_100)
        assert read(sound).shape == (1, 50_004)
        assert abs(np.abs(heard(sound)[5000:-5000]).max() - 0.5) < 0.03


def test_a_sound_of_20_ms(tmp_path: Path) -> None:
    path = encode(tmp_path / "short.wav", "pcm_s16le", tone(160, 8000), 8000)
    with open_sound(path) as sound:
        assert sound.samples == 160
        assert len(heard(sound)) == 882


def test_8_khz_mono_and_96_khz_surround_of_24_bits_are_heard_alike(tmp_path: Path) -> None:
    low = encode(tmp_path / "low.wav", "pcm_s16le", tone(8000, 8000), 8000)
    high = encode(tmp_path / "high.wav", "pcm_s24le", tone(96_000, 96_000, 8), 96_000, "7.1", "s32")
    with open_sound(low) as one, open_sound(high) as other:
        assert other.codec == "pcm_s24le"
        assert other.channel_names == ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")
        a, b = heard(one), heard(other)
    assert len(a) == len(b) == 44_100
    b = b / downmix(other.channel_names).sum()  # the same tone from every loudspeaker adds up
    assert np.abs(a - b)[1000:-1000].max() < 0.01


@pytest.mark.parametrize("codec", ["aac", "libopus", "flac"])
def test_eight_planar_channels(tmp_path: Path, codec: str) -> None:
    one = tone(24_000, 48_000, 8) * np.linspace(0.3, 1, 8, dtype=np.float32)[:, None]
    path = encode(tmp_path / "eight.mka", codec, one, 48_000, "7.1")
    with open_sound(path) as sound:
        levels = np.abs(read(sound)[:, 4000:-4000]).max(axis=1)
    assert sound.channels == 8
    if codec == "flac":
        assert np.allclose(levels, np.linspace(0.15, 0.5, 8), atol=1e-3)
    assert (np.delete(levels, 3) > 0.1).all()  # the LFE of AAC passes bass only


def test_24_bits_are_kept_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(-(2**23), 2**23, 5000)
    sound = (values / 2**23).astype(np.float64)[None]
    with open_sound(encode(tmp_path / "deep.wav", "pcm_s24le", sound, 48_000, kind="s32")) as deep:
        got = np.rint(read(deep)[0].astype(np.float64) * 2**23).astype(int)
    assert np.abs(got - values).max() <= 1  # the writer above rounds


def test_time_is_kept_through_resampling(tmp_path: Path) -> None:
    for rate in (8000, 22_050, 48_000, 96_000):
        click = np.zeros((1, rate), np.float32)
        click[0, rate // 2] = 0.9
        with open_sound(encode(tmp_path / f"{rate}.wav", "pcm_s16le", click, rate)) as sound:
            assert abs(int(np.abs(heard(sound)).argmax()) - 22_050) <= 1


def test_nan_and_infinity_become_silence_and_are_told(tmp_path: Path) -> None:
    bad = tone(4000, 8000, level=0.25)
    bad[0, 100:200], bad[0, 300], bad[0, 301] = np.nan, np.inf, -np.inf
    with open_sound(encode(tmp_path / "nan.wav", "pcm_f32le", bad, 8000, kind="flt")) as sound:
        assert sound.had_nonfinite
        got = read(sound)[0]
        assert np.array_equal(got[100:200], np.zeros(100))
        assert got[300] == got[301] == 0
        assert np.isfinite(heard(sound)).all()
    with open_sound(encode(tmp_path / "good.wav", "pcm_f32le", tone(4000, 8000), 8000, kind="flt")) as sound:
        assert not sound.had_nonfinite


def test_what_clips_is_kept(tmp_path: Path) -> None:
    loud = tone(4000, 8000, level=3.0)
    with open_sound(encode(tmp_path / "loud.wav", "pcm_f32le", loud, 8000, kind="flt")) as sound:
        assert np.array_equal(read(sound), loud)


def test_mono_mix_of_loudspeakers() -> None:
    assert np.allclose(downmix(("FL", "FR")), [0.5, 0.5])
    assert np.allclose(downmix(("FC",)), [1])
    assert np.allclose(downmix(("NONE", "NONE", "NONE")), [1 / 3] * 3)
    gains = dict(
        zip(("FL", "FR", "FC", "LFE", "SL", "SR"), downmix(("FL", "FR", "FC", "LFE", "SL", "SR")), strict=True)
    )
    assert gains["LFE"] == pytest.approx(0.3536, abs=1e-4)
    assert gains["FC"] == pytest.approx(0.7071, abs=1e-4)
    assert gains["SL"] == pytest.approx(0.3536, abs=1e-4)
    assert np.allclose(downmix(("LFE",)), [1])


@pytest.fixture
def ramp(tmp_path: Path) -> Sound:
    """One second at 8 kHz whose samples count up by 1/8000 each."""
    return open_sound(encode(tmp_path / "ramp.wav", "pcm_f32le", np.arange(8000)[None] / 8000, 8000, kind="flt"))


def test_a_part_of_the_sound(ramp: Sound) -> None:
    part = read(ramp, start=0.25, duration=0.5)[0] * 8000
    assert np.array_equal(np.rint(part), np.arange(2000, 6000))
    assert ramp.count(0.25, 0.5) == 4000
    assert len(heard(ramp, start=0.25, duration=0.5)) == 22_050


def test_a_sound_shorter_than_the_duration_ends(ramp: Sound) -> None:
    assert ramp.count(0.5, 10.0) == 4000
    assert read(ramp, start=0.5, duration=10.0).shape == (1, 4000)


def test_a_loop_begins_again_at_its_start(ramp: Sound) -> None:
    part = np.rint(read(ramp, start=0.5, duration=1.25, loop=True)[0] * 8000)
    assert np.array_equal(part, np.concatenate([np.arange(4000, 8000)] * 2 + [np.arange(4000, 6000)]))
    assert ramp.count(0.5, None, loop=True) is None
    assert len(heard(ramp, start=0.5, duration=1.25, loop=True)) == 55_125


@pytest.mark.parametrize(
    ("start", "duration"), [(1.0, None), (-0.1, None), (float("nan"), None), (0.0, 0.0), (0.0, float("nan"))]
)
def test_a_part_outside_the_sound_is_refused(ramp: Sound, start: float, duration: float | None) -> None:
    with pytest.raises(InputError):
        ramp.count(start, duration)


def test_closing_ends_open_streams(ramp: Sound) -> None:
    stream = ramp.blocks()
    next(stream)
    ramp.close()
    assert list(stream) == []


def test_a_cover_picture_does_not_hide_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "cover.mp3"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libmp3lame", rate=44_100)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        cover = container.add_stream("mjpeg", rate=1)
        assert isinstance(cover, VideoStream)
        cover.width = cover.height = 64
        cover.pix_fmt = "yuvj420p"
        cover.disposition = Disposition.attached_pic
        container.mux(
            cover.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8)).reformat(format="yuvj420p"))
        )
        container.mux(cover.encode(None))
        frame = AudioFrame.from_ndarray((tone(44_100, 44_100) * 32767).astype(np.int16), "s16", "mono")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["audio", "video"]
    assert open_sound(path).samples == 44_100


def test_the_sound_of_a_video_is_used(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        assert isinstance(video, VideoStream)
        video.width = video.height = 64
        stream = container.add_stream("aac", rate=48_000)
        assert isinstance(stream, AudioStream)
        for _ in range(25):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(video.encode(None))
        frame = AudioFrame.from_ndarray(np.repeat(tone(48_000, 48_000), 2, axis=0), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_sound(path) as sound:
        assert (sound.samples, sound.channels, sound.codec) == (48_000, 2, "aac")


def test_sound_that_begins_late_is_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Matroska states when a stream ends, not how long it is."""
    encode(tmp_path / "a.wav", "pcm_s16le", tone(44100, 44100), 44100)
    late = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=s=32x32:d=2", "-itsoffset", "0.9", "-i", "a.wav",
            "-c:a", "flac", "a.mkv"]  # fmt: skip
    subprocess.run(late, cwd=tmp_path, check=True)
    with open_sound(tmp_path / "a.mkv") as sound:
        late = round(0.9 * 44100)
        assert sound.samples == late + 44100
        assert not read(sound)[:, :late].any()
    assert "silence from 0.00 to 0.90 s: the file has no sound there" in caplog.text


def test_rubbish_behind_the_last_frame_is_harmless(tmp_path: Path) -> None:
    path = encode(tmp_path / "tail.mp3", "libmp3lame", tone(44_100, 44_100), 44_100)
    path.write_bytes(path.read_bytes() + b"TAG" + b"some title".ljust(125, b"\0"))
    assert open_sound(path).samples == 44_100


def test_a_wav_recorded_into_a_pipe_is_whole(tmp_path: Path) -> None:
    path = encode(tmp_path / "pipe.wav", "pcm_s16le", tone(8000, 8000), 8000)
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert open_sound(path).samples == 8000


HOUR = """
import sys
from pathlib import Path
from sonorama.engine.audio.audio_file import open_sound

def peak():  # KiB; getrusage's begins at the parent's
    return Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]

with open_sound(Path(sys.argv[1])) as sound:
    for block in sound.mono(duration=60.0):  # loads what reading needs
        pass
    before = peak()
    heard = sum(len(block) for block in sound.mono())
    print(sound.samples, heard, before, peak())
"""


def test_an_hour_streams_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "hour.wav"
    noise = np.random.default_rng(2).integers(-9999, 9999, 8000 * 60, dtype=np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        for minute in range(60):
            file.writeframes(noise.tobytes() if minute % 2 else bytes(noise.nbytes))
    run = [sys.executable, "-c", HOUR, str(path)]
    samples, count, before, after = map(int, subprocess.run(run, check=True, capture_output=True).stdout.split())
    assert (samples, count) == (8000 * 3600, 44_100 * 3600)
    assert after < 150_000  # KiB; decoded, the hour is 620,000 at 44.1 kHz
    assert after - before < 10_000


def test_an_odd_size_field_is_read_past(tmp_path: Path) -> None:
    """Chunks of odd length are padded: the walk to the data chunk must not lose its way."""
    path = encode(tmp_path / "odd.wav", "pcm_s16le", tone(800, 8000), 8000)
    data = path.read_bytes()
    at = data.index(b"data")
    note = b"note" + struct.pack("<I", 3) + b"abc\0"
    path.write_bytes(data[:at] + note + data[at:])
    assert open_sound(path).samples == 800
