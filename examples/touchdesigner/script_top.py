"""Callbacks DAT of a Script TOP in TouchDesigner: the pictures of a running sonorama show.

It needs a Text DAT called `frame_map` with frame_map.py in it, beside it.
"""

from typing import Any

from frame_map import FrameMap

SHOW = "sonorama"
"""Its name: --name."""
reader = FrameMap(SHOW)
newest: Any = None


def onCook(scriptOp: Any) -> None:  # noqa: N802 (TouchDesigner's names)
    """Give the operator the newest picture, or the last one once more."""
    global newest
    pixels = reader.newest()
    if pixels is not None:
        newest = pixels[::-1].copy()  # TouchDesigner's row 0 is the bottom one
    if newest is not None:
        scriptOp.copyNumpyArray(newest)
