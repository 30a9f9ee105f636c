"""Decoding and rendering: kinds, rotation, pixel aspect, stamps, damaged files; FFmpeg's own tool reads beside."""

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import InputError
from sonorama.training.footage.decode import Film, kind_of, photo
from sonorama.training.footage.deinterlace import deinterlaced
from sonorama.training.footage.picture import Box, Renderer, jpeg

from .media import (
    MP4,
    Coding,
    Sound,
    moving,
    noise,
    regular,
    scene,
    with_orientation,
    write_photo,
    write_sound,
    write_video,
)


def as_ffmpeg_shows(path: Path, size: tuple[int, int]) -> np.ndarray:
    """The first picture as FFmpeg's own tool decodes it, turned upright."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 3)


def whole(path: Path) -> np.ndarray:
    film = Film(path)
    return Renderer(film.geometry, Box(), film.geometry.shown)(next(film.frames())[1])


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_of_the_display_matrix_is_obeyed(tmp_path: Path, degrees: int) -> None:
    coding = Coding("libx264", "yuv444p", {"qp": "0", "preset": "ultrafast"}, rotation=degrees)
    path = write_video(tmp_path / "phone.mp4", moving(1, 3), coding=coding)
    shown = (72, 128) if degrees % 180 else (128, 72)
    assert Film(path).geometry.shown == shown
    assert np.abs(whole(path).astype(int) - as_ffmpeg_shows(path, shown)).mean() < 1


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_photos_are_turned_as_exif_says(tmp_path: Path, orientation: int, turns: int) -> None:
    upright = scene(3)
    (tmp_path / "a.jpg").write_bytes(with_orientation(jpeg(upright), orientation))
    frame, geometry = photo(tmp_path / "a.jpg")
    picture = Renderer(geometry, Box(), geometry.shown)(frame)
    assert np.abs(picture.astype(int) - np.rot90(upright, turns)).mean() < 1.5


def test_pixels_that_are_not_square_are_shown_square(tmp_path: Path) -> None:
    coding = Coding("libx264", "yuv444p", {"qp": "0", "preset": "ultrafast"}, pixel_aspect=Fraction(2))
    film = Film(write_video(tmp_path / "dv.mp4", moving(1, 2, size=(64, 72)), coding=coding))
    assert film.geometry.shown == (128, 72)
    assert Renderer(film.geometry, Box(), (128, 72))(next(film.frames())[1]).shape == (72, 128, 3)


def test_a_box_is_the_part_of_the_picture_that_it_says(tmp_path: Path) -> None:
    picture = scene(5, (160, 90))
    film = Film(write_video(tmp_path / "a.mkv", [picture] * 2))
    part = Renderer(film.geometry, Box(0.25, 0.2, 0.5, 0.6), (80, 54))(next(film.frames())[1])
    assert np.array_equal(part, picture[18:72, 40:120])


def test_stamps_are_those_of_the_file(tmp_path: Path) -> None:
    times = [Fraction(n, 1000) for n in (0, 40, 55, 200, 201, 900)]
    path = write_video(tmp_path / "phone.mkv", moving(2, 6), times)
    assert [time for time, _ in Film(path).frames()] == times


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".ts"])
def test_every_container_gives_every_picture(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", moving(2, 12), coding=MP4)
    film = Film(path)
    assert len([*film.frames()]) == 12 and film.problem == ""
    assert len([*film.samples(4)]) >= 1
    assert kind_of(path) == "video"


def test_jpeg_is_near_the_picture() -> None:
    picture = scene(9, (200, 120))
    import torch
    from torchvision.io import decode_image

    read = decode_image(torch.frombuffer(bytearray(jpeg(picture)), dtype=torch.uint8)).permute(1, 2, 0).numpy()
    assert np.abs(read.astype(int) - picture).mean() < 1


def test_kinds(tmp_path: Path) -> None:
    assert kind_of(write_photo(tmp_path / "a.png", scene(1))) == "photo"
    assert kind_of(write_photo(tmp_path / "a.gif", scene(1))) == "photo"
    assert kind_of(write_sound(tmp_path / "a.wav", noise(0.5))) == "sound"
    assert kind_of(write_video(tmp_path / "a.mov", moving(1, 3), sound=Sound(noise(0.2)), coding=MP4)) == "video"


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    sound, cover = write_sound(tmp_path / "a.wav", noise(0.5)), write_photo(tmp_path / "a.png", scene(1))
    command = ["ffmpeg", "-v", "error", "-i", str(sound), "-i", str(cover), "-map", "0", "-map", "1", "-c:v", "copy",
               "-disposition:v", "attached_pic", str(tmp_path / "a.mp3")]  # fmt: skip
    subprocess.run(command, check=True)
    assert kind_of(tmp_path / "a.mp3") == "sound"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.mp4", b"This is a text.\n" * 40), ("a.png", b""), ("a.jpg", b"\xff\xd8\xff"), ("notes", b"buy milk\n"),
     ("a.mp4", b"\0\0\0\x18ftypmp42" + bytes(100))],
)  # fmt: skip
def test_files_that_are_no_media_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as raised:
        if kind_of(tmp_path / name) == "photo":
            photo(tmp_path / name)
    assert name in raised.value.message


def test_a_video_cut_off_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", moving(2, 60), regular(60))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    film = Film(path)
    count = len([*film.frames()])
    assert 15 < count < 45
    assert "its pictures end after" in film.problem


def test_a_damaged_picture_costs_only_itself(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "a.mkv", moving(2, 30), coding=Coding(options={"level": "3", "slicecrc": "1", "g": "1"})
    )
    data = bytearray(path.read_bytes())
    at = len(data) // 2
    data[at : at + 400] = bytes(400)
    path.write_bytes(data)
    film = Film(path)
    assert 20 <= len([*film.frames()]) < 30
    assert film.problem


def test_interlaced_pictures_lose_their_combs(tmp_path: Path) -> None:
    path = tmp_path / "tape.mkv"
    source = "testsrc2=s=128x96:r=50:d=0.6,interlace=lowpass=0"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-flags", "+ildct+ilme",
               "-x264opts", "tff=1", "-crf", "10", str(path)]  # fmt: skip
    subprocess.run(command, check=True)
    film = Film(path)
    assert film.interlaced
    plain, smooth = [*film.frames()], [*deinterlaced(film.frames())]
    assert [t for t, _ in smooth] == [t for t, _ in plain]

    def combs(frame: object) -> float:
        x = frame.to_ndarray(format="gray").astype(int)  # pyright: ignore[reportAttributeAccessIssue]
        return float(np.abs(x[1:-1] * 2 - x[:-2] - x[2:]).mean())

    assert combs(smooth[8][1]) < 0.8 * combs(plain[8][1])
