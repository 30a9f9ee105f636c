"""The test pattern as a renderer: it paints the inner frame map from a thread of the show."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from ..control.addresses import ENGINE_FPS
from ..control.parameters import Change, Value
from ..errors import SonoramaError
from ..ipc.channel import Peer
from ..ipc.frame_map import FrameMapWriter
from ..ipc.shared_paths import inner_name
from ..picture.scale import output_size
from ..picture.test_pattern import LEAST_SIDE, TestPattern
from ..pipeline.frame_grid import exact_rate

SIZE = (512, 512)
"""(width, height) in px, unless /out/width and /out/height say otherwise."""


class TestPatternRenderer:
    """Draws the test pattern at the show's frame rate; a Renderer.

    Args:
        name: of the show.
        values: of all parameters; its size and rate are read at every frame.
        sample: gives the newest sample, asked for at every frame.

    Attributes:
        pid: of this process.
        restarts, loading, failed, peer: it has no process that could restart, load, fail to begin or connect.

    """

    restarts = 0
    loading: tuple[str, ...] = ()
    failed: tuple[str, str] | None = None
    peer: Peer | None = None

    def __init__(self, name: str, values: Mapping[str, Value], sample: Callable[[], int]) -> None:
        self._name, self._values, self._sample = name, values, sample
        self._map: FrameMapWriter | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="test-pattern", daemon=True)
        self.pid = os.getpid()

    def start(self) -> None:
        """Make the inner frame map and draw into it.

        Raises:
            SonoramaError: it cannot be made.

        """
        self._map = FrameMapWriter(inner_name(self._name), *self._size())
        self._thread.start()

    @property
    def playing(self) -> bool:
        """Whether it draws."""
        return self._thread.is_alive()

    def join(self, peer: Peer) -> None:
        """Disconnect a renderer process: this show has started none."""
        peer.close()

    def poll(self) -> None:
        """Do nothing: it reports nothing, and its thread needs no supervision."""

    def ask(self, changes: Iterable[Change]) -> None:
        """Do nothing: it reads the values that it follows."""

    def close(self) -> None:
        """Stop drawing and remove the inner frame map; may be called twice."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        if self._map is not None:
            self._map.close()

    def _size(self) -> tuple[int, int]:
        width, height = output_size(self._values, SIZE)
        return max(width, LEAST_SIDE), max(height, LEAST_SIDE)  # smaller ones are made from it

    def _run(self) -> None:
        if self._map is None:
            raise RuntimeError("start makes the map")
        pattern, frame, due = TestPattern(*self._map.size), 0, time.monotonic()
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            fps = exact_rate(float(self._values[ENGINE_FPS]))
            if (size := self._size()) != self._map.size:
                with contextlib.suppress(SonoramaError):  # no room: the pattern keeps its size
                    self._map.resize(*size)
                    pattern = TestPattern(*size)
            self._map.publish(pattern.draw(frame, float(fps)), time.monotonic_ns(), frame, sample=self._sample())
            frame, due = frame + 1, max(due, time.monotonic() - 1.0) + float(1 / fps)
