"""Reads a StyleGAN file in a child process, which is ended when it takes too much memory or time."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from sonorama.engine.errors import InputError, WorldError, one_line

from .network_record import Network

log = logging.getLogger(__name__)
LARGEST = 4 * 2**30
"""Bytes of a file; the largest that is known, with all networks of a training, has less than 0.5 GiB."""
SECONDS = 300.0
MEMORY = 2 * 2**30
"""Bytes of memory that a child may use beside the multiple of the file's size: torch itself takes most of it."""
COPIES = 6
_LONGEST_ANSWER = 4000


def read_generator(path: Path) -> Network:
    """The generator of an NVIDIA pickle or a rosinality checkpoint, as plain data.

    Raises:
        InputError: the file cannot be read.
        WorldError: it is refused: damaged, hostile, or of a kind that sonorama does not play.

    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the path and its permissions.") from error
    if size > LARGEST:
        raise WorldError(f"{path} is larger than {LARGEST >> 30} GiB", "Give a StyleGAN network.")
    with tempfile.TemporaryDirectory(prefix="sonorama-") as folder:
        out = Path(folder) / "network.safetensors"
        code, answer = _run(path, out, MEMORY + COPIES * size)
        if code == 0:
            return _read(out)
    raise _refusal(path, code, answer)


def _run(path: Path, out: Path, memory: int) -> tuple[int | None, bytes]:
    """Exit code of the child (None: ended by us) and what it wrote."""
    command = [sys.executable, "-I", "-m", "sonorama.plugin.worlds.reading_child", str(path.absolute()), str(out)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    errors = out.with_name("errors.txt")
    with errors.open("wb") as said, subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=environment, cwd=out.parent
    ) as child:  # fmt: skip
        over = time.monotonic() + SECONDS
        while child.poll() is None:
            if time.monotonic() > over or _memory(child.pid) > memory:
                child.kill()
                child.wait()
                return None, b""
            time.sleep(0.05)
        # At most one short line, which a pipe holds without a reader.
        answer = child.stdout.read(_LONGEST_ANSWER) if child.stdout is not None else b""
    if child.returncode and not answer:
        log.warning("The child that reads a network ended: %s", one_line(errors.read_text(errors="replace")[-300:]))
    return child.returncode, answer


def _memory(pid: int) -> int:
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:  # it has ended
        return 0


def _read(out: Path) -> Network:
    from safetensors import safe_open

    with safe_open(out, "np") as file:
        told = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    return Network(told["project"], tensors, json.loads(told["settings"]))


def _refusal(path: Path, code: int | None, answer: bytes) -> WorldError:
    try:
        told: Any = json.loads(answer)
        return WorldError(told["message"], told["hint"])
    except (ValueError, TypeError, LookupError):
        how = "took too much memory or time" if code is None or code < 0 else f"failed (code {code})"
        return WorldError(f"{path}: reading it {how}", "Get the file again, from a source that you trust.")
