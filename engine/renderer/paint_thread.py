"""The paint thread: synthesizes the picture of the newest style codes and publishes it in the inner frame map.

While a picture is painted, newer style codes replace those that wait, so a slow device shows fewer pictures, but never
old ones. Where a device can paint a picture while the one before is copied, and style codes wait, effects, scaling and
publishing of a picture happen beside the painting of the next.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..control.addresses import OUT_FIT
from ..errors import SonoramaError, one_line_error
from ..faults import Faults
from ..ipc.frame_map import FrameMapWriter
from ..picture.effects import PictureEffects
from ..picture.scale import output_size, scaler
from ..picture.to_rgba8 import rgba8
from ..plugins.interfaces import PixelPainter
from ..units import Pixels

if TYPE_CHECKING:
    from ..pipeline.frame_pipeline import FrameResult
    from ..pipeline.loaded_world import LoadedWorld

REMEMBERED_S = 2.0
MEDIAN_OF, FEWEST = 64, 30
"""Pictures whose median is told, and without which nothing is said of the slow ones."""
STUCK_S = 30.0
"""Seconds that one picture may take; after that the device counts as hanging."""


class PaintThread:
    """Paints into the frame map `name` from a thread of its own.

    Attributes:
        replaced: style codes that were not painted because newer ones came.

    """

    def __init__(self, name: str, faults: Faults) -> None:
        self._name, self._faults = name, faults
        self._map: FrameMapWriter | None = None
        self._waiting: deque[tuple[FrameResult, int]] = deque(maxlen=1)
        self._bell = threading.Event()
        self._closing = False
        self._published: deque[float] = deque(maxlen=512)
        self._seconds: deque[float] = deque(maxlen=120)
        self._painted_by: LoadedWorld | None = None
        self._scaler = (((0, 0), (0, 0), 0, ""), scaler((1, 1), (1, 1)))
        self._painting_since: float | None = None
        self._effects = PictureEffects()
        self.replaced = 0
        self._thread = threading.Thread(target=self._run, name="painter", daemon=True)
        self._thread.start()

    def offer(self, step: FrameResult, due_ns: int) -> None:
        """Paint this next. Never waits."""
        if self._waiting:
            self.replaced += 1
        self._waiting.append((step, due_ns))
        self._bell.set()

    @property
    def stuck(self) -> bool:
        """Whether the present picture has taken longer than STUCK_S."""
        since = self._painting_since
        return since is not None and time.monotonic() - since > STUCK_S

    @property
    def fps(self) -> float:
        """Pictures a second, over the last two seconds."""
        now = time.monotonic()
        return sum(now - at <= REMEMBERED_S for at in list(self._published)) / REMEMBERED_S

    @property
    def paint_ms(self) -> float:
        """Median milliseconds from style codes to the published picture, of the last 64 painted by this backend."""
        seconds = sorted(list(self._seconds)[-MEDIAN_OF:])
        return 1000 * seconds[len(seconds) // 2] if seconds else 0.0

    @property
    def slow_ms(self) -> float:
        """What 95 in 100 of the last 120 pictures took at most, milliseconds; 0 while there are too few to say."""
        seconds = sorted(self._seconds)
        return 1000 * seconds[len(seconds) * 95 // 100] if len(seconds) >= FEWEST else 0.0

    def close(self) -> None:
        """End after the present picture and remove the map."""
        self._closing = True
        self._bell.set()
        self._thread.join(5.0)
        if self._map is not None and not self._thread.is_alive():
            self._map.close()

    def _run(self) -> None:
        while not self._closing:
            self._bell.wait()
            self._bell.clear()
            self._paint_waiting()
            self._painting_since = None

    def _paint_waiting(self) -> None:
        """Paint until nothing waits; a picture that is ready is finished when the next one has been begun."""
        begun: _Begun | None = None
        while (self._waiting or begun) and not self._closing:
            self._painting_since = time.monotonic()
            following = _Begun(*self._waiting.popleft()) if self._waiting else None
            if following is not None and following.ahead:
                self._tried(following.begin)
            if begun is not None:
                self._tried(begun.finish, self._publish)
            begun = following
            if following is not None and not following.ahead:
                self._tried(following.finish, self._publish)
                begun = None

    def _tried(self, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 (the show keeps the picture before; the next must be tried)
            self._faults.note("paint", f"A picture could not be painted: {one_line_error(error)}", error)

    def _publish(self, step: FrameResult, due_ns: int, painted: Pixels, began: float) -> None:
        picture = self._effects.apply(painted, step.values, step.sample)
        self._map = self._fitting(self._map, output_size(step.values, step.instrument.size))
        pixels = self._sized(picture, self._map.size, step.instrument.world.card.inset, str(step.values[OUT_FIT]))
        self._map.publish(pixels, due_ns, step.frame, sample=step.sample, lift=step.lift)
        now = time.monotonic()
        if step.instrument is not self._painted_by:
            self._painted_by = step.instrument
            self._seconds.clear()
        self._seconds.append(now - began)
        self._published.append(now)

    def _fitting(self, frame_map: FrameMapWriter | None, size: tuple[int, int]) -> FrameMapWriter:
        """A frame map of that size; the present one if there is no room for another."""
        if frame_map is None:
            return FrameMapWriter(self._name, *size)
        if frame_map.size != size:
            try:
                frame_map.resize(*size)
            except SonoramaError as error:
                self._faults.note("size", error.message)
        return frame_map

    def _sized(self, pixels: Pixels, size: tuple[int, int], inset: int, fit: str) -> Pixels:
        wanted = (pixels.shape[1], pixels.shape[0]), size, inset, fit
        if self._scaler[0] != wanted:
            self._scaler = (wanted, scaler(*wanted))
        return self._scaler[1](pixels)


class _Begun:
    """One picture on its way. ahead: whether its device can paint another one before this one is taken."""

    def __init__(self, step: FrameResult, due_ns: int) -> None:
        self._step, self._due_ns, self._began = step, due_ns, time.monotonic()
        self._wait: Callable[[], Pixels] = lambda: rgba8(step.picture())
        self.ahead = isinstance(step.instrument.backend, PixelPainter)

    def begin(self) -> None:
        """Let the device begin with it."""
        backend = self._step.instrument.backend
        if isinstance(backend, PixelPainter):
            self._wait = backend.begin_pixels(self._step.w)

    def finish(self, publish: Callable[[FrameResult, int, Pixels, float], None]) -> None:
        """Wait for the picture, and publish it."""
        publish(self._step, self._due_ns, self._wait(), self._began)
