"""The console script `sonorama`: ends quietly by Ctrl-C while the program is still being imported, and begins it.

It imports nothing that takes time. From the moment that `main.main` runs, that handles signals itself.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from ..processors import one_blas_thread
from .abandoned import end_process


def main() -> int:
    """Run the command line of the process; returns its exit code, see `main.main`."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where `nohup` or a shell ignores it
        signal.signal(signal.SIGINT, _leave)
    one_blas_thread()
    from .main import main as run

    return end_process(run())


def _leave(number: int, _: FrameType | None) -> None:
    """Nothing has begun yet that would have to be ended."""
    os.write(2, b"Stopped.\n")
    os._exit(128 + number)


if __name__ == "__main__":  # used by the show to start the panel, since the command may not be on the path
    sys.exit(main())
