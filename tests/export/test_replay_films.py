"""Films of takes: what is written is what was shown; what does not belong to the take is refused."""

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import InputError, OutputError, SonoramaError, ValueRefused, WorldError
from sonorama.engine.model.world_file import load_world, save_world
from sonorama.engine.picture.to_rgba8 import rgba8
from sonorama.engine.pipeline.snapshot import save_state
from sonorama.engine.take.reader import read_take
from sonorama.engine.units import SAMPLE_RATE
from sonorama.export.render import RenderJob, render
from sonorama.export.replay import TakeFrameSource, Worlds

from .helpers import pixels, probe, samples
from .replay_helpers import SOUND, Live, finished, replayed, same
from .replay_helpers import busy as busy
from .replay_helpers import shows as shows
from .replay_helpers import steady as steady

# --- films


def job(live: Live, out: Path, **changed: object) -> RenderJob:
    return replace(RenderJob(live.folder, out, command=("sonorama",)), **changed)


def test_pictures_of_sixteen_bits(steady: Live, tmp_path: Path) -> None:
    report = render(job(steady, tmp_path / "shots", duration=1.0, clean=True))
    assert (report.frames, report.fps, report.size) == (30, Fraction(30), (64, 64))
    for step in steady.steps[:30:9]:
        written = pixels(tmp_path / "shots" / f"frame_{step.frame + 1:06}.png", "rgb48le", (64, 64))[0]
        live = steady.painted(step)
        np.testing.assert_array_equal(written, np.floor(live * np.float32(65535) + np.float32(0.5)))


def test_what_output_controls_made_is_written_to_the_level(steady: Live, tmp_path: Path) -> None:
    render(job(steady, tmp_path / "shots", start=10 / 30, duration=0.3))
    expected = finished(steady)
    for index in range(9):
        written = pixels(tmp_path / "shots" / f"frame_{index + 1:06}.png", "rgb48le", (64, 64))[0]
        np.testing.assert_array_equal(written, rgba8(expected[10 + index])[..., :3].astype(np.uint16) * 257)


def test_a_lossless_film_holds_the_live_frames(steady: Live, tmp_path: Path) -> None:
    """The film of a stage that paints the live frames, and of the replay: the same picture, the same sound."""
    report = render(job(steady, tmp_path / "film.mkv", preset="ffv1"))
    assert (report.frames, report.seconds) == (90, 3.0)
    frames = finished(steady)

    class LiveSource:
        world, version, sha256, size, device, licence, inset = "tiny", "0", "", (64, 64), "cpu", "CC0-1.0", 0

        def frames(self, blocks: object, n_frames: int, have: object = ()) -> Iterator[np.ndarray]:
            return iter(frames)

    render(
        RenderJob(steady.folder / "audio.wav", tmp_path / "live.mkv", preset="ffv1", duration=3.0),
        None,
        lambda *_: LiveSource(),
    )
    film, live = (pixels(tmp_path / name, "rgb48le", (64, 64)) for name in ("film.mkv", "live.mkv"))
    np.testing.assert_array_equal(film, live)
    sound = np.rint(SOUND[:, : 90 * 1470].T.astype(np.float64) * 2**23) / 2**23
    np.testing.assert_array_equal(samples(tmp_path / "film.mkv", 2), sound.astype(np.float32))
    told = json.loads((tmp_path / "film.mkv.json").read_text())
    assert told["take"]["format"] == "sonorama-take"
    assert told["take"]["end"] == {"frame": 89, "sample": 89 * 1470}
    assert (told["seed"], told["values"]["/look/drift"], told["clean"]) == (1, 0.3, False)
    tags = probe(tmp_path / "film.mkv")["format"]["tags"]
    assert "from a take performed at 20" in tags["COMMENT"]
    assert tags["title"] == "steady"


def test_options_mean_what_they_mean_for_sounds(busy: Live, tmp_path: Path) -> None:
    report = render(job(busy, tmp_path / "film.mp4", fps=Fraction(24), size=(128, 72), start=1.0, duration=1.5))
    assert (report.frames, report.size) == (36, (128, 72))
    film = probe(tmp_path / "film.mp4")
    assert film["video"]["avg_frame_rate"] == "24/1"
    assert float(film["audio"]["duration"]) == pytest.approx(1.5, abs=0.03)
    report = render(job(busy, tmp_path / "whole.mp4", clean=True))
    assert report.frames == math.ceil(read_take(busy.folder).length * 30 / SAMPLE_RATE)
    assert probe(tmp_path / "whole.mp4")["video"]["nb_read_frames"] == str(report.frames)


def test_a_sequence_is_continued(steady: Live, tmp_path: Path) -> None:
    out, whole = tmp_path / "shots", tmp_path / "whole"

    def stop(done: int, total: int) -> None:
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(job(steady, out, duration=0.8), stop)
    render(job(steady, out, duration=0.8))
    render(job(steady, whole, duration=0.8))
    frames = sorted(whole.glob("frame_*"))
    assert len(frames) == 24
    for path in frames:
        assert (out / path.name).read_bytes() == path.read_bytes()
    with pytest.raises(OutputError, match="clean"):
        render(job(steady, out, duration=0.8, clean=True))


# --- what it refuses


@pytest.mark.parametrize(
    "changed",
    [{"loop": True}, {"seed": 3}, {"text": "rain"}, {"values": {"/look/seed": 3}}],
)
def test_a_take_is_played_as_it_was(steady: Live, tmp_path: Path, changed: dict[str, object]) -> None:
    with pytest.raises(ValueRefused, match="is a take") as caught:
        render(job(steady, tmp_path / "film.mp4", **changed))
    assert len(str(caught.value).splitlines()) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", [{"look_ahead": 0.0}, {"pre_roll": 1.0}])
