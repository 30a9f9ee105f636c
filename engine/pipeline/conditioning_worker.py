"""Evaluates F_a and E_a (eq. 1) at a grid point of the sound; live in a thread of its own, so that slow networks cannot
delay a frame.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np

from ..inference.backend import Backend
from ..model.joint_space import Vocabulary
from ..units import SAMPLE_RATE, Array
from .meaning_mixer import class_weights


@dataclass(frozen=True, eq=False)
class Request:
    """What the networks are asked at a grid point of E_a.

    Attributes:
        point: index on the grid of E_a.
        sound_point: index on the grid of F_a, at or before it.
        window: the mel window of E_a, log-mel [128,88], which ends at `point`.
        sound: the mel window of F_a, log-mel [128,344], which ends at `sound_point`.

    """

    point: int
    sound_point: int
    window: Array
    sound: Array

    def same(self, other: Request | None) -> bool:
        """Whether the answer must be the same."""
        return (
            other is not None
            and self.point == other.point
            and np.array_equal(self.window, other.window)
            and np.array_equal(self.sound, other.sound)
        )


@dataclass(frozen=True, eq=False)
class Answer:
    """What the networks answered.

    Attributes:
        point, sound_point: of the request.
        displacement: E_a(x) [L,W].
        presence: 0..1.
        classes: how the sound divides among the world's classes, and how far it moves the picture towards each [2,K].
        code: sound embedding F_a(x), unit [D]; None before the sound begins.

    """

    point: int
    sound_point: int
    displacement: Array
    presence: float
    classes: Array
    code: Array | None


NO_WORDS = Vocabulary((), (), np.zeros((0, 0), np.float32), 1.0)


SOUND_STEP = SAMPLE_RATE // 4
"""Samples after which F_a is asked again where it does not listen by frames."""


@dataclass(frozen=True)
class SoundNetworks:
    """F_a and E_a of a world. backend: runs them; vocabulary: says what a sound embedding means; sound_step: samples
    after which F_a is asked again.
    """

    backend: Backend
    vocabulary: Vocabulary = NO_WORDS
    sound_step: int = SOUND_STEP

    def evaluate(self, request: Request, code: Array | None = None) -> Answer:
        """Ask both. code: F_a's answer for the request's `sound`, where it is known already."""
        if code is None:
            code = self.backend.embed_sound(request.sound)
        displacement, presence = self.backend.invert_sound(request.window, code)
        if (strength := self.vocabulary.strength(code)) != 1.0:
            displacement = displacement * np.float32(strength)
        shares = self.vocabulary.shares(code)
        classes = np.stack([shares, class_weights(shares, strength * presence, request.window)])
        return Answer(request.point, request.sound_point, displacement, presence, classes, code)


class ConditioningWorker:
    """One thread that evaluates one request at a time; of those that wait only the newest stays.

    Args:
        networks: asked in that thread.

    Attributes:
        took_s: seconds that the last evaluation took.

    """

    def __init__(self, networks: SoundNetworks) -> None:
        self.took_s = 0.0
        self._networks = networks
        self._changed = threading.Condition()
        self._submitted: Request | None = None
        self._waiting: Request | None = None
        self._done: list[tuple[Request, Answer]] = []
        self._error: Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="conditioning", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> Request | None:
        """Have a request evaluated, unless the last one was the same.

        Returns:
            the request that waited and is dropped for it.

        """
        if request.same(self._submitted):
            return None
        with self._changed:
            dropped, self._submitted, self._waiting = self._waiting, request, request
            self._changed.notify_all()
        return dropped

    def answers(self, request: Request, timeout_s: float) -> list[tuple[Request, Answer]]:
        """What was answered since the last call, with the requests. Waits for `request`, at most `timeout_s`.

        Raises:
            Exception: what the backend raised.

        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or any(request.same(r) for r, _ in self._done), timeout_s)
            if self._error is not None:
                raise self._error
            done, self._done = self._done, []
        return done

    def close(self) -> None:
        """End the thread, once the networks have answered."""
        with self._changed:
            self._closing, self._waiting = True, None
            self._changed.notify_all()

    def _run(self) -> None:
        sound, code = None, None
        while (request := self._next()) is not None:
            began = time.monotonic()
            known = code if sound is not None and np.array_equal(sound, request.sound) else None
            try:
                answer = self._networks.evaluate(request, known)
            except Exception as error:  # noqa: BLE001 (raised again in the frame loop, where it would have been raised)
                self._finish(None, error)
                return
            sound, code = request.sound, answer.code
            self.took_s = time.monotonic() - began
            self._finish((request, answer), None)

    def _next(self) -> Request | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._waiting is not None)
            request, self._waiting = self._waiting, None
            return None if self._closing else request

    def _finish(self, done: tuple[Request, Answer] | None, error: Exception | None) -> None:
        with self._changed:
            self._error = error
            if done is not None:
                self._done.append(done)
            self._changed.notify_all()
