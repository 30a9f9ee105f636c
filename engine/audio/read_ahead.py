"""Reads files by native code in a thread of its own, where it can be ended: a signal never waits for a read.

FFmpeg may read for minutes within one call (a damaged file, a size field that is wrong). Python runs no signal handler
meanwhile if that happens in the main thread. Here the main thread only waits for blocks; when it is interrupted, the
file looks as if it ended there, and the native call returns.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Patch(NamedTuple):
    """What is read of a file in place of what is in it: `shown`, from the offset `at` in bytes on.

    The `left_out` bytes of the file that follow are passed over, so that what is behind them seems to begin earlier.
    """

    at: int
    shown: bytes
    left_out: int = 0


Patches = Sequence[Patch]

_AHEAD = 4  # blocks that are read before they are asked for
_PATIENCE_S = 5.0  # for a read from a slow disk; the thread is left to itself then


class FileView:
    """A file as FFmpeg reads it: bytes until it ends, or until `ended` is set.

    Args:
        path: the file.
        ended: when set, every read gives nothing.
        patches: what is read in place of what is in the file. Offsets of a view are those of its file as far as
            nothing in front of them is left out.

    """

    def __init__(self, path: Path, ended: Event | None = None, patches: Patches = ()) -> None:
        self._file = path.open("rb", buffering=0)
        self._patches = patches
        parts = sorted((one.at + len(one.shown), one.left_out) for one in patches if one.left_out)
        self._gaps = [(begin, begin + size) for begin, size in parts]
        self._ended = Event() if ended is None else ended
        suffix = path.suffix.lower()
        self.name = "sound" + (suffix if suffix.isascii() else "")
        """For FFmpeg, which knows some formats by their suffix; without anything else of the user's file name."""

    def read(self, size: int) -> bytes:
        """The next bytes, `size` at most."""
        if self._ended.is_set():
            return b""
        if not self._patches:
            return self._file.read(size)
        at = self._file.tell()
        gap = next((gap for gap in self._gaps if gap[0] > at), None)
        data = bytearray(self._file.read(size if gap is None else min(size, gap[0] - at)))
        if gap is not None and at + len(data) == gap[0]:
            self._file.seek(gap[1])
        for offset, patch, _ in self._patches:
            begin, end = max(offset, at), min(offset + len(patch), at + len(data))
            if begin < end:
                data[begin - at : end - at] = patch[begin - offset : end - offset]
        return bytes(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset in bytes; return the position."""
        if not self._gaps:
            return self._file.seek(offset, whence)
        if whence:
            offset += self.tell() if whence == 1 else self._shown(self._file.seek(0, 2))
        at = offset
        for begin, end in self._gaps:
            at += end - begin if at >= begin else 0
        self._file.seek(at)
        return offset

    def tell(self) -> int:
        """The position in bytes."""
        return self._shown(self._file.tell())

    def _shown(self, at: int) -> int:
        return at - sum(min(at, end) - begin for begin, end in self._gaps if at > begin)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Failure(Generic[T]):
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def read_ahead(make: Callable[[Event], Iterator[T]]) -> Generator[T]:
    """Run an iterator in a thread, a few items ahead.

    Args:
        make: makes the iterator, in the thread. The event that it is given is set when nobody wants more: its reads
            shall give nothing then, see `FileView`.

    Raises:
        whatever the iterator raises.

    """
    ended, room = Event(), Semaphore(_AHEAD)
    items: SimpleQueue[T | _Failure[T]] = SimpleQueue()
    thread = Thread(target=_work, args=(make, ended, room, items), name="sound reader", daemon=True)
    thread.start()
    try:
        while not isinstance(item := items.get(), _Failure):
            room.release()
            yield item
        if item.error is not None:
            raise item.error
    finally:
        ended.set()
        room.release()
        thread.join(_PATIENCE_S)


def _work(
    make: Callable[[Event], Iterator[T]], ended: Event, room: Semaphore, items: SimpleQueue[T | _Failure[T]]
) -> None:
    error = None
    try:
        for item in make(ended):
            room.acquire()
            if ended.is_set():
                break
            items.put(item)
    except BaseException as caught:  # noqa: BLE001 (it is raised where the items are wanted)
        error = caught
    items.put(_Failure(error))


def read_once(read: Callable[[Event], T]) -> T:
    """Run one function in a thread, as `read_ahead` does, and return its result."""

    def make(ended: Event) -> Iterator[T]:
        yield read(ended)

    return next(read_ahead(make))
