"""Screenshots of the panel at the scale that QT_SCALE_FACTOR sets, on displays of four sizes; a program of its own,
since Qt reads the scale once.

python -m tests.ui.shoot FOLDER; prints a line of JSON for each: file, display, pixels and pixels a point.
"""

import json
import os
import sys
import time
from pathlib import Path

from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QApplication

from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.engine.ipc.messages import Values
from sonorama.ui.link import Link
from sonorama.ui.window import Window, opening

DISPLAYS = ((1024, 640), (1280, 800), (1920, 1080), (3840, 2160))
"""In pixels."""


def main(folder: Path) -> None:
    """The panel as it opens on each of DISPLAYS, with a show that has something to say."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = QApplication([])
    from . import scene
    from .conftest import FakeShow

    folder.mkdir(parents=True, exist_ok=True)
    show = FakeShow()
    link = Link(show.reach)
    link.start()
    window = Window(link)
    show.values.update(scene.values())
    show.outbox.append(Values(show.values))
    with FrameMapWriter("test", 256, 256) as frames:
        window.show()
        for width, height in DISPLAYS:
            scale = window.devicePixelRatioF()
            window.resize(opening(QRect(0, 0, round(width / scale), round(height / scale))).size())
            frames.publish(scene.pictures()[2], 0, width)
            show.outbox += [scene.status(tick) for tick in range(130)]
            until = time.monotonic() + 60
            while (show.outbox or window.preview.slot is None or window.preview.note) and time.monotonic() < until:
                app.processEvents()
                time.sleep(0.005)
            for _ in range(20):
                app.processEvents()
            shot = window.grab().toImage()
            path = folder / f"panel-{width}x{height}@{scale:g}.png"
            if not shot.save(str(path)):
                raise SystemExit(f"{path} cannot be written")
            told = {
                "file": str(path),
                "display": (width, height),
                "pixels": (shot.width(), shot.height()),
                "scale": scale,
            }
            sys.stdout.write(json.dumps(told) + "\n")
    link.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
