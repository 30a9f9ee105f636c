"""F_a a frame at a time: of the four frames that it hears, three were heard before.

F_a listens to frames of one second and takes the mean of their codes (model/frame_encoder.py). Where it is asked every
FRAME_STEP columns, every frame but the newest is the same as four steps ago, and its code is remembered.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.config import FRAME_STARTS, FRAME_STEP
from ..model.mel import ENCODER_COLUMNS
from ..units import Array

if TYPE_CHECKING:
    import onnx

FRAME, CODE = "sound_frame", "sound_code"
"""Graphs: a frame -> its code; window and codes of its frames -> F_a's answer."""
REMEMBERED = 2 * len(FRAME_STARTS) * (FRAME_STARTS[1] - FRAME_STARTS[0]) // FRAME_STEP
"""Codes of frames: those of eight seconds, twice what one sound needs, since what is asked ahead may not be played."""


class SoundFrames:
    """Log-mel window [128,344] -> unit code [D]. The answer depends on nothing but the window.

    Args:
        folder: of the world's graphs, see `split_sound`.
        open_session: opens a graph.

    """

    def __init__(self, folder: Path, open_session: Callable[[Path], Any]) -> None:
        self._frame, self._code = (open_session(folder / f"{name}.onnx") for name in (FRAME, CODE))
        self._known: OrderedDict[bytes, Array] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, window: Array) -> Array:
        """See the class."""
        window = np.ascontiguousarray(window, np.float32)
        frames = (window[:, start : start + ENCODER_COLUMNS] for start in FRAME_STARTS)
        with self._lock:
            codes = np.stack([self._heard(np.ascontiguousarray(frame)) for frame in frames])
        return np.asarray(self._code.run(None, {"window": window[None, None], "frame_codes": codes})[0])[0]

    def _heard(self, frame: Array) -> Array:
        """Code of a frame [128,88]."""
        key = frame.tobytes()
        if (code := self._known.get(key)) is None:
            code = self._known[key] = np.asarray(self._frame.run(None, {"frames": frame[None]})[0])[0]
        self._known.move_to_end(key)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return code


def listens_by_frames(folder: Path) -> bool:
    """Whether a world's F_a was cut in two."""
    return (folder / f"{CODE}.onnx").is_file()


def split_sound(folder: Path) -> None:
    """Cut `sound.onnx` of a folder in two, if its F_a listens by frames."""
    import onnx
    from onnx.utils import Extractor

    from .graphs.frame_encoder import FRAME_CODES, FRAMES

    model = onnx.load(folder / "sound.onnx")
    if not any(FRAME_CODES in node.output for node in model.graph.node):
        return
    whole = Extractor(onnx.shape_inference.infer_shapes(model))
    onnx.save(_of_one(whole.extract_model([FRAMES], [FRAME_CODES])), folder / f"{FRAME}.onnx")
    onnx.save(whole.extract_model(["window", FRAME_CODES], ["code"]), folder / f"{CODE}.onnx")


def _of_one(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph of a batch of one."""
    del model.graph.value_info[:]
    for port in (*model.graph.input, *model.graph.output):
        port.type.tensor_type.shape.dim[0].dim_value = 1
    return model
