"""From what is heard to style codes: pure functions, no clock, no threads, no devices.

Motion runs on a grid of sample indices at the world's own rate (`tick`), frames are cut from it at any frame
rate (`style_codes`). Live, batch and replay all come through here. Arrays are float32 [L,W] unless said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
RnnStep = Callable[[Array, Array], tuple[Array, Array]]
"""E_RNN: u [L,W], h [3,H] -> Delta [L,W] in units of sigma_w, h."""

LEVELS = ("coarse", "mid", "fine")
NOISE = 0.1
"""sigma_n of eq. 4."""
FADE_S, RELEASE_S = 0.15, 0.5
"""How long a level takes to go with the sound again, and not to, when it is muted; and to let go of what it held."""


@dataclass(frozen=True)
class StyleSpace:
    """What the stepper must know of a world: level -> style codes, w_avg and sigma_w [W], motion_rate in Hz."""

    levels: Mapping[str, slice]
    num_ws: int
    w_avg: Array
    sigma_w: Array
    motion_rate: float


@dataclass(frozen=True)
class MotionState:
    """All that motion remembers. tick: next on the motion grid. follow: smoothed g E_a on the tick grid.
    before, now: residual r at the last two ticks. h: state of E_RNN. follow_frame: smoothed g E_a on the frame
    grid. open [L,1]: how far each level goes with the sound; below 0 before the first frame. shown: the codes that
    left last. kept, loose [L,1]: what a held level keeps, and how far it has let go of that.
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
    """One number a level -> a column [L,1]."""
    column = np.zeros((space.num_ws, 1), np.float32)
    for level, codes in space.levels.items():
        column[codes] = of_level(level)
    return column


def audible(values: Mapping[str, object], level: str) -> bool:
    """Whether a level goes with the sound: neither muted, nor another one alone."""
    solo = [name for name in LEVELS if values[f"/motion/{name}/solo"]]
    return not values[f"/motion/{level}/mute"] and (not solo or level in solo)


def level_openness(space: StyleSpace, values: Mapping[str, object], state: MotionState, fps: float) -> Array:
    """How far each level goes with the sound at this frame [L,1], 0 to 1: a fade of FADE_S after mute and solo."""
    wanted = per_code(space, lambda level: float(audible(values, level)))
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
    lazy = number(values, "/sound/follow")
    rho = per_code(space, lambda level: decay(lazy * number(values, f"/motion/{level}/follow"), rate))
    return (rho * old + (1 - rho) * target).astype(np.float32)


def _held(space: StyleSpace, values: Mapping[str, object]) -> Array:
    return per_code(space, lambda level: float(bool(values[f"/motion/{level}/hold"])))


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
    """One step of E_RNN on the motion grid (eqs. 4 and 5).

    base: w_0 [L,W]. heard: E_a(x) [L,W]. there: presence 0..1. anchored: r = rho r + (1 - rho) kappa sigma_w
    tanh(Delta), bounded by kappa sigma_w for ever. literal: r = r + g E_a + Delta, which integrates.
    """
    # What is muted moves on unseen, so that it comes back as if it had never been away.
    gain = per_code(space, lambda level: number(values, f"/motion/{level}/amount"))
    eps = np.random.Generator(np.random.Philox(key=seed, counter=state.tick)).standard_normal(base.shape)
    noise = np.float32(NOISE * presence) * eps.astype(np.float32) * space.sigma_w
    follow = _follow(space, values, state.anchor, displacement, space.motion_rate)
    at = base + gain * (follow + state.residual)
    delta, h = recur((at + gain * displacement + noise).astype(np.float32), state.hidden)
    if values["/motion/mode"] == "literal":
        r = state.residual + displacement + presence * delta * space.sigma_w
    else:
        rho = per_code(space, lambda level: decay(number(values, f"/motion/{level}/inertia"), space.motion_rate))
        kappa = per_code(space, lambda level: number(values, f"/motion/{level}/kappa"))
        r = rho * state.residual + (1 - rho) * kappa * space.sigma_w * np.tanh(delta * presence)
    held = _held(space, values)
    r = held * state.residual + (1 - held) * r
    return replace(
        state,
        tick=state.tick + 1,
        anchor=follow,
        residual_prev=state.residual,
        residual=r.astype(np.float32),
        hidden=h,
    )


def style_codes(
    space: StyleSpace,
    values: Mapping[str, object],
    state: MotionState,
    base: Array,
    displacement: Array,
    part: float,
    fps: float,
) -> tuple[Array, MotionState]:
    """w_hat of one frame: a^t + r^t.

    heard: E_a at the frame. part: 0..1, the way from the last tick but one to the last. Silence and muted
    levels give exactly `base`; a held level gives what it gave, whatever becomes of base and sound.
    """
    literal = values["/motion/mode"] == "literal"
    follow = _follow(space, values, state.anchor_frame, displacement, fps)
    open_ = level_openness(space, values, state, fps)
    gain = open_ * per_code(space, lambda level: number(values, f"/motion/{level}/amount"))
    moved = state.residual_prev + (state.residual - state.residual_prev) * np.float32(part)
    free = (base + gain * (moved if literal else follow + moved)).astype(np.float32)
    w, kept, loose = _hold(space, values, state, free, fps)
    return w, replace(
        state,
        anchor_frame=follow.astype(np.float32),
        openness=open_,
        last_output=w,
        held=kept,
        release=loose,
    )


def _hold(
    space: StyleSpace, values: Mapping[str, object], state: MotionState, free: Array, fps: float
) -> tuple[Array, Array, Array]:
    """What leaves where a level is held, or lets go over RELEASE_S: w, kept, loose."""
    held = _held(space, values) * (state.openness >= 0)  # before the first frame there is nothing to keep
    kept = np.where((held > 0) & (state.release > 0), state.last_output, state.held)
    loose = np.where(held > 0, 0, np.minimum(1, state.release + 1 / (RELEASE_S * fps))).astype(np.float32)
    return np.where(loose < 1, kept + loose * (free - kept), free).astype(np.float32), kept, loose
