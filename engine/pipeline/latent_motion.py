"""Latent motion: from sound displacements to the style codes of each frame (method of eqs. 4 to 6 of the paper).

Pure functions without clock, threads or devices. Motion steps run on a grid of sample indices at the world's own rate
(`advance_motion`); frames are interpolated from it at any frame rate (`style_codes`). Live, batch and replay share
this module. Arrays are float32 [L,W] unless said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..control.addresses import MOTION_MODE, SOUND_FOLLOW, motion
from ..units import LEVELS, Array

RnnStep = Callable[[Array, Array], tuple[Array, Array]]
"""E_RNN: u [L,W], h [3,H] -> Delta [L,W] in units of sigma_w, h."""

NOISE = 0.1
"""sigma_n of eq. 4."""
FADE_S, RELEASE_S = 0.15, 0.5
"""Seconds of the mute/solo crossfade, and of the release after hold."""


@dataclass(frozen=True)
class StyleSpace:
    """A world's latent space: level -> its style codes, w_avg and sigma_w [W], motion_rate in Hz."""

    levels: Mapping[str, slice]
    num_ws: int
    w_avg: Array
    sigma_w: Array
    motion_rate: float


RENAMED_STATE = {
    "follow": "anchor", "before": "residual_prev", "now": "residual", "h": "hidden", "follow_frame": "anchor_frame",
    "open": "openness", "shown": "last_output", "kept": "held", "loose": "release",
}  # fmt: skip
"""Names of MotionState's fields in takes of earlier versions -> names now."""


@dataclass(frozen=True)
class MotionState:
    """All that motion remembers; float32 [L,W] unless said.

    Attributes:
        tick: index of the next motion step.
        anchor, anchor_frame: smoothed E_a(x), at the last motion step and at the last frame.
        residual_prev, residual: r at the last two motion steps.
        hidden: state of E_RNN [3,H].
        openness: [L,1], how far each level follows the sound, 0 to 1; below 0 before the first frame.
        last_output: w_hat of the last frame.
        held, release: what a held level keeps, and how far [L,1], 0 to 1, it has let go of that.

    """

    tick: int
    anchor: Array
    residual_prev: Array
    residual: Array
    hidden: Array
    anchor_frame: Array
    openness: Array
    last_output: Array
    held: Array
    release: Array

    @staticmethod
    def rest(space: StyleSpace, hidden: int) -> MotionState:
        """At rest, before the first sample."""
        zero = np.zeros((space.num_ws, len(space.w_avg)), np.float32)
        one = np.ones((space.num_ws, 1), np.float32)
        return MotionState(0, zero, zero, zero, np.zeros((3, hidden), np.float32), zero, -one, zero, zero, one)


def decay(half_life_s: float, rate: float) -> float:
    """rho: what remains of a value after one step at `rate` Hz."""
    return float(2.0 ** (-1.0 / max(1e-9, rate * half_life_s)))


def per_code(space: StyleSpace, of_level: Callable[[str], float]) -> Array:
    """One number for each level -> a column [L,1]."""
    column = np.zeros((space.num_ws, 1), np.float32)
    for level, codes in space.levels.items():
        column[codes] = of_level(level)
    return column


def audible(values: Mapping[str, object], level: str) -> bool:
    """Whether a level follows the sound: not muted, and soloed if any level is."""
    solo = [name for name in LEVELS if values[motion(name, "solo")]]
    return not values[motion(level, "mute")] and (not solo or level in solo)


def level_openness(space: StyleSpace, values: Mapping[str, object], state: MotionState, fps: float) -> Array:
    """How far each level follows the sound at this frame, [L,1] in 0..1: a crossfade of FADE_S after mute and solo."""
    wanted = per_code(space, lambda level: float(audible(values, level)))
    if np.array_equal(wanted, state.openness):  # nothing fades, as in most frames
        return wanted
    step = np.float32(1 / (FADE_S * fps))
    fading = state.openness + np.clip(wanted - state.openness, -step, step)
    return np.where(state.openness < 0, wanted, fading).astype(np.float32)


def number(values: Mapping[str, object], path: str) -> float:
    """A continuous value of the table."""
    value = values[path]
    if not isinstance(value, int | float):
        raise TypeError(f"{path} is not a number: {value!r}")
    return float(value)


def _follow(space: StyleSpace, values: Mapping[str, object], old: Array, target: Array, rate: float) -> Array:
    lazy = number(values, SOUND_FOLLOW)
    rho = per_code(space, lambda level: decay(lazy * number(values, motion(level, "follow")), rate))
    return (rho * old + (1 - rho) * target).astype(np.float32)


def _held(space: StyleSpace, values: Mapping[str, object]) -> Array:
    return per_code(space, lambda level: float(bool(values[motion(level, "hold")])))


