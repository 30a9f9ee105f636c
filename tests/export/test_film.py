"""Every preset in every container, read back by FFmpeg's own programs."""

import re
import struct
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.pipeline.film_pipeline import MOST_AHEAD_S
from sonorama.export.film import Look, video_writer
from sonorama.export.picture import Fit
from sonorama.export.presets import PRESETS, Preset
from sonorama.export.render import RenderJob, render

from .helpers import PatternSource, maker, pixels, probe, samples, write_wav

FILMS = [(p, suffix) for p in PRESETS.values() if not p.sequence for suffix in p.suffixes]
CODECS = {
    "h264": ("h264", "High", "yuv420p"),
    "h264-10bit": ("h264", "High 10", "yuv420p10le"),
    "hevc-10bit": ("hevc", "Main 10", "yuv420p10le"),
    "prores-422hq": ("prores", "HQ", "yuv422p10le"),
    "prores-4444": ("prores", "4444", "yuv444p12le"),  # FFmpeg decodes every 4444 as 12 bits
    "dnxhr-hqx": ("dnxhd", "DNXHR HQX", "yuv422p10le"),
    "ffv1": ("ffv1", None, "yuv444p16le"),
    "av1": ("av1", "Main", "yuv420p10le"),
    "dxv": ("dxv", None, "rgba"),
    "hap": ("hap", None, "rgb0"),
}
TAGS = {"h264": "avc1", "h264-10bit": "avc1", "hevc-10bit": "hvc1", "prores-422hq": "apch"}
TAGS |= {"prores-4444": "ap4h", "dnxhr-hqx": "AVdh", "av1": "av01", "dxv": "DXD3", "hap": "Hap1"}


@pytest.mark.parametrize(("preset", "suffix"), FILMS, ids=lambda value: getattr(value, "name", value))
def test_every_preset_reads_back(
    tmp_path: Path, stage: PatternSource, sound: Path, preset: Preset, suffix: str
) -> None:
    out = tmp_path / f"film{suffix}"
    fps = Fraction(30000, 1001)
    job = RenderJob(sound, out, fps=fps, size=(256, 144), preset=preset.name)
    report = render(job, None, maker(stage))
    told = probe(out)
    video, audio, tags = told["video"], told["audio"], told["format"]["tags"]
    tags = {key.lower(): value for key, value in tags.items()}

    codec, profile, form = CODECS[preset.name]
    assert (video["codec_name"], video["pix_fmt"], video.get("profile")) == (codec, form, profile)
    if suffix in (".mp4", ".mov"):
        assert video["codec_tag_string"] == TAGS[preset.name]
    assert (video["width"], video["height"]) == (256, 144)
    assert video["r_frame_rate"] == video["avg_frame_rate"] == "30000/1001"
    assert report.frames == int(video["nb_read_frames"]) == 6  # ceil(0.2 s * 29.97)
    colours = [video.get(key) for key in ("color_range", "color_space", "color_transfer", "color_primaries")]
    if not preset.rgb:
        assert colours == ["tv", "bt709", "bt709", "bt709"]

    assert audio["codec_name"] == ("aac" if suffix == ".mp4" else "pcm_s24le")
    assert (audio["channels"], audio["sample_rate"]) == (2, "48000")
    assert float(video["start_time"]) == float(audio["start_time"]) == 0
    if suffix in (".mp4", ".mxf"):  # Matroska and Hap say nothing, which means the same
        assert video["sample_aspect_ratio"] == "1:1"
    if suffix != ".mkv":  # Matroska states the length of the whole only
        assert Fraction(video["duration"]) == pytest.approx(6 / fps, abs=1e-5)
        whole = float(6 / fps) if suffix == ".mxf" else 0.2  # which counts in frames
        assert float(audio["duration"]) == pytest.approx(whole, abs=1e-5)
    assert float(told["format"]["duration"]) == pytest.approx(float(6 / fps), abs=0.001)

    of_picture = {key.lower(): value for key, value in video["tags"].items()}
    assert (tags if suffix == ".mxf" else of_picture)["timecode"] == "00:00:00;00"
    for word in ("Synthetic", "sonorama", "world card 7", "5a" * 32, "CC BY 4.0", "trainedAlgorithmicMedia"):
        assert word in tags.get("comment", tags.get("comment_comment", ""))
    if suffix != ".mov":  # QuickTime files have no such field
        assert "trainedAlgorithmicMedia" in tags.get("description", tags.get("comment_description", ""))


