"""Timelines beside a film, read back by opentimelineio and rendered by melt."""

import json
import os
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import numpy as np
import opentimelineio as otio
import pytest

from sonorama.engine.cli.main import main
from sonorama.export.curves.markers import Marker
from sonorama.export.render import RenderJob, render
from sonorama.export.timelines import options
from sonorama.export.timelines.beside import Timelines, film_timeline
from sonorama.export.timelines.film_timeline import FilmTimeline, frame_number
from sonorama.export.timelines.otio_files import as_fcp7, as_otio

from ..helpers import PatternSource, maker, pixels, probe, samples, write_wav

NTSC = Fraction(30000, 1001)
ALL = "otio,edl,xml,mlt"
ADAPTERS = {"otio": "otio_json", "xml": "fcp_xml"}
FORMS = ("otio", "edl", "xml", "mlt")


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_clicks(name: str, seconds: float, channels: int = 2, rate: int = 48_000) -> None:
    """10 ms of 1 kHz each half second."""
    at = np.arange(round(seconds * rate))
    click = 0.9 * np.sin(2 * np.pi * 1000 * at / rate) * (at % (rate // 2) < rate // 100)
    write_wav(Path(name), np.stack([click] * channels), rate)


def parsed(name: str) -> Element:
    return fromstring(Path(name).read_bytes())  # noqa: S314 (what we have just written)


def told(name: str) -> dict[str, Any]:
    return json.loads(Path(name).read_text())


@pytest.mark.parametrize(
    ("timecode", "fps", "frame"),
    [
        ("00:00:00:00", Fraction(25), 0),
        ("01:00:00:00", Fraction(25), 90_000),
        ("01:00:00:00", NTSC, 108_000),
        ("01:00:00;00", NTSC, 107_892),
        ("00:00:59;29", NTSC, 1799),
        ("00:01:00;02", NTSC, 1800),
        ("00:10:00;00", NTSC, 17_982),
        ("00:01:00;04", Fraction(60000, 1001), 3600),
        ("10:00:00:00", Fraction(24000, 1001), 864_000),
    ],
)
def test_timecode_counts_as_smpte_does(timecode: str, fps: Fraction, frame: int) -> None:
    assert frame_number(timecode, fps) == frame


def expected(curves: dict[str, Any]) -> dict[int, str]:
    """Frame -> the names of what begins there, from `sonorama curves`."""
    found: dict[int, list[str]] = {frame: [name] for frame, name in curves["changes"]}
    for kind, frames in (("beat", curves["beats"]), ("onset", [frame for frame, _ in curves["onsets"]])):
        for frame in frames:
            found.setdefault(frame, []).append(kind)
    return {frame: ", ".join(found[frame]) for frame in sorted(found)}


def clips(timeline: otio.schema.Timeline, kind: str) -> list[otio.schema.Clip]:
    assert all(len(track) == 1 for track in timeline.tracks)
    return [track[0] for track in timeline.tracks if track.kind == kind]


def check_clip(clip: otio.schema.Clip, start: int, frames: int, rate: float) -> None:
    assert clip.name == "film.mov"
    for found in (clip.source_range, clip.media_reference.available_range):
        assert (found.start_time.value, found.duration.value) == (start, frames)
        assert found.start_time.rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("fps", "given", "written", "start"),
    [
        ("25", "10:00:00:00", "10:00:00:00", 900_000),
        ("24", None, "00:00:00:00", 0),
        pytest.param("23.976", "01:00:00:00", "01:00:00:00", 86_400, marks=pytest.mark.soak),
        ("29.97", "00:59:59;28", "00:59:59;28", 107_890),
        ("29.97", "01:00:00:00", "01:00:00:00", 108_000),
        pytest.param("29.97", None, "00:00:00;00", 0, marks=pytest.mark.soak),
        ("59.94", "00:09:59;58", "00:09:59;58", 35_962),
    ],
)
def test_each_timeline_read_back(fps: str, given: str | None, written: str, start: int, tiny_world: str) -> None:
    write_clicks("a.wav", 2.5)
    command = ["render", "a.wav", "-o", "film.mov", "--world", tiny_world, "--device", "ort", "--fps", fps]
    command += ["--preset", "h264", "--timeline", ALL] + (["--timecode", given] if given else [])
    assert main(command) == 0
    assert main(["curves", "a.wav", "-o", "a.json", "--world", tiny_world, "--fps", fps]) == 0
    exact = Fraction(told("a.json")["fps"])
    marked, frames, rate = expected(told("a.json")), told("film.mov.json")["frames"], float(exact)
    assert len(marked) > 4
    film = Path("film.mov").absolute()

    timeline = otio.adapters.read_from_file("film.otio")
    assert (timeline.name, timeline.global_start_time.value) == ("film", start)
    (picture,), (sound,) = clips(timeline, "Video"), clips(timeline, "Audio")
    for clip in (picture, sound):
        check_clip(clip, start, frames, rate)
        assert clip.media_reference.target_url == film.as_uri()
    assert {round(m.marked_range.start_time.value): m.name for m in timeline.tracks.markers} == marked

    text = Path("film.edl").read_text()
    assert text.splitlines()[1] == ("FCM: DROP FRAME" if ";" in written else "FCM: NON-DROP FRAME")
    assert re.findall(r"\d\d:\d\d:\d\d[:;]\d\d", text)[0::2][:2] == [written] * 2
    timeline = otio.adapters.read_from_file("film.edl", rate=rate)
    for clip in timeline.find_clips():
        assert (clip.name, clip.source_range.start_time.value) == ("film.mov", start)
        assert clip.source_range.duration.value == frames
    assert [track.name for track in timeline.tracks] == ["V", "A1", "A2"]
    located = re.findall(r"\* LOC: (\S+) +\S+ +(.*)", text)
    assert {frame_number(at, exact) - start: name for at, name in located} == {
        frame: name.upper() for frame, name in marked.items()
    }
    if ";" not in written:  # the adapter reads no others
        found = clips(timeline, "Video")[0].markers
        assert [round(m.marked_range.start_time.value) - start for m in found] == list(marked)

    timeline = otio.adapters.read_from_file("film.xml")
    assert (timeline.name, timeline.global_start_time.value) == ("film", start)
    assert len(clips(timeline, "Audio")) == 2
    for clip in timeline.find_clips():
        check_clip(clip, start, frames, rate)
        assert clip.media_reference.target_url == film.as_uri().replace("file://", "file://localhost")
    assert {round(m.marked_range.start_time.value): m.name for m in timeline.tracks.markers} == marked
    root = parsed("film.xml")
    assert {one.findtext("string") for one in root.iter("timecode")} == {written}
    assert {one.findtext("displayformat") for one in root.iter("timecode")} == {"DF" if ";" in written else "NDF"}
    assert [one.text for one in root.iter("ntsc")] == ["TRUE" if "." in fps else "FALSE"] * len([*root.iter("ntsc")])
    ids = [item.get("id") for item in root.iter("clipitem")]
    assert len({*ids}) == 3
    assert all([link.findtext("linkclipref") for link in item.iter("link")] == ids for item in root.iter("clipitem"))
    assert root.findtext(".//file//channelcount") == "2"

    mlt = parsed("film.mlt")
    seconds = [found.text or "" for found in mlt.iterfind(".//property[@name='start']")]
    at = [sum(float(part) * 60**power for power, part in enumerate(reversed(one.split(":")))) for one in seconds]
    assert [round(second * rate) for second in at] == list(marked)
    assert [one.text for one in mlt.iterfind(".//property[@name='resource']")] == ["film.mov"] * 2


def test_melt_renders_it_frame_exactly(stage: PatternSource, room: Path) -> None:
    """Every frame of the film in its place, and the sound with it."""
    assert shutil.which("melt"), "melt is missing: apt-get install --no-install-recommends melt"
    write_clicks("a.wav", 1.5)
    for fps in (NTSC, Fraction(25)):
        name = f"film{fps.numerator}"
        job = RenderJob(Path("a.wav"), Path(f"{name}.mov"), fps=fps, preset="prores-422hq")
        report = render(job, None, maker(stage))
        Timelines(("mlt",), ()).write(job, report)
        (room / "moved").mkdir(exist_ok=True)  # film and timeline may be moved together
        for path in (*room.glob(f"{name}.*"),):
            path.rename(room / "moved" / path.name)
        target = f"avformat:{name}.mkv"
        command = ["melt", f"moved/{name}.mlt", "-consumer", target, "vcodec=ffv1", "acodec=pcm_s16le", "real_time=-1"]
        env = os.environ | {"QT_QPA_PLATFORM": "offscreen"}  # one of its modules loads Qt
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=300, env=env)
        facts = probe(Path(f"{name}.mkv"))["video"]
        assert (int(facts["nb_read_frames"]), facts["avg_frame_rate"]) == (
            report.frames,
            f"{fps.numerator}/{fps.denominator}",
        )
        ours, theirs = (
            pixels(path, "rgb24", (64, 64)).astype(float)
            for path in (room / "moved" / f"{name}.mov", Path(f"{name}.mkv"))
        )
        nearest = [int(np.square(ours - frame).mean(axis=(1, 2, 3)).argmin()) for frame in theirs]
        assert nearest == list(range(report.frames))
        assert np.abs(ours - theirs).mean() < 4
        sound, heard = samples(room / "moved" / f"{name}.mov", 2, 48_000), samples(Path(f"{name}.mkv"), 2, 48_000)
        short = min(len(sound), len(heard))
        assert short > 1.4 * 48_000
        assert np.abs(sound[:short] - heard[:short]).max() < 0.01


