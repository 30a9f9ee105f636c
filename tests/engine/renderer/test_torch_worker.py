"""What takes seconds of Python while a show plays is done by another process, which may die."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.prompt import prompt_seed
from sonorama.engine.renderer.torch_worker import COMMAND, TorchWorker, serve


@pytest.fixture
def torch_worker() -> Iterator[TorchWorker]:
    made = TorchWorker()
    yield made
    made.close()


def test_it_finds_the_same_place_as_a_film(torch_worker: TorchWorker) -> None:
    assert torch_worker.pid == 0
    shore = load_world("shore")
    for text in ("a storm over black rocks", "a red desert", "W\u00fcste \ud800"):
        assert torch_worker.place(shore.card.path, text) == prompt_seed(shore, text)
    if sys.platform != "win32":
        assert os.getpriority(os.PRIO_PROCESS, torch_worker.pid) == 19


def test_what_cannot_be_had_is_an_error_and_the_next_is_answered(torch_worker: TorchWorker, tiny_world: str) -> None:
    with pytest.raises(SonoramaError, match="has no text encoder") as caught:
        torch_worker.place(tiny_world, "rain")
    assert caught.value.hint.startswith("Leave the text out")
    with pytest.raises(SonoramaError, match="no such world"):
        torch_worker.make_graphs("atlantis", "cpu")
    with pytest.raises(SonoramaError, match="no such device"):
        torch_worker.make_graphs(tiny_world, "abacus")
    torch_worker.make_graphs(tiny_world, "ort")


def test_one_that_died_is_begun_again(torch_worker: TorchWorker, tiny_world: str) -> None:
    torch_worker.make_graphs(tiny_world, "ort")
    first = torch_worker.pid
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    torch_worker.make_graphs(tiny_world, "ort")
    assert torch_worker.pid != first


def test_one_that_dies_at_work_is_begun_again(torch_worker: TorchWorker, tiny_world: str) -> None:
    torch_worker.make_graphs(tiny_world, "ort")
    first = torch_worker.pid
    os.kill(first, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (first, signal.SIGKILL)).start()
    torch_worker.make_graphs(tiny_world, "ort")
    assert torch_worker.pid != first


def test_work_that_kills_it_is_given_up(
    torch_worker: TorchWorker, tiny_world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonorama.engine.renderer.torch_worker.COMMAND", (sys.executable, "-c", "input(); exit(7)"))
    with pytest.raises(SonoramaError, match="ended with code 7\nask again"):
        torch_worker.make_graphs(tiny_world, "ort")
    monkeypatch.undo()
    torch_worker.make_graphs(tiny_world, "ort")


def test_it_ends_with_whoever_asks(tmp_path: Path) -> None:
    """A renderer that is killed closes nothing by itself; the pipe ends all the same."""
    done = subprocess.run(COMMAND, input="", text=True, capture_output=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


def test_whatever_comes_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError("of a\nlibrary")

    monkeypatch.setattr("sonorama.engine.pipeline.prompt.prompt_seed", broken)
    answers = io.StringIO()
    serve(io.StringIO('{"words": "rain", "world": "shore"}\nnonsense\n'), answers)
    first, second = (json.loads(line) for line in answers.getvalue().splitlines())
    assert first == {"error": ["RuntimeError: of a library", "try another"]}
    assert "JSONDecodeError" in second["error"][0]


def test_one_that_is_closed_at_work_is_not_begun_again(torch_worker: TorchWorker, tiny_world: str) -> None:
    torch_worker.make_graphs(tiny_world, "ort")
    os.kill(torch_worker.pid, signal.SIGSTOP)
    threading.Timer(0.2, torch_worker.close).start()
    with pytest.raises(SonoramaError, match="ended with code -9"):
        torch_worker.make_graphs(tiny_world, "ort")
    assert torch_worker.pid == 0
