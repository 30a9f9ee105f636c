"""The sink `map[:NAME]`: an additional frame map for another program (see engine/ipc/frame_map.py)."""

from __future__ import annotations

from typing import Literal

from ...engine.ipc.frame_map import FrameMapWriter
from ...engine.ipc.shared_paths import check_name, shared_folder
from ...engine.plugins.interfaces import Available, Picture, StreamInfo


def probe() -> Available:
    """Always available; names the folder of the maps."""
    return Available(f"shared memory in {shared_folder()}")


class MapSink:
    """Publishes pictures in a frame map of its own, which is resized with the stream.

    Args:
        argument: name of the map, different from the show's; default `<show>-2`.

    Raises:
        SonoramaError: the name is not valid.

    """

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, argument: str = "") -> None:
        self.about = ""
        self._name = check_name(argument) if argument else ""
        self._writer: FrameMapWriter | None = None

    def open(self, info: StreamInfo) -> None:
        """Create the map, or resize it.

        Raises:
            FrameMapTaken: another program uses the name.
            SonoramaError: there is not enough memory.

        """
        if self._writer is None:
            self._writer = FrameMapWriter(self._name or f"{info.name}-2", info.width, info.height)
            self.about = str(self._writer.path)
        elif self._writer.size != (info.width, info.height):
            self._writer.resize(info.width, info.height)

    def send(self, picture: Picture) -> None:
        """Publish a picture.

        Raises:
            FrameMapTaken: another program took the name.

        """
        if self._writer is not None:
            self._writer.publish(
                picture.pixels, picture.pts_ns, picture.frame, repeated=picture.repeated, sample=picture.sample
            )

    def close(self) -> None:
        """Remove the map."""
        writer, self._writer, self.about = self._writer, None, ""
        if writer is not None:
            writer.close()
