"""EXR files beside movies of the same pictures: one look, and their time."""

import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.files.exr import read_attributes, smpte_bits, with_attributes
from sonorama.export.render import RenderJob, render
from sonorama.export.timecode import timecode_of_frame

from .helpers import PatternSource, maker, pixels, probe

NTSC = Fraction(30000, 1001)


def card() -> np.ndarray:
    """float32 [128, 256, 3]: a grey ramp of 16 steps above 16 patches of colour."""
    grey = np.repeat(np.linspace(0, 1, 16, dtype=np.float32)[:, None], 3, axis=1)
    patches = np.random.default_rng(5).uniform(0.05, 0.95, (16, 3)).astype(np.float32)
    patches[:6] = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.8, 0.1], [0.1, 0.8, 0.8], [0.8, 0.1, 0.8]]
    return np.stack([grey, patches]).repeat(64, axis=0).repeat(16, axis=1)


def linear(film: Path) -> np.ndarray:
    """The first frame of a movie in linear light, by its tags: FFmpeg's zscale (zimg), a colour manager of others."""
    to = "zscale=transfer=linear:matrix=gbr:range=full,format=gbrpf32le"
    command = ["ffmpeg", "-v", "error", "-i", str(film), "-frames:v", "1", "-vf", to, "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, "<f4").reshape(3, 128, 256)[[2, 0, 1]].transpose(1, 2, 0)


@pytest.mark.parametrize(
    ("preset", "suffix", "tolerance"),
    [("prores-4444", ".mov", 0.008), ("prores-422hq", ".mov", 0.02), ("ffv1", ".mkv", 0.002)],
)
def test_a_movie_and_an_exr_of_the_same_picture_look_the_same(
    tmp_path: Path, sound: Path, preset: str, suffix: str, tolerance: float
) -> None:
    source = PatternSource(card())
    for out, name in ((f"film{suffix}", preset), ("shots", "exr")):
        render(RenderJob(sound, tmp_path / out, fps=Fraction(5), preset=name), None, maker(source))
    movie = linear(tmp_path / f"film{suffix}")[32::64, 8::16]
    exr = pixels(tmp_path / "shots" / "frame_000001.exr", "gbrpf32le", (256, 128))[0][32::64, 8::16]
    assert np.abs(movie - exr).max() < tolerance
    assert np.abs(exr - card()[32::64, 8::16].astype(np.float64) ** 2.4).max() < 0.001  # BT.1886, black at 0


def test_the_header_holds_chromaticities_and_time(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    job = RenderJob(sound, tmp_path / "shots", fps=NTSC, preset="exr", timecode="01:00:59;28")
    render(job, None, maker(stage))
    bits = []
    for index in range(1, 7):
        file = tmp_path / "shots" / f"frame_{index:06}.exr"
        told, _ = read_attributes(file.read_bytes())
        kind, value = told["chromaticities"]
        assert kind == "chromaticities"
        assert struct.unpack("<8f", value) == pytest.approx((0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329))
        assert told["framesPerSecond"] == ("rational", struct.pack("<iI", 30000, 1001))
        kind, value = told["timeCode"]
        assert (kind, len(value)) == ("timecode", 8)
        bits.append(struct.unpack("<II", value))
    # 01:00:59;28, 29, then 01:01:00;02: drop-frame skips 00 and 01. Bit 6 says so.
    frames = [0x28, 0x29, 0x02, 0x03, 0x04, 0x05]
    clock = [0x01005900] * 2 + [0x01010000] * 4
    assert bits == [(at | frame | 0x40, 0) for at, frame in zip(clock, frames, strict=True)]
    assert probe(tmp_path / "shots" / "frame_000001.exr")["video"]["pix_fmt"] == "gbrpf32le"


def test_a_rate_without_timecode_has_only_its_rate(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    render(RenderJob(sound, tmp_path / "shots", fps=Fraction(25, 2), preset="exr"), None, maker(stage))
    told, _ = read_attributes((tmp_path / "shots" / "frame_000001.exr").read_bytes())
    assert "timeCode" not in told
    assert told["framesPerSecond"][1] == struct.pack("<iI", 25, 2)


def test_attributes_replace_those_of_the_same_name(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    render(RenderJob(sound, tmp_path / "shots", preset="exr"), None, maker(stage))
    file = tmp_path / "shots" / "frame_000001.exr"
    before = pixels(file, "gbrpf32le", (64, 64))
    rate = ("rational", struct.pack("<iI", 24, 1))
    data = with_attributes(with_attributes(file.read_bytes(), {"framesPerSecond": rate}), {"owner": ("string", b"me")})
    file.write_bytes(data)
    assert data.count(b"framesPerSecond") == 1
    assert read_attributes(data)[0]["owner"] == ("string", b"me")
    assert np.array_equal(pixels(file, "gbrpf32le", (64, 64)), before)


def test_what_is_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="OpenEXR"):
        read_attributes(b"\x76\x2f\x31\x01\x02\0\0\0channels\0chlist\0\x10")


@pytest.mark.parametrize(
    ("first", "fps", "index", "wanted"),
    [
        ("00:00:00:00", Fraction(25), 0, (0, 0, 0, 0)),
        ("10:00:00:00", Fraction(25), 90_000, (11, 0, 0, 0)),
        ("23:59:59:23", Fraction(24), 1, (0, 0, 0, 0)),
        ("00:00:00;00", NTSC, 1800, (0, 1, 0, 2)),
        ("00:00:00;00", NTSC, 17_982, (0, 10, 0, 0)),
        ("00:00:00;00", NTSC, 107_892, (1, 0, 0, 0)),
        ("00:09:59;29", NTSC, 1, (0, 10, 0, 0)),
        ("23:59:59;29", NTSC, 1, (0, 0, 0, 0)),
        ("00:00:59;59", Fraction(60000, 1001), 1, (0, 1, 0, 4)),
        ("01:00:00:00", NTSC, 1800, (1, 1, 0, 0)),
    ],
)
def test_timecode_of_a_frame(first: str, fps: Fraction, index: int, wanted: tuple[int, int, int, int]) -> None:
    assert timecode_of_frame(first, fps, index) == wanted


def test_every_frame_of_an_hour_of_drop_frame_has_its_own_number() -> None:
    seen = {timecode_of_frame("00:00:00;00", NTSC, index) for index in range(107_892)}
    assert len(seen) == 107_892
    assert not any(seconds == 0 and frames < 2 and minutes % 10 for _, minutes, seconds, frames in seen)


def test_above_30_frames_a_second_pairs_are_counted() -> None:
    assert smpte_bits((1, 2, 3, 59), Fraction(60), drop=False) == 0x01020329 | 1 << 15
    assert smpte_bits((1, 2, 3, 58), Fraction(60), drop=False) == 0x01020329
    assert smpte_bits((23, 59, 59, 24), Fraction(25), drop=False) == 0x23595924
