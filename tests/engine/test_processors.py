"""What a process may use of the processor, and that the command leaves numpy one thread of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sonorama.engine.processors import cores

THREADS = """
import sys
from sonorama.engine.cli import entry
assert "numpy" not in sys.modules, "too late for the switch"
sys.argv = ["sonorama", "--version"]
try:
    entry.main()
except SystemExit:
    pass
import os, numpy
numpy.ones((600, 600)) @ numpy.ones((600, 600))
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot bind processes to cores")
def test_cores_are_those_that_the_process_may_run_on() -> None:
    one = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    script = f"{one}; from sonorama.engine.processors import cores; print(cores())"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "1"
    assert cores() == len(os.sched_getaffinity(0))


@pytest.mark.skipif(not Path("/proc/self/task").exists() or cores() < 2, reason="needs Linux and two cores")
@pytest.mark.parametrize(("users", "threads"), [(None, 1), ("2", 2)])
def test_numpy_multiplies_with_one_thread_unless_the_user_says_otherwise(users: str | None, threads: int) -> None:
    wanted = {} if users is None else {"OPENBLAS_NUM_THREADS": users}
    env = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")} | wanted
    done = subprocess.run([sys.executable, "-c", THREADS], env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) == threads
