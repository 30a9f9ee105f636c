"""A film into a pipe: NUT on standard output, read back; everything else that is said goes to stderr."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from .helpers import samples

STREAMING = """
import sys
from pathlib import Path
import numpy as np
from sonorama.export.output_path import STDOUT
from sonorama.export.render import RenderJob, render
from tests.export.helpers import PatternSource, maker

def progress(done, total):
    print("said meanwhile")

ramp = np.linspace(0, 1, 64, dtype=np.float32)
stage = PatternSource(np.stack([*np.meshgrid(ramp, ramp), np.full((64, 64), 0.5, np.float32)], axis=2))
job = RenderJob(Path(sys.argv[1]), STDOUT, preset=sys.argv[2] or None, to_stdout=True)
report = render(job, progress, maker(stage))
print("and after", report.frames)
"""


@pytest.mark.parametrize(
    ("preset", "codec", "pixels"),
    [
        ("", "h264", "yuv420p"),
        ("h264-10bit", "h264", "yuv420p10le"),
        ("hevc-10bit", "hevc", "yuv420p10le"),
        ("av1", "libdav1d", "yuv420p10le"),
        ("ffv1", "ffv1", "yuv444p16le"),
    ],
)
def test_what_goes_into_a_pipe(tmp_path: Path, sound: Path, preset: str, codec: str, pixels: str) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", STREAMING, str(sound), preset]
    done = subprocess.run(command, cwd=root, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(b"said meanwhile") == 6
    whole, said = done.stdout[: -len(b"and after 6\n")], done.stdout[-len(b"and after 6\n") :]
    assert said == b"and after 6\n"
    assert b"said meanwhile" not in whole
    film = tmp_path / "film.nut"
    film.write_bytes(whole)
    with av.open(str(film)) as container:
        assert container.format.name == "nut"
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == (codec, pixels)
        frames = [*container.decode(video=0)]
    # FFV1 has no room for the tags, and neither has NUT.
    assert {frame.colorspace for frame in frames} == ({2} if codec == "ffv1" else {1})
    times = [frame.time for frame in frames]
    assert times == pytest.approx([index / 30 for index in range(6)], abs=1e-4)
    assert np.array_equal(samples(film, 2), samples(sound, 2))
