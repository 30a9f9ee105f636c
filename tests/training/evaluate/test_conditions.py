"""Baselines do what their names say, on a tiny world."""

from typing import cast

import numpy as np
import pytest
import torch

from sonorama.engine.inference.backend import Backend
from sonorama.engine.units import SAMPLE_RATE
from sonorama.training.data.procedural_pictures import CLASSES
from sonorama.training.data.recordings import Recording
from sonorama.training.evaluate.conditions import (
    ABLATIONS,
    FPS,
    Playback,
    Stimulus,
    amplitude_walk,
    loudness,
    ours,
    static,
    without_sound,
    wrong_sound,
)
from sonorama.training.evaluate.films import paint, stimuli

RNG = np.random.default_rng(0)
BURST = (RNG.standard_normal(SAMPLE_RATE) * np.where(np.arange(SAMPLE_RATE) < SAMPLE_RATE // 2, 0.02, 0.3)).astype(
    np.float32
)
HUM = (0.3 * np.sin(np.arange(SAMPLE_RATE) * 0.01)).astype(np.float32)


STIMULUS = Stimulus(BURST, "rain", "somebody", HUM)


def test_only_ours_moves_with_the_sound(playback: Playback) -> None:
    base = playback.base(3)
    still = static(playback, STIMULUS, 3)
    assert still.shape == (12, *base.shape)
    assert (still == base).all()
    assert np.array_equal(without_sound(playback, STIMULUS, 3), still)
    moved, wrong = ours(playback, STIMULUS, 3), wrong_sound(playback, STIMULUS, 3)
    assert np.abs(moved[-1] - base).max() > 1e-3
    assert np.abs(moved[-1] - wrong[-1]).max() > 1e-3
    assert np.array_equal(wrong, ours(playback, Stimulus(HUM, "wind", "x", BURST), 3))


def test_the_amplitude_walk_is_one_line_and_as_far_as_ours(playback: Playback) -> None:
    walk, base = amplitude_walk(playback, STIMULUS, 3), playback.base(3)
    level = loudness(playback, STIMULUS.sound)
    assert level.max() == 1
    assert level[: FPS // 3].max() < 0.2
    steps = (walk - base).reshape(len(walk), -1)
    strongest = int(level.argmax())
    line = steps[strongest] / np.linalg.norm(steps[strongest])
    assert np.allclose(steps - np.outer(steps @ line, line), 0, atol=1e-4)
    far = ours(playback, STIMULUS, 3) - base
    assert np.sqrt(np.mean(far**2)) == pytest.approx(np.sqrt(np.mean(steps**2)), rel=1e-3)


def test_short_sounds_are_repeated(playback: Playback) -> None:
    short = BURST[:1000]
    assert np.array_equal(playback.cut(short)[1000:2000], short)
    assert len(playback.cut(short)) == round(0.8 * SAMPLE_RATE)


def test_a_level_alone_leaves_the_others_at_the_base(playback: Playback) -> None:
    """Fig. 7."""
    alone, base = ABLATIONS["levels"]["mid alone"](playback, STIMULUS, 3), playback.base(3)
    mid = playback.loaded.space.levels["mid"]
    assert np.abs(alone[-1, mid] - base[mid]).max() > 1e-3
    others = np.ones(len(base), bool)
    others[mid] = False
    assert np.array_equal(alone[:, others], np.repeat(base[None, others], len(alone), 0))


def test_literal_motion_sums_up_and_anchored_does_not(playback: Playback) -> None:
    long = Playback(playback.world, playback.backend, 2.0)
    far = {name: np.abs(c(long, STIMULUS, 3)[-1] - long.base(3)).mean() for name, c in ABLATIONS["mode"].items()}
    assert far["literal"] > 2 * far["ours"]


def test_kappa_limits_how_far_the_learned_motion_goes(playback: Playback) -> None:
    """Sec. 5."""
    codes = {name: c(playback, STIMULUS, 3) for name, c in ABLATIONS["kappa"].items()}
    assert list(codes) == ["kappa x 0", "kappa x 0.5", "kappa x 1", "kappa x 2", "kappa x 3"]
    np.testing.assert_array_equal(codes["kappa x 1"], ours(playback, STIMULUS, 3))
    far = [np.abs(w - codes["kappa x 0"]).mean() for w in codes.values()]
    assert far == sorted(far)
    assert far[-1] > 2 * far[1] > 0


def test_a_sound_that_is_heard_once_is_the_same_all_the_time(playback: Playback) -> None:
    """What the sound does later does not show, but for its loudest second."""
    once = ABLATIONS["once"]["heard once"]
    a = once(playback, STIMULUS, 3)
    assert np.abs(a[-1] - playback.base(3)).max() > 1e-3
    assert np.abs(np.diff(a, axis=0)).max() > 0  # E_RNN goes on
    assert not np.array_equal(a, ours(playback, STIMULUS, 3))


def test_codes_that_stay_are_painted_once(playback: Playback) -> None:
    painted: list[np.ndarray] = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(playback.backend, name)

        def synthesize(self, ws: np.ndarray) -> np.ndarray:
            painted.append(ws)
            return playback.backend.synthesize(ws)

    counted = Playback(playback.world, cast("Backend", Counting()), playback.seconds)
    still = paint(counted, static(playback, STIMULUS, 3))
    assert (len(painted), len(still)) == (1, playback.frames)
    moving = ours(playback, STIMULUS, 3)
    assert torch.equal(paint(counted, moving)[-1], paint(playback, moving[-1:])[0])
    assert len(painted) > playback.frames // 2


@pytest.mark.parametrize("count", [2, 3, 4, 9])
def test_the_wrong_sound_is_of_another_class(count: int) -> None:
    made = [Recording(f"{k}.wav", k, k, np.full(SAMPLE_RATE, i, np.float32)) for i, k in enumerate(CLASSES[:count])]
    found = stimuli(made, 1)
    assert [s.class_id for s in found] == [*CLASSES[:count]]
    assert all(s.wrong[0] != s.sound[0] for s in found)


@pytest.mark.parametrize("seconds", [0.7, 0.77, 0.9, 0.83])
def test_all_films_are_as_long_as_their_sound(playback: Playback, seconds: float) -> None:
    """A frame begun is none: films of all conditions have as many."""
    short = Playback(playback.world, playback.backend, seconds)
    assert {len(made(short, STIMULUS, 2)) for made in (static, ours, amplitude_walk)} == {short.frames}
    assert short.frames == int(seconds * FPS + 1e-6)
