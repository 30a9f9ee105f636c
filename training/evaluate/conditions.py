"""What is compared: the world as it plays, with and without its sound, and baselines that hear less.

Every condition makes style codes for the same base latent and sound. Drift and travel are off, so that sound alone
moves the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np

from ...engine.control.addresses import LOOK_DRIFT, LOOK_SEED, LOOK_TRAVEL, motion
from ...engine.control.live_table import FILM
from ...engine.control.render_table import TABLE
from ...engine.inference.backend import Backend
from ...engine.inference.onnx_backend import open_sound_encoder
from ...engine.model.mel import BANDS, ENCODER_COLUMNS, HOP, SOUND_COLUMNS, last_columns, log_mel
from ...engine.model.seed_bank import bank_part
from ...engine.model.world_file import World
from ...engine.pipeline.conditioning_worker import Request
from ...engine.pipeline.latent_motion import advance_motion, style_codes
from ...engine.pipeline.loaded_world import LoadedWorld
from ...engine.pipeline.meaning_mixer import Displacement
from ...engine.pipeline.offline import OfflineRender
from ...engine.units import LEVELS, SAMPLE_RATE, Array
from ..metrics.played_codes import play

FPS = 15
"""Frames a second of all films: the usual motion rate, so that every frame is one motion step."""
PSI = 0.7
NEAREST = 8
"""Seeds whose style codes the TräumerAI-like baseline mixes."""


@dataclass(frozen=True)
class Stimulus:
    """A recording [n] that is heard, its class, and a recording of another class."""

    sound: Array
    class_id: str
    source: str
    wrong: Array


Level = Literal["coarse", "mid", "fine"]
Condition = Callable[["Playback", Stimulus, int], Array]


@dataclass(frozen=True)
class Playback:
    """A world on a backend, and how long its films are."""

    world: World
    backend: Backend
    seconds: float

    @property
    def frames(self) -> int:
        """Frames of a film."""
        return int(self.seconds * FPS + 1e-6)

    def cut(self, sound: Array) -> Array:
        """The first seconds of a sound, repeated where it is shorter."""
        n = round(self.seconds * SAMPLE_RATE)
        return np.tile(sound, -(-n // len(sound)))[:n]

    @cached_property
    def loaded(self) -> LoadedWorld:
        """The world's latent space, seeds and mixer."""
        return LoadedWorld(self.world, self.backend)

    def base(self, seed: int) -> Array:
        """Base latent w_0 [L,W] of a seed."""
        return self.loaded.seed_bank.base(seed, PSI, 0.0, None, 0.0)

    def play(self, sound: Array, seed: int, **changes: float | str) -> Array:
        """Style codes [T,L,W] of the world as it plays a sound, without drift and travel."""
        return np.stack(
            play(self.world, self.backend, sound, self.seconds, look__seed=seed, look__drift=0.0, **changes)
        )

    def embeddings(self, sound: Array) -> Array:
        """F_a(x) every 250 ms, [N,D]: of the (at most) four seconds before."""
        mel, embed = log_mel(self.cut(sound)), open_sound_encoder(self.world)
        points = [round(t * SAMPLE_RATE / HOP) for t in np.arange(0.25, self.seconds + 1e-6, 0.25)]
        padded = np.concatenate([np.zeros((BANDS, SOUND_COLUMNS), np.float32), mel], axis=1)
        return np.stack(
            [embed(last_columns(padded, SOUND_COLUMNS + min(p, mel.shape[1]), SOUND_COLUMNS)) for p in points]
        )


