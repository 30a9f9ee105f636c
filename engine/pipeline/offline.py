"""Renders a whole sound frame by frame, with values that stay the same.

The result does not depend on how the sound is cut into blocks, and memory does not grow with its length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..control.addresses import LOOK_PROMPT, LOOK_TEXT, modulator
from ..control.live_table import FILM, MODULATORS
from ..control.parameters import Value
from ..control.pending_load import PROMPTS
from ..errors import WorldError
from ..inference.backend import Backend
from ..model.world_file import World
from ..units import Array
from .film_pipeline import FilmPipeline
from .frame_pipeline import FramePipeline, FrameResult
from .latent_motion import StyleSpace
from .loaded_world import LoadedWorld
from .prompt import logged_prompt_seed


@dataclass(frozen=True)
class OfflineRender:
    """A render of one world with fixed values.

    values: effective value of every parameter of the table. fps: frames a second, exact. backend: where the
    networks run. look_ahead_s: how much of the sound that comes a frame may know, in seconds; 0: none, as live;
    infinite: as much as helps (film_pipeline.py).
    """

    world: World
    values: Mapping[str, object]
    fps: Fraction
    backend: Backend
    look_ahead_s: float = 0.0

    @cached_property
    def instrument(self) -> LoadedWorld:
        """The world on its backend."""
        return LoadedWorld(self.world, self.backend)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames, px."""
        return self.instrument.size

    def space(self) -> StyleSpace:
        """The latent space of this world."""
        return self.instrument.space

    def prompt_seed(self) -> int | None:
        """The bank's seed for /look/text; None without a prompt."""
        text = str(self.values[LOOK_TEXT]).strip()
        return logged_prompt_seed(self.world, text) if text else None

    def codes(self, blocks: Iterable[Array], n_frames: int) -> Iterator[Array]:
        """Style codes w_hat [L,W] of every frame; see `steps`."""
        return (step.w for step in self.steps(blocks, n_frames))

    def steps(self, blocks: Iterable[Array], n_frames: int) -> Iterator[FrameResult]:
        """Every frame before it is painted: mono float32 blocks at 44.1 kHz -> n_frames results.

        Frame t follows the sound before t / fps. After the sound's end there is silence.

        Raises:
            WorldError: a code is not here, or belongs to another world.

        """
        pipeline, sound = self._pipeline(), _Sound(blocks)
        for _ in range(n_frames):
            yield pipeline.step(sound.take(pipeline.missing))

    def codes_without(self, blocks: Iterable[Array], n_frames: int, skipped: Container[int]) -> Iterator[Array | None]:
        """Style codes [L,W] of every frame, None for those that are skipped, by index; with look-ahead these cost
        less. The others are those of `codes`, to the bit; errors are the same.
        """
        pipeline, sound = self._pipeline(), _Sound(blocks)
        for index in range(n_frames):
            heard = sound.take(pipeline.missing)
            if index in skipped:
                pipeline.skip(heard)
                yield None
            else:
                yield pipeline.step(heard).w

    def _pipeline(self) -> FramePipeline:
        start = self._start()
        if self.look_ahead_s <= 0:
            pipeline = FramePipeline(lambda _world, _device: self.instrument, start, self.fps)
        else:
            pipeline = FilmPipeline(lambda _world, _device: self.instrument, start, self.fps, self.look_ahead_s)
        for fault in pipeline.base.faults:
            raise WorldError(fault.replace("; the seed plays", ""), "Give its world with --world, or another code.")
        return pipeline

    def _start(self) -> dict[str, Value]:
        """Values of a show's table for a film; the modulators of a show are off unless the film has its own."""
        prompt = self.prompt_seed()
        still: dict[str, Value] = {modulator(number, "source"): "off" for number in range(1, MODULATORS + 1)}
        film = {path: _value(value) for path, value in self.values.items() if path in FILM}
        return {**still, **film, LOOK_PROMPT: -1 if prompt is None else prompt, **self._point_seeds()}

    def _point_seeds(self) -> dict[str, Value]:
        """Seeds for the texts at points of the blend surface."""
        texts = {found: str(self.values.get(path, "")).strip() for path, found in PROMPTS.items() if path != LOOK_TEXT}
        return {found: logged_prompt_seed(self.world, text) for found, text in texts.items() if text}

    def frames(self, blocks: Iterable[Array], n_frames: int) -> Iterator[Array]:
        """Pictures float32 [H,W,3] in 0..1, row 0 on top."""
        return (picture for picture in self.paint(self.codes(blocks, n_frames)) if picture is not None)

    def paint(self, codes: Iterable[Array | None]) -> Iterator[Array | None]:
        """Style codes -> pictures in the same order; None stays None. Pictures do not depend on each other, so as many
        are painted at once as the backend likes, while the caller goes on with the sound and writes.
        """
        waiting: deque[Future[Array] | None] = deque()
        with ThreadPoolExecutor(self.backend.painters) as pool:
            try:
                for w in codes:
                    waiting.append(None if w is None else pool.submit(self.backend.synthesize, w))
                    if len(waiting) > 2 * self.backend.painters:
                        yield _done(waiting.popleft())
                while waiting:
                    yield _done(waiting.popleft())
            finally:  # a signal ends a film within a picture's time
                pool.shutdown(wait=False, cancel_futures=True)


def _done(future: Future[Array] | None) -> Array | None:
    return None if future is None else future.result()


def _value(value: object) -> Value:
    if isinstance(value, float | int | bool | str):
        return value
    raise TypeError(f"{value!r} is no value of a parameter")


class _Sound:
    """Blocks of any size, taken in pieces of any size; silence after the last block."""

    def __init__(self, blocks: Iterable[Array]) -> None:
        self._blocks, self._rest = iter(blocks), np.zeros(0, np.float32)

    def take(self, n: int) -> Array:
        """The next `n` samples."""
        if len(self._rest) >= n:  # a view: long blocks are not copied for every frame
            sound, self._rest = self._rest[:n], self._rest[n:]
            return sound
        pieces, have = [self._rest], len(self._rest)
        while have < n:
            pieces.append(next(self._blocks, np.zeros(n - have, np.float32)))
            have += len(pieces[-1])
        sound = np.concatenate(pieces)
        self._rest = sound[n:]
        return sound[:n]
