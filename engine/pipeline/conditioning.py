"""The sound conditioner: samples in, sound displacements E_a(x) out, on fixed grids of sample indices.

E_a is evaluated every 100 ms of sound, F_a every 244 ms (where it listens by frames) or 250 ms, always on the samples
before that point, whatever the chunks were. So live, batch and replay agree to the bit.

Live, both run in a worker (conditioning_worker.py), which begins as soon as the sound of a grid point has arrived,
ahead of the frame that needs it. If an answer is late, the point takes the newest one that has come instead. Which one
that was does not follow from the sound: it is recorded (`late`), and whoever plays the same sound again is told
(`held`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..model.mel import BANDS, ENCODER_COLUMNS, HOP, SOUND_COLUMNS, MelStream, last_columns
from ..units import SAMPLE_RATE, Array
from .conditioning_worker import Answer, ConditioningWorker, Request, SoundNetworks
from .meaning_mixer import Displacement

ENCODER_STEP = SAMPLE_RATE // 10
POINTS = 256
"""Grid points of E_a that can be asked for: 25 s of sound."""
REMEMBERED = 8
"""Grid points of E_a that a snapshot keeps; `displacement_at` looks back two at most."""
SPARE_COLUMNS = 64
"""Kept beyond F_a's window: its grid point may lie 250 ms back, and a piece of sound is 100 ms long."""
Held = Mapping[int, int]
"""Grid points of E_a whose answer came too late -> the earlier grid point whose answer they took."""


