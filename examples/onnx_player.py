"""Plays a sound into PNG files by graphs of `sonorama export`, without sonorama: onnx_player.py DIR SOUND OUT [FPS]."""

import functools
import json
import sys
import zlib
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

(folder, file, out), fps = map(Path, sys.argv[1:4]), float((sys.argv[4:] or ["30"])[0])
world = json.loads((folder / "manifest.json").read_text("utf-8"))
graphs, rate, hop, seed = world["graphs"], world["sound"]["rate"], world["sound"]["hop"], world["start"]["seed"]
every = {name: rate / graph["rate"] for name, graph in graphs.items() if graph["rate"]}  # samples between two calls
runs = {name: onnxruntime.InferenceSession(folder / graph["file"]) for name, graph in graphs.items()}
found, own_rate = soundfile.read(file, dtype="float32", always_2d=True)
n = len(found) * rate // own_rate
sound = np.pad(np.interp(np.arange(n) * own_rate / rate, np.arange(len(found)), found.mean(1)), (200_000, 0))


def call(name: str, **given: np.typing.ArrayLike) -> dict[str, np.ndarray]:
    """Outputs of a graph by name; inputs that are not given take their defaults."""
    ports, names = ({port["name"]: port for port in graphs[name][side]} for side in ("inputs", "outputs"))
    feed = {key: np.full(p["shape"], given.get(key, p.get("default")), p["type"]) for key, p in ports.items()}
    return dict(zip(names, map(np.asarray, runs[name].run([*names], feed)), strict=True))


@functools.cache
def heard(sample: float) -> dict[str, np.ndarray]:
    """What is heard at a sample of the encoder's grid; at another one, what lies between; at the beginning, silence."""
    point, part = divmod(sample / every["encoder"], 1)
    if part:
        one, two = (heard((point + k) * every["encoder"]) for k in (0, 1))
        return {name: one[name] + part * (two[name] - one[name]) for name in one}
    found: dict[str, np.ndarray] = {}
    for name in ("sound", "encoder"):
        end = 200_000 + int(sample // every[name] * every[name] // hop) * hop
        found |= call(name, samples=sound[:end][-graphs[name]["inputs"][0]["shape"][1] :], **found)
    return {"displacement": found["mixed"] * (point > 0), "presence": found["presence"] * (point > 0)}


follow = next(np.array(port["default"]) for port in graphs["motion"]["inputs"] if port["name"] == "follow")
kept = np.repeat(2 ** (-1 / (fps * follow)), [b - a for a, b in world["levels"].values()])[:, None]
base = world["w_avg"] + world["truncation"] * (call("mapping", z=world["seeds"][str(seed)])["w"] - world["w_avg"])
state, before, anchor, step = world["start"]["state"], 0.0, 0.0, 0
out.mkdir()
for frame, sample in enumerate((np.arange(int(n / rate * fps)) * rate / fps).astype(int)):
    while (last := round(step * every["motion"])) <= sample:
        noise = np.random.Generator(np.random.Philox(key=seed, counter=step)).standard_normal(base.shape[1:])
        new = call("motion", base=base, noise=noise, **heard(last - every["encoder"]), **state)
        before, state, step = state["residual"], {name: new[f"{name}_next"] for name in state}, step + 1
    anchor = kept * anchor + (1 - kept) * heard(sample - every["encoder"])["displacement"]
    moved = before + (1 - (last - sample) / every["motion"]) * (state["residual"] - before)
    picture = call("synthesis", ws=base + anchor + moved)["rgba"][0]
    head = b"IHDR" + b"".join(side.to_bytes(4, "big") for side in picture.shape[1::-1]) + b"\x08\x06\0\0\0"
    data = b"IDAT" + zlib.compress(b"".join(b"\0" + row.tobytes() for row in picture))
    png = ((len(p) - 4).to_bytes(4, "big") + p + zlib.crc32(p).to_bytes(4, "big") for p in (head, data, b"IEND"))
    (out / f"{frame:05}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(png))
