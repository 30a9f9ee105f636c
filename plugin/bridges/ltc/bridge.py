"""Linear timecode as a bridge: the entry point `ltc` of `sonorama.bridges`."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Mapping

import numpy as np

from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import SonoramaError, one_line_error
from sonorama.engine.faults import Faults
from sonorama.engine.plugins.interfaces import Available, BridgePort
from sonorama.engine.units import Samples
from sonorama.engine.whole_numbers import whole_number

from ..show_timecode import ShowTimecode
from .decoder import Decoder

LOOK_S, PART_S = 0.05, 0.01
"""Seconds between two looks, and of sound that are decoded at once at least."""
MOST_WAITING = 1000
HEARD_S = 2.0
"""Seconds without a frame after which it is said that there is none."""


def probe() -> Available:
    """Nothing else is needed."""
    return Available("linear timecode on a channel of the input; ltc:2 for the second one")


class LtcBridge:
    """Decodes the timecode of a channel of the show's input, which is then no part of its sound.

    Args:
        argument: the channel, from 1.

    Raises:
        SonoramaError: none, or none that there can be.

    """

    once = True

    def __init__(self, argument: str) -> None:
        channel = whole_number(argument, 1, 256)
        if channel is None:
            raise SonoramaError(f"The bridge ltc: {argument!r} is no channel", "Count from 1: --bridge ltc:2")
        self._channel, self._said, self._faults = channel, "", Faults()
        self._blocks: queue.Queue[tuple[Samples, int, int]] = queue.Queue(MOST_WAITING)
        self._heard, self._closing = float("inf"), threading.Event()
        self._thread: threading.Thread | None = None
        self._decoder: tuple[int, Decoder] | None = None

    @property
    def facts(self) -> Mapping[str, Value]:
        """ltc_timecode: the last one that was decoded."""
        return {"ltc_timecode": self._said}

    def start(self, port: BridgePort) -> None:
        """Take the channel."""
        show = ShowTimecode(port, "ltc")
        port.take_channel(self._channel, self._take)
        self._heard = time.monotonic()
        self._thread = threading.Thread(target=self._run, args=(show,), name="ltc", daemon=True)
        self._thread.start()

    def faults(self) -> Iterable[str]:
        """Whether nothing can be decoded, and what went wrong."""
        silent = self._thread is not None and time.monotonic() - self._heard > HEARD_S
        return [*([f"No timecode on channel {self._channel}"] if silent else []), *self._faults.recent()]

    def stop(self) -> None:
        """End the thread."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None

    def _take(self, samples: Samples, rate: int, captured_ns: int) -> None:
        try:
            self._blocks.put_nowait((samples.copy(), rate, captured_ns))
        except queue.Full:
            self._faults.note("full", "Timecode is decoded too slowly; some was left out")

    def _run(self, show: ShowTimecode) -> None:
        while not self._closing.is_set():
            try:
                self._turn(show)
            except Exception as error:  # noqa: BLE001 (whatever a block does, the next one must be decoded)
                self._faults.note("ltc", f"A block of timecode was skipped: {one_line_error(error)}", error)

    def _turn(self, show: ShowTimecode) -> None:
        """Decode what waits, at least PART_S of it if more comes."""
        parts: list[Samples] = []
        rate = captured_ns = count = 0
        while not parts or count < PART_S * rate:
            try:
                samples, next_rate, captured_ns = self._blocks.get(timeout=LOOK_S)
            except queue.Empty:
                break
            if next_rate != rate:
                parts, rate, count = [], next_rate, 0
            parts.append(samples)
            count += samples.size
        if parts:
            self._decode(show, np.concatenate(parts), rate, captured_ns)
        show.watch(time.monotonic_ns())

    def _decode(self, show: ShowTimecode, samples: Samples, rate: int, captured_ns: int) -> None:
        if self._decoder is None or self._decoder[0] != rate:
            self._decoder = rate, Decoder(rate)
        for label, end in self._decoder[1].push(samples):
            at_ns = captured_ns - (samples.size - 1 - end) * 1_000_000_000 // rate
            show.hear(label.second + 1 / label.fps, at_ns)
            self._said, self._heard = f"{label} at {'29.97' if label.drop else label.fps}", time.monotonic()
