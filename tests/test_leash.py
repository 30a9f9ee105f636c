"""No process outlives the tests that started it, even if they are killed."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from .speed import VARIABLE, measured, slowness

LEASH = Path(__file__).parents[1] / ".ci" / "leash"
LEAVE = """
import os, signal, subprocess, sys
sys.path.insert(0, sys.argv[2])
from tests.ending import die_with_parent
detached = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, start_new_session=True)
tied = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent)
print(detached.pid, tied.pid, flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(3)
"""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="processes are adopted on Linux only")


def ended(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(pid).wait(30.0)
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@linux_only
@pytest.mark.parametrize(("how", "code"), [("killed", 137), ("by itself", 3)])
def test_what_a_run_leaves_ends_with_it(how: str, code: int) -> None:
    command = [LEASH, sys.executable, "-c", LEAVE, how, str(LEASH.parents[1])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    assert done.returncode == code
    for pid in map(int, done.stdout.split()):
        assert not psutil.pid_exists(pid)


@linux_only
def test_a_show_ends_with_a_killed_test() -> None:
    command = [sys.executable, "-c", LEAVE, "killed", str(LEASH.parents[1])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    detached, tied = map(int, done.stdout.split())
    try:
        assert ended(tied)
    finally:
        psutil.Process(detached).kill()


def test_limits_grow_with_the_slowness_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert measured() >= 1.0
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    assert measured() == pytest.approx(20.0)
    monkeypatch.setenv(VARIABLE, "2.5")
    slowness.cache_clear()
    assert slowness() == 2.5
    slowness.cache_clear()