def static(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """The base latent, which does not move."""
    return np.repeat(playback.base(seed)[None], playback.frames, 0)


def ours(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """The world as it plays."""
    return playback.play(stimulus.sound, seed)


def without_sound(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """The world in silence."""
    return playback.play(np.zeros(SAMPLE_RATE, np.float32), seed)


def wrong_sound(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """The world as it plays a recording of another class."""
    return playback.play(stimulus.wrong, seed)


def film(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """A film as `sonorama render` makes it: with modulators on onsets and bass, sway, and look-ahead."""
    return _film(playback, stimulus.sound, seed)


def film_of_wrong_sound(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """The same of a recording of another class."""
    return _film(playback, stimulus.wrong, seed)


def _film(playback: Playback, sound: Array, seed: int) -> Array:
    values: dict[str, object] = {path: one.default for path, one in FILM.items()}
    values |= {LOOK_SEED: seed, LOOK_TRAVEL: 0.0, LOOK_DRIFT: 0.0}
    render = OfflineRender(playback.world, values, Fraction(FPS), playback.backend, math.inf)
    return np.stack([*render.codes([playback.cut(sound)], playback.frames)])


def loudness(playback: Playback, sound: Array) -> Array:
    """Level of each frame's last 50 ms, [T], 0 to 1 for the loudest."""
    x, n = playback.cut(sound), SAMPLE_RATE // 20
    ends = [round((t + 1) / FPS * SAMPLE_RATE) for t in range(playback.frames)]
    level = np.array([np.sqrt(np.mean(x[max(0, e - n) : e] ** 2) + 1e-12) for e in ends], np.float32)
    return level / max(float(level.max()), 1e-6)


def amplitude_walk(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """A walk from w_0 along one random direction, as far as the sound is loud; on average as far as ours goes."""
    base, std = playback.base(seed), playback.world.tensors["generator.mapping.w_std"]
    direction = np.random.default_rng(seed).standard_normal(base.shape[1]).astype(np.float32)
    way = loudness(playback, stimulus.sound)[:, None, None] * direction * std
    far = ours(playback, stimulus, seed) - base
    return base + way * np.sqrt(np.mean((far / std) ** 2) / max(float(np.mean((way / std) ** 2)), 1e-12))


def nearest_seeds(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """TräumerAI-like (Jeong et al. 2021): every window of sound is mapped to style codes, here those of the bank's
    pictures that are nearest in the joint space, and smoothed over a second. Without w_0, so it keeps no place.
    """
    bank = playback.loaded.seed_bank
    codes = bank_part(playback.world.tensors, "codes")
    if codes is None:
        raise ValueError("the world has no codes of its seeds' pictures")
    windows = playback.embeddings(stimulus.sound)
    score = windows @ codes.astype(np.float32).T
    mapped = []
    for row in score:
        best = np.argsort(-row)[:NEAREST]
        weight = np.exp(20 * (row[best] - row[best].max()))
        ws = np.stack([bank.base(int(i), PSI, 0.0, None, 0.0) for i in best])
        mapped.append(np.tensordot((weight / weight.sum()).astype(np.float32), ws, 1))
    at = np.minimum(np.arange(playback.frames) * 4 // FPS, len(mapped) - 1)
    path = np.stack([mapped[i] for i in at])
    kernel = np.hanning(FPS + 2)[1:-1].astype(np.float32)
    kernel /= kernel.sum()
    padded = np.concatenate([np.repeat(path[:1], FPS // 2, 0), path, np.repeat(path[-1:], FPS // 2, 0)])
    return np.stack([np.tensordot(kernel, padded[t : t + FPS], 1) for t in range(playback.frames)]).astype(np.float32)


def level_alone(level: Level) -> Condition:
    """Fig. 7: only one level follows the sound."""
    return lambda playback, stimulus, seed: playback.play(stimulus.sound, seed, **{f"motion__{level}__solo": True})


def reach(factor: float) -> Condition:
    """Sec. 5: how far the learned motion may go against how well the place is kept. kappa of every level times
    `factor`.
    """
    limits = {f"motion__{level}__kappa": factor * float(TABLE[motion(level, "kappa")].default) for level in LEVELS}
    return lambda playback, stimulus, seed: playback.play(stimulus.sound, seed, **limits)


def literal(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """Eq. 4 with the authors' residual, which sums up, instead of the anchored motion."""
    return playback.play(stimulus.sound, seed, motion__mode="literal")


def heard_once(playback: Playback, stimulus: Stimulus, seed: int) -> Array:
    """E_a hears the sound once, as in the authors' released code: the displacement of its loudest second all the time,
    while E_RNN goes on.
    """
    mel = log_mel(playback.cut(stimulus.sound))
    loud = mel.mean(0)
    ends = range(min(ENCODER_COLUMNS, mel.shape[1]), mel.shape[1] + 1)
    end = max(ends, key=lambda e: float(loud[max(0, e - ENCODER_COLUMNS) : e].mean()))
    loaded, base = playback.loaded, playback.base(seed)
    request = Request(0, 0, last_columns(mel, end, ENCODER_COLUMNS), last_columns(mel, end, SOUND_COLUMNS))
    answer = loaded.sound_networks.evaluate(request, None)
    heard = Displacement(answer.displacement, answer.presence, answer.classes)
    values: dict[str, object] = {path: one.default for path, one in TABLE.items()}
    displacement, state, codes = loaded.meaning_mixer(values, heard), loaded.rest(), []
    for _ in range(playback.frames):
        state = advance_motion(
            loaded.space, values, state, base, displacement, heard.presence, seed, playback.backend.step_rnn
        )
        w, state = style_codes(loaded.space, values, state, base, displacement, 1.0, FPS)
        codes.append(w)
    return np.stack(codes)


CONDITIONS: Mapping[str, Condition] = {
    "static": static,
    "amplitude walk": amplitude_walk,
    "TräumerAI-like": nearest_seeds,
    "without sound": without_sound,
    "wrong sound": wrong_sound,
    "ours": ours,
    "film, wrong sound": film_of_wrong_sound,
    "film": film,
}
"""Name -> style codes [T,L,W] for a stimulus at a seed."""
ABLATIONS: Mapping[str, Mapping[str, Condition]] = {
    "levels": {f"{level} alone": level_alone(level) for level in LEVELS} | {"ours": ours},
    "mode": {"literal": literal, "ours": ours},
    "once": {"heard once": heard_once, "ours": ours},
    "kappa": {f"kappa x {factor:g}": reach(factor) for factor in (0, 0.5, 1, 2, 3)},
}
"""Ablations of a world as it is; those that need another training are in training/ablation.py."""
