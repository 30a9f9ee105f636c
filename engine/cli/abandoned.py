"""What an interruption leaves as it is, since ending it in order takes long: encoders' queues, indices to move."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

_left: list[object] = []


def abandon(*things: object) -> None:
    """Keep objects of libraries alive until the process ends, so that they are never closed."""
    _left.extend(things)


def end_process(code: int) -> int:
    """The code; a process that has abandoned something ends here with it, in place of closing that after all."""
    if _left:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # the terminal may have gone
                stream.flush()
        os._exit(code)
    return code
