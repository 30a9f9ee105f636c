"""The engine's checks for `sonorama doctor`. Each runs in a child process, because drivers may hang or abort."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import secrets
import shutil
import socket
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from ..errors import SonoramaError, one_line_error
from ..inference import runtimes
from ..plugins.interfaces import Finding
from ..processors import cores

_AGAIN = "Install sonorama again: pip install --force-reinstall sonorama"
ROOM = 256 << 20
"""Bytes of shared memory for two frame maps of 1920 by 1080 and a minute of sound, doubled for safety."""
_LEAST_ROOM = 52 << 20
"""Bytes of it that a show of 448 by 256 takes without any output; with less none starts."""
# Processor flags that make networks faster -> their usual names.
_FLAGS = {
    "avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "bf16 by AVX-512", "amx_bf16": "bf16 by AMX", "asimd": "NEON",
}  # fmt: skip
# Library -> (what needs it, Debian's package).
LIBRARIES = {
    "libportaudio.so.2": ("microphones and line inputs", "libportaudio2"),
    "libpulse.so.0": ("what this computer plays", "libpulse0"),
    "libEGL.so.1": ("the panel and windows", "libegl1"),
    "libGL.so.1": ("the panel and windows", "libgl1"),
    "libxkbcommon-x11.so.0": ("windows under X11", "libxkbcommon-x11-0"),
    "libxcb-cursor.so.0": ("windows under X11", "libxcb-cursor0"),
    "libdbus-1.so.3": ("the panel and windows", "libdbus-1-3"),
}


def python() -> list[Finding]:
    """Python, sonorama and its required packages."""
    from packaging.requirements import Requirement

    asked = [Requirement(text) for text in requires("sonorama") or ()]
    wanted = [one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    good: list[str] = []
    wrong: list[Finding] = []
    for one in wanted:
        try:
            there = version(one.name)
        except PackageNotFoundError:
            wrong.append(Finding(one.name, False, "not installed", _AGAIN))
            continue
        if one.specifier.contains(there, prereleases=True):
            good.append(f"{one.name} {there}")
        else:
            wrong.append(Finding(one.name, False, f"{there}, but {one.specifier} is required", _AGAIN))
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return [
        Finding("Python", True, f"{platform.python_version()} on {system}"),
        Finding("sonorama", True, version("sonorama")),
        Finding("packages", not wrong, ", ".join(good)),
        *wrong,
    ]


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[Finding]:
    """Cores, instruction sets that make networks faster, and memory."""
    text = cpuinfo.read_text(errors="replace") if cpuinfo.exists() else ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    have = set(flags[1].split()) if flags else set()
    named = name[1].strip() if name else platform.processor() or platform.machine()
    count = cores()
    facts = [f"{count} {'core' if count == 1 else 'cores'}", named, *(_FLAGS[flag] for flag in _FLAGS if flag in have)]
    return [Finding("processor", True, ", ".join(facts)), *_memory()]


def _memory() -> list[Finding]:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return []
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return [Finding("memory", size >= 3, f"{size:.1f} GB", "A show takes about 2 GB: close other programs.")]


def networks() -> list[Finding]:
    """The libraries that run networks on the CPU."""
    findings = [_onnxruntime(), *_openvino()]
    if find_spec("torch") is None:
        hint = "Only CUDA, worlds made with a CLIP model, and training need it: pip install 'sonorama[torch]'"
        return [*findings, Finding("torch", False, "not installed", hint)]
    return [*findings, Finding("torch", True, version("torch"))]


def _onnxruntime() -> Finding:
    try:
        onnxruntime = runtimes.onnxruntime()
    except (ImportError, OSError) as error:
        return Finding("ONNX Runtime", False, f"does not load: {one_line_error(error)}", _AGAIN, True)
    providers = onnxruntime.get_available_providers()
    names = ", ".join(name.removesuffix("ExecutionProvider") for name in providers)
    about = f"{onnxruntime.__version__}, built for {names}"
    return Finding("ONNX Runtime", "CPUExecutionProvider" in providers, about, _AGAIN, True)


def _openvino() -> list[Finding]:
    try:
        devices = runtimes.openvino().Core().available_devices
    except (ImportError, OSError, RuntimeError) as error:
        about = f"does not load: {one_line_error(error)}; ONNX Runtime paints instead, at about half the speed"
        return [Finding("OpenVINO", False, about, "pip install openvino (no wheels for Macs with Intel)")]
    found = Finding("OpenVINO", "CPU" in devices, f"{version('openvino')}: {', '.join(devices)}", _AGAIN)
    return [found, _fast_precision()] if found.ok else [found]


def _fast_precision() -> Finding:
    """What `/engine/precision fast` paints in on the CPU."""
    from ..inference.openvino_backend import fast_formats

    formats = fast_formats()
    about = f"{' or '.join(formats)} on the CPU" if formats else "the processor has no bf16 or f16 arithmetic"
    return Finding("fast precision", bool(formats), about, "None is needed: shows paint exactly, as films always do.")


def cuda() -> list[Finding]:
    """NVIDIA GPUs that torch can use."""
    from ..inference.backend import cuda_available

    if not cuda_available():
        hint = "None is needed. If there is one: install NVIDIA's driver, and see that nvidia-smi lists it."
        about = "torch, which uses it, is not installed" if find_spec("torch") is None else "no NVIDIA device"
        return [Finding("CUDA", False, about, hint)]
    import torch

    facts = (torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count()))
    found = [f"{one.name} with {one.total_memory / 2**30:.0f} GB" for one in facts]
    return [Finding("CUDA", True, f"{', '.join(found)}; CUDA {torch.version.cuda}")]


def worlds() -> list[Finding]:
    """The installed worlds, and whether their graphs are in the cache."""
    from ..inference.graph_cache import found_graphs
    from ..model.world_file import World, list_worlds, world_folders

    findings = []
    for card in list_worlds():
        ready = found_graphs(World(card, {})) is not None
        graphs = "its graphs are ready" if ready else "its graphs are made at its first start, a few seconds"
        facts = f"{card.version}, {card.width}x{card.height} px, {card.licence}"
        findings.append(Finding(card.name, True, f"{facts}; {graphs}"))
    if not findings:
        places = ", ".join(str(folder) for folder in world_folders())
        return [Finding("worlds", False, f"none in {places}", f"{_AGAIN}; or set SONORAMA_WORLDS.", True)]
    return findings


def frames() -> list[Finding]:
    """Whether a frame map can be created, written and read, and whether shared memory has room for a show's."""
    from ..ipc.shared_paths import shared_folder

    folder = shared_folder()
    try:
        works = _map_works()
    except (SonoramaError, OSError) as error:
        works, about = False, one_line_error(error)
    else:
        about = f"in {folder}" if works else f"a frame written into {folder} was not read back"
    free = shutil.disk_usage(folder).free
    hint = f"Remove what is not needed in {folder}; in a container: --shm-size 1g"
    return [
        Finding("frame map", works, about, f"Allow writing in {folder}.", True),
        Finding("room in it", free >= ROOM, f"{free >> 20} MB free", hint, free < _LEAST_ROOM),
    ]