@pytest.mark.parametrize(("preset", "suffix"), FILMS, ids=lambda value: getattr(value, "name", value))
def test_colours_come_back(tmp_path: Path, sound: Path, preset: Preset, suffix: str) -> None:
    """FFmpeg turns the film into RGB by the tags it finds: wrong tags or a wrong matrix shift the patches."""
    patches = np.array(
        [
            [[0.75, 0.1, 0.1], [0.1, 0.7, 0.1], [0.1, 0.15, 0.8]],
            [[0.8, 0.8, 0.1], [1, 1, 1], [0.02, 0.02, 0.02]],
        ],
        np.float32,
    )
    card = patches.repeat(128, axis=0).repeat(128, axis=1)
    out = tmp_path / f"card{suffix}"
    write(out, preset, [card] * 3, sound)
    got = pixels(out, "rgb24", (384, 256))[1][64::128, 64::128].astype(float)
    assert np.abs(got - patches * 255).max() <= 3


def write(out: Path, preset: Preset, frames: list[np.ndarray], sound: Path, fit: Fit = "cover") -> None:
    """Frames at 25 a second with their sound, in their own size."""
    height, width = frames[0].shape[:2]
    look = Look(preset, (width, height), (width, height), fit, Fraction(25), None, {})
    with open_sound(sound) as opened, video_writer(out, look, opened, opened.blocks()) as writer:
        for frame in frames:
            writer.write(frame)


@pytest.mark.parametrize("preset", [p for p in PRESETS.values() if p.deep and not p.sequence], ids=lambda p: p.name)
def test_gradients_come_back_with_more_than_256_levels(tmp_path: Path, sound: Path, preset: Preset) -> None:
    ramp = np.linspace(0, 1, 1024, dtype=np.float32)
    frame = np.repeat(np.repeat(ramp[None, :, None], 128, axis=0), 3, axis=2)
    out = tmp_path / f"ramp{preset.suffixes[0]}"
    write(out, preset, [frame] * 2, sound)
    with av.open(str(out)) as container:
        decoded = next(container.decode(video=0))
        luma = np.frombuffer(decoded.planes[0], np.uint16).reshape(decoded.height, -1)[:, :1024]  # pyright: ignore
    levels = np.median(luma, axis=0)
    assert len(np.unique(levels)) > 600
    full = levels.max() / 235 * 256
    wanted = (16 + 219 * ramp) / 256 * full
    assert np.abs(levels - wanted).mean() < full / 1024


def test_eight_bit_h264_takes_uint8(tmp_path: Path, sound: Path) -> None:
    frame = np.full((64, 64, 3), 200, np.uint8)
    write(tmp_path / "a.mp4", PRESETS["h264"], [frame] * 3, sound)
    assert np.abs(pixels(tmp_path / "a.mp4", "rgb24", (64, 64))[0].astype(int) - 200).max() <= 3


