"""Base class of sources that capture sound in a child process.

Audio drivers may crash, hang or abort their process when a device is unplugged or the sound server dies. In a child
process that does not affect the show, and a new child also sees newly connected devices.

The child's standard output: one line of JSON, {"rate","channels","name"} or {"message","hint"}, then blocks:
captured_ns (i64), channels (u32), n (u32), little-endian, and float32 [channels, n].
"""

from __future__ import annotations

import json
import logging
import os
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO

import numpy as np

from ...engine.errors import SonoramaError
from ...engine.log.children import child_environment, log_to_parent, relay
from ...engine.units import Samples

log = logging.getLogger(__name__)
_HEAD = struct.Struct("<qII")
_ANSWER_S = 10.0
_LONGEST = 1 << 20  # samples a block


class ChildSource:
    """A SoundSource that runs a module in a child process.

    Args:
        module: name of the module, which calls `serve` when run.
        argument: its command line argument.

    """

    def __init__(self, module: str, argument: str) -> None:
        self.rate = self.channels = 0
        self.name = ""
        """Name of the device, known after `start`."""
        self._command = [sys.executable, "-m", module, argument]
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """Process ID of the child; 0 if there is none."""
        return self._process.pid if self._process else 0

    def start(self, write: Callable[[Samples, int], None]) -> None:
        """Start the child and wait until it has opened the device.

        Raises:
            SonoramaError: the child reports an error, or does not answer.

        """
        self.stop()
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=child_environment())
        assert self._process.stdout is not None and self._process.stderr is not None  # noqa: S101 (both were asked for)
        relay(self._process.stderr, "sound")
        answer = _answer(self._process, self._process.stdout)
        if "rate" not in answer:
            self.stop()
            raise SonoramaError(str(answer.get("message")), str(answer.get("hint")))
        self.rate, self.channels, self.name = int(answer["rate"]), int(answer["channels"]), str(answer["name"])
        self._reader = threading.Thread(target=_read, args=(self._process.stdout, write), name="sound", daemon=True)
        self._reader.start()

    def alive(self) -> bool:
        """Whether the child is still sending sound."""
        return self._reader is not None and self._reader.is_alive()

    def stop(self) -> None:
        """End the child; may be called twice."""
        process, reader, self._process, self._reader = self._process, self._reader, None, None
        if process is None:
            return
        process.kill()
        process.wait()
        if reader is not None:
            reader.join(2.0)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _answer(process: subprocess.Popen[bytes], pipe: IO[bytes]) -> dict[str, str | int]:
    timer = threading.Timer(_ANSWER_S, process.kill)
    timer.start()
    line = pipe.readline()
    timer.cancel()
    try:
        return json.loads(line)
    except ValueError:
        message = "The sound system does not answer" if not timer.is_alive() and not line else "The sound driver failed"
        return {"message": message, "hint": "Restart the sound server, or choose another device."}


def _read(pipe: IO[bytes], write: Callable[[Samples, int], None]) -> None:
    while len(head := pipe.read(_HEAD.size)) == _HEAD.size:
        captured_ns, channels, n = _HEAD.unpack(head)
        data = pipe.read(channels * n * 4)
        if n > _LONGEST or len(data) < channels * n * 4:
            return
        write(np.frombuffer(data, np.float32).reshape(channels, n), captured_ns)


Blocks = queue.SimpleQueue[tuple[Samples, int]]
Opened = tuple[int, int, str, Callable[[], tuple[Samples, int] | None]]
"""Rate, channels, name, and a function that waits for the next (block [channels, n], captured_ns); None at the end."""


def serve(run: Callable[[str], Opened]) -> None:
    """The child's main function: open the device by `run(argument)`, then send sound until the parent exits."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # messages printed by drivers must not mix with the samples
    flush_log = log_to_parent("sound")
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        rate, channels, name, following = run(sys.argv[1])
        _send(out, json.dumps({"rate": rate, "channels": channels, "name": name}).encode() + b"\n")
        while (got := following()) is not None:
            block, captured_ns = got
            data = np.ascontiguousarray(block, np.float32).tobytes()
            _send(out, _HEAD.pack(captured_ns, block.shape[0], block.shape[1]) + data)
    except SonoramaError as error:
        _send(out, json.dumps({"message": error.message, "hint": error.hint}).encode() + b"\n")
    except BrokenPipeError:
        pass
    except Exception:
        log.exception("The source of sound failed")
    finally:
        flush_log()
        os._exit(0)  # the driver's cleanup may hang


def _send(out: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[out.write(view) :]


def _leave_with_parent() -> None:
    os.read(0, 1)
    os._exit(0)
