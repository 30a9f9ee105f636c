"""iTunes' tag iTunSMPB says how much the encoder added, in files with an edit list, and in those without."""

import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.audio.mp4_boxes import hidden_delays

DATA = Path(__file__).parents[2] / "data/editor"
RATE, SAMPLES = 22_050, 44_100  # of click.wav
PACKET = 1024


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at < end:
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, at, at + size
        at += size


def tag(delay: int, samples: int = SAMPLES) -> bytes:
    padding = -(delay + samples) % PACKET
    return b" 00000000 %08X %08X %016X" % (delay, padding, samples) + 8 * b" 00000000"


def itunes(content: bytes) -> bytes:
    """The box udta with the tag."""
    data = box(b"data", struct.pack(">II", 1, 0) + content)
    item = box(b"----", box(b"mean", bytes(4) + b"com.apple.iTunes") + box(b"name", bytes(4) + b"iTunSMPB") + data)
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    return box(b"udta", box(b"meta", bytes(4) + handler + box(b"ilst", item)))


def write(path: Path, delay: int, edit_list: bool, content: bytes) -> None:
    """The clicks as AAC, whose encoder's own `delay` samples come first, with these tags and no others."""
    make = ["-i", DATA / "click.wav", "-af", f"adelay={delay - PACKET}S:all=1", "-c:a", "aac", "-map_metadata", "-1"]
    options = ["-fflags", "+bitexact", "-use_editlist", str(int(edit_list)), path]
    subprocess.run(["ffmpeg", "-v", "error", *make, *options], check=True)
    data = path.read_bytes()
    _, at, end = next(one for one in boxes(data, 0, len(data)) if one[0] == b"moov")
    assert end == len(data)
    moov = bytearray(b"".join(data[a:b] for name, a, b in boxes(data, at + 8, end) if name != b"udta"))
    assert (b"elst" in moov) == edit_list
    if edit_list:
        struct.pack_into(">i", moov, moov.index(b"elst") + 16, delay)
    path.write_bytes(data[:at] + box(b"moov", bytes(moov) + itunes(content)))


def clicks(path: Path) -> tuple[int, list[float]]:
    """Samples, and the seconds at which it gets loud after 0.2 s of quiet."""
    with open_sound(path, strict=True) as sound:
        loud = np.flatnonzero(np.abs(np.concatenate(list(sound.blocks()), axis=1)[0]) > 0.15) / sound.rate
        return sound.samples, [t for t, before in zip(loud, [-1.0, *loud[:-1]], strict=True) if t - before > 0.2]


@pytest.mark.parametrize("edit_list", [True, False])
@pytest.mark.parametrize("delay", [1024, 2112])
def test_second_0_is_behind_the_encoders_delay(
    tmp_path: Path, edit_list: bool, delay: int, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "a.m4a", delay, edit_list, tag(delay))
    samples, at = clicks(tmp_path / "a.m4a")
    assert samples == SAMPLES
    assert at == pytest.approx([0, 1], abs=0.002)
    assert not caplog.messages


@pytest.mark.parametrize("edit_list", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        b"", b"none of this", b" 00000000 00000400", b" 00000000 000004G0 000003BC 000000000000AC44",
        b" 00000000 FFFFFFFFFFFFFFFFF 0 1", b"\xff\xfe \xd9\xa1 \xd9\xa2 \xd9\xa3", tag(15_000), tag(60_000),
        tag(1024, 5),
    ],
    ids=["empty", "words", "short", "no-number", "long", "no-ascii", "other-delay", "delay-past-the-end", "other-file"],
)  # fmt: skip
def test_a_tag_that_does_not_fit_says_nothing(
    tmp_path: Path, edit_list: bool, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The delay stays where nothing true tells of it, as in any file without the tag; no sound is lost."""
    write(tmp_path / "a.m4a", PACKET, edit_list, content)
    samples, at = clicks(tmp_path / "a.m4a")
    assert samples == (SAMPLES if edit_list else SAMPLES + PACKET)
    moved = 0 if edit_list else PACKET / RATE
    assert at == pytest.approx([moved, 1 + moved], abs=0.002)
    assert not caplog.messages


def test_boxes_without_end(tmp_path: Path) -> None:
    """As deep, or as long, as no writer makes them."""
    (tmp_path / "a.m4a").write_bytes(box(b"ftyp", b"M4A ") + struct.pack(">I4s", 1 << 30, b"moov") * 5000)
    assert hidden_delays(tmp_path / "a.m4a") == []
