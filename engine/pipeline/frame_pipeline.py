"""The frame pipeline: sound and changes in, style codes out, frame by frame.

Live shows, films and replays all use it. It has no clock, no threads and no devices: the state after a frame follows
from the state before it, the samples since and the changes at the frame, bit for bit. Renderers that take over and
takes depend on that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..audio.auto_gain import AutoGain
from ..audio.features import AnalysisSettings, FeatureExtractor, Features
from ..control.addresses import (
    ENGINE_FPS,
    LOOK_CODE,
    LOOK_PLACE,
    LOOK_PROMPT,
    LOOK_SEED,
    LOOK_TRUNCATION,
    OUT_MASTER,
    SOUND_AUTO_GAIN,
    SOUND_GAIN,
    SOUND_RESYNC,
    SOUND_TAP,
    SOUND_TEMPO,
    SOUND_TEMPO_HALF,
    SOUND_TEMPO_X2,
    motion,
)
from ..control.live_table import SHOW
from ..control.parameter_state import ParameterState
from ..control.parameters import Change, Value
from ..control.pending_load import LOADS
from ..units import LEVELS, Array
from .analysis_settings import analysis_settings
from .axis_shift import axis_shift, axis_values
from .base_latent import NO_PULLS, BaseLatent
from .class_places import Pull
from .conditioning import ENCODER_STEP, Held, SoundConditioner
from .external_clock import clock_beats, with_clock
from .frame_grid import FrameGrid, exact_rate
from .latent_motion import RENAMED_STATE, MotionState, advance_motion, level_openness, number, style_codes
from .loaded_world import LoadedWorld, tick_sample
from .modulators import Modulators
from .placement import placed
from .sway import STEP
from .travel import SoundPoint

Arrays = dict[str, npt.NDArray[np.generic]]
Open = Callable[[str, str], LoadedWorld]
"""(world, device) -> Instrument: the values of /engine/world and /engine/device."""
MASTER = OUT_MASTER


@dataclass(frozen=True)
class FrameResult:
    """One frame.

    Attributes:
        frame, sample: its index, and how many samples came before it.
        w: what the picture is painted from: style codes w_hat [L,W], of StyleGAN3 with a placement, [L+1,W].
        values: effective value of every control.
        features: what music does at it.
        instrument: the world to paint it with.
        lift: what a move on /out/master makes of it, a factor. Both act in the show, like all of /out/.

    """

    frame: int
    sample: int
    w: Array
    values: Mapping[str, Value]
    features: Features
    instrument: LoadedWorld
    lift: float = 1.0

    def picture(self) -> Array:
        """Paint it: float32 [H,W,3] in 0..1."""
        return self.instrument.backend.synthesize(self.w)


def mono(stereo: Array) -> Array:
    """Samples of the ring [2,n] mixed to mono [n]."""
    return np.float32(0.5) * (stereo[0] + stereo[1])


def _factor(values: Mapping[str, Value], auto: float) -> np.float32:
    """What samples are multiplied by before the networks and the analysis; auto: automatic gain, dB."""
    return np.float32(10 ** ((number(values, SOUND_GAIN) + auto) / 20))


def _lift(master: float, shift: float) -> float:
    return min(max(master + shift, 0.0), 1.0) / master if master > 0 else 1.0


class FramePipeline:
    """Plays one performance.

    Args:
        open_instrument: makes a world playable; also called in the middle, when another world is asked for.
        start: values to start with; the others stand at their defaults.
        fps: frames a second, exact, any; default: /engine/fps. A change of /engine/fps is followed either way.
        held: answers of the sound networks that came late when this was played before, see SoundConditioner.

    """

    ahead = 0
    """How many samples beyond the frame are heard before it is played; films, see film_pipeline.py."""

    def __init__(
        self, open_instrument: Open, start: Mapping[str, Value], fps: Fraction | None = None, held: Held | None = None
    ) -> None:
        self._open, self._held = open_instrument, held
        self.params = ParameterState(SHOW, start)
        self.values: Mapping[str, Value] = self.params.effective()
        self.frame = self.sample = 0
        """Index of the next frame, and samples so far."""
        self._fps = number(self.values, ENGINE_FPS)
        self.grid = FrameGrid(fps or exact_rate(self._fps))
        self.analysis, self.modulators, self.gain = FeatureExtractor(), Modulators(), AutoGain()
        self._open_as(self.values)
        self.conditioner = self._conditioner()
        self.motion: MotionState = self.instrument.rest()
        self.base = BaseLatent(self.instrument, self.values)

    def _conditioner(self, begin: int = 0) -> SoundConditioner:
        card = self.instrument.world.card
        return SoundConditioner(self.instrument.sound_networks, card.num_ws, card.w_dim, begin, self._held)

    def _open_as(self, values: Mapping[str, Value]) -> None:
        self.loaded = tuple(str(values[path]) for path in LOADS)
        self.instrument = self._open(*self.loaded)

    @property
    def next_sample(self) -> int:
        """Samples that come before the next frame."""
        return self.grid.sample(self.frame)

    @property
    def missing(self) -> int:
        """How many samples the next frame takes: those from the last that was heard to `next_sample` + `ahead`."""
        return self.next_sample + self.ahead - self.conditioner.samples

    def step(self, sound: Array, changes: Sequence[Change] = ()) -> FrameResult:
        """Play the next frame.

        Args:
            sound: mono [n] at 44.1 kHz: `missing` samples.
            changes: what was asked for since the frame before.

        Raises:
            ValueError: another number of samples.
            SonoramaError: another world was asked for and cannot be opened, or a code is not here.

        """
        features, lift = self._begin(sound, changes)
        values, sample = self.values, self.next_sample
        w = placed(self._move(values, sample), values, self.instrument.world.card)
        frame = self._end(sample)
        return FrameResult(frame, sample, w, values, features, self.instrument, lift)

    def skip(self, sound: Array) -> None:
        """Play the next frame without its picture; those after it are the same, to the bit. See `step`."""
        self.step(sound)

    def _begin(self, sound: Array, changes: Sequence[Change] = ()) -> tuple[Features, float]:
        """Hear the next frame's sound, and set its values; what music does at it, and the lift of the master."""
        frame, sample, before = self.frame, self.next_sample, self.sample
        if len(sound) != self.missing:
            raise ValueError(f"frame {frame} takes {self.missing} samples, not {len(sound)}")
        for change in changes:
            self.params.post(change)
        dt = float(1 / self.grid.fps)
        values = self.params.step(dt)
        self._load(values)
        features = self._analyse(sound, values, sample, dt)
        shifts = self.modulators.step(values, features, dt, clock_beats(values, sample))
        lift = _lift(number(values, MASTER), shifts.pop(MASTER, 0.0))
        self.params.modulate(shifts)
        self.values = values = self.params.effective()
        self._travel(values, before, sample)
        chosen = any(change.path in (LOOK_SEED, LOOK_PROMPT, LOOK_CODE) for change in self.params.applied)
        psi = self._truncation(values)
        self.base.begin(values, before, sample, psi, chosen, lambda: self._pulls(sample, values))
        return self.modulators.features, lift

    def _end(self, sample: int) -> int:
        """Go on to the next frame; the index of this one."""
        frame = self.frame
        self.frame, self.sample = frame + 1, sample
        if number(self.values, ENGINE_FPS) != self._fps:
            self._fps = number(self.values, ENGINE_FPS)
            self.grid = self.grid.at_rate(exact_rate(self._fps), frame)
        return frame

    def _travel(self, values: Mapping[str, Value], before: int, sample: int) -> None:
        for at in range((before // ENCODER_STEP + 1) * ENCODER_STEP, sample + 1, ENCODER_STEP):
            self.base.hear(values, self._sound_point(at, values))
        for at in range((before // STEP + 1) * STEP, sample + 1, STEP):
            self.base.sway(values, self._features(at, values), at)

    def _sound_point(self, at: int, values: Mapping[str, Value]) -> SoundPoint:
        presence = self.conditioner.displacement_at(at).presence
        return SoundPoint(at, self.conditioner.code, presence, self._features(at, values))

    def _truncation(self, values: Mapping[str, Value]) -> Array:
        """Of each code [L,1]: moves reach it as far as its level goes with the sound."""
        still, moved = float(self.params.base(LOOK_TRUNCATION)), number(values, LOOK_TRUNCATION)
        if still == moved:
            return np.full((self.instrument.space.num_ws, 1), still, np.float32)
        return (still + self._openness(values) * np.float32(moved - still)).astype(np.float32)

    def _openness(self, values: Mapping[str, Value]) -> Array:
        return level_openness(self.instrument.space, values, self.motion, float(self.grid.fps))

    def _axis_shift(self, values: Mapping[str, Value]) -> Array | None:
        """What /axis/ adds to w_0 at this frame, [L,W]; None: nothing."""
        still, moved = axis_values(self.params.base), axis_values(values.__getitem__)
        if not (still.any() or moved.any()) or (axes := self.instrument.axes) is None:
            return None
        return axis_shift(axes, still, moved, self._openness(values))

    def _load(self, values: Mapping[str, Value]) -> None:
        if tuple(str(values[path]) for path in LOADS) == self.loaded:
            return
        world = self.instrument.world.card.content
        self._open_as(values)
        card = self.instrument.world.card
        self.conditioner.use(self.instrument.sound_networks, card.num_ws, card.w_dim)
        if card.content != world:  # the same world on another device keeps its motion
            self.motion = self.instrument.rest(self.sample)
        self.base.use(self.instrument)

    def prepare(self, sound: Array) -> None:
        """Have the worker of the sound networks begin ahead of the next frame; without effect on what is played.

        Args:
            sound: mono [n] at 44.1 kHz: the samples from `sample` to `conditioner.next_point`.

        """
        self.conditioner.prepare(sound * _factor(self.values, self._auto(self.values)))

    def _auto(self, values: Mapping[str, Value]) -> float:
        """Automatic gain, dB."""
        return self.gain.gain if values[SOUND_AUTO_GAIN] else 0.0

    def _analyse(self, sound: Array, values: Mapping[str, Value], sample: int, dt: float) -> Features:
        auto = self._auto(values)
        self._push(sound * _factor(values, auto), analysis_settings(values))
        if values[SOUND_TAP]:
            self.analysis.tap(sample)
        if octaves := bool(values[SOUND_TEMPO_X2]) - bool(values[SOUND_TEMPO_HALF]):
            self.analysis.shift_octave(octaves, self._tempo(values))
        if values[SOUND_RESYNC]:
            self.analysis.resync(sample)
            self.modulators.resync()
            self.base.travel.resync()
        features = self._features(sample, values)
        if values[SOUND_AUTO_GAIN]:
            self.gain.step(features.db - auto, dt)
        return features

    def _push(self, sound: Array, settings: AnalysisSettings) -> None:
        for start in range(0, len(sound), ENCODER_STEP):
            self.conditioner.push(sound[start : start + ENCODER_STEP])
        self.analysis.push(sound, settings)

    def _features(self, sample: int, values: Mapping[str, Value]) -> Features:
        return with_clock(self.analysis.at(sample, self._tempo(values)), values, sample)

    @staticmethod
    def _tempo(values: Mapping[str, Value]) -> Literal["heard", "tapped"]:
        return "tapped" if values[SOUND_TEMPO] == "tapped" else "heard"

    def _move(self, values: Mapping[str, Value], sample: int) -> Array:
        """Motion up to a frame, and its style codes [L,W]."""
        space, shift = self.instrument.space, self._axis_shift(values)
        pulls, motion_values = self._pulls(sample, values), self._motion_values(values)
        state = self._ticked(motion_values, sample, shift)
        last, following = tick_sample(space, state.tick - 1), tick_sample(space, state.tick)
        part = (sample - last) / (following - last)
        displacement, _ = self._displaced(sample, motion_values)
        base, fps = self._base(sample, shift, pulls), float(self.grid.fps)
        w, self.motion = style_codes(space, motion_values, state, base, displacement, part, fps)
        return w

    def _ticked(self, values: Mapping[str, Value], sample: int, shift: Array | None) -> MotionState:
        """The state of motion after its steps up to a sample; values: those that motion goes by."""
        space, backend, seed = self.instrument.space, self.instrument.backend, int(number(values, LOOK_SEED))
        state = self.motion
        while (at := tick_sample(space, state.tick)) <= sample:
            displacement, presence = self._displaced(at, values)
            state = advance_motion(
                space, values, state, self._base(at, shift, self._pulls(at, values)), displacement, presence, seed,
                backend.step_rnn,
            )  # fmt: skip
        return state

    def _base(self, at: int, shift: Array | None, pulls: Mapping[str, Pull]) -> Array:
        """w_0 [L,W] at a sample of the frame."""
        w = self.base.at(at, pulls)
        return w if shift is None else (w + shift).astype(np.float32)

    def _pulls(self, at: int, values: Mapping[str, Value]) -> Mapping[str, Pull]:
        """How far each level goes to the places of what is heard at a sample up to the frame's."""
        places, reach = self.instrument.class_places, number(values, LOOK_PLACE)
        if places is None or not reach:
            return NO_PULLS
        openness, weights = self._openness(values), self._class_weights(at, values)
        pulls = dict[str, Pull]()
        for level, codes in self.instrument.space.levels.items():
            amount = number(values, motion(level, "amount")) * float(openness[codes.start, 0])
            pulls[level] = places.pull(weights[level], reach * amount)
        return pulls

    def _class_weights(self, at: int, values: Mapping[str, Value]) -> Mapping[str, Array]:
        """How far each class shows at a sample, mixed [K], by level."""
        mixer = self.instrument.meaning_mixer
        return dict.fromkeys(LEVELS, mixer.weights(mixer.settings(values), self.conditioner.displacement_at(at)))

    def _motion_values(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """The values that motion goes by."""
        return values

    def _displaced(self, at: int, values: Mapping[str, Value]) -> tuple[Array, float]:
        """The sound displacement [L,W] at a sample up to the frame's, mixed; and presence."""
        heard = self.conditioner.displacement_at(at)
        return self.instrument.meaning_mixer(values, heard), heard.presence

    def jump(self, frame: int, sample: int) -> None:
        """Continue at rest at another position: the next frame is `frame`, which follows the samples before `sample`;
        before them there was silence.
        """
        self.frame, self.sample = frame, sample
        self.grid = FrameGrid(self.grid.fps, frame, sample)
        self.conditioner = self._conditioner(sample)
        self.analysis = FeatureExtractor(sample)
        self.motion = self.instrument.rest(sample)
        self.base.jump(sample)

    def snapshot(self) -> tuple[Arrays, dict[str, Any]]:
        """All of the state, as arrays and as JSON values."""
        base_arrays, base = self.base.snapshot()
        motion = {name: value for name, value in vars(self.motion).items() if name != "tick"}
        arrays = _named("listener", self.conditioner.snapshot()) | _named("analysis", self.analysis.snapshot())
        arrays |= _named("motion", motion) | _named("base", base_arrays)
        fps = self.grid.fps
        return arrays, {
            "frame": self.frame,
            "sample": self.sample,
            "grid": [fps.numerator, fps.denominator, self.grid.frame0, self.grid.sample0],
            "loaded": list(self.loaded),
            "content": self.instrument.world.card.content,
            "tick": self.motion.tick,
            "params": self.params.snapshot(),
            "moves": self.modulators.snapshot(),
            "gain": self.gain.snapshot(),
            "base": base,
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], state: Mapping[str, Any]) -> None:
        """Take over a state that `snapshot` gave. The world of `state["loaded"]` must be loaded.

        Raises:
            KeyError, ValueError, TypeError: they do not belong together.

        """
        if self.instrument.world.card.content != state["content"]:
            raise ValueError("the state belongs to another world")
        numerator, denominator, frame0, sample0 = state["grid"]
        self.frame, self.sample = int(state["frame"]), int(state["sample"])
        self.grid = FrameGrid(Fraction(numerator, denominator), frame0, sample0)
        self.params.restore(state["params"])
        self.values = self.params.effective()
        self._fps = number(self.values, ENGINE_FPS)
        self.modulators.restore(state["moves"])
        self.gain.restore(state["gain"])
        self.conditioner.restore(_part("listener", arrays))
        self.analysis.restore(_part("analysis", arrays))
        kept = _part("motion", arrays).items()
        motion = {RENAMED_STATE.get(name, name): np.array(value, np.float32) for name, value in kept}
        self.motion = replace(self.motion, tick=int(state["tick"]), **motion)
        self.base.restore(_part("base", arrays), state["base"], self.values)


def _named(part: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Arrays:
    return {f"{part}.{name}": value for name, value in arrays.items()}


def _part(part: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Arrays:
    return {name.removeprefix(f"{part}."): a for name, a in arrays.items() if name.startswith(f"{part}.")}
