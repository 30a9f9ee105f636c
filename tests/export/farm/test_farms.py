"""Films of several processes and of a Ray cluster are those of one process, to the bit, even if a worker is killed."""

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.errors import SonoramaError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.units import Array
from sonorama.export.farm.processes import Processes
from sonorama.export.farm.ray_cluster import RayCluster
from sonorama.export.farm.segments import Farm, painted

from ...processes import runs
from ..helpers import write_wav


@pytest.fixture(scope="module")
def codes(tiny_world: str) -> Array:
    card = load_world(tiny_world).card
    return np.random.default_rng(0).standard_normal((60, card.num_ws, card.w_dim)).astype(np.float32)


@pytest.fixture(scope="module")
def pictures(tiny_world: str, codes: Array) -> Array:
    backend = open_backend(load_world(tiny_world), "ort")
    return np.stack([backend.synthesize(w) for w in codes])


def through(farm: Farm, codes: Array, victim: Callable[[], int]) -> Array:
    """Pictures of a farm, one of whose workers is killed after the tenth."""
    made = list[Array]()
    for number, picture in enumerate(painted(iter(codes), farm)):
        assert picture is not None
        made.append(picture)
        if number == 10:
            os.kill(victim(), signal.SIGKILL)
    return np.stack(made)


def test_processes_of_which_one_is_killed(tiny_world: str, codes: Array, pictures: Array) -> None:
    with closing(Processes(2, Path(tiny_world), "ort")) as farm:
        assert np.array_equal(through(farm, codes, lambda: next(iter(farm.pids))), pictures)


def test_a_worker_is_killed_while_it_sends(tiny_world: str, codes: Array, pictures: Array) -> None:
    """It has the pipe for itself then, as here, and leaves the beginning of a message in it: its length."""
    with closing(Processes(2, Path(tiny_world), "ort")) as farm:

        def half_sent() -> int:
            pipe: Any = farm._pool._result_queue
            pipe._wlock.acquire()
            os.write(pipe._writer.fileno(), struct.pack("!i", 1000))
            return next(iter(farm.pids))

        assert np.array_equal(through(farm, codes, half_sent), pictures)


def test_a_cluster_of_which_one_worker_is_killed(tiny_world: str, codes: Array, pictures: Array) -> None:
    with closing(RayCluster("local", 2, Path(tiny_world), "ort")) as farm:
        assert np.array_equal(through(farm, codes, lambda: next(iter(farm.pids))), pictures)


def test_a_cluster_that_takes_too_long_to_start_is_tried_again(
    tiny_world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = list[str](), list[bool]()

    def slow(address: str, **_: object) -> None:
        begun.append(address)
        raise Exception("The current node timed out during startup.")  # as Ray does

    monkeypatch.setattr("ray.init", slow)
    monkeypatch.setattr("ray.shutdown", lambda: ended.append(True))
    with pytest.raises(SonoramaError, match="Ray does not start: The current node timed out"):
        RayCluster("local", 2, Path(tiny_world), "ort")
    assert begun == ["local", "local"] and ended


def test_no_cluster_there(tiny_world: str) -> None:
    with pytest.raises(SonoramaError, match=r"No Ray cluster at 127\.0\.0\.1:1"):
        RayCluster("127.0.0.1:1", 2, Path(tiny_world), "ort")


def test_the_command_makes_the_same_film(tiny_world: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (1, 44_100))
    sound = write_wav(tmp_path / "noise.wav", noise, 44_100)
    for out, more in (("one", []), ("two", ["--jobs", "2"]), ("three", ["--ray", "local", "--jobs", "2"])):
        words = ["render", str(sound), "-o", str(tmp_path / out), "--preset", "png", "--world", tiny_world, *more]
        assert main(words) == 0
    one, two, three = (
        [path.read_bytes() for path in sorted((tmp_path / out).glob("*.png"))] for out in ("one", "two", "three")
    )
    assert len(one) == 30
    assert one == two == three


ORPHANS = """
import sys, time
from pathlib import Path
from sonorama.export.farm.processes import Processes
if __name__ == "__main__":
    farm = Processes(2, Path(sys.argv[1]), "ort")
    import numpy as np
    farm.result(farm.submit(np.zeros((1, int(sys.argv[2]), int(sys.argv[3])), np.float32)))
    print(*farm.pids, flush=True)
    time.sleep(600)
"""


def test_no_worker_outlives_its_film(tiny_world: str, tmp_path: Path) -> None:
    card = load_world(tiny_world).card
    script = tmp_path / "film.py"
    script.write_text(ORPHANS)
    command = [sys.executable, str(script), tiny_world, str(card.num_ws), str(card.w_dim)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as film:
        assert film.stdout is not None
        workers = [int(pid) for pid in film.stdout.readline().split()]
        assert len(workers) >= 1
        film.kill()
        film.wait()
    end = time.monotonic() + 60
    while time.monotonic() < end and any(map(runs, workers)):
        time.sleep(0.05)
    assert not any(map(runs, workers))