def test_a_silent_film_takes_the_sound_itself(stage: PatternSource, room: Path) -> None:
    write_clicks("a.wav", 2.0, channels=1)
    job = RenderJob(Path("a.wav"), Path("film.mov"), fps=NTSC, start=float(15 / NTSC), preset="h264")
    report = render(job, None, maker(stage))
    command = ["ffmpeg", "-v", "error", "-i", "film.mov", "-an", "-c", "copy", "silent.mov"]
    subprocess.run(command, check=True)
    Path("silent.mov").replace("film.mov")
    film = film_timeline(job, report, ())
    assert (film.sound, film.sound_in, film.rate, film.channels) == (room / "a.wav", 15, 48_000, 1)
    Path("film.xml").write_bytes(as_fcp7(film))
    Path("film.otio").write_bytes(as_otio(film))
    for name in ("film.otio", "film.xml"):
        timeline = otio.adapters.read_from_file(name)
        (picture,), (sound,) = clips(timeline, "Video"), clips(timeline, "Audio")
        assert picture.media_reference.target_url.endswith("/film.mov")
        assert sound.media_reference.target_url.endswith("/a.wav")
        assert (sound.source_range.start_time.value, sound.source_range.duration.value) == (15, report.frames)
    root = parsed("film.xml")
    assert [bool(one.findall("media/audio")) for one in root.iter("file") if one.find("pathurl") is not None] == [
        False,
        True,
    ]


