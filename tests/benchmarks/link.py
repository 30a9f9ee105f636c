"""How far the show's bar is from another program's in an Ableton Link session; two processes.

python tests/benchmarks/link.py [--readings 500]
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.plugin.link.session import in_network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=500)
    found = in_network(parser.parse_args().readings)
    for name, title in (("apart_ms", "133 BPM"), ("apart_after_ms", "after a change to 171.5 BPM")):
        apart = np.abs(found[name])
        print(f"{title}: phase error median {np.median(apart):.2f} ms, 99 % {np.percentile(apart, 99):.2f} ms, "
              f"most {apart.max():.2f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
