"""A whole sound becomes a whole film: pulls samples, hears, moves, paints, frame after frame.

Nothing here depends on how the sound was cut into blocks, and memory does not grow with its length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from .backend import Backend
from .errors import WorldError
from .listen import Listener
from .model.bank import WALK_SECONDS, Places, bank_part, closest_seed
from .model.mel import RATE
from .model.weights import World
from .stepper import MotionState, Space, number, per_code, style_codes, tick

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Performance:
    """One world played with fixed values.

    values: effective value of every parameter of the table. fps: frames a second, exact. backend: where the
    networks run.
    """

    world: World
    values: Mapping[str, object]
    fps: Fraction
    backend: Backend

    @property
    def size(self) -> int:
        """Side of the frames in px."""
        return self.world.card.size

    def space(self) -> Space:
        """What the stepper knows of this world."""
        card, tensors = self.world.card, self.world.tensors
        w_avg, w_std = tensors["generator.mapping.w_avg"], tensors["generator.mapping.w_std"]
        return Space(card.level_codes(), card.num_ws, w_avg, w_std, card.motion_rate)

    def places(self) -> Places:
        """Where the film may start and walk."""
        card, anchors = self.world.card, bank_part(self.world.tensors, "anchors")
        w_avg = self.world.tensors["generator.mapping.w_avg"]
        return Places(self.backend.map, w_avg, card.num_ws, card.generator["z_dim"], anchors)

    def prompt_seed(self) -> int | None:
        """The bank's seed for /look/text; None without a prompt."""
        text = str(self.values["/look/text"]).strip()
        if not text:
            return None
        codes = bank_part(self.world.tensors, "codes")
        if codes is None:
            raise WorldError(f"{self.world.card.name}: this world knows no words", "leave out --text")
        from .model.joint import text_code

        return closest_seed(text_code(self.world, text), codes)

    def codes(self, blocks: Iterable[Array], n_frames: int) -> Iterator[Array]:
        """Style codes w_hat [L,W] of every frame: mono float32 blocks at 44.1 kHz -> n_frames arrays.

        Frame t shows what was heard before t / fps. After the sound's end there is silence.
        """
        space, places, prompt = self.space(), self.places(), self.prompt_seed()
        values, seed = self.values, int(number(self.values, "/look/seed"))
        listener = Listener(self.backend, space.num_ws, len(space.w_avg))
        ear = _Puller(blocks, listener, 10 ** (number(values, "/sound/gain") / 20))
        state = MotionState.rest(space, int(self.world.tensors["motion.levels.0.gru.weight_hh"].shape[1]))
        psi, weight = number(values, "/look/truncation"), number(values, "/look/text_weight")
        pace = number(values, "/look/drift") / WALK_SECONDS
        grid = RATE / space.motion_rate

        other = places.base(int(number(values, "/look/seed_b")), psi, 0.0, None, 0.0)
        mix = per_code(space, lambda level: number(values, f"/look/{level}/mix"))

        def base_at(sample: int) -> Array:
            here = places.base(seed, psi, pace * sample / RATE, prompt, weight)
            return (here + mix * (other - here)).astype(np.float32)

        for t in range(n_frames):
            sample = int(t * RATE / self.fps)
            ear.reach(sample)
            while round(state.tick * grid) <= sample:
                at = round(state.tick * grid)
                heard, there = listener.heard_at(at)
                state = tick(space, values, state, base_at(at), heard, there, seed, self.backend.recur)
            part = (sample - round((state.tick - 1) * grid)) / grid
            heard, _ = listener.heard_at(sample)
            w, state = style_codes(space, values, state, base_at(sample), heard, part, float(self.fps))
            yield w

    def frames(self, blocks: Iterable[Array], n_frames: int) -> Iterator[Array]:
        """Pictures float32 [H,W,3] in 0..1, row 0 on top."""
        return (picture for picture in self.paint(self.codes(blocks, n_frames)) if picture is not None)

    def paint(self, codes: Iterable[Array | None]) -> Iterator[Array | None]:
        """Style codes -> pictures in the same order; None stays None. Pictures do not depend on each other, so as many
        are painted at once as the backend likes, while the caller hears on and writes.
        """
        waiting: deque[Future[Array] | None] = deque()
        with ThreadPoolExecutor(self.backend.painters) as pool:
            for w in codes:
                waiting.append(None if w is None else pool.submit(self.backend.paint, w))
                if len(waiting) > 2 * self.backend.painters:
                    yield _done(waiting.popleft())
            while waiting:
                yield _done(waiting.popleft())


def _done(future: Future[Array] | None) -> Array | None:
    return None if future is None else future.result()


class _Puller:
    """Feeds a listener from blocks, just far enough; silence after the last block."""

    def __init__(self, blocks: Iterable[Array], listener: Listener, gain: float) -> None:
        self._pieces, self._listener, self._gain = _pieces(blocks), listener, np.float32(gain)

    def reach(self, sample: int) -> None:
        while self._listener.samples < sample:
            piece = next(self._pieces, None)
            if piece is None:
                piece = np.zeros(sample - self._listener.samples, np.float32)
            self._listener.push(piece * self._gain)


def _pieces(blocks: Iterable[Array]) -> Iterator[Array]:
    """Blocks of any size as pieces of at most a tenth of a second: the listener forgets after a few seconds."""
    for block in blocks:
        for start in range(0, len(block), RATE // 10):
            yield block[start : start + RATE // 10]
