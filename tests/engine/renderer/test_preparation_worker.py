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
from sonorama.engine.inference.text_encoder import told_unknown
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.prompt import prompt_seed
from sonorama.engine.pipeline.sound_seed import sound_seed
from sonorama.engine.renderer.preparation_worker import COMMAND, PreparationWorker, serve


@pytest.fixture
def preparation_worker() -> Iterator[PreparationWorker]:
    made = PreparationWorker()
    yield made
    made.close()


def test_it_finds_the_same_place_as_a_film(preparation_worker: PreparationWorker) -> None:
    assert preparation_worker.pid == 0
    shore = load_world("shore")
    for text in ("a storm over black rocks", "a red desert", "red W\u00fcste \ud800", "a zebra"):
        assert preparation_worker.seed(shore.card.path, text) == (prompt_seed(shore, text), told_unknown(shore, text))
    with pytest.raises(SonoramaError, match=r"knows no word of the text 'W\u00fcste'"):
        preparation_worker.seed(shore.card.path, "W\u00fcste")
    if sys.platform != "win32":
        assert os.getpriority(os.PRIO_PROCESS, preparation_worker.pid) == 10


def test_it_hears_a_recorded_sound(preparation_worker: PreparationWorker, tmp_path: Path) -> None:
    shore, rain = load_world("shore"), Path(__file__).parents[3] / "examples" / "rain.ogg"
    assert preparation_worker.hear(shore.card.path, str(rain)) == sound_seed(shore, rain)
    (tmp_path / "notes.wav").write_text("no sound")
    with pytest.raises(SonoramaError, match="notes"):
        preparation_worker.hear(shore.card.path, str(tmp_path / "notes.wav"))


def test_what_cannot_be_had_is_an_error_and_the_next_is_answered(
    preparation_worker: PreparationWorker, tiny_world: str
) -> None:
    with pytest.raises(SonoramaError, match="has no text encoder") as caught:
        preparation_worker.seed(tiny_world, "rain")
    assert caught.value.hint.startswith("Leave the text out")
    with pytest.raises(SonoramaError, match="no such world"):
        preparation_worker.make_graphs("atlantis", "cpu")
    with pytest.raises(SonoramaError, match="no such device"):
        preparation_worker.make_graphs(tiny_world, "abacus")
    preparation_worker.make_graphs(tiny_world, "ort")


def test_one_that_died_is_begun_again(preparation_worker: PreparationWorker, tiny_world: str) -> None:
    preparation_worker.make_graphs(tiny_world, "ort")
    first = preparation_worker.pid
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    preparation_worker.make_graphs(tiny_world, "ort")
    assert preparation_worker.pid != first


def test_one_that_dies_at_work_is_begun_again(preparation_worker: PreparationWorker, tiny_world: str) -> None:
    preparation_worker.make_graphs(tiny_world, "ort")
    first = preparation_worker.pid
    os.kill(first, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (first, signal.SIGKILL)).start()
    preparation_worker.make_graphs(tiny_world, "ort")
    assert preparation_worker.pid != first


def test_work_that_kills_it_is_given_up(
    preparation_worker: PreparationWorker, tiny_world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sonorama.engine.renderer.preparation_worker.COMMAND", (sys.executable, "-c", "input(); exit(7)")
    )
    with pytest.raises(SonoramaError, match=r"exit code 7\)\.\nSend"):
        preparation_worker.make_graphs(tiny_world, "ort")
    monkeypatch.undo()
    preparation_worker.make_graphs(tiny_world, "ort")


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
    assert first == {"error": ["RuntimeError: of a library", "Try another one."]}
    assert "JSONDecodeError" in second["error"][0]


def test_one_that_is_closed_at_work_is_not_begun_again(preparation_worker: PreparationWorker, tiny_world: str) -> None:
    preparation_worker.make_graphs(tiny_world, "ort")
    os.kill(preparation_worker.pid, signal.SIGSTOP)
    threading.Timer(0.2, preparation_worker.close).start()
    with pytest.raises(SonoramaError, match="exit code -9"):
        preparation_worker.make_graphs(tiny_world, "ort")
    assert preparation_worker.pid == 0
