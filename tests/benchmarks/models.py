"""How long an imported StyleGAN2 takes until it plays: python tests/benchmarks/models.py [size base seeds].

Networks with random weights, in the layout of NVIDIA's pickles, are imported by the installed command. Printed are wall
time and processor time (of all cores) until the world was written first, and until its bank was painted; and of films
of one frame. Without arguments: 512 px with channel_base 16384 and a bank of 64, and 256 px
with 4096 and a bank of 1024.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.plugin.worlds import nvidia_files  # noqa: E402 (the folder comes first)

SONORAMA = Path(sys.executable).with_name("sonorama")


def processor_s(process: psutil.Process) -> float:
    """Of a process that runs, and of those of its children that have ended."""
    used = process.cpu_times()
    return used.user + used.system + used.children_user + used.children_system


def lines(arguments: list[str]) -> Iterator[tuple[str, float, float]]:
    """Each line that the command prints, with the wall time and processor time since its start."""
    begun = time.perf_counter()
    with subprocess.Popen([SONORAMA, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            yield line, time.perf_counter() - begun, processor_s(psutil.Process(run.pid))
    if run.returncode:
        raise SystemExit(f"sonorama {' '.join(arguments)} ended with {run.returncode}")


def measure(folder: Path, size: int, base: int, seeds: int) -> None:
    """Import one network and play it."""
    network = nvidia_files.generator(size=size, base=base, most=512, z_dim=512, w_dim=512)
    source = nvidia_files.write(folder / f"{size}-{base}.pkl", network)
    world = folder / f"{size}-{base}.safetensors"
    print(f"{size} px, channel_base {base}, {source.stat().st_size / 1e6:.0f} MB:")
    before = 0.0, 0.0
    for line, *now in lines(["import", str(source), "--world", "bench", "--seeds", str(seeds), "-o", str(world)]):
        painted, _, rest = line.partition(" are in it")
        if rest or line.startswith("Play it"):
            what = painted if rest else "it plays"
            print(
                f"  until {what}: {now[0] - before[0]:.1f} s, {now[1] - before[1]:.1f} s of processor time", flush=True
            )
            before = now[0], now[1]
    sound, film = ROOT / "examples" / "rain.ogg", folder / "frame.mp4"
    command = ["render", sound, "--world", world, "-o", film, "--duration", "0.03", "--overwrite"]
    for what in ("film of one frame", "again, with the graphs that the first has made"):
        begun, used = time.perf_counter(), of_children()
        subprocess.run([SONORAMA, *map(str, command)], check=True, stdout=subprocess.DEVNULL)
        seconds, processor = time.perf_counter() - begun, of_children() - used
        print(f"  {what}: {seconds:.1f} s, {processor:.1f} s of processor time", flush=True)


def of_children() -> float:
    """Processor time of all processes that were started and have ended."""
    used = os.times()
    return used.children_user + used.children_system


def main() -> None:
    """Measure what was asked for."""
    given = tuple(map(int, sys.argv[1:4]))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SONORAMA_CACHE"] = str(Path(folder) / "cache")
        for size, base, seeds in [given] if given else [(512, 16384, 64), (256, 4096, 1024)]:
            measure(Path(folder), size, base, seeds)


if __name__ == "__main__":
    main()
