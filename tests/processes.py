"""What a test reads of a process under /proc, while its threads and files come and go (Linux)."""

import os
from contextlib import suppress
from pathlib import Path


def scheduling_policies() -> set[int]:
    """Scheduling policies of all threads of this process; one that ends meanwhile is left out."""
    found = set[int]()
    for entry in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):
            found.add(os.sched_getscheduler(int(entry.name)))
    return found


def open_links(pid: int) -> set[str]:
    """What the open file descriptors of a process lead to; none if it has ended."""
    found = set[str]()
    with suppress(FileNotFoundError, ProcessLookupError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                found.add(str(entry.readlink()))
    return found


def threads(pid: int) -> int:
    """How many threads a process has; 0 if it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    return 0


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False