def test_a_take_knows_no_future(steady: Live, tmp_path: Path, option: dict[str, float]) -> None:
    with pytest.raises(ValueRefused, match="is for sounds"):
        render(RenderJob(steady.folder, tmp_path / "film.mov", **option))  # pyright: ignore[reportArgumentType]


def test_clean_is_for_takes_and_takes_are_not_replaced(steady: Live, tmp_path: Path) -> None:
    with pytest.raises(ValueRefused, match="--clean"):
        render(RenderJob(steady.folder / "audio.wav", tmp_path / "film.mp4", clean=True))
    before = sorted(steady.folder.iterdir())
    with pytest.raises(OutputError, match="the take itself"):
        render(job(steady, steady.folder))
    with pytest.raises(InputError, match="outside"):
        render(job(steady, tmp_path / "film.mp4", start=3.0))
    assert sorted(steady.folder.iterdir()) == before


@pytest.mark.parametrize("left", [["audio.wav"], ["events.jsonl"], ["audio.wav", "events.jsonl"], []])
def test_a_take_without_its_beginning_is_known(tmp_path: Path, left: list[str]) -> None:
    """By its files, or where none is left by its name."""
    folder = tmp_path / ("friday" if left else "friday.take")
    folder.mkdir()
    for name in left:
        (folder / name).touch()
    with pytest.raises(InputError, match=r"take\.json is missing") as caught:
        render(RenderJob(folder, tmp_path / "film.mp4"))
    assert len(str(caught.value).splitlines()) == 2
    assert (str(folder / "audio.wav") in caught.value.hint) == ("audio.wav" in left)


@pytest.fixture
def moved(tiny_world: str, tmp_path: Path) -> Live:
    """A take whose world is no longer where it was."""
    shutil.copy(tiny_world, tmp_path / "here.safetensors")
    live = Live(tmp_path / "x", str(tmp_path / "here.safetensors"), frames=10).begin().play()
    (tmp_path / "here.safetensors").rename(tmp_path / "there.safetensors")
    return live


def test_the_world_may_be_elsewhere(moved: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorldError, match="is not here") as caught:
        render(job(moved, tmp_path / "film.mp4"))
    assert len(str(caught.value).splitlines()) == 2
    assert "--world" in caught.value.hint
    render(job(moved, tmp_path / "film.mp4", world=str(tmp_path / "there.safetensors")))
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path))  # installed under another name
    same(replayed(moved), moved.steps)


def test_another_world_is_noticed(moved: Live, tmp_path: Path) -> None:
    world = load_world(str(tmp_path / "there.safetensors"))
    tensors = world.tensors | {"generator.mapping.w_avg": world.tensors["generator.mapping.w_avg"] + np.float32(1)}
    save_world(tmp_path / "here.safetensors", world.card, tensors)
    for given in (None, str(tmp_path / "here.safetensors")):
        with pytest.raises(WorldError, match="another world") as caught:
            render(job(moved, tmp_path / "film.mp4", world=given))
        assert len(str(caught.value).splitlines()) == 2
    with pytest.raises(WorldError):
        render(job(moved, tmp_path / "film.mp4", world="atlantis"))


def test_a_device_that_is_not_here(steady: Live, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Recorded: another one plays, and it is said. Asked for: refused."""
    take = read_take(steady.folder)
    take = replace(take, start=replace(take.start, device="npu"))
    stage = TakeFrameSource(take, Worlds(take), take.fps)
    assert "npu" in caplog.text
    assert len(list(stage.frames(3))) == 3
    with pytest.raises(SonoramaError, match="npu"):
        render(job(steady, tmp_path / "film.mp4", device="npu"))
    ort = TakeFrameSource(take, Worlds(take, device="ort"), take.fps)
    assert ort.device == "onnxruntime-cpu"


@pytest.mark.parametrize("damage", ["missing", "foreign", "another"])
def test_a_state_that_does_not_belong_is_refused(tiny_world: str, tmp_path: Path, damage: str) -> None:
    live = Live(tmp_path / "x", tiny_world, frames=20, from_frame=10).begin().play()
    state = live.folder / "start.state"
    match damage:
        case "missing":
            state.unlink()
        case "foreign":
            shutil.copy(tiny_world, state)
        case _:
            save_state(state, live.player)
    with pytest.raises(InputError) as caught:
        render(job(live, tmp_path / "film.mp4"))
    assert len(str(caught.value).splitlines()) == 2


def test_a_take_that_was_not_closed_is_said(steady: Live, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(steady.folder, folder)
    told = json.loads((folder / "take.json").read_text())
    (folder / "take.json").write_text(json.dumps({**told, "end": None}))
    with (folder / "audio.wav").open("r+b") as file:
        file.truncate(92 + 8 * 30_000)
    with (folder / "events.jsonl").open("ab") as file:
        file.write(
            b'{"frame": 3, "sample": 4410, "lost": [22050, 44100]}\n{"frame": 4, "sample": 5880, "dropped": 2}\n{"fra'
        )
    report = render(RenderJob(folder, tmp_path / "film.mp4"))
    assert report.frames == 30_000 // 1470 + 1
    assert "not closed" in caplog.text
    assert "misses 0.5 s" in caplog.text
    assert "2 events" in caplog.text
