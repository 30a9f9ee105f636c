"""Hap and DXV, decoded by FFmpeg."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.export.film import Look, video_writer
from sonorama.export.hap import bc1, hap_frame
from sonorama.export.presets import PRESETS

from .helpers import pixels, probe


def smooth() -> np.ndarray:
    """uint8 [128, 256, 3] without hard edges."""
    x, y = np.meshgrid(np.linspace(0, 1, 256), np.linspace(0, 1, 128))
    picture = np.stack([0.5 + 0.4 * np.sin(6 * x + 3 * y), 0.5 + 0.4 * np.cos(5 * y), x * y], axis=2)
    return np.rint(picture * 255).astype(np.uint8)


@pytest.mark.parametrize("name", ["hap", "dxv"])
def test_ffmpeg_decodes_it_close_to_the_picture(tmp_path: Path, sound: Path, name: str) -> None:
    picture = smooth()
    out = tmp_path / "film.mov"
    look = Look(PRESETS[name], (256, 128), (256, 128), "cover", Fraction(25), "01:00:00:00", {})
    with open_sound(sound) as opened, video_writer(out, look, opened, opened.blocks()) as writer:
        for turn in range(4):
            writer.write(np.roll(picture, 8 * turn, axis=1))
    told = probe(out)
    assert told["video"]["nb_read_frames"] == "4"
    assert told["video"]["codec_tag_string"] == {"hap": "Hap1", "dxv": "DXD3"}[name]
    assert told["video"]["r_frame_rate"] == "25/1"
    assert told["audio"]["codec_name"] == "pcm_s24le"
    with av.open(str(out)) as film:  # FFmpeg 5.1 reads no DXV of this version
        got = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    for turn, frame in enumerate(got):
        error = frame.astype(float) - np.roll(picture, 8 * turn, axis=1)
        assert 10 * np.log10(255**2 / np.mean(error**2)) > 38
        assert np.abs(error.mean((0, 1))).max() < 1  # no tint


def test_ffprobe_of_another_version_reads_hap(tmp_path: Path, sound: Path) -> None:
    picture = smooth()
    look = Look(PRESETS["hap"], (256, 128), (256, 128), "cover", Fraction(25), None, {})
    with open_sound(sound) as opened, video_writer(tmp_path / "a.mov", look, opened, opened.blocks()) as writer:
        writer.write(picture)
    error = pixels(tmp_path / "a.mov", "rgb24", (256, 128))[0].astype(float) - picture
    assert np.sqrt(np.mean(error**2)) < 4


def test_a_block_of_one_colour_has_one_colour() -> None:
    red, green, blue = 132, 65, 255  # all three exact in 5, 6 and 5 bits
    block = np.broadcast_to(np.array([red, green, blue], np.uint8), (4, 4, 3))
    first, second, indices = struct.unpack("<HHI", bc1(block))
    assert first == second == (red >> 3) << 11 | (green >> 2) << 5 | blue >> 3
    assert indices == 0


def test_the_colours_of_a_block_are_ordered() -> None:
    """Colour 0 not above colour 1 would mean three colours and black."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    blocks = np.frombuffer(bc1(noise), [("colours", "<u2", 2), ("indices", "<u4")])
    assert len(blocks) == 256
    assert (blocks["colours"][:, 0] > blocks["colours"][:, 1]).all()


def test_two_colours_come_back() -> None:
    block = np.zeros((4, 4, 3), np.uint8)
    block[:, 2:] = 255
    first, second, indices = struct.unpack("<HHI", bc1(block))
    assert (first, second) == (0xFFFF, 0)
    assert indices == 0b00000101_00000101_00000101_00000101


def test_the_section_header_says_dxt1_without_compression() -> None:
    frame = hap_frame(np.zeros((16, 16, 3), np.uint8))
    assert int.from_bytes(frame[:3], "little") == len(frame) - 4 == 16 * 8
    assert frame[3] == 0xAB


def test_odd_sides_are_refused() -> None:
    with pytest.raises(ValueError, match="18x16"):
        bc1(np.zeros((16, 18, 3), np.uint8))
