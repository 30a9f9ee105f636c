"""Embeds text prompts and recorded sounds, inverts photos and prepares worlds while a show plays: a child of the
renderer at the lowest priority.

Importing libraries, writing graphs and compiling them takes Python's interpreter lock and every core; a thread of the
renderer that did it would hold up the frame loop.

Both sides exchange lines of JSON: {"words": text, "world": path} is answered with {"seed": seed, "unknown": sentence},
{"sound": path, "world": path} with {"seed": seed}, {"photo": path, "world": path} with {"code": name},
{"graphs": world, "device": device} with {}, and each with {"error": [message, hint]} where it fails.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import warnings
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..errors import SonoramaError, one_line_error
from ..log.children import log_to_parent

if TYPE_CHECKING:
    from ..model.world_file import World

log = logging.getLogger("sonorama.engine.renderer.preparation_worker")  # the module runs as __main__
TRIES = 2
"""Attempts for one question: the process may have died before it was asked."""
COMMAND = (sys.executable, "-m", "sonorama.engine.renderer.preparation_worker")


class PreparationWorker:
    """The process: started when it is first needed, and again after it died. For one thread, except `close`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    @property
    def pid(self) -> int:
        """Of the process; 0 while there is none."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    def seed(self, world: str, text: str) -> tuple[int, str]:
        """The seed of a world, given by its path, whose picture is closest to `text`, and what to say of words that the
        world does not know (empty where it knows all).

        Raises:
            SonoramaError: the world has no text encoder; the process died.

        """
        told = self._ask({"words": text, "world": world})
        return int(told["seed"]), str(told["unknown"])

    def hear(self, world: str, sound: str) -> int:
        """The seed of a world whose picture fits a sound file best, both given by their paths.

        Raises:
            SonoramaError: no sound, or a silent one; the world has no seed bank; the process died.

        """
        return int(self._ask({"sound": sound, "world": world})["seed"])

    def invert(self, world: str, photo: str) -> str:
        """The name of the code of a photo in a world, both given by their paths; its file is in the folder of codes.

        Raises:
            SonoramaError: no picture, torch or the image backbone is not installed; the process died.

        """
        return str(self._ask({"photo": photo, "world": world})["code"])

    def make_graphs(self, world: str, device: str) -> None:
        """Make what a world, named or given by its path, needs to be opened quickly on a device.

        Raises:
            SonoramaError: as `Loader.open`; the process died.

        """
        self._ask({"graphs": world, "device": device})

    def _ask(self, question: dict[str, str]) -> dict[str, Any]:
        answer, code = "", 0
        for _ in range(TRIES):
            self._process = self._process or _start_process()
            if answer := _answered(self._process, json.dumps(question) + "\n"):
                break
            code, self._process = self._process.wait(), None
            if self._closed:
                break
        if not answer:
            hint = "Send the text, sound, photo or world again."
            raise SonoramaError(f"The preparation worker crashed (exit code {code}).", hint)
        told: dict[str, Any] = json.loads(answer)
        if "error" in told:
            raise SonoramaError(*told["error"])
        return told

    def rest(self) -> None:
        """End the process; the next question starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End the process for good, even in the middle of an answer; any thread."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()


def _answered(process: subprocess.Popen[str], question: str) -> str:
    """The answer to a line; empty if the process died."""
    if process.stdin is None or process.stdout is None:
        raise ValueError("The process has no pipes")
    try:
        process.stdin.write(question)
        process.stdin.flush()
        return process.stdout.readline()
    except OSError:
        return ""


def _start_process() -> subprocess.Popen[str]:
    flags = subprocess.IDLE_PRIORITY_CLASS if sys.platform == "win32" else 0
    pipe, quiet = subprocess.PIPE, {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, text=True, env=quiet, creationflags=flags)


@lru_cache(maxsize=1)
def _world(path: str) -> World:
    from ..model.world_file import load_world

    return load_world(path)


def _answer(question: dict[str, str]) -> dict[str, Any]:
    if "words" in question:
        from ..inference.text_encoder import told_unknown
        from ..pipeline.prompt import prompt_seed

        world, text = _world(question["world"]), question["words"]
        return {"seed": prompt_seed(world, text), "unknown": told_unknown(world, text)}
    if "sound" in question:
        from ..pipeline.sound_seed import sound_seed

        return {"seed": sound_seed(_world(question["world"]), Path(question["sound"]))}
    if "photo" in question:
        from ..editing.photo_code import photo_code

        return {"code": photo_code(_world(question["world"]), Path(question["photo"]))}
    from ..inference.backend import open_backend, threads_of_one

    open_backend(_world(question["graphs"]), question["device"], threads_of_one(), painters=1)
    return {}


def serve(questions: IO[str], answers: IO[str]) -> None:
    """Answer until the renderer closes the pipe."""
    for line in questions:
        try:
            told = _answer(json.loads(line))
        except SonoramaError as error:
            told = {"error": [error.message, error.hint]}
        except Exception as error:  # (whatever a file or a library comes up with, the next is tried)
            log.exception("A text, sound, photo or world could not be prepared")
            told = {"error": [one_line_error(error), "Try another one."]}
        answers.write(json.dumps(told) + "\n")
        answers.flush()


def main() -> int:
    """Serve on the standard streams; what libraries print, and the log, goes to stderr."""
    log_to_parent("preparation worker")
    if sys.platform != "win32":
        os.nice(10)  # at 19, words took minutes to come on a machine that is busy
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        serve(sys.stdin, answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