@pytest.mark.parametrize(("error", "closed"), [(KeyboardInterrupt, sys.platform == "win32"), (ValueError, True)])
def test_an_interrupted_film_is_not_closed_in_order(
    tmp_path: Path, sound: Path, error: type[BaseException], closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encoding what waits and moving the index of a film that is thrown away can take minutes."""
    abandoned = list[object]()
    monkeypatch.setattr("sonorama.export.film.abandon", abandoned.append)
    out, preset = tmp_path / "film.mp4", PRESETS["h264"]
    look = Look(preset, (64, 64), (64, 64), "cover", Fraction(30), None, {})
    with (
        pytest.raises(error),
        open_sound(sound) as opened,
        video_writer(out, look, opened, opened.blocks()) as writer,
    ):
        writer.write(np.zeros((64, 64, 3), np.float32))
        raise error
    assert (b"moov" in out.read_bytes()) == closed
    assert len(abandoned) == (not closed)


@pytest.mark.parametrize("preset", [p for p in PRESETS.values() if not p.sequence], ids=lambda p: p.name)
def test_the_least_size_can_be_encoded(tmp_path: Path, sound: Path, preset: Preset) -> None:
    width, height = preset.least
    out = tmp_path / f"small{preset.suffixes[-1]}"
    write(out, preset, [np.zeros((height, width, 3), np.float32)] * 2, sound)
    assert probe(out)["video"]["nb_read_frames"] == "2"


@pytest.mark.parametrize("name", ["prores-422hq", "prores-4444"])
def test_every_prores_frame_carries_its_colours(tmp_path: Path, sound: Path, name: str) -> None:
    """SMPTE RDD 36: bytes 14 to 16 of the frame header, behind the frame's size and "icpf"."""
    out = tmp_path / "film.mov"
    write(out, PRESETS[name], [np.zeros((64, 64, 3), np.float32)] * 4, sound)
    with av.open(str(out)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    assert len(packets) == 4
    for packet in packets:
        assert packet[4:8] == b"icpf"
        assert tuple(packet[8 + 14 : 8 + 17]) == (1, 1, 1)


def test_timecode_is_a_track_of_its_own(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    for suffix, fps, text in ((".mov", Fraction(25), "01:00:00:00"), (".mp4", Fraction(24), "10:59:59:23")):
        out = tmp_path / f"film{suffix}"
        render(RenderJob(sound, out, fps=fps, preset="h264", timecode=text), None, maker(stage))
        tracks = [stream for stream in probe(out)["streams"] if stream.get("codec_tag_string") == "tmcd"]
        assert [track["tags"]["timecode"] for track in tracks] == [text]


@pytest.mark.parametrize("fps", [Fraction(25, 2), Fraction(7), Fraction(240)])
def test_rates_without_timecode_render(tmp_path: Path, stage: PatternSource, sound: Path, fps: Fraction) -> None:
    out = tmp_path / "film.mov"
    report = render(RenderJob(sound, out, fps=fps, preset="h264"), None, maker(stage))
    video = probe(out)["video"]
    assert Fraction(video["r_frame_rate"]) == fps
    assert int(video["nb_read_frames"]) == report.frames == -(-fps // 5)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("rate", [44_100, 48_000, 22_050])
def test_sound_and_picture_keep_time(tmp_path: Path, stage: PatternSource, suffix: str, rate: int) -> None:
    at = int(rate * 1.2345)
    click = np.zeros((1, 2 * rate), np.float32)
    click[0, at] = 0.9
    out = tmp_path / f"film{suffix}"
    wav = write_wav(tmp_path / "click.wav", click, rate)
    render(RenderJob(wav, out, fps=Fraction(25), preset="h264"), None, maker(stage))
    got = samples(out, 1)
    assert abs(int(np.abs(got).argmax()) / rate - at / rate) < 0.001
    assert abs(len(got) - 2 * rate) <= (1024 if suffix == ".mp4" else 0)


def test_pcm_is_the_source_exactly(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    render(RenderJob(sound, tmp_path / "film.mov", preset="h264"), None, maker(stage))
    assert np.array_equal(samples(tmp_path / "film.mov", 2), samples(sound, 2))


def test_the_chosen_part_of_the_sound_is_muxed(tmp_path: Path, stage: PatternSource) -> None:
    ramp = np.arange(8000, dtype=np.float32)[None] / 8000
    wav = write_wav(tmp_path / "ramp.wav", ramp, 8000)
    job = RenderJob(wav, tmp_path / "film.mov", preset="h264", start=0.5, duration=1.25, loop=True)
    assert render(job, None, maker(stage)).frames == 38  # ceil(1.25 * 30)
    second = ramp[0, 4000:]
    wanted = np.concatenate([second, second, second[:2000]])
    assert np.abs(samples(job.out, 1)[:, 0] - wanted).max() < 1e-4
    assert stage.heard == round((0.5 + 1.25 + MOST_AHEAD_S + 1.0) * 44_100)  # what comes before and after, too


@pytest.mark.parametrize(
    ("channels", "rate", "suffix", "there"),
    [
        (8, 96_000, ".mov", (8, "96000")),
        (8, 96_000, ".mkv", (8, "96000")),
        (8, 96_000, ".mp4", (8, "96000")),
        (3, 48_000, ".mp4", (3, "48000")),
        (1, 8000, ".mp4", (1, "8000")),
        (2, 192_000, ".mp4", (2, "48000")),  # AAC ends at 96 kHz
        (2, 192_000, ".mov", (2, "192000")),
        (11, 48_000, ".mov", (11, "48000")),
        (11, 48_000, ".mp4", (1, "48000")),  # AAC knows no such layout
    ],
)
def test_channels_and_rate_survive_where_the_codec_can(
    tmp_path: Path, stage: PatternSource, channels: int, rate: int, suffix: str, there: tuple[int, str]
) -> None:
    noise = np.random.default_rng(1).uniform(-0.2, 0.2, (channels, rate // 5))
    wav = write_wav(tmp_path / "many.wav", noise, rate)
    out = tmp_path / f"film{suffix}"
    render(RenderJob(wav, out, preset="h264"), None, maker(stage))
    audio = probe(out)["audio"]
    assert (audio["channels"], audio["sample_rate"]) == there
    if suffix != ".mkv":
        assert float(audio["duration"]) == pytest.approx(0.2, abs=0.001)


def test_nan_and_clipping_in_the_source_do_no_harm(tmp_path: Path, stage: PatternSource) -> None:
    values = np.full(4000, 0.25, np.float32)
    values[1000], values[2000], values[3000] = np.nan, np.inf, 5.0
    wav = tmp_path / "bad.wav"
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 16036, b"WAVE", b"fmt ", 16, 3, 1, 8000, 32_000, 4, 32, b"data", 16_000
    )
    wav.write_bytes(head + values.tobytes())
    render(RenderJob(wav, tmp_path / "film.mov", preset="h264"), None, maker(stage))
    got = samples(tmp_path / "film.mov", 1)[:, 0]
    assert got[1000] == got[2000] == 0
    assert got[3000] == pytest.approx(1, abs=1e-6)
    assert got[0] == pytest.approx(0.25, abs=1e-6)


def test_encoders_keep_quiet(
    tmp_path: Path, stage: PatternSource, sound: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for preset in ("av1", "hevc-10bit", "h264"):
        render(RenderJob(sound, tmp_path / f"{preset}.mp4", preset=preset), None, maker(stage))
    told = capfd.readouterr()
    assert re.sub(r"\s", "", told.out + told.err) == ""


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize(("preset", "suffix"), FILMS, ids=lambda value: getattr(value, "name", value))
def test_the_shortest_films_have_their_times(
    tmp_path: Path, sound: Path, preset: Preset, suffix: str, frames: int
) -> None:
    """x265 leaves the decoding times of one or two frames uninitialised: they must not reach the file."""
    out = tmp_path / f"film{suffix}"
    look = Look(preset, (256, 144), (256, 144), "cover", Fraction(25), None, {})
    with open_sound(sound) as source, video_writer(out, look, source, source.blocks()) as writer:
        for _ in range(frames):
            writer.write(np.zeros((144, 256, 3), np.float32))
    with av.open(out) as film:
        picture = film.streams.video[0]
        packets = [packet for packet in film.demux(picture) if packet.size]
        stamps = [(packet.pts, packet.dts, packet.time_base) for packet in packets]
    times = sorted(Fraction(pts) * base for pts, _, base in stamps if pts is not None)
    assert times == pytest.approx([Fraction(n, 25) for n in range(frames)], abs=0.001)
    for pts, dts, base in stamps:  # Matroska keeps no decoding times
        assert dts is None or (pts is not None and -1 < dts * base <= pts * base)