def style_noise(seed: int, tick: int, shape: tuple[int, ...]) -> Array:
    """Eps of eq. 4 at a motion step: normal random numbers of a shape, the same ones for a seed and a step."""
    random = np.random.Generator(np.random.Philox(key=seed, counter=tick))
    return random.standard_normal(shape).astype(np.float32)


def advance_motion(
    space: StyleSpace,
    values: Mapping[str, object],
    state: MotionState,
    base: Array,
    displacement: Array,
    presence: float,
    seed: int,
    recur: RnnStep,
) -> MotionState:
    """One motion step: E_RNN, then the residual.

    E_RNN sees u^t = w_hat^{t-1} + g E_a(x^t) + sigma_n sigma_w eps and answers Delta^t (eqs. 4 and 5), with g the
    level's amount, eps drawn from `seed` and the step's index, and Delta^t scaled by presence so that silence rests.

    anchored: w_hat = w_0 + g (a + r), r^t = rho r^{t-1} + (1 - rho) kappa sigma_w tanh(Delta^t): |r| <= kappa sigma_w.
    literal: w_hat^t = u^t + Delta^t = w_0 + r^t; r sums everything up and is not bounded.

    Args:
        space: the world's latent space.
        values: effective values of the table.
        state: before this step.
        base: w_0 [L,W].
        displacement: E_a(x) [L,W] at this step.
        presence: 0..1, how much sound there is.
        seed: of the noise.
        recur: E_RNN.

    """
    # A muted level moves on unseen, so that it comes back as if it had never been away.
    gain = per_code(space, lambda level: number(values, motion(level, "amount")))
    noise = np.float32(NOISE * presence) * style_noise(seed, state.tick, base.shape) * space.sigma_w
    anchor = _follow(space, values, state.anchor, displacement, space.motion_rate)
    literal = values[MOTION_MODE] == "literal"
    before = base + (state.residual if literal else gain * (anchor + state.residual))
    u = (before + gain * displacement + noise).astype(np.float32)
    delta, hidden = recur(u, state.hidden)
    if literal:
        r = u + presence * delta * space.sigma_w - base
    else:
        rho = per_code(space, lambda level: decay(number(values, motion(level, "inertia")), space.motion_rate))
        kappa = per_code(space, lambda level: number(values, motion(level, "kappa")))
        r = rho * state.residual + (1 - rho) * kappa * space.sigma_w * np.tanh(delta * presence)
    held = _held(space, values)
    r = (held * state.residual + (1 - held) * r).astype(np.float32)
    return replace(
        state, tick=state.tick + 1, anchor=anchor, residual_prev=state.residual, residual=r, hidden=hidden
    )  # fmt: skip


def style_codes(
    space: StyleSpace,
    values: Mapping[str, object],
    state: MotionState,
    base: Array,
    displacement: Array,
    part: float,
    fps: float,
) -> tuple[Array, MotionState]:
    """w_hat [L,W] of one frame: base + amount x (anchor + residual); literal: base + residual.

    displacement: E_a at the frame. part: 0..1, the way from the last motion step but one to the last. Silence
    (anchored) and muted levels give exactly `base`; a held level keeps its codes whatever base and sound do.
    """
    anchor = _follow(space, values, state.anchor_frame, displacement, fps)
    openness = level_openness(space, values, state, fps)
    moved = state.residual_prev + (state.residual - state.residual_prev) * np.float32(part)
    if values[MOTION_MODE] == "literal":
        free = (base + openness * moved).astype(np.float32)
    else:
        gain = openness * per_code(space, lambda level: number(values, motion(level, "amount")))
        free = (base + gain * (anchor + moved)).astype(np.float32)
    w, held, release = _hold(space, values, state, free, fps)
    return w, replace(state, anchor_frame=anchor, openness=openness, last_output=w, held=held, release=release)


def unshown(space: StyleSpace, values: Mapping[str, object], state: MotionState, fps: float) -> MotionState | None:
    """What `style_codes` leaves of a frame whose codes nobody asks for, where nothing is followed slowly (/sound/follow
    0); None where a level is held or let go of, since the codes are part of the state then.
    """
    if _held(space, values).any() or (state.release < 1).any():
        return None
    return replace(state, openness=level_openness(space, values, state, fps))


def _hold(
    space: StyleSpace, values: Mapping[str, object], state: MotionState, free: Array, fps: float
) -> tuple[Array, Array, Array]:
    """Output where a level is held or released over RELEASE_S: w_hat [L,W], held codes [L,W], release [L,1]."""
    held = _held(space, values) * (state.openness >= 0)  # nothing to keep before the first frame
    codes = np.where((held > 0) & (state.release > 0), state.last_output, state.held)
    release = np.where(held > 0, 0, np.minimum(1, state.release + 1 / (RELEASE_S * fps))).astype(np.float32)
    return np.where(release < 1, codes + release * (free - codes), free).astype(np.float32), codes, release
