"""The child process that reads a StyleGAN file: `python -m sonorama.plugin.worlds.reading_child FILE OUT`.

It writes the generator to OUT as safetensors with its settings as JSON, or one line of JSON with `message` and `hint`
to its standard output. Before it opens the file it limits its memory, its processor time and the size of OUT, and then
refuses whatever would run code, start a process or reach the network: no file should get that far.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from sonorama.engine.errors import SonoramaError, one_line, one_line_error

from .network_record import Network, nvidia_network, rosinality_network
from .pickle_reader import Unpickler

CPU_SECONDS = 120
SPARE = 512 * 2**20
"""Bytes of memory beside those that grow with the file."""
COPIES = 5
"""How many times its size a file may take: as bytes, as storages, as what is written, and twice to spare."""
ZIP = b"PK\x03\x04"
REFUSED = ("exec", "compile", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "os.startfile",
            "subprocess.Popen", "socket.", "ctypes.", "urllib.Request", "shutil.", "os.remove", "os.rename", "os.rmdir",
            "pty.spawn", "webbrowser.open", "code.__new__", "marshal.", "sys._getframe")  # fmt: skip


def read_network(path: Path) -> Network:
    """The generator of a file, by its first bytes.

    Raises:
        WorldError: it holds none that is known.
        Exception: of any type where the file is damaged or hostile.

    """
    with path.open("rb") as file:
        if file.read(4) == ZIP:
            return rosinality_network(torch.load(path, map_location="cpu", weights_only=True), path.name)
        file.seek(0)
        return nvidia_network(Unpickler(file, path.name).load(), path.name)


def write_network(network: Network, out: Path) -> None:
    """A safetensors file, for `reading.py`."""
    told = {"project": network.project, "settings": json.dumps(network.settings)}
    save_file({name: np.ascontiguousarray(x) for name, x in network.tensors.items()}, out, told)


def limit(size: int) -> None:
    """Limit what this process may take, for a file of so many bytes. Windows has no such limits; the parent watches."""
    try:
        import resource
    except ImportError:
        return
    taken = _address_space() + SPARE + COPIES * size
    for what, most in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_FSIZE, SPARE + 2 * size),
                       (resource.RLIMIT_AS, taken), (resource.RLIMIT_CORE, 0)):  # fmt: skip
        hard = resource.getrlimit(what)[1]
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(what, (most, most))


def _address_space() -> int:
    """Bytes that are mapped now: torch alone maps gigabytes that it never touches."""
    import psutil

    return psutil.Process().memory_info().vms


def seal() -> None:
    """From now on, refuse to run code, to start processes and to reach the network."""
    sys.addaudithook(_refuse)


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event.startswith(REFUSED):
        raise PermissionError(f"it tried {event}")


def warm_up() -> None:
    """Read a storage once and write an error, so that what these need is imported before `seal`."""
    buffer = io.BytesIO()
    for zipped in (False, True):
        buffer.seek(0)
        torch.save({"a": torch.zeros(1)}, buffer, _use_new_zipfile_serialization=zipped)
        buffer.seek(0)
        torch.load(buffer, map_location="cpu", weights_only=True)
    one_line("\n\udcff")


def main(path: Path, out: Path) -> int:
    """Read, write; 2 where the file is refused."""
    torch.set_num_threads(1)
    warm_up()
    try:
        limit(path.stat().st_size)
        seal()
        write_network(read_network(path), out)
    except SonoramaError as error:
        refused = {"message": error.message, "hint": error.hint}
    except Exception as error:  # noqa: BLE001 (a damaged or hostile file may raise anything)
        told = one_line_error(error).partition(". ")[0][:160]
        reason = "it asks for too much memory" if isinstance(error, MemoryError) else told
        message = f"{path.name} is damaged, or no StyleGAN file ({reason})"
        refused = {"message": message, "hint": "Give a .pkl of NVIDIA's or a .pt of rosinality's, or get it again."}
    else:
        return 0
    os.write(1, json.dumps(refused).encode())
    return 2


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
