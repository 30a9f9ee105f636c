"""What is in a film's container: boxes of mp4 and mov, MXF, read by hand and by FFmpeg's and MediaArea's programs."""

import json
import struct
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from sonorama.engine.errors import OutputError
from sonorama.export.presets import PRESETS
from sonorama.export.render import RenderJob, render

from .helpers import PatternSource, maker, probe, samples, write_wav

MOVIES = [
    (name, suffix) for name, preset in PRESETS.items() for suffix in (".mp4", ".mov") if suffix in preset.suffixes
]
_SAMPLE_ENTRY = 86  # bytes of a video sample entry before its own boxes (ISO/IEC 14496-12, 12.1.3)


def boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        assert size >= head
        yield kind.decode("latin-1"), data[at + head : at + size]
        at += size


def inside(data: bytes, path: tuple[str, ...]) -> Iterator[bytes]:
    """Contents of every box of this path."""
    if not path:
        yield data
        return
    for kind, content in boxes(data):
        if kind == path[0]:
            yield from inside(content, path[1:])


def picture_boxes(film: Path) -> dict[str, bytes]:
    """The boxes of the picture's sample entry."""
    for track in inside(film.read_bytes(), ("moov", "trak")):
        if b"vide" in next(inside(track, ("mdia", "hdlr")))[8:12]:
            entry = next(inside(track, ("mdia", "minf", "stbl", "stsd")))[8:]
            return dict(boxes(entry[_SAMPLE_ENTRY:]))
    raise AssertionError("no picture")


class RenderTo(Protocol):
    """A film of a preset."""

    def __call__(self, name: str, suffix: str, **job: object) -> Path: ...


@pytest.fixture
def render_to(tmp_path: Path, stage: PatternSource, sound: Path) -> RenderTo:
    def made(name: str, suffix: str, **job: object) -> Path:
        out = tmp_path / f"film{suffix}"
        render(RenderJob(sound, out, size=(256, 144), preset=name, **job), None, maker(stage))  # pyright: ignore
        return out

    return made


@pytest.mark.parametrize(("name", "suffix"), MOVIES)
def test_the_index_comes_first_and_pixels_are_square(render_to: RenderTo, name: str, suffix: str) -> None:
    film = render_to(name, suffix)
    kinds = [kind for kind, _ in boxes(film.read_bytes())]
    assert kinds.index("moov") < kinds.index("mdat")
    found = picture_boxes(film)
    if name != "hap":
        assert struct.unpack(">II", found["pasp"]) == (1, 1)
    if name.startswith("prores"):
        assert found["fiel"] == bytes([1, 0])  # one field: progressive
    video = probe(film)["video"]
    if name[:4] in ("h264", "pror"):  # of the others FFmpeg tells none
        assert video["field_order"] == "progressive"
    if name not in ("hap", "dxv"):
        assert struct.unpack(">4sHHH", found["colr"][:10])[1:] == (1, 1, 1)


@pytest.mark.parametrize("fps", ["24000/1001", "25", "30000/1001", "60"])
def test_mxf_is_op1a_with_timecode_and_pcm(render_to: RenderTo, fps: str) -> None:
    film = render_to("dnxhr-hqx", ".mxf", fps=Fraction(fps), timecode="01:00:00:00")
    told = probe(film)
    video, audio, tags = told["video"], told["audio"], told["format"]["tags"]
    assert (video["codec_name"], video["profile"], video["pix_fmt"]) == ("dnxhd", "DNXHR HQX", "yuv422p10le")
    assert (video["field_order"], video["sample_aspect_ratio"]) == ("progressive", "1:1")
    assert (audio["codec_name"], audio["sample_rate"], audio["channels"]) == ("pcm_s24le", "48000", 2)
    assert tags["timecode"] == "01:00:00:00"
    assert tags["operational_pattern_ul"] == "060e2b34.04010101.0d010201.01010900"  # SMPTE ST 378
    asked = subprocess.run(["mediainfo", "--Output=JSON", str(film)], check=True, capture_output=True).stdout
    general, picture = json.loads(asked)["media"]["track"][:2]
    assert (general["Format"], general["Format_Profile"]) == ("MXF", "OP-1a")
    assert (picture["Format"], picture["ScanType"], picture["BitDepth"]) == ("VC-3", "Progressive", "10")
    assert int(picture["FrameCount"]) == int(video["nb_read_frames"])


def test_mxf_carries_the_sound_exactly(tmp_path: Path, stage: PatternSource) -> None:
    noise = np.random.default_rng(3).uniform(-0.3, 0.3, (2, 48_000))
    wav = write_wav(tmp_path / "a.wav", noise, 48_000)
    render(RenderJob(wav, tmp_path / "a.mxf", size=(256, 120), fps=Fraction(25)), None, maker(stage))
    assert np.array_equal(samples(tmp_path / "a.mxf", 2), samples(wav, 2))


def test_mxf_resamples_to_48_khz(tmp_path: Path, stage: PatternSource) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)[None]
    wav = write_wav(tmp_path / "a.wav", tone, 44_100)
    render(RenderJob(wav, tmp_path / "a.mxf", size=(256, 120), fps=Fraction(25)), None, maker(stage))
    got = samples(tmp_path / "a.mxf", 1)[:, 0]
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    assert abs(len(got) - 48_000) <= 64
    assert np.abs(got[1000:47_000] - wanted[1000:47_000]).max() < 0.01


def test_mxf_of_another_rate_is_refused_before_any_work(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    with pytest.raises(OutputError, match="MXF holds no film"):
        render(RenderJob(sound, tmp_path / "a.mxf", fps=Fraction(12)), None, maker(stage))
    assert stage.painted == stage.heard == 0
    assert not (tmp_path / "a.mxf").exists()
