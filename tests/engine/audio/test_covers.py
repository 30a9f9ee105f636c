"""A cover costs no memory, and changes nothing: neither the sound nor what FFmpeg reads beside it."""

import base64
import functools
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio import covers, seeking
from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.audio.decode import open_track
from sonorama.engine.audio.read_ahead import FileView, Patch

from .test_mp4_boxes import box, boxes

MB = 24
TITLE, LYRICS = "Rain", "One drop, another drop. " * 40
PEAK = """
import sys
from pathlib import Path
from sonorama.engine.audio.audio_file import open_sound
samples = [open_sound(Path(name)).samples for name in sys.argv[1:]]
print(*samples, Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def peak(path: Path) -> int:
    """KiB of a process that reads it."""
    run = [sys.executable, "-c", PEAK, str(path)]
    return int(subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()[1])


@functools.cache
def picture(size: int = MB << 20) -> bytes:
    """Begins like a PNG; holds no 0xFF, which an unsynchronised tag would have to write otherwise."""
    return b"\x89PNG\r\n\x1a\n" + np.random.default_rng(1).integers(0, 255, size, np.uint8).tobytes()


def sine(folder: Path, name: str, *options: str | Path, seconds: int = 2) -> bytes:
    """A tone, as FFmpeg writes it."""
    make = ["-f", "lavfi", "-i", f"sine=d={seconds}:r=44100", *options, "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, make), folder / name], check=True)
    return (folder / name).read_bytes()


def id3(cover: bytes, version: int, flags: int = 0, *, eight_bits: bool = False) -> bytes:
    """A tag with a title, a picture if there is one, and lyrics behind it."""

    def size(content: int) -> bytes:
        return bytes(content >> 7 * k & 0x7F for k in (3, 2, 1, 0))

    def frame(short: str, name: str, content: bytes) -> bytes:
        if version == 2:
            return short.encode() + len(content).to_bytes(3, "big") + content
        length = size(len(content)) if version == 4 and not eight_bits else struct.pack(">I", len(content))
        return name.encode() + length + bytes(2) + content

    cover = cover[: (1 << 24) - 100] if version == 2 else cover  # a frame's size has 24 bits
    kind = b"PNG" if version == 2 else b"image/png\0"
    frames = frame("TT2", "TIT2", b"\0" + TITLE.encode())
    frames += frame("PIC", "APIC", b"\0" + kind + b"\x03\0" + cover) if cover else b""
    lyrics = b"\0" + (b"" if version == 2 else b"eng\0") + LYRICS.encode()
    frames += frame("TAL", "USLT", lyrics) + bytes(100)  # FFmpeg reads no lyrics of 2.2: the album is called so
    extended = b"" if not flags & 0x40 else b"\0\0\0\6\0\0\0\0\0\0" if version == 3 else b"\0\0\0\6\1\0"
    footer = b"3DI" + bytes([version, 0, flags]) + size(len(frames + extended)) if flags & 0x10 else b""
    return b"ID3" + bytes([version, 0, flags]) + size(len(frames + extended)) + extended + frames + footer


def tagged(name: str, version: int, flags: int = 0, **options: bool) -> Callable[[Path, bytes], bytes]:
    def make(folder: Path, cover: bytes) -> bytes:
        return id3(cover, version, flags, **options) + sine(folder, name, "-id3v2_version", "0")

    return make


def aac(folder: Path, cover: bytes) -> bytes:
    return id3(cover, 4) + sine(folder, "a.aac")


def wav(folder: Path, cover: bytes, *, in_front: bool = False) -> bytes:
    data, tag = sine(folder, "a.wav"), id3(cover, 3)
    chunk = b"id3 " + struct.pack("<I", len(tag)) + tag + bytes(len(tag) % 2)
    chunks = data[12:36] + chunk + data[36:] if in_front else data[12:] + chunk
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def aiff(folder: Path, cover: bytes) -> bytes:
    data, tag = sine(folder, "a.aiff"), id3(cover, 4)
    chunks = data[12:] + b"ID3 " + struct.pack(">I", len(tag)) + tag + bytes(len(tag) % 2)
    return b"FORM" + struct.pack(">I", 4 + len(chunks)) + b"AIFF" + chunks


def dsf(folder: Path, cover: bytes) -> bytes:
    """Two channels of 2.8 MHz, one bit each, in blocks of 4,096 bytes; the tag is at the end."""
    sound = np.random.default_rng(2).bytes(2 * 4096 * 20)
    tag = id3(cover, 3)
    total = 28 + 52 + 12 + len(sound)
    form = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 2, 2, 2_822_400, 1, 4096 * 8 * 20, 4096, 0)
    head = struct.pack("<4sQQQ", b"DSD ", 28, total + len(tag), total)
    return head + form + b"data" + struct.pack("<Q", 12 + len(sound)) + sound + tag


def flac(folder: Path, cover: bytes, *, behind_id3: bool = False) -> bytes:
    data = sine(folder, "a.flac", *words())
    cover = cover[: (1 << 24) - 100]  # a block's length has 24 bits
    block = struct.pack(">II9sIIIIII", 3, 9, b"image/png", 0, 64, 64, 24, 0, len(cover)) + cover
    middle = struct.pack(">I", 6 << 24 | len(block)) + block if cover else b""
    return (id3(cover, 3) if behind_id3 else b"") + data[:42] + middle + data[42:]


def m4a(folder: Path, cover: bytes) -> bytes:
    data = sine(folder, "a.m4a")
    _, at, end = next(one for one in boxes(data, 0, len(data)) if one[0] == b"moov")
    moov = b"".join(data[a:b] for name, a, b in boxes(data, at + 8, end) if name != b"udta")
    texts = ((b"\xa9nam", 1, TITLE.encode()), (b"covr", 14, cover), (b"\xa9lyr", 1, LYRICS.encode()))
    items = [box(name, box(b"data", struct.pack(">II", kind, 0) + text)) for name, kind, text in texts if text]
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    tags = box(b"udta", box(b"meta", bytes(4) + handler + box(b"ilst", b"".join(items))))
    return data[:at] + box(b"moov", moov + tags)


def words() -> list[str]:
    return ["-metadata", f"title={TITLE}", "-metadata", f"lyrics={LYRICS}"]


def matroska(folder: Path, cover: bytes, *, codec: str = "flac") -> bytes:
    (folder / "cover.png").write_bytes(cover)
    attach = ["-attach", folder / "cover.png", "-metadata:s:t", "mimetype=image/png"] if cover else []
    return sine(folder, "a.mkv", *words(), *attach, "-c:a", codec)


def webm(folder: Path, cover: bytes) -> bytes:
    """With another type of document and a Void element, as long as before."""
    data = matroska(folder, cover, codec="libopus")
    assert data.count(b"\x42\x82\x88matroska") == 1
    return data.replace(b"\x42\x82\x88matroska", b"\x42\x82\x84webm\xec\x82\0\0")


def matroska_at_the_end(folder: Path, cover: bytes) -> bytes:
    """The attachments come last, as programs that edit tags write them; nothing but SeekHead leads there."""
    data = matroska(folder, cover)
    if not cover:
        return data
    segment = data.index(b"\x18\x53\x80\x67\x01") + 12
    parts = elements(data, segment)
    assert next(iter(parts)) == b"\x11\x4d\x9b\x74"
    at, _, end = parts[b"\x19\x41\xa4\x69"]
    attachments = data[at:end]
    place = b"\x53\xab\x84" + attachments[:4] + b"\x53\xac\x88" + (len(data) - segment).to_bytes(8, "big")
    seek_head = b"\x11\x4d\x9b\x74\x95\x4d\xbb\x92" + place
    head_at, _, head_end = parts[b"\x11\x4d\x9b\x74"]
    head = seek_head + void(head_end - head_at - len(seek_head))
    whole = data[segment:head_at] + head + data[head_end:at] + void(end - at) + data[end:] + attachments
    return data[: segment - 8] + b"\x01" + len(whole).to_bytes(7, "big") + whole


def void(size: int) -> bytes:
    return b"\xec\x01" + (size - 9).to_bytes(7, "big") + bytes(size - 9)


def elements(data: bytes, at: int) -> dict[bytes, tuple[int, int, int]]:
    """Offsets of every element and of its content and end, up to the first cluster, by its identity of four bytes."""
    found = dict[bytes, tuple[int, int, int]]()
    while (name := data[at : at + 4]) != b"\x1f\x43\xb6\x75":
        wide = 4 if name[0] < 0x20 else 1  # of the rest there is Void only
        size_bytes = 9 - data[at + wide].bit_length()
        begin = at + wide + size_bytes
        size = int.from_bytes(data[at + wide : begin], "big") & ((1 << 7 * size_bytes) - 1)
        found[name] = at, begin, begin + size
        at = begin + size
    return found


def ogg(folder: Path, cover: bytes, *, codec: str, name: str, seconds: int = 2) -> bytes:
    block = struct.pack(">II9sIIIIII", 3, 9, b"image/png", 0, 64, 64, 24, 0, len(cover)) + cover
    comment = "METADATA_BLOCK_PICTURE=" + base64.b64encode(block).decode().replace("=", r"\=") + "\n" if cover else ""
    (folder / "words.txt").write_text(f";FFMETADATA1\ntitle={TITLE}\n{comment}lyrics={LYRICS}\n")
    return sine(folder, name, "-i", folder / "words.txt", "-map_metadata", "1", "-c:a", codec, seconds=seconds)


def wma(folder: Path, cover: bytes) -> bytes:
    """A metadata library in the header extension, with the lyrics behind the picture."""

    def record(name: str, kind: int, content: bytes) -> bytes:
        text = name.encode("utf-16-le") + bytes(2)
        return struct.pack("<HHHHI", 0, 0, len(text), kind, len(content)) + text + content

    data = bytearray(sine(folder, "a.wma", "-metadata", f"title={TITLE}"))
    content = b"\x03" + struct.pack("<I", len(cover)) + "image/png\0\0".encode("utf-16-le") + cover
    records = [record("WM/Picture", 1, content)] if cover else []
    records.append(record("WM/Lyrics", 0, LYRICS.encode("utf-16-le") + bytes(2)))
    body = struct.pack("<H", len(records)) + b"".join(records)
    library = bytes.fromhex("941c23449894d149a1411d134e457054") + struct.pack("<Q", 24 + len(body)) + body
    at = data.index(bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365"))
    for place, kind in ((16, "<Q"), (at + 16, "<Q"), (at + 42, "<I")):
        struct.pack_into(kind, data, place, struct.unpack_from(kind, data, place)[0] + len(library))
    return bytes(data[: at + 46] + library + data[at + 46 :])


KINDS: dict[str, tuple[str, Callable[[Path, bytes], bytes]]] = {
    "mp3 2.2": ("mp3", tagged("a.mp3", 2)),
    "mp3 2.2 unsynchronised": ("mp3", tagged("a.mp3", 2, 0x80)),
    "mp3 2.3": ("mp3", tagged("a.mp3", 3)),
    "mp3 2.3 unsynchronised, extended": ("mp3", tagged("a.mp3", 3, 0xC0)),
    "mp3 2.4": ("mp3", tagged("a.mp3", 4)),
    "mp3 2.4 unsynchronised, extended, footer": ("mp3", tagged("a.mp3", 4, 0xD0)),
    "mp3 2.4 eight bits": ("mp3", tagged("a.mp3", 4, eight_bits=True)),
    "aac": ("aac", aac),
    "wav": ("wav", wav),
    "wav, tag in front": ("wav", functools.partial(wav, in_front=True)),
    "aiff": ("aiff", aiff),
    "dsf": ("dsf", dsf),
    "flac": ("flac", flac),
    "flac behind a tag": ("flac", functools.partial(flac, behind_id3=True)),
    "m4a": ("m4a", m4a),
    "mkv": ("mkv", matroska),
    "mkv, at the end": ("mkv", matroska_at_the_end),
    "webm": ("webm", webm),
    "wma": ("wma", wma),
    "opus": ("opus", functools.partial(ogg, codec="libopus", name="a.opus")),
    "vorbis": ("ogg", functools.partial(ogg, codec="libvorbis", name="a.ogg")),
}


def seen(path: Path) -> tuple[object, ...]:
    """What FFmpeg tells of a file."""
    with open_track(path) as (container, stream, form):
        texts = (sorted(container.metadata.items()), sorted(stream.metadata.items()))
        return texts, form, stream.start_time, stream.time_base, len(container.streams)


def samples(path: Path) -> np.ndarray:
    with open_sound(path, strict=True) as sound:
        return np.concatenate(list(sound.blocks()), axis=1)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Peak memory without any cover, in KiB."""
    folder = tmp_path_factory.mktemp("plain")
    sine(folder, "plain.wav")
    return peak(folder / "plain.wav")


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_memory(kind: str, tmp_path: Path, usual: int) -> None:
    suffix, make = KINDS[kind]
    plain, covered = tmp_path / f"plain.{suffix}", tmp_path / f"covered.{suffix}"
    plain.write_bytes(make(tmp_path, b""))
    covered.write_bytes(make(tmp_path, picture()))
    assert covered.stat().st_size > 15e6
    assert seen(covered) == seen(plain)
    assert TITLE in str(seen(covered)) and LYRICS in str(seen(covered))
    assert np.array_equal(samples(covered), samples(plain))
    assert peak(covered) - usual < 8000


