"""The sound of a show: a source, the capture thread, and the sample ring that renderer and take read."""

from __future__ import annotations

from contextlib import ExitStack

from ..audio.capture import Capture
from ..audio.sample_ring import SampleRing, SampleRingWriter
from ..plugins.open_source import open_source


class SoundInput:
    """Captures a source into the sample ring of a show.

    Args:
        name: of the show.
        source: `NAME` or `NAME:ARGUMENT`; see `open_source`.
        first: index of the first sample.

    Attributes:
        source: what to call it, such as "microphone USB Audio".
        capture: the thread that writes the ring.

    Raises:
        SonoramaError: an unknown source, or another show has that name.

    """

    def __init__(self, name: str, source: str, first: int = 0) -> None:
        self.source, factory = open_source(source)
        with ExitStack() as undo:
            self._writer = undo.enter_context(SampleRingWriter(name, first=first))
            self._reader = undo.enter_context(SampleRing(name))
            self.capture = Capture(self.source, factory, self._writer)
            undo.pop_all()

    @property
    def count(self) -> int:
        """Samples captured so far."""
        return self._writer.count

    def captured_ns(self, sample: int) -> int:
        """Monotonic nanoseconds at which a sample was captured.

        Raises:
            SamplesLost: it is no longer in the ring.

        """
        return self._reader.captured_ns(sample)

    def start(self) -> None:
        """Start to capture."""
        self.capture.start()

    def faults(self) -> list[str]:
        """What is wrong now, one line each."""
        return self.capture.faults()

    def close(self) -> None:
        """Stop and remove the ring."""
        self.capture.close()
        self._reader.close()
        self._writer.close()