def test_names_that_xml_and_urls_must_escape(stage: PatternSource, room: Path) -> None:
    name = "a & <b> 'c' 100% \u00e9.mov"
    film = FilmTimeline(
        room / name, NTSC, 30, "00:00:00;00", (64, 64), room / name, 0, 48_000, 2, [Marker(3, "a & b", "changes")]
    )
    Path("film.xml").write_bytes(as_fcp7(film))
    Path("film.otio").write_bytes(as_otio(film))
    for form in ("film.otio", "film.xml"):
        timeline = otio.adapters.read_from_file(form)
        assert clips(timeline, "Video")[0].name == name
        assert clips(timeline, "Video")[0].media_reference.target_url.endswith(
            "/a%20%26%20%3Cb%3E%20%27c%27%20100%25%20%C3%A9.mov"
        )
        assert [marker.name for marker in timeline.tracks.markers] == ["a & b"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems want UTF-8")
def test_names_that_are_no_text(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_clicks("a.wav", 0.3)
    out = os.fsdecode(b"caf\xe9\n.mp4")
    command = ["render", "a.wav", "-o", out, "--world", tiny_world, "--device", "ort", "--timeline"]
    assert main([*command, "otio,mlt"]) == 2
    assert "XML cannot hold the name caf\\xe9\\n.mp4" in capsys.readouterr().err
    assert main([*command, "otio,edl,xml"]) == 0
    for form in ("otio", "xml"):
        timeline = otio.adapters.read_from_string(Path(out).with_suffix(f".{form}").read_text(), ADAPTERS[form])
        assert clips(timeline, "Video")[0].media_reference.target_url.endswith("/caf%E9%0A.mp4")
    assert "* FROM CLIP NAME:  caf\\xe9\\n.mp4" in Path(out).with_suffix(".edl").read_text()


def test_the_same_command_leaves_them_alone(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_clicks("a.wav", 1.0)
    command = ["render", "a.wav", "-o", "film.mp4", "--world", tiny_world, "--device", "ort", "--timeline", ALL]
    assert main(command) == 0
    before = {form: Path(f"film.{form}").stat().st_ino for form in FORMS}
    Path("film.xml").unlink()
    del before["xml"]
    assert main(command) == 0  # the film is there, and the one that is missing is written
    assert {form: Path(f"film.{form}").stat().st_ino for form in before} == before
    assert Path("film.xml").exists()
    Path("film.edl").write_text(Path("film.edl").read_text() + "* a note of mine, in a file of sonorama\n")
    assert main(command) == 2
    assert "was changed" in capsys.readouterr().err
    assert "a note of mine" in Path("film.edl").read_text()
    assert main([*command, "--overwrite", "--markers", "none"]) == 0
    assert "LOC" not in Path("film.edl").read_text()


@pytest.mark.parametrize(("preset", "suffix"), [("png", ".png"), ("exr", ".exr")])
def test_a_picture_sequence_is_one_clip(
    preset: str, suffix: str, tiny_world: str, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clicks("a.wav", 1.0)
    command = ["render", "a.wav", "-o", "shot.v2", "--world", tiny_world, "--device", "ort", "--fps", "25"]
    command += ["--preset", preset, "--timeline", "otio", "--timecode", "10:00:00:00"]
    assert main(command) == 0
    timeline = otio.adapters.read_from_file("shot.v2.otio")
    (picture,), (sound,) = clips(timeline, "Video"), clips(timeline, "Audio")
    media = picture.media_reference
    assert isinstance(media, otio.schema.ImageSequenceReference)
    urls = [media.target_url_for_image_number(number) for number in range(25)]
    assert urls == [(room / "shot.v2" / f"frame_{number:06}{suffix}").as_uri() for number in range(1, 26)]
    assert media.number_of_images_in_sequence() == len([*Path("shot.v2").glob(f"*{suffix}")]) == 25
    assert picture.source_range.start_time.value == timeline.global_start_time.value == 900_000
    assert (picture.source_range.duration.value, sound.source_range.duration.value) == (25, 25)
    assert sound.media_reference.target_url == (room / "shot.v2" / "sound.wav").as_uri()
    assert len(timeline.tracks.markers) > 1
    before = Path("shot.v2.otio").read_bytes()
    assert main(command) == 0
    assert Path("shot.v2.otio").read_bytes() == before
    with Path("shot.v2.otio").open("a") as file:
        file.write("\n")
    assert main(command) == 2
    assert "was changed\nMove it away.\n" in capsys.readouterr().err  # --overwrite is for films


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["-o", "film.mp4", "--timeline", "otio"], "of unknown origin"),
        (["-o", "other.mp4", "--timeline", "aaf"], "there is no aaf"),
        (["-o", "other.mp4", "--timeline", "otio", "--markers", "bars"], "there is no bars"),
        (["-o", "folder", "--timeline", "otio,edl"], "Only OpenTimelineIO holds picture sequences"),
        (["-o", "other.mp4", "--timeline", "mlt,edl", "--fps", "12.5"], "no timecode|do not have"),
    ],
)
def test_refused_before_any_work(
    more: list[str], message: str, tiny_world: str, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clicks("a.wav", 0.5)
    Path("film.otio").write_text("mine")
    assert main(["render", "a.wav", "--world", tiny_world, *more]) == 2
    err = capsys.readouterr().err
    assert re.search(message, err) and len(err.splitlines()) == 2
    assert sorted(path.name for path in room.iterdir()) == ["a.wav", "film.otio"]
    assert Path("film.otio").read_text() == "mine"


def test_a_missing_package_is_named(
    tiny_world: str, room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clicks("a.wav", 0.2)
    write_clicks("b.wav", 0.3)
    monkeypatch.setattr(options, "find_spec", lambda name: None if name == "otio_fcp_adapter" else object())
    for sounds, out in ((["a.wav"], "film.mp4"), (["a.wav", "b.wav"], "films/")):
        assert main(["render", *sounds, "-o", out, "--world", tiny_world, "--timeline", "xml"]) == 2
        err = capsys.readouterr().err
        assert "otio_fcp_adapter" in err and "sonorama[film]" in err and len(err.splitlines()) == 2
        assert not any(room.glob("film*"))
    assert (
        main(["render", "a.wav", "-o", "film.mp4", "--world", tiny_world, "--device", "ort", "--timeline", "mlt"]) == 0
    )


def test_a_queue_and_a_watch_write_them_too(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    write_clicks("in/a.wav", 0.2)
    write_clicks("in/b.wav", 0.3)
    more = ["--world", tiny_world, "--device", "ort", "--timeline", "otio,edl"]
    assert main(["render", "in/a.wav", "in/b.wav", "-o", "queue/", *more]) == 0
    assert main(["watch", "in", "watch", "--once", "--settle", "0", *more]) == 0
    for folder in ("queue", "watch"):
        assert {"a.mp4", "a.otio", "a.edl", "b.mp4", "b.otio", "b.edl"} <= {
            path.name for path in Path(folder).iterdir()
        }
