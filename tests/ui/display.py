"""An X server without a screen, for tests that need a real one."""

import contextlib
import os
import subprocess
from collections.abc import Iterator


@contextlib.contextmanager
def x_server(size: str = "1280x800x24") -> Iterator[str]:
    """The name of the display, such as `:1`."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp", "-noreset"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            yield f":{int(pipe.readline())}"
    finally:
        server.terminate()
        server.wait()