class SoundConditioner:
    """Push mono samples at 44.1 kHz, ask for the sound displacement at a sample index.

    Args:
        networks: F_a and E_a.
        num_ws, w_dim: shape of the world's style codes.
        begin: the first sample that will be pushed; before it there was silence.
        held: of a performance that is played again.

    Attributes:
        samples: index of the next sample.
        code: F_a's newest answer, unit [D]; None before the first of E_a.
        patience_s: how long an answer is waited for, in seconds; None: as long as it takes, without a worker.
        late: (point, taken) of Held since whoever reads it emptied it.

    """

    def __init__(
        self, networks: SoundNetworks, num_ws: int, w_dim: int, begin: int = 0, held: Held | None = None
    ) -> None:
        self._networks, self._mel, self._held = networks, MelStream(begin % HOP), held or {}
        self._columns: Array = np.zeros((BANDS, 0), np.float32)
        self._first_column = begin // HOP
        self.samples = begin
        self.patience_s: float | None = None
        self.late: list[tuple[int, int]] = []
        self._worker: ConditioningWorker | None = None
        self._requests: dict[int, Request] = {}  # newer than the newest answer that was taken
        self._begin(num_ws, w_dim, begin // ENCODER_STEP - 1)

    def _begin(self, num_ws: int, w_dim: int, first: int) -> None:
        """Silence at and before grid point first + 1."""
        none = np.zeros((2, len(self._networks.vocabulary.classes)), np.float32)
        silent = Displacement(np.zeros((num_ws, w_dim), np.float32), 0.0, none)
        # displacements[i] belongs to grid point first + i.
        self._displacements: deque[Displacement] = deque([silent] * 2, maxlen=POINTS)
        self._first = first
        self._requested = first + 1
        self._newest = Answer(first + 1, -1, *silent, None)

    @property
    def code(self) -> Array | None:
        """See the class."""
        return self._newest.code

    @property
    def next_point(self) -> int:
        """Sample index of the next grid point of E_a."""
        return (self._requested + 1) * ENCODER_STEP

    @property
    def behind(self) -> int:
        """Grid points between the newest one and the one whose answer it took; 0 as a rule."""
        return self._first + len(self._displacements) - 1 - self._newest.point

    # --- sound in

    def push(self, samples: Array) -> None:
        """Take more sound: float32 [n], n up to ENCODER_STEP; asks for a grid point that is reached."""
        self._columns = np.concatenate([self._columns, *self._new_columns(self._mel, samples)], axis=1)
        self.samples += len(samples)
        while self.next_point <= self.samples:
            self._requested += 1
            request = self._request(self._requested, self._columns)
            self._requests[request.point] = request
            if self.patience_s is not None:
                self._submit(request)
        spare = self._columns.shape[1] - SOUND_COLUMNS - SPARE_COLUMNS
        if spare > 0:
            self._columns = self._columns[:, spare:]
            self._first_column += spare

    def prepare(self, samples: Array) -> None:
        """Have the worker begin with the next grid point, to which `samples` [n] reach, before they are pushed. It has
        no effect but on time: where other samples are pushed, it is asked again.
        """
        if self.patience_s is None or self.samples + len(samples) != self.next_point:
            return
        mel = MelStream()
        mel.rest = self._mel.rest
        columns = np.concatenate([self._columns, *self._new_columns(mel, samples)], axis=1)
        self._submit(self._request(self._requested + 1, columns))

    def _new_columns(self, mel: MelStream, samples: Array) -> list[Array]:
        # Column by column: transforms and products of other shapes round differently, and a replay cuts elsewhere.
        first = HOP - self.samples % HOP
        return [mel.push(piece) for piece in np.split(samples, range(first, len(samples), HOP))]

    def _request(self, point: int, columns: Array) -> Request:
        sample = point * ENCODER_STEP
        step = self._networks.sound_step
        sound_point = sample // step
        window = last_columns(columns, sample // HOP - self._first_column, ENCODER_COLUMNS)
        sound = last_columns(columns, sound_point * step // HOP - self._first_column, SOUND_COLUMNS)
        return Request(point, sound_point, window, sound)

    def _submit(self, request: Request) -> None:
        if self._worker is None:
            self._worker = ConditioningWorker(self._networks)
        if (dropped := self._worker.submit(request)) is not None and dropped.point != request.point:
            self._requests.pop(dropped.point, None)

    def window(self, sample: int, width: int) -> Array:
        """The last `width` columns that end at or before `sample`: [BANDS,width]."""
        return last_columns(self._columns, sample // HOP - self._first_column, width)

    # --- displacements out

    def displacement_at(self, sample: int) -> Displacement:
        """What the sound makes of the picture at a sample index, between the last two grid points before it (a fixed
        lag of 100 ms). The index must have been pushed already and be less than 25 seconds old.
        """
        point, rest = divmod(sample, ENCODER_STEP)
        self.point(point)
        a, b = (self._displacements[point + k - self._first] for k in (-1, 0))
        part = np.float32(rest / ENCODER_STEP)
        codes = (a.codes + part * (b.codes - a.codes)).astype(np.float32)
        presence = a.presence + float(part) * (b.presence - a.presence)
        return Displacement(codes, presence, (a.classes + part * (b.classes - a.classes)).astype(np.float32))

    def point(self, point: int) -> Displacement:
        """The displacement at grid point `point`, sample point * ENCODER_STEP, without that lag."""
        while self._first + len(self._displacements) <= point:
            self._take(self._answer(self._first + len(self._displacements)))
        return self._displacements[point - self._first]

    def _take(self, answer: Answer) -> None:
        """What the next grid point is from now on."""
        if len(self._displacements) == self._displacements.maxlen:
            self._first += 1
        self._displacements.append(Displacement(answer.displacement, answer.presence, answer.classes))
        self._newest = answer
        self._requests = {point: request for point, request in self._requests.items() if point > answer.point}

    def _answer(self, point: int) -> Answer:
        if (taken := self._held.get(point)) is not None:
            return self._evaluate(self._requests[taken]) if taken in self._requests else self._newest
        if self.patience_s is None or self._worker is None:
            return self._evaluate(self._requests[point])
        answer = self._in_time(self._worker, self._requests[point], self.patience_s)
        if answer.point != point:
            self.late.append((point, answer.point))
        return answer

    def _in_time(self, worker: ConditioningWorker, request: Request, patience_s: float) -> Answer:
        """The newest answer that has come; networks that take longer than `patience_s` are not waited for at all."""
        done = worker.answers(request, patience_s if worker.took_s <= patience_s else 0.0)
        valid = [answer for asked, answer in done if asked.same(self._requests.get(asked.point))]
        return max(valid, key=lambda answer: answer.point, default=self._newest)

    def _evaluate(self, request: Request) -> Answer:
        known = self._newest
        return self._networks.evaluate(request, known.code if known.sound_point == request.sound_point else None)

    def use(self, networks: SoundNetworks, num_ws: int, w_dim: int) -> None:
        """Use another world's networks from now on; the last two grid points are evaluated again, and waited for."""
        self._networks = networks
        self.close()
        self._requests.clear()
        point = self.samples // ENCODER_STEP
        self._begin(num_ws, w_dim, point - 3)
        self._requested = point
        for at in (point - 1, point):
            silent = Answer(at, -1, *self._displacements[0], None)
            self._take(self._evaluate(self._request(at, self._columns)) if at > 0 else silent)

    def close(self) -> None:
        """End the worker; another one begins when it is needed."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    # --- state

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything it knows, for `restore`."""
        kept = list(self._displacements)[-REMEMBERED:]
        first = self._first + len(self._displacements) - len(kept)
        newest, asked = self._newest, list(self._requests.values())
        numbers = [self.samples, self._first_column, first, newest.sound_point + 1, self._requested, newest.point]
        numbers += [self._networks.sound_step]
        return {
            "numbers": np.array(numbers, np.int64),
            "columns": self._columns,
            "rest": self._mel.rest,
            "heard": np.stack([one.codes for one in kept]),
            "there": np.array([one.presence for one in kept]),
            "classes": np.stack([one.classes for one in kept]),
            "code": np.zeros(0, np.float32) if newest.code is None else newest.code,
            "asked": np.array([request.point for request in asked], np.int64),
            "asked.windows": np.array([request.window for request in asked], np.float32),
            "asked.sounds": np.array([request.sound for request in asked], np.float32),
        }

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on as the one that gave `state`, with the networks of the same world."""
        numbers = state["numbers"].tolist()
        self.samples, self._first_column, self._first, next_sound = numbers[:4]
        self._columns, self._mel.rest = (np.array(state[name], np.float32) for name in ("columns", "rest"))
        codes, presence = np.array(state["heard"], np.float32), state["there"].tolist()
        classes = np.array(state.get("classes", np.zeros((len(codes), *self._newest.classes.shape))), np.float32)
        self._displacements = deque(map(Displacement, codes, presence, classes), maxlen=POINTS)
        last = self._first + len(codes) - 1
        self._requested, newest = numbers[4:6] or (last, last)  # states of earlier versions end here
        if numbers[6:] != [self._networks.sound_step]:  # of an earlier version, on another grid
            next_sound = 0
        code = np.array(state["code"], np.float32) if len(state["code"]) else None
        self._newest = Answer(newest, next_sound - 1, *self._displacements[-1], code)
        self._requests, step = {}, self._networks.sound_step
        for point, window, sound in zip(*(state.get(name, ()) for name in ASKED), strict=True):
            request = Request(int(point), int(point) * ENCODER_STEP // step, *map(_float32, (window, sound)))
            self._requests[request.point] = request


ASKED = ("asked", "asked.windows", "asked.sounds")


def _float32(array: npt.NDArray[np.generic]) -> Array:
    return np.array(array, np.float32)