@pytest.mark.parametrize("kind", ["mp3 2.2", "wav", "dsf", "m4a", "flac", "mkv", "opus", "wma"])
def test_a_cover_that_is_cut_or_damaged_is_no_fault(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is in the file, FFmpeg is to judge it."""
    monkeypatch.setattr(covers, "_LARGE", 0)
    suffix, make = KINDS[kind]
    data, rng = make(tmp_path, picture(70_000)), np.random.default_rng(4)
    path = tmp_path / f"damaged.{suffix}"
    for end in (10, 20, 60, 300, 1000, 40_000, len(data) - 9):
        path.write_bytes(data[:end])
        covers.hidden_covers(path)
    for _ in range(200):
        damaged = np.frombuffer(data, np.uint8).copy()
        damaged[rng.integers(0, 400, 6)] = rng.integers(0, 256, 6)
        path.write_bytes(damaged.tobytes())
        covers.hidden_covers(path)


def test_pages_that_are_left_out_do_not_move_what_is_sought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeking, "_NEAR_S", 10)
    parts = list[np.ndarray]()
    for cover in (b"", picture(2 << 20)):
        path = tmp_path / f"{len(cover)}.opus"
        path.write_bytes(ogg(tmp_path, cover, codec="libopus", name="a.opus", seconds=40))
        with open_sound(path) as sound:
            parts.append(np.concatenate(list(sound.blocks(30.0, 2.0)), axis=1))
    assert parts[0].shape == (1, 96_000)
    assert np.array_equal(parts[0], parts[1])


def test_a_view_reads_patches_and_passes_over_what_they_leave_out(tmp_path: Path) -> None:
    data = bytes(range(100))
    (tmp_path / "a.bin").write_bytes(data)
    patches = [Patch(60, b"C"), Patch(10, b"AB", 20), Patch(40, b"", 5)]
    shown = data[:10] + b"AB" + data[32:40] + data[45:60] + b"C" + data[61:]
    for size in (1, 7, 64, 1000):
        with closing(FileView(tmp_path / "a.bin", None, patches)) as view:
            assert b"".join(iter(lambda view=view, size=size: view.read(size), b"")) == shown
            assert view.tell() == len(shown)
            for at in (0, 9, 10, 11, 12, 19, 20, 34, 35, 36, 74):
                assert view.seek(at) == view.tell() == at
                assert view.read(1) == shown[at : at + 1]
                assert view.seek(-1, 1) == view.tell() == at
                assert view.seek(at - len(shown), 2) == at
