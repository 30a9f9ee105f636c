"""Interface of sources of sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ...units import Samples


@runtime_checkable
class SoundSource(Protocol):
    """A source of sound, such as a device or a file (`--source NAME:ARGUMENT`).

    The entry point (group `sonorama.sources`) is a factory: `factory(argument: str) -> SoundSource`, usually the class
    itself. The factory only reads the argument, and raises SonoramaError for a wrong one; `start` opens devices.

    Attributes:
        rate: sample rate in Hz of the blocks, known after `start`.
        channels: number of channels of the blocks, known after `start`.

    A source that plays a file may have `position_s`, the second that was written last; cues can then be at times of it.

    """

    rate: int
    channels: int

    def start(self, write: Callable[[Samples, int], None]) -> None:
        """Begin to call `write(block, captured_ns)` from a thread of its own, in real time.

        block: float32 [channels,n], full scale -1 to 1, any n. captured_ns: `time.monotonic_ns()` of its last sample.

        Raises:
            SonoramaError: the source cannot be opened; `start` is tried again later.

        """
        ...

    def alive(self) -> bool:
        """False once the source has ended or its device is gone; the show plays silence and calls `start` again."""
        ...

    def stop(self) -> None:
        """Stop calling `write` and release the device; may be called twice."""
        ...
