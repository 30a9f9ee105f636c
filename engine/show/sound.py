"""The sound of a show: a source, the capture thread, and the sample ring that renderer and take read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack

from ..audio.capture import Capture
from ..audio.sample_ring import SampleRing, SampleRingWriter, SamplesLost
from ..control.addresses import SOUND_CHANNELS, SOUND_INPUT
from ..control.parameters import Value
from ..plugins.open_source import open_source
from ..units import SAMPLE_RATE


class SoundInput:
    """Captures a source into the sample ring of a show.

    Args:
        name: of the show.
        source: `NAME` or `NAME:ARGUMENT`; see `open_source`.
        first: index of the first sample.

    Attributes:
        capture: the thread that writes the ring.

    Raises:
        SonoramaError: an unknown source, or another show has that name.

    """

    def __init__(self, name: str, source: str, first: int = 0) -> None:
        self._begun_with = self._spec = source
        self._first = known_as, factory = open_source(source)
        with ExitStack() as undo:
            self._writer = undo.enter_context(SampleRingWriter(name, first=first))
            self._reader = undo.enter_context(SampleRing(name))
            self.capture = Capture(known_as, factory, self._writer)
            undo.pop_all()

    @property
    def source(self) -> str:
        """What plays, such as "microphone USB Audio"; the device's own name where it says it."""
        known_as, name = self.capture.source, self.capture.name
        if not name:
            return known_as
        _, mark, channels = self._spec.partition("#")
        return f"{known_as.partition(' ')[0]} {name}{mark}{channels}"

    def choose(self, values: Mapping[str, Value]) -> None:
        """Play the input that `/sound/input` and `/sound/channels` name, if another plays.

        Args:
            values: of all parameters. An empty input is the source that the show was started with.

        Raises:
            SonoramaError: they name none; what plays goes on.

        """
        spec, channels = str(values[SOUND_INPUT]) or self._begun_with, str(values[SOUND_CHANNELS])
        if channels and re.match(r"(device|loopback)\b", spec):
            spec = f"{spec.partition('#')[0]}#{channels}"
        if spec != self._spec:
            self.capture.switch(*(self._first if spec == self._begun_with else open_source(spec)))
            self._spec = spec

    @property
    def count(self) -> int:
        """Samples captured so far."""
        return self._writer.count

    @property
    def position_s(self) -> float | None:
        """Second of the file that is played; None for other sources."""
        return self.capture.position_s

    def captured_ns(self, sample: int) -> int:
        """Monotonic nanoseconds at which a sample was captured.

        Raises:
            SamplesLost: it is no longer in the ring.

        """
        return self._reader.captured_ns(sample)

    def second_at(self, monotonic_ns: int) -> float:
        """The second of the show's sound that is captured at a moment, by the newest block; before any sound, 0."""
        count = self.count
        try:
            newest_ns = self.captured_ns(count - 1)
        except SamplesLost:
            return 0.0
        return count / SAMPLE_RATE + (monotonic_ns - newest_ns) / 1e9

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
