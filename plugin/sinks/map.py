"""`map[:NAME]`: a further frame map, for a program that wants one of its own (engine/ipc/frame_map.py)."""

from __future__ import annotations

from typing import Literal

from ...engine.ipc.frame_map import FrameMapWriter
from ...engine.ipc.shared_paths import check_name, shared_folder
from ...engine.plugins.interfaces import Available, Picture, StreamInfo


def probe() -> Available:
    """Where they lie."""
    return Available(f"shared memory in {shared_folder()}")


class MapSink:
    """Publishes into a frame map that follows every change of size.

    Args:
        argument: name of the map, which must be another than the show's own; empty is `<show>-2`.

    Raises:
        SonoramaError: not a name.

    """

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, argument: str = "") -> None:
        self.about = ""
        self._name = check_name(argument) if argument else ""
        self._writer: FrameMapWriter | None = None

    def open(self, info: StreamInfo) -> None:
        """Make the map, or give it another size.

        Raises:
            FrameMapTaken: the name belongs to another program.
            SonoramaError: no room for it.

        """
        if self._writer is None:
            self._writer = FrameMapWriter(self._name or f"{info.name}-2", info.width, info.height)
            self.about = str(self._writer.path)
        elif self._writer.size != (info.width, info.height):
            self._writer.resize(info.width, info.height)

    def send(self, picture: Picture) -> None:
        """Publish it.

        Raises:
            FrameMapTaken: another program took the name.

        """
        if self._writer is not None:
            self._writer.publish(
                picture.pixels, picture.pts_ns, picture.frame, repeated=picture.repeated, sample=picture.sample
            )

    def close(self) -> None:
        """Take the map away."""
        writer, self._writer, self.about = self._writer, None, ""
        if writer is not None:
            writer.close()
