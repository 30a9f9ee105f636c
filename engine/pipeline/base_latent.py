"""The base latent w_0, which sound displaces: of a seed, prompt or code, mixed by level with others, drifting,
travelling, and morphing to another one when it is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..audio.features import Features
from ..control.addresses import (
    BLEND_AMOUNT,
    LOOK_CODE,
    LOOK_CODE_WEIGHT,
    LOOK_DRIFT,
    LOOK_PROMPT,
    LOOK_SEED,
    LOOK_SEED_B,
    LOOK_TEXT_WEIGHT,
    LOOK_TRUNCATION,
    SCENE_MORPH,
    look_level_code,
    look_level_seed,
    look_mix,
)
from ..control.parameters import Value
from ..control.render_table import BLEND_POINTS
from ..model.base_code import BaseCode, find_code
from ..model.seed_bank import WALK_SECONDS
from ..units import LEVELS, SAMPLE_RATE, Array
from .blend_surface import BlendPoint, points_of, shares
from .class_places import Pull
from .latent_motion import number, per_code
from .loaded_world import LoadedWorld
from .sound_change import FRAMES, STATISTICS
from .sway import Sway
from .travel import AT_HOME, HOME, Place, SoundPoint, Travel


class Identity(NamedTuple):
    """What the base latent is made of: seed, prompt or -1, second seed, name of a code or "", by level a second
    seed or -1 and a code, and what is at the points of the blend surface.
    """

    seed: int
    prompt: int
    second: int
    code: str = ""
    level_seeds: tuple[int, ...] = (-1,) * len(LEVELS)
    level_codes: tuple[str, ...] = ("",) * len(LEVELS)
    points: tuple[BlendPoint, ...] = (BlendPoint(),) * BLEND_POINTS

    @property
    def start(self) -> tuple[int, int, str]:
        """What was chosen, without what is mixed into it."""
        return self.seed, self.prompt, self.code

    @property
    def codes(self) -> set[str]:
        """Names of all codes."""
        return {self.code, *self.level_codes, *(point.code for point in self.points)} - {""}


NO_PULLS: Mapping[str, Pull] = MappingProxyType({})


class BaseLatent:
    """w_0 at any sample of the current frame. Only the frame loop uses it.

    Args:
        instrument: the world.
        values: effective values of all parameters.
        sample: where it begins.

    Attributes:
        travel: where the picture is on its journey from the chosen seed.
        faults: one line for every code that cannot be played in this world.

    Raises:
        WorldError: a code is not here.

    """

    def __init__(self, instrument: LoadedWorld, values: Mapping[str, Value], sample: int = 0) -> None:
        self.travel, self._sway = Travel(sample), Sway(sample)
        self._values = values
        self._psi: Array | float = number(values, LOOK_TRUNCATION)
        self._identity = _identity(values)
        self._codes: dict[str, BaseCode] = {}
        self._begun = dict.fromkeys(self._identity.codes, sample)
        self._drifted, self._drifted_from, self._pace = 0.0, 0, 0.0
        self._from: Array | None = None
        self._morph, self._morph_from = 0.0, 0
        self.use(instrument)

    def use(self, instrument: LoadedWorld) -> None:
        """Switch to another world at once; the journey begins anew at the chosen seed."""
        self._seed_bank, self._space, self._places = instrument.seed_bank, instrument.space, instrument.class_places
        self._axes = instrument.axes
        self._content = instrument.world.card.content
        self._limits = STATISTICS if instrument.world.card.frames is None else FRAMES
        self._from = None
        self._find_codes()

    def _find_codes(self) -> None:
        """The codes that can be played. One of another world cannot, and the seed plays."""
        shape = (self._space.num_ws, len(self._space.w_avg))
        found = {name: find_code(name) for name in self._identity.codes}
        self._codes = {
            name: code for name, code in found.items() if code.world == self._content and code.w.shape[1:] == shape
        }
        others = sorted(found.keys() - self._codes.keys())
        self.faults = [f"{name} is a code of another world; the seed plays" for name in others]

    def jump(self, sample: int) -> None:
        """Continue at another position: the journey and the frames of codes begin anew there."""
        self.travel, self._sway = Travel(sample), Sway(sample)
        self._begun = dict.fromkeys(self._begun, sample)

    def hear(self, values: Mapping[str, Value], point: SoundPoint) -> None:
        """Travel on by the sound at the next grid point of E_a, before the frame that contains it begins."""
        self.travel.step(values, point, self._home(values), self._seed_bank.codes, self._limits)

    def sway(self, values: Mapping[str, Value], features: Features, sample: int) -> None:
        """Sway on by the sound at the next point of its grid, before the frame that contains it begins."""
        self._sway.step(values, features, sample)

    def _home(self, values: Mapping[str, Value]) -> int:
        """The seed of the chosen picture, or the one closest to a code."""
        seed, prompt, *_ = self._identity
        if (code := self._codes.get(self._identity.code)) and number(values, LOOK_CODE_WEIGHT) >= 0.5:
            return code.nearest
        return prompt if prompt >= 0 and number(values, LOOK_TEXT_WEIGHT) >= 0.5 else seed

    def begin(
        self, values: Mapping[str, Value], before: int, sample: int, psi: Array, chosen: bool = False,
        pulls: Callable[[], Mapping[str, Pull]] = lambda: NO_PULLS,
    ) -> None:  # fmt: skip
        """Start a frame, from sample `before` to `sample`, with effective values and truncation by code [L,1].

        chosen: somebody chose the seed, prompt or code at this frame, be it the one there was. pulls: gives those of
        `at`, where they are needed.

        Raises:
            WorldError: a code is not here.

        """
        pace = number(values, LOOK_DRIFT) / WALK_SECONDS
        if pace != self._pace:
            self._drifted, self._drifted_from, self._pace = self._drift_at(before), before, pace
        identity = _identity(values)
        another = identity.start != self._identity.start
        home = another or (chosen and self.travel.away)
        if identity == self._identity and not home:
            self._values, self._psi = values, psi
            return
        current = self.at(sample, pulls())
        if another:  # the drift starts at the new seed
            self._drifted, self._drifted_from = 0.0, sample
        if home:
            self.travel.go_home(sample)
        self._values, self._psi = values, psi
        if identity != self._identity:
            self._identity = identity
            self._begun = {name: self._begun.get(name, sample) for name in identity.codes}
            self._find_codes()
        self._morph, self._morph_from = number(values, SCENE_MORPH) * SAMPLE_RATE, sample
        self._from = current if self._morph >= 1 else None

    def _drift_at(self, sample: int) -> float:
        return self._drifted + self._pace * max(0, sample - self._drifted_from) / SAMPLE_RATE

    def at(self, sample: int, pulls: Mapping[str, Pull] = NO_PULLS) -> Array:
        """w_0 [L,W]. pulls: of every level that goes to places of what is heard."""
        target = self._swayed(self._pulled(self._unmorphed(sample), sample, pulls), sample)
        if self._from is None:
            return target
        part = min(max((sample - self._morph_from) / self._morph, 0.0), 1.0)
        if part == 1.0:
            self._from = None
            return target
        eased = np.float32(part * part * (3 - 2 * part))
        return (self._from + eased * (target - self._from)).astype(np.float32)

    def _unmorphed(self, sample: int) -> Array:
        """w_0 [L,W] of the chosen seeds and codes, without the morph from what was before."""
        values, one = self._values, self._identity
        psi, weight = self._psi, number(values, LOOK_TEXT_WEIGHT)
        drifted = self._drift_at(sample)
        code, code_weight = self._code_at(one.code, sample), number(values, LOOK_CODE_WEIGHT)
        prompt = None if one.prompt < 0 else one.prompt
        chosen = self._seed_bank.drifted(one.seed, drifted, prompt, weight, code, code_weight)
        w = np.array(np.broadcast_to(chosen, (self._space.num_ws, chosen.shape[-1])))
        for level, place in self.travel.at(sample).items():
            if place != AT_HOME:
                codes = self._space.levels[level]
                w[codes] = self._mixture(place, chosen if chosen.ndim == 1 else chosen[codes], drifted)
        if amount := number(values, BLEND_AMOUNT):
            w = self._blended(w, np.float32(amount), drifted, sample)
        w = self._seed_bank.truncated(w, psi)
        mix = per_code(self._space, lambda level: number(values, look_mix(level)))
        if not mix.any():
            return w
        return (w + mix * (self._other(sample) - w)).astype(np.float32)

    def _pulled(self, w: Array, sample: int, pulls: Mapping[str, Pull]) -> Array:
        """Codes [L,W] on their way to the places of what is heard. A code that was chosen stays by its weight."""
        if self._places is None or not pulls:
            return w
        drifted, journey, home = self._drift_at(sample), self.travel.at(sample), self._home(self._values)
        stays = number(self._values, LOOK_CODE_WEIGHT) if self._identity.code in self._codes else 0.0
        for level, (strength, heard) in pulls.items():
            if part := np.float32(strength * (1 - stays)):
                codes = self._space.levels[level]
                place = self._places.at(heard, journey[level], home, drifted)
                psi = self._psi[codes] if isinstance(self._psi, np.ndarray) else self._psi
                w[codes] += part * (self._seed_bank.truncated(place, psi) - w[codes])
        return w

    def _swayed(self, w: Array, sample: int) -> Array:
        if self._axes is None or (way := self._sway.offset(self._values, self._axes, self._space, sample)) is None:
            return w
        return (w + way).astype(np.float32)

    def _blended(self, w: Array, amount: np.float32, drifted: float, sample: int) -> Array:
        """Codes [L,W] without truncation, drawn to the mixture on the blend surface."""
        played = [one if one.code in self._codes else BlendPoint(one.seed) for one in self._identity.points]
        mixture, parts = np.zeros_like(w), shares(self._values, played)
        for point, share in parts:
            code = self._code_at(point.code, sample)
            mixture += np.float32(share) * (self._seed_bank.drifted(point.seed, drifted) if code is None else code)
        return (w + amount * (mixture - w)).astype(np.float32) if parts else w

    def _code_at(self, name: str, sample: int) -> Array | None:
        """A code [L,W] at a sample, drawn away from the average so that the default truncation gives it back; None
        where there is none.
        """
        if (code := self._codes.get(name)) is None:
            return None
        w_avg, played = self._space.w_avg, code.at((sample - self._begun[name]) / SAMPLE_RATE)
        return (w_avg + (played - w_avg) / np.float32(self._seed_bank.truncation)).astype(np.float32)

    def _other(self, sample: int) -> Array:
        """What is mixed in, [L,W]: the second seed, or by level a seed or code of its own."""
        one = self._identity
        other = self._seed_bank.base(one.second, self._psi, 0.0, None, 0.0)
        for level, seed, name in zip(LEVELS, one.level_seeds, one.level_codes, strict=True):
            codes, code = self._space.levels[level], self._code_at(name, sample)
            if code is not None:
                other[codes] = self._seed_bank.truncated(code, self._psi)[codes]
            elif seed >= 0:
                other[codes] = self._seed_bank.base(seed, self._psi, 0.0, None, 0.0)[codes]
        return other

    def _mixture(self, place: Place, chosen: Array, drifted: float) -> Array:
        """The latent [W] of a place, or those of a level [l,W], without truncation; drift goes on at its seeds."""
        parts = [(chosen if seed == HOME else self._seed_bank.drifted(seed, drifted), weight) for seed, weight in place]
        return sum((w * np.float32(weight) for w, weight in parts), np.zeros_like(chosen))

    def snapshot(self) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, Any]]:
        """The whole state, as arrays and as JSON values."""
        mean, travel = self.travel.snapshot()
        arrays: dict[str, npt.NDArray[np.generic]] = {"psi": np.asarray(self._psi, np.float32), "sound_mean": mean}
        arrays |= {} if self._from is None else {"from": self._from}
        drift = [self._drifted, self._drifted_from, self._pace, self._morph, self._morph_from]
        return arrays, {
            "identity": list(self._identity),
            "begun": self._begun,
            "walk": drift,
            "travel": travel,
            "sway": self._sway.snapshot(),
        }

    def restore(
        self, arrays: Mapping[str, npt.NDArray[np.generic]], state: Mapping[str, Any], values: Mapping[str, Value]
    ) -> None:
        """Take over a state that `snapshot` gave; `values`: the effective ones of the frame before."""
        self._identity = _identity_of(state["identity"])
        self._begun = {name: int(sample) for name, sample in state.get("begun", {}).items()}
        self._find_codes()
        self._values = values
        self._psi = np.array(arrays["psi"], np.float32)
        self._drifted, self._drifted_from, self._pace, self._morph, self._morph_from = state["walk"]
        self._from = np.array(arrays["from"], np.float32) if "from" in arrays else None
        if "travel" in state:  # not in states of earlier versions
            self.travel.restore(arrays["sound_mean"], state["travel"])
        if "sway" in state:
            self._sway.restore(state["sway"])


def _identity(values: Mapping[str, Value]) -> Identity:
    return Identity(
        int(number(values, LOOK_SEED)),
        int(number(values, LOOK_PROMPT)),
        int(number(values, LOOK_SEED_B)),
        str(values[LOOK_CODE]),
        tuple(int(number(values, look_level_seed(level))) for level in LEVELS),
        tuple(str(values[look_level_code(level)]) for level in LEVELS),
        points_of(values),
    )


def _identity_of(state: list[Any]) -> Identity:
    """What a snapshot kept; three numbers in those of earlier versions."""
    seed, prompt, second, *newer = state
    if not newer:
        return Identity(seed, prompt, second)
    code, seeds, codes, *points = newer  # without points in those of earlier versions
    identity = Identity(seed, prompt, second, str(code), tuple(seeds), tuple(codes))
    return identity._replace(points=tuple(BlendPoint(*point) for point in points[0])) if points else identity
