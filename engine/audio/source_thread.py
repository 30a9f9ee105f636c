"""Starts and stops a source of sound without waiting for its driver, which may take long or never answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..plugins.interfaces import SoundSource
from ..units import Samples

log = logging.getLogger(__name__)
STOP_S = 2.0
"""The driver of a pulled device may never answer."""
_LOOK_S = 0.02


def start_source(source: SoundSource, write: Callable[[Samples, int], None], wanted: Callable[[], bool]) -> bool:
    """Start a source, and wait until it has started or is no longer wanted.

    Args:
        source: of sound.
        write: what it calls for each block.
        wanted: whether to go on waiting.

    Returns:
        False if it was not wanted any more; stop it then. Should it start after all, it is stopped once more.

    Raises:
        Exception: whatever `start` raises.

    """
    done, abandoned = threading.Event(), threading.Event()
    errors: list[Exception] = []

    def start() -> None:
        try:
            source.start(write)
        except Exception as error:  # noqa: BLE001 (it is raised below)
            errors.append(error)
        done.set()
        if abandoned.is_set():
            stop_source(source)

    threading.Thread(target=start, name="sound-start", daemon=True).start()
    while not done.wait(_LOOK_S):
        if not wanted():
            abandoned.set()
            return False
    if errors:
        raise errors[0]
    return True


def stop_source(source: SoundSource) -> None:
    """Stop it, but wait no more than STOP_S."""

    def stop() -> None:
        try:
            source.stop()
        except Exception:
            log.exception("The source did not stop properly")

    thread = threading.Thread(target=stop, name="sound-stop", daemon=True)
    thread.start()
    thread.join(STOP_S)
