"""Golden renders: how they are made and read back. test_golden.py says what is compared.

Only the command line and its files are used, nothing of the package, so that they outlive any renaming inside it.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
FOLDER = Path(__file__).parent
EXAMPLES = FOLDER.parents[1] / "examples"
HASHES, TAKE = FOLDER / "hashes.json", FOLDER / "performance.take.zip"
RENDERS: dict[str, dict[str, Any]] = json.loads((FOLDER / "renders.json").read_text())["renders"]
DEFAULTS: dict[str, Any] = json.loads((FOLDER / "renders.json").read_text())["values"]
ENVIRONMENT = dict(os.environ)
"""As it was on import: another test's fixture may point the cache of graphs at a folder of its own."""
LIBRARIES = ("av", "numpy", "onnx", "onnxruntime", "onnxruntime-gpu", "openvino")
SMALL, EVERY = 32, 3
"""Longer side of the small pictures in px, and of how many frames one is kept."""
AS_LIVE = ("--look-ahead", "0", "--pre-roll", "0", *(f"--set=/moves/{n}/source=off" for n in (1, 2, 3)))
"""As films were made when the goldens were: by the sound before each frame, from the film's own beginning."""
TOLERANCE = 3
"""How far a small picture may be off, of 255. Painted by the other library for CPUs (ONNX Runtime for OpenVINO) they
are off by 1, and by 2 behind H.264, which is more than processors should differ by. Another seed is off by 200, a muted
level by 30; a value changed by a few hundredths is only seen by the hashes.
"""


@dataclass(frozen=True)
class Film:
    """What one render painted: a hash of every frame as it was stored, and small pictures uint8 [n,h,w,3]."""

    hashes: list[str]
    small: Bytes


def program() -> str:
    """The installed command."""
    found = shutil.which("sonorama", path=sysconfig.get_path("scripts"))
    assert found, "the command sonorama is not installed beside this Python"
    return found


def arguments(name: str, folder: Path) -> tuple[list[str], Path]:
    """The command of one render, and what it writes into `folder`."""
    job = RENDERS[name]
    out = folder / job["out"]
    if "take" in job:
        with zipfile.ZipFile(TAKE) as packed:
            packed.extractall(folder)
        return ["render", str(folder / job["take"]), "-o", str(out), *job["options"]], out
    values = DEFAULTS | job["values"]
    assert values.keys() == DEFAULTS.keys(), "a value of no known address"
    given = [word for path, value in values.items() for word in ("--set", f"{path}={value}")]
    return [
        "render",
        str(EXAMPLES / job["sound"]),
        "-o",
        str(out),
        "--world",
        "shore",
        *AS_LIVE,
        *job["options"],
        *given,
    ], out


def render(name: str, folder: Path) -> Film:
    """Render and read back."""
    command, out = arguments(name, folder)
    done = subprocess.run([program(), *command], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    hashes, small = list[str](), list[Bytes]()
    for number, frame in enumerate(frames(out)):
        hashes.append(digest(frame))
        if number % EVERY == 0:
            small.append(reduced(rgb8(frame)))
    return Film(hashes, np.stack(small))


def frames(out: Path) -> Iterator[av.VideoFrame]:
    """Every picture of a film or of a folder of pictures, as it is stored there."""
    for path in sorted(out.glob("frame_*")) if out.is_dir() else [out]:
        with av.open(str(path)) as container:
            yield from container.decode(video=0)


def digest(frame: av.VideoFrame) -> str:
    """Of its format, its size and every sample as it is stored, without the padding of rows."""
    samples = len(frame.format.components) if len(frame.planes) == 1 else 1
    size = samples * -(-frame.format.components[0].bits // 8)
    sha256 = hashlib.sha256(f"{frame.format.name} {frame.width}x{frame.height}".encode())
    for plane in frame.planes:
        rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
        sha256.update(rows[:, : plane.width * size].tobytes())
    return sha256.hexdigest()[:16]


def rgb8(frame: av.VideoFrame) -> Bytes:
    """uint8 [height,width,3]."""
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def reduced(picture: Bytes) -> Bytes:
    """Averages of boxes: uint8 [H,W,3] -> uint8, longer side SMALL px."""
    height, width = picture.shape[:2]
    scale = SMALL / max(height, width)
    edges = [np.linspace(0, n, round(n * scale) + 1).astype(int) for n in (height, width)]
    sums = np.add.reduceat(np.add.reduceat(picture.astype(np.float64), edges[0][:-1], 0), edges[1][:-1], 1)
    area = np.outer(np.diff(edges[0]), np.diff(edges[1]))
    return np.rint(sums / area[..., None]).astype(np.uint8)


def reference(name: str) -> Path:
    """The kept small pictures of a render, one below the other."""
    return FOLDER / "pictures" / f"{name}.png"


def read_reference(name: str) -> Bytes:
    """All of them in one column, uint8 [n*h,w,3]."""
    return rgb8(next(frames(reference(name))))


def write_reference(name: str, small: Bytes) -> None:
    """Keep small pictures [n,h,w,3] as one PNG."""
    frame = av.VideoFrame.from_ndarray(column(small), format="rgb24")
    encoder = av.CodecContext.create("png", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "rgb24"
    reference(name).parent.mkdir(exist_ok=True)
    reference(name).write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]))


def difference(name: str, small: Bytes) -> int:
    """How far small pictures are off those that are kept, at most, of 255."""
    kept, now = read_reference(name), column(small)
    assert now.shape == kept.shape, f"{name}: another size or number of pictures"
    return int(np.abs(now.astype(int) - kept).max())


def column(small: Bytes) -> Bytes:
    """Pictures [n,h,w,3] one below the other [n*h,w,3]."""
    return np.ascontiguousarray(small.reshape(-1, *small.shape[2:]))


def machine() -> dict[str, str]:
    """What the last bits of a picture depend on: the processor's instruction sets and the libraries' versions."""
    return _processor() | {name: installed for name in LIBRARIES if (installed := _version(name))}


def _processor() -> dict[str, str]:
    """Where there is no /proc/cpuinfo, all that Python knows."""
    if not Path("/proc/cpuinfo").exists():
        return {"processor": f"{platform.system()} {platform.machine()} {platform.processor()}"}
    lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    sets = ("sse", "ssse", "avx", "fma", "f16c", "bmi", "amx", "asimd", "sve", "bf16", "i8mm")
    flags = sorted(flag for flag in told.get("flags", told.get("Features", "")).split() if flag.startswith(sets))
    model = [told.get(key, "") for key in ("vendor_id", "cpu family", "model")]  # they choose kernels and block sizes
    return {"processor": " ".join([platform.machine(), *model]).strip(), "instructions": " ".join(flags)}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
