"""A whole training that is killed at random moments ends with the tensors of one that was not.

By hand: pytest -m soak -s tests/training/test_killed.py; $SONORAMA_KILLS for more than two kills.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.model.world_file import load_world

from .small_data import small_data

KILLS = int(os.environ.get("SONORAMA_KILLS", "2"))


def start(data: Path, work: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sonorama.training", "world", "--data", str(data), "--work", str(work)]
    command += ["--name", "tiny", "--size", "64", "--scale", "0.001"]
    one = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=one)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_training_killed_at_random_moments_makes_the_same_world(tmp_path: Path) -> None:
    data = small_data(tmp_path / "data")
    begun = time.monotonic()
    whole = start(data, tmp_path / "whole")
    _, log = whole.communicate()
    assert whole.returncode == 0, log
    took = time.monotonic() - begun
    seed = int(os.environ.get("SONORAMA_SEED", str(random.randrange(10**6))))
    rng = random.Random(seed)
    for _ in range(KILLS):
        with start(data, tmp_path / "killed") as process:
            try:
                process.wait(rng.uniform(0.1, 0.7) * took)
            except subprocess.TimeoutExpired:
                process.kill()
            _, log = process.communicate()
        print(f"seed {seed}: ended with {process.returncode} after: {log.strip().splitlines()[-1:]}")
        assert process.returncode in (-9, 0), log
    with start(data, tmp_path / "killed") as process:
        _, log = process.communicate()
    assert process.returncode == 0, log
    one, other = (load_world(tmp_path / folder / "tiny.safetensors").tensors for folder in ("whole", "killed"))
    assert one.keys() == other.keys()
    assert [name for name, value in one.items() if not np.array_equal(value, other[name])] == [], f"seed {seed}"
