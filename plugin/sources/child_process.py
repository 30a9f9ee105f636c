"""Base class of sources that capture sound in a child process.

Audio drivers may crash, hang or abort their process when a device is unplugged or the sound server dies. In a child
process that does not affect the show, and a new child also sees newly connected devices.

The child writes the device's blocks into a ring in shared memory (`audio.ring_memory`), which the show's capture reads.
Its standard output carries one line of JSON: {"rate","channels","name"}, once the ring exists, or {"message","hint"};
then a byte for every block, which wakes the reader.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from ...engine.audio.ring_memory import RingMemory
from ...engine.errors import SonoramaError, TimedOut
from ...engine.ipc.shared_paths import create_private, open_private, part_of, shared_path
from ...engine.log.children import child_environment, log_to_parent, relay
from ...engine.units import Samples

log = logging.getLogger(__name__)
_ANSWER_S = 10.0
RING_S = 2.0
"""Seconds of sound that a child's ring holds."""
_LOOK_S = 0.005


class ChildSource:
    """A SharedSource that runs a module in a child process: the blocks are in `ring`, `write` is not called.

    The ring's file gets a name that nobody can guess and loses it as soon as both processes have mapped it, so that
    nothing is left behind whichever of them is killed. Where a mapped file cannot lose its name (Windows), `stop`
    removes it.

    Args:
        module: name of the module, which calls `serve` when run.
        argument: its command line argument.

    """

    def __init__(self, module: str, argument: str) -> None:
        self.rate = self.channels = 0
        self.name = ""
        """Name of the device, known after `start`."""
        self.ring: RingMemory | None = None
        self._command = [sys.executable, "-m", module, argument]
        self._path: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._open = threading.Lock()
        """Held by whoever closes the child's pipes or waits for a byte."""

    @property
    def pid(self) -> int:
        """Process ID of the child; 0 if there is none."""
        return self._process.pid if self._process else 0

    def start(self, write: Callable[[Samples, int], None]) -> None:
        """Start the child and wait until it has opened the device and made `ring`.

        Raises:
            TimedOut: the child does not answer.
            SonoramaError: it reports an error.

        """
        del write
        self.stop()
        pipe, path = subprocess.PIPE, part_of(shared_path("sound"))
        command, self._path = [*self._command, str(path)], path
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=child_environment())
        assert self._process.stdout is not None and self._process.stderr is not None  # noqa: S101 (both were asked for)
        relay(self._process.stderr, "sound")
        answer = _answer(self._process, self._process.stdout)
        if "rate" not in answer:
            self.stop()
            kind = TimedOut if answer.get("timed_out") else SonoramaError
            raise kind(str(answer.get("message")), str(answer.get("hint")))
        self.rate, self.channels, self.name = int(answer["rate"]), int(answer["channels"]), str(answer["name"])
        try:
            self.ring = _open_ring(path)
        except (OSError, ValueError) as error:
            self.stop()
            message = f"The shared memory of the sound cannot be opened ({error})"
            raise SonoramaError(message, "It is tried again.") from error
        self._unlink()

    def alive(self) -> bool:
        """Whether the child is running."""
        return self._process is not None and self._process.poll() is None

    def wait(self, timeout_s: float) -> None:
        """Until the child has written a block, at the latest after `timeout_s`."""
        with self._open:
            process = self._process
            if process is None or process.stdout is None or os.name == "nt":  # Windows cannot wait for a pipe
                time.sleep(min(timeout_s, _LOOK_S))
            elif select.select([process.stdout], [], [], timeout_s)[0] and not os.read(process.stdout.fileno(), 4096):
                time.sleep(timeout_s)  # it has ended, see `alive`

    def stop(self) -> None:
        """End the child; may be called twice."""
        process, self._process, self.ring = self._process, None, None
        if process is not None:
            process.kill()
            process.wait()
            with self._open:
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        pipe.close()
        self._unlink()

    def _unlink(self) -> None:
        if self._path is not None:
            with contextlib.suppress(OSError):  # Windows: it is mapped
                self._path.unlink(missing_ok=True)


def _open_ring(path: Path) -> RingMemory:
    descriptor = open_private(path)
    try:
        return RingMemory.open(descriptor)
    finally:
        os.close(descriptor)


def _answer(process: subprocess.Popen[bytes], pipe: IO[bytes]) -> dict[str, str | int]:
    late = threading.Event()

    def give_up() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(_ANSWER_S, give_up)
    timer.start()
    line = pipe.readline()
    timer.cancel()
    try:
        return json.loads(line)
    except ValueError:
        hint = "Restart the sound server, or choose another input: sonorama plugins lists them."
        if not late.is_set():
            return {"message": "The sound driver failed", "hint": hint}
        message = f"the sound system did not answer within {_ANSWER_S:g} s (time-out)"
        return {
            "message": message,
            "hint": f"It is asked again. If that stays so: {hint[0].lower()}{hint[1:]}",
            "timed_out": 1,
        }


Write = Callable[[Samples, int], None]
"""(block [channels,n], captured_ns): into the child's ring."""
Opened = tuple[int, int, str, Callable[[Write], None]]
"""Rate, channels, name, and a function that passes every block to `write` until the device is gone."""


def serve(run: Callable[[str], Opened]) -> None:
    """The child's main function: open the device by `run(argument)`, then capture until the parent exits."""
    argument, path = sys.argv[1], Path(sys.argv[2])
    out = os.dup(1)
    os.dup2(2, 1)  # messages printed by drivers must not mix with the answer
    flush_log = log_to_parent("sound")
    threading.Thread(target=_leave_with_parent, args=(path,), daemon=True).start()
    try:
        rate, channels, name, deliver = run(argument)
        ring = _create_ring(path, rate, channels)
        _answer_parent(out, rate=rate, channels=channels, name=name)

        os.set_blocking(out, False)

        def write(block: Samples, captured_ns: int) -> None:
            ring.write(np.asarray(block, np.float32), captured_ns)
            with contextlib.suppress(BlockingIOError):  # the show is suspended
                os.write(out, b"\n")

        deliver(write)
    except SonoramaError as error:
        _answer_parent(out, message=error.message, hint=error.hint)
    except BrokenPipeError:
        pass
    except Exception:
        log.exception("The source of sound failed")
    finally:
        flush_log()
        os._exit(0)  # the driver's cleanup may hang


def _create_ring(path: Path, rate: int, channels: int) -> RingMemory:
    try:
        descriptor = create_private(path)
        try:
            return RingMemory.create(descriptor, rate, channels, round(RING_S * rate))
        finally:
            os.close(descriptor)
    except OSError as error:
        message = f"No room for {RING_S:.0f} s of sound in {path.parent}: {error.strerror or error}"
        raise SonoramaError(message, "Free some memory there.") from error


def _answer_parent(out: int, **answer: str | int) -> None:
    os.write(out, json.dumps(answer).encode() + b"\n")


def _leave_with_parent(path: Path) -> None:
    os.read(0, 1)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)  # killed before it could take the name away
    os._exit(0)
