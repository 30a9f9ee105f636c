"""How long `sonorama --help` takes: python tests/benchmarks/startup.py [runs]. Target: < 0.4 s (median)."""

import statistics
import subprocess
import sys
import time
from pathlib import Path


def seconds(arguments: list[str]) -> float:
    """Wall time of one run of the installed command."""
    script = Path(sys.executable).with_name("sonorama")
    begun = time.perf_counter()
    subprocess.run([script, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Print medians and ranges after one warm-up run."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    for arguments in (["--help"], ["--version"], ["render", "--help"]):
        seconds(arguments)
        times = sorted(seconds(arguments) for _ in range(runs))
        middle = statistics.median(times)
        spread = f"{times[0]:.3f} to {times[-1]:.3f}, {runs} runs"
        print(f"sonorama {' '.join(arguments):14} {middle:.3f} s ({spread})")


if __name__ == "__main__":
    main()
