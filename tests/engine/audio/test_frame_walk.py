"""Frames of mp3 and ADTS files are found by their headers, where FFmpeg's own reading finds them."""

import subprocess
from pathlib import Path
from threading import Event

import av
import pytest

from sonorama.engine.audio.frame_walk import frame_at


def made(path: Path, *options: str) -> list[int]:
    """A file of 20 s, and where its packets begin."""
    source = ["-f", "lavfi", "-i", "anoisesrc=d=20:a=0.3:r=44100:seed=2"]
    subprocess.run(["ffmpeg", "-v", "error", *source, *options, str(path)], check=True)
    with av.open(str(path)) as container:
        return [packet.pos or 0 for packet in container.demux(container.streams.audio[0]) if packet.size]


KINDS = {
    "a.mp3": ["-b:a", "128k"],
    "variable.mp3": ["-q:a", "6"],
    "low.mp3": ["-ar", "16000", "-ac", "1", "-b:a", "32k"],
    "a.mp2": ["-b:a", "192k"],
    "a.aac": ["-b:a", "96k"],
}


@pytest.mark.parametrize("name", KINDS)
def test_every_frame_is_where_its_packet_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    places = made(path, *KINDS[name])
    codec = {".mp3": "mp3", ".mp2": "mp2", ".aac": "aac"}[path.suffix]
    assert len(places) > 300
    wanted = [0, 1, 2, 299, 100, len(places) - 1]  # forth and back
    assert [frame_at(path, codec, places[0], n, Event()) for n in wanted] == [places[n] for n in wanted]
    assert frame_at(path, codec, places[0], len(places) + 50, Event()) is None


@pytest.mark.parametrize("name", ["a.mp3", "a.aac"])
def test_damage_on_the_way_is_not_passed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    places = made(path, *KINDS[name])
    data = bytearray(path.read_bytes())
    data[places[200] : places[200] + 3] = b"\0\0\0"
    path.write_bytes(data)
    assert frame_at(path, path.suffix[1:], places[0], 200, Event()) == places[200]
    assert frame_at(path, path.suffix[1:], places[0], 201, Event()) is None


def test_a_change_of_rate_is_not_passed(tmp_path: Path) -> None:
    places = made(tmp_path / "a.mp3", "-b:a", "128k")
    made(tmp_path / "b.mp3", "-ar", "48000", "-b:a", "128k", "-write_xing", "0", "-id3v2_version", "0")
    path = tmp_path / "both.mp3"
    path.write_bytes(b"".join((tmp_path / name).read_bytes() for name in ("a.mp3", "b.mp3")))
    assert frame_at(path, "mp3", places[0], len(places), Event()) == len((tmp_path / "a.mp3").read_bytes())
    assert frame_at(path, "mp3", places[0], len(places) + 1, Event()) is None


def test_an_ended_reader_gets_nothing(tmp_path: Path) -> None:
    places = made(tmp_path / "a.mp3", "-b:a", "128k")
    ended = Event()
    ended.set()
    assert frame_at(tmp_path / "a.mp3", "mp3", places[0], 200, ended) is None
