"""A film of a part of a sound: its frames are those of the whole film, to the bit."""

import logging
from collections.abc import Container, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import InputError, ValueRefused
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.export.effects import check_effects
from sonorama.export.film_part import film_part, frame_start
from sonorama.export.render import RenderJob, count_frames, painting, render

from .helpers import write_wav

FPS = Fraction(30)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 s of noise with bursts, stereo, 48 kHz: it is mixed and resampled."""
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (2, 144_000))
    noise[:, 60_000:70_000] *= 6
    noise[:, 110_000:112_000] *= 8
    return write_wav(tmp_path_factory.mktemp("sound") / "bursts.wav", noise, 48_000)


def frames(
    world: str,
    path: Path,
    values: dict[str, Value] | None = None,
    have: Container[int] = (),
    **part: float | bool | None,
) -> np.ndarray:
    job = RenderJob(path, Path("film.mov"), world=world, fps=FPS, values=values or {"/look/travel": 1.0}, **part)  # pyright: ignore[reportArgumentType]
    with open_sound(path) as opened:
        n_frames = count_frames(opened, job)
        return np.stack([frame for frame in painting(job, opened, n_frames)[1](have) if frame is not None])


@pytest.fixture(scope="module")
def whole(tiny_world: str, sound: Path) -> np.ndarray:
    return frames(tiny_world, sound)


@pytest.mark.parametrize(("first", "n_frames"), [(1, 5), (37, 8), (60, 30), (83, None)])
def test_a_part_is_the_same_frames_of_the_whole(
    tiny_world: str, sound: Path, whole: np.ndarray, first: int, n_frames: int | None
) -> None:
    length = None if n_frames is None else n_frames / 30
    part = frames(tiny_world, sound, start=first / 30, duration=length)
    assert np.array_equal(part, whole[first:] if n_frames is None else whole[first : first + n_frames])


def test_a_loop_begins_as_the_whole_does(tiny_world: str, sound: Path) -> None:
    whole = frames(tiny_world, sound, look_ahead=0.1)
    part = frames(tiny_world, sound, start=1.0, duration=2.5, loop=True, look_ahead=0.1)
    assert len(part) == 75
    assert np.array_equal(part[:56], whole[30:86])  # then they know of the end, or of the beginning anew
    assert not np.array_equal(part[60], part[0])


def test_without_pre_roll_it_begins_at_rest(tiny_world: str, sound: Path, whole: np.ndarray) -> None:
    part = frames(tiny_world, sound, start=1.5, duration=0.3, pre_roll=0.0)
    assert not np.array_equal(part, whole[45:54])
    some = frames(tiny_world, sound, start=1.5, duration=0.3, pre_roll=0.5)
    assert not np.array_equal(some, part)


def test_a_start_is_taken_to_the_nearest_frame(tiny_world: str, sound: Path, tmp_path: Path) -> None:
    with open_sound(sound) as opened:
        assert frame_start(opened, 1.01, FPS) == 1.0
        assert frame_start(opened, 1.02, Fraction(30000, 1001)) == pytest.approx(31 * 1001 / 30000)
    reports = [
        render(
            RenderJob(sound, tmp_path / f"{start}", world=tiny_world, fps=FPS, start=start, duration=0.1, preset="png")
        )
        for start in (1.0, 1.01)
    ]
    assert [report.frames for report in reports] == [3, 3]
    one, two = (sorted((tmp_path / str(start)).glob("*.png")) for start in (1.0, 1.01))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_a_late_part_hears_less_and_says_so(sound: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_sound(sound) as opened, caplog.at_level(logging.WARNING):
        assert film_part(opened, FPS, 600.0, 1.0, loop=False, pre_roll_s=None).before == 18_000
        assert not caplog.messages
        assert film_part(opened, FPS, 601.0, 1.0, loop=False, pre_roll_s=None).before == 300
        assert "--pre-roll all" in caplog.text
        assert film_part(opened, FPS, 601.0, 1.0, loop=False, pre_roll_s=float("inf")).before == 18_030
        assert film_part(opened, FPS, 601.0, 1.0, loop=False, pre_roll_s=7.0).before == 210


@pytest.mark.parametrize("rate", [8000, 48000])
def test_a_start_in_the_last_half_frame_is_taken_to_the_frame_before(tmp_path: Path, rate: int) -> None:
    write_wav(tmp_path / "short.wav", np.full((1, 2 * rate), 0.1), rate)
    with open_sound(tmp_path / "short.wav") as opened:
        assert frame_start(opened, 1.99, FPS) == pytest.approx(59 / 30)
        assert frame_start(opened, 1.96, FPS) == pytest.approx(59 / 30)
        with pytest.raises(InputError, match="outside"):
            opened.count(frame_start(opened, 2.0, FPS))


EFFECTS: dict[str, Value] = {
    "/look/travel": 1.0, "/picture/hue": 40.0, "/picture/trail": 0.8, "/picture/trail_zoom": 1.5,
    "/picture/strobe": 1.0, "/picture/kaleidoscope": 5,
    "/moves/5/source": "bass", "/moves/5/target": "/picture/contrast",
}  # fmt: skip


def test_effects_of_a_part_are_those_of_the_whole(tiny_world: str, sound: Path, whole: np.ndarray) -> None:
    shown = frames(tiny_world, sound, EFFECTS)
    assert shown.shape == whole.shape and shown.dtype == np.float32 and not np.array_equal(shown[20], whole[20])
    assert shown.min() >= 0 and shown.max() <= 1
    dark = np.flatnonzero(shown.reshape(len(shown), -1).max(1) == 0)
    assert list(dark) == [n for n in range(len(shown)) if n / 30 * 2 % 1 >= 0.5], "2 Hz by the film's time"
    part = frames(tiny_world, sound, EFFECTS, start=37 / 30, duration=0.4)
    assert np.array_equal(part, shown[37:49])
    jobs = frames(tiny_world, sound, EFFECTS, start=37 / 30, duration=0.4, jobs=2)
    assert np.array_equal(jobs, part)
    rest = frames(tiny_world, sound, EFFECTS, range(60))
    assert np.array_equal(rest, shown[60:]), "a folder that is continued"


def test_without_a_trail_only_what_is_needed_is_painted(
    tiny_world: str, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[int] = []

    def paint(render: OfflineRender, codes: Iterable[np.ndarray | None]) -> Iterator[np.ndarray | None]:
        for w in codes:
            painted.append(w is not None)
            yield None if w is None else np.full((8, 8, 3), 0.25, np.float32)

    monkeypatch.setattr(OfflineRender, "paint", paint)
    grey = frames(tiny_world, sound, {"/picture/contrast": 2.0}, start=1.0, duration=0.2)
    assert sum(painted) == len(grey) == 6 and grey == pytest.approx(0.0)
    painted.clear()
    frames(tiny_world, sound, {"/picture/trail": 1.0}, start=1.0, duration=0.2)
    assert sum(painted) == 36


def test_a_strobe_faster_than_the_flash_guard_is_refused(sound: Path, tmp_path: Path) -> None:
    values: dict[str, Value] = {"/picture/strobe": 0.5, "/picture/strobe_rate": 4.0}
    with pytest.raises(ValueRefused, match="no flash guard") as caught:
        render(RenderJob(sound, tmp_path / "x.mp4", values=values))
    assert len(str(caught.value).splitlines()) == 2
    check_effects({"/picture/strobe_rate": 4.0})
    check_effects(values | {"/picture/strobe_rate": 3.0})
    with pytest.raises(ValueRefused):
        check_effects({"/picture/strobe_rate": 4.0, "/moves/4/source": "kick", "/moves/4/target": "/picture/strobe"})
