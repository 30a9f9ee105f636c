"""Processes of tests that do not outlive them."""

import ctypes
import fcntl
import signal
import sys
import termios

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def die_with_parent(terminal: int | None = None) -> None:
    """For `preexec_fn`: on Linux the process is killed when the test's process ends, however that ends.

    terminal: descriptor of the terminal that becomes the process's own, if it has a session of its own.
    """
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if terminal is not None:
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
