"""Sound networks slower than the sound: pictures go on, even past a killed renderer, and the take repeats them."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.take.reader import read_take

from .replaying import check_pictures, check_sound
from .stage import LiveShow, Watcher, counting_sound

Start = Callable[..., LiveShow]


def installed(folder: Path) -> dict[str, str]:
    """The environment of a show in which the backend `slow` is installed."""
    (folder / "slow-0.dist-info").mkdir(parents=True)
    (folder / "slow_backend.py").write_text(Path(__file__).with_name("slow_backend.py").read_text())
    (folder / "slow-0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 0\n")
    (folder / "slow-0.dist-info" / "entry_points.txt").write_text(
        "[sonorama.backends]\nslow = slow_backend:SlowBackend\n"
    )
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)}


def test_slow_networks_delay_no_frame_and_the_take_gives_the_same_pictures(
    start: Start, tmp_path: Path, instrument: LoadedWorld
) -> None:
    sound, take = counting_sound(tmp_path / "count.wav", 400), tmp_path / "a.take"
    show = start(
        "--source", f"file:{sound}", "--take", str(take), "--set", "/out/flash_guard=0", "--set", "/look/drift=0.3",
        "--device", "slow", env=installed(tmp_path / "site"),
    )  # fmt: skip
    renderer = show.playing()
    with Watcher(show.name) as watcher:
        show.wait(lambda: len(watcher.seen) > 90, "no pictures come")
        os.kill(renderer, signal.SIGKILL)
        show.wait(lambda: show.row.get("renderer_pid") not in (0, renderer), "no other renderer comes")
        show.playing()
        count = len(watcher.seen)
        show.wait(lambda: len(watcher.seen) > count + 60, "no pictures come")
    assert show.stop() == 128 + signal.SIGTERM
    head = take / "take.json"  # this process does not know the backend
    head.write_text(head.read_text().replace('"/engine/device": "slow"', '"/engine/device": "cpu"'))
    kept = read_take(take)
    assert len(kept.restarts) == 1
    assert len(set(kept.held.values())) > 3, "late answers count, too"
    check_sound(kept)
    check_pictures(watcher.seen, kept, {str(kept.start.values["/engine/world"]): instrument})
