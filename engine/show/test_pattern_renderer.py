"""The test card in the renderer's place: it paints the inner frame map from a thread of the show."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from fractions import Fraction

from ..errors import SonoramaError
from ..ipc.frame_map import FrameMapWriter
from ..picture.test_pattern import TestPattern


class TestPatternRenderer:
    """Draws a test card at a rate, for ever.

    Args:
        inner: name of the frame map.
        size: (width, height) px, asked for at every frame.
        fps: asked for at every frame.
        sample: the newest sample, asked for at every frame.

    """

    def __init__(
        self,
        inner: str,
        size: Callable[[], tuple[int, int]],
        fps: Callable[[], Fraction],
        sample: Callable[[], int],
    ) -> None:
        self._map, self._card = FrameMapWriter(inner, *size()), TestPattern(*size())
        self._size, self._fps, self._sample = size, fps, sample
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="test-card", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def playing(self) -> bool:
        """Whether it draws."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End it."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        self._map.close()

    def _run(self) -> None:
        frame, due = 0, time.monotonic()
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            fps, size = self._fps(), self._size()
            if size != self._map.size:
                self._resize(size)
            self._map.publish(self._card.draw(frame, float(fps)), time.monotonic_ns(), frame, sample=self._sample())
            frame, due = frame + 1, max(due, time.monotonic() - 1.0) + float(1 / fps)

    def _resize(self, size: tuple[int, int]) -> None:
        with contextlib.suppress(SonoramaError):  # no room: the card stays as large as it is
            self._map.resize(*size)
            self._card = TestPattern(*size)