def _map_works() -> bool:
    import numpy as np

    from ..ipc.frame_map import FrameMap, FrameMapWriter

    name = f"doctor-{os.getpid()}-{secrets.token_hex(4)}"
    pixels = np.random.default_rng().integers(0, 256, (16, 16, 4), np.uint8)
    with FrameMapWriter(name, 16, 16) as writer:
        writer.publish(pixels, 0, 1)
        with FrameMap.open(name) as reader:
            slot = reader.newest()
            return slot is not None and np.array_equal(slot.pixels, pixels)


def ports() -> list[Finding]:
    """Whether the default OSC ports are free."""
    from ..osc.server import PORT, PORT_OUT

    free_in = _free(PORT)
    taken = "taken, by a show or another program"
    next_one = "The next free one is used instead; the show says which."
    listening = "free: no program listens here" if _free(PORT_OUT) else "a program listens here"
    return [
        Finding(f"{PORT} OSC in", free_in, "free" if free_in else taken, next_one),
        Finding(f"{PORT_OUT} OSC out", True, listening),
    ]


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def shows() -> list[Finding]:
    """The running shows."""
    from ..ipc.channel import read_session, running_shows

    running = []
    for name in running_shows():
        try:
            session = read_session(name)
        except SonoramaError:  # it has ended meanwhile
            continue
        facts = [f"process {session['pid']}"]
        facts += [f"OSC port {session['osc_port']}"] if session.get("osc_port") else []
        running.append(Finding(name, True, ", ".join(facts)))
    return running or [Finding("running", True, "none")]


def logs() -> list[Finding]:
    """Where shows write their logs, and whether they can."""
    from ..files.folders import is_folder, is_there, log_folder
    from ..log.show_log import log_path

    folder = log_folder()
    there = next(one for one in (folder, *folder.parents) if is_there(one))
    can = is_folder(there) and os.access(there, os.W_OK | os.X_OK)
    about = str(log_path("NAME")) if can else f"{there} cannot be written, so shows keep no log"
    return [Finding("log of a show", can, about, "Allow writing there, or set SONORAMA_LOGS to another folder.")]


def libraries() -> list[Finding]:
    """Libraries of the system that wheels do not bring; elsewhere than on Linux they do."""
    if not sys.platform.startswith("linux"):
        return []
    return [_library(name, *about) for name, about in LIBRARIES.items()]


def _library(name: str, use: str, package: str) -> Finding:
    try:
        ctypes.CDLL(name)
    except OSError:
        return Finding(name, False, f"missing, for {use}", f"On Debian and Ubuntu: apt-get install {package}")
    return Finding(name, True, f"for {use}")
