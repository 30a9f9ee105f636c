"""Latent motion with networks small enough to check by hand."""

from dataclasses import replace

import numpy as np
import pytest

from sonorama.engine.control.render_table import TABLE
from sonorama.engine.pipeline.latent_motion import (
    FADE_S,
    RELEASE_S,
    MotionState,
    StyleSpace,
    advance_motion,
    decay,
    style_codes,
)
from sonorama.engine.units import LEVELS

L, W, H = 14, 8, 4
rng = np.random.default_rng(0)
SPACE = StyleSpace(
    {"coarse": slice(0, 3), "mid": slice(3, 7), "fine": slice(7, 14)},
    L,
    rng.standard_normal(W).astype(np.float32),
    (0.5 + rng.random(W)).astype(np.float32),
    15.0,
)
BASE = rng.standard_normal((L, W)).astype(np.float32)
HEARD = rng.standard_normal((L, W)).astype(np.float32)


def values(**changes: object) -> dict[str, object]:
    given = {path: p.default for path, p in TABLE.items()}
    return given | {k.replace("__", "/"): v for k, v in changes.items()}


def alive(u: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.sin(3 * u) + h.mean(), np.tanh(h + u.mean())


def play(
    vals: dict[str, object], heard: np.ndarray, there: float, n: int, fps: float = 15.0, seed: int = 1
) -> tuple[np.ndarray, MotionState]:
    state, frames = MotionState.rest(SPACE, H), []
    for _ in range(n):
        state = advance_motion(SPACE, vals, state, BASE, heard, there, seed, alive)
        w, state = style_codes(SPACE, vals, state, BASE, heard, 1.0, fps)
        frames.append(w)
    return np.stack(frames), state


def test_silence_rests_on_the_base() -> None:
    frames, _ = play(values(), np.zeros_like(HEARD), 0.0, 50)
    assert np.array_equal(frames, np.broadcast_to(BASE, frames.shape))


def test_muting_every_level_gives_the_base_for_any_sound() -> None:
    frames, _ = play(values(**{f"/motion/{name}/mute": True for name in LEVELS}), HEARD, 1.0, 20)
    assert np.array_equal(frames, np.broadcast_to(BASE, frames.shape))


@pytest.mark.parametrize("level", LEVELS)
def test_mute_and_solo_touch_their_level_only(level: str) -> None:
    codes = SPACE.levels[level]
    others = np.ones(L, bool)
    others[codes] = False
    muted, _ = play(values(**{f"/motion/{level}/mute": True}), HEARD, 1.0, 10)
    assert np.array_equal(muted[-1][codes], BASE[codes])
    assert (np.abs(muted[-1] - BASE)[others] > 0).any(axis=1).all()
    alone, _ = play(values(**{f"/motion/{level}/solo": True}), HEARD, 1.0, 10)
    assert np.array_equal(alone[-1][others], BASE[others])
    assert (np.abs(alone[-1] - BASE)[codes] > 0).any(axis=1).all()


def test_anchored_motion_stays_bounded_for_ever() -> None:
    frames, _ = play(values(), HEARD, 1.0, 3000)
    kappa = np.zeros((L, 1))
    for name in LEVELS:
        kappa[SPACE.levels[name]] = TABLE[f"/motion/{name}/kappa"].default
    bound = np.abs(HEARD) + kappa * SPACE.sigma_w + 1e-4
    assert (np.abs(frames - BASE) <= bound).all()
    assert np.abs(np.diff(frames, axis=0)[-20:]).max() > 0


def equation_4(amount: dict[str, float], presence: float, steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """u and w_hat [T,L,W]: u^t = w_hat^{t-1} + g E_a(x^t) + sigma_n sigma_w eps, w_hat^t = u^t + Delta^t."""
    g = np.concatenate([np.full((codes.stop - codes.start, 1), amount[name]) for name, codes in SPACE.levels.items()])
    w, h, seen, made = BASE.astype(np.float64), np.zeros((3, H)), [], []
    for t in range(steps):
        eps = np.random.Generator(np.random.Philox(key=seed, counter=t)).standard_normal((L, W))
        u = w + g * HEARD * np.cos(t) + 0.1 * presence * SPACE.sigma_w * eps
        delta, h = alive(u, h)
        w = u + presence * SPACE.sigma_w * delta
        seen.append(u)
        made.append(w)
    return np.stack(seen), np.stack(made)


@pytest.mark.parametrize("presence", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("amounts", [(1.0, 1.0, 1.0), (0.0, 0.5, 2.0)])
def test_literal_is_equation_4(amounts: tuple[float, ...], presence: float) -> None:
    """What E_RNN is given and what leaves, for a sound that changes; six steps, since the sum is chaotic in time."""
    amount: dict[str, float] = dict(zip(LEVELS, amounts, strict=True))
    vals = values(**{"/motion/mode": "literal"}, **{f"/motion/{name}/amount": g for name, g in amount.items()})
    state, seen, made = MotionState.rest(SPACE, H), [], []

    def watched(u: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen.append(u)
        return alive(u, h)

    for t in range(6):
        sound = (HEARD * np.cos(t)).astype(np.float32)
        state = advance_motion(SPACE, vals, state, BASE, sound, presence, 7, watched)
        w, state = style_codes(SPACE, vals, state, BASE, sound, 1.0, 15.0)
        made.append(w)
    u, w_hat = equation_4(amount, presence, 6, seed=7)
    assert np.abs(u - np.stack(seen)).max() < 1e-3
    assert np.abs(w_hat - np.stack(made)).max() < 1e-3
    assert np.abs(w_hat - BASE).max() > 1.0


def test_literal_motion_integrates() -> None:
    frames, _ = play(values(**{"/motion/mode": "literal"}), 0.1 * np.ones_like(HEARD), 1.0, 60)
    assert np.abs(frames[59] - BASE).mean() > 3 * np.abs(frames[9] - BASE).mean()


def test_what_was_muted_comes_back_as_if_it_had_never_been_away() -> None:
    """Fading out and in, not in one frame."""
    state = MotionState.rest(SPACE, H)
    other, frames, always = state, [], []
    for frame in range(90):
        vals = values(**{f"/motion/{name}/mute": 20 <= frame < 40 for name in LEVELS})
        state = advance_motion(SPACE, vals, state, BASE, HEARD, 1.0, 1, alive)
        other = advance_motion(SPACE, values(), other, BASE, HEARD, 1.0, 1, alive)
        w, state = style_codes(SPACE, vals, state, BASE, HEARD, 1.0, 30.0)
        v, other = style_codes(SPACE, values(), other, BASE, HEARD, 1.0, 30.0)
        frames.append(w)
        always.append(v)
    steps = round(30 * FADE_S) + 1
    assert np.array_equal(frames[19], always[19])
    assert np.array_equal(frames[20 + steps], BASE)
    assert np.array_equal(frames[40 + steps :], always[40 + steps :])
    largest = np.abs(np.subtract(always, BASE)).max() / (30 * FADE_S) + np.abs(np.diff(always, axis=0)).max()
    assert np.abs(np.diff(frames[19:], axis=0)).max() <= largest


def test_hold_freezes_one_level_whatever_becomes_of_base_and_sound() -> None:
    _, state = play(values(), HEARD, 1.0, 10)
    w = before = state.last_output
    elsewhere = BASE + 1
    held = values(**{"/motion/mid/hold": True})
    for _ in range(3):
        state = advance_motion(SPACE, held, state, elsewhere, -HEARD, 1.0, 1, alive)
        w, state = style_codes(SPACE, held, state, elsewhere, -HEARD, 1.0, 15.0)
        assert np.array_equal(w[3:7], before[3:7])
        assert not np.array_equal(w[:3], before[:3])
    steps = list[float]()
    for _ in range(round(15 * RELEASE_S) + 2):  # it lets go little by little
        last = w
        w, state = style_codes(SPACE, values(), state, elsewhere, -HEARD, 1.0, 15.0)
        steps.append(float(np.abs(w - last)[3:7].max()))
    assert max(steps) < 0.5 * np.abs(w - before)[3:7].max()
    loose = replace(state, release=np.ones_like(state.release))
    free, _ = style_codes(SPACE, values(), loose, elsewhere, -HEARD, 1.0, 15.0)
    w, _ = style_codes(SPACE, values(), state, elsewhere, -HEARD, 1.0, 15.0)
    assert np.array_equal(w, free)


def test_held_from_the_first_frame_on_it_keeps_that_frame() -> None:
    held = values(**{f"/motion/{name}/hold": True for name in LEVELS})
    frames, _ = play(held, HEARD, 1.0, 5)
    free, _ = play(values(), HEARD, 1.0, 1)
    assert np.array_equal(frames, np.broadcast_to(frames[0], frames.shape))
    assert np.abs(frames[0] - free[0]).max() < np.abs(HEARD).max()
    assert np.abs(frames[0] - BASE).max() > 0


def test_the_anchor_does_not_depend_on_the_frame_rate() -> None:
    still = replace(MotionState.rest(SPACE, H))
    ends = []
    for fps in (24, 60):
        state, w = still, BASE
        for _ in range(fps):
            w, state = style_codes(SPACE, values(), state, BASE, HEARD, 0.0, float(fps))
        ends.append(w)
    assert np.allclose(ends[0], ends[1], atol=1e-5)


def test_same_seed_same_motion_other_seed_other_motion() -> None:
    a, _ = play(values(), HEARD, 1.0, 10)
    b, _ = play(values(), HEARD, 1.0, 10)
    c, _ = play(values(), HEARD, 1.0, 10, seed=2)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_keep_is_a_half_life() -> None:
    assert decay(0.5, 30.0) ** 15 == pytest.approx(0.5)
