"""Plays a sound into PNG files by graphs of `sonorama export`, without sonorama: onnx_player.py DIR SOUND OUT [FPS]."""

import functools
import json
import sys
import zlib
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

sys.excepthook = lambda kind, error, _: sys.stderr.write(f"{kind.__name__}: {error}\n{__doc__}\n")
(folder, file, out), fps = map(Path, sys.argv[1:4]), float((sys.argv[4:] or ["30"])[0])
world = json.loads((folder / "manifest.json").read_text("utf-8"))
graphs, rate, hop, seed = world["graphs"], world["sound"]["rate"], world["sound"]["hop"], world["start"]["seed"]
every = {name: rate / graph["rate"] for name, graph in graphs.items() if graph["rate"]}  # samples between two calls
runs = {name: onnxruntime.InferenceSession(folder / graph["file"]) for name, graph in graphs.items()}
pcm, own = soundfile.read(file, dtype="float32", always_2d=True)
sound = np.pad(np.interp(np.arange(len(pcm) * rate // own) * own / rate, np.arange(len(pcm)), pcm.mean(1)), (2**18, 0))


def call(name: str, **given: np.typing.ArrayLike) -> dict[str, np.ndarray]:
    """Outputs of a graph by name; inputs that are not given take their defaults."""
    ports, names = graphs[name]["inputs"], [port["name"] for port in graphs[name]["outputs"]]
    feed = {p["name"]: np.full(p["shape"], given.get(p["name"], p.get("default")), p["type"]) for p in ports}
    return dict(zip(names, map(np.asarray, runs[name].run(names, feed)), strict=True))


@functools.cache
def heard(sample: float) -> dict[str, np.ndarray]:
    """What is heard at a sample of the encoder's grid; at another one, what lies between; at the beginning, silence."""
    if part := sample / every["encoder"] % 1:
        one, two = (heard((sample // every["encoder"] + k) * every["encoder"]) for k in (0, 1))
        return {name: one[name] + part * (two[name] - one[name]) for name in one}
    found = dict[str, np.ndarray]()
    for name in ("sound", "encoder"):
        end = 2**18 + int(sample // every[name] * every[name] // hop) * hop
        found |= call(name, samples=sound[:end][-graphs[name]["inputs"][0]["shape"][1] :], **found)
    return {name: found[name] * (sample > 0) for name in ("mixed", "presence", "weights") if name in found}


follow = next(np.array(port["default"]) for port in graphs["motion"]["inputs"] if port["name"] == "follow")
kept = np.repeat(2 ** (-1 / (fps * follow)), [b - a for a, b in world["levels"].values()])[:, None]
given = call("mapping", z=world["seeds"][str(seed)]) | {"choice": world["places"]["choice"][str(seed)]}
state, before, anchor, step = world["start"]["state"], 0.0, 0.0, 0
out.mkdir()
for frame, sample in enumerate((np.arange(max(1, int(len(pcm) / own * fps))) * rate / fps).astype(int)):
    while (last := round(step * every["motion"])) <= sample:
        noise = np.random.Generator(np.random.Philox(key=seed, counter=step)).standard_normal(given["w"].shape[1:])
        base = call("base", **given, **(now := heard(last - every["encoder"])))["base"]
        new = call("motion", base=base, noise=noise, **now, **state)
        before, state, step = state["residual"], {name: new[f"{name}_next"] for name in state}, step + 1
    anchor = kept * anchor + (1 - kept) * (now := heard(sample - every["encoder"]))["mixed"]
    moved = before + (1 - (last - sample) / every["motion"]) * (state["residual"] - before)
    picture = call("synthesis", ws=call("base", **given, **now)["base"] + anchor + moved)["rgba"][0]
    head = b"IHDR" + b"".join(side.to_bytes(4, "big") for side in picture.shape[1::-1]) + b"\x08\x06\0\0\0"
    data = b"IDAT" + zlib.compress(b"".join(b"\0" + row.tobytes() for row in picture))
    png = ((len(p) - 4).to_bytes(4, "big") + p + zlib.crc32(p).to_bytes(4, "big") for p in (head, data, b"IEND"))
    (out / f"{frame:05}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(png))
