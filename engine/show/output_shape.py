"""An output's own size, flip and delay: `--sink NAME:ARGUMENT,size=640x360,flip=horizontal,delay=80`.

What stands behind the last commas is the same for all sinks; the sink itself is given pictures of its own shape. The
work is done in the sink's thread.
"""

from __future__ import annotations

import difflib
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..errors import SonoramaError
from ..picture.scale import FITS, scaler
from ..plugins.interfaces import FrameSink, Picture, StreamInfo
from ..plugins.registry import SINKS, load, open_sink
from ..units import Pixels

FLIPS = ("none", "horizontal", "vertical", "both")
MOST_DELAY_MS = 1000.0
MOST_SIDE = 4096
MOST_BYTES = 512 << 20
"""Of pictures held back. Larger ones are held at a lower rate instead of taking more memory."""
_OPTION = re.compile(r"([a-z]+)=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OutputShape:
    """How an output's pictures differ from the show's.

    Attributes:
        size: (width, height) in pixels; None: the show's.
        fit: how pictures of another shape are fitted into `size`, one of scale.FITS.
        flip: one of FLIPS.
        delay_ms: how long pictures are held back.

    """

    size: tuple[int, int] | None = None
    fit: str = FITS[0]
    flip: str = FLIPS[0]
    delay_ms: float = 0.0


def parse_spec(spec: str) -> tuple[str, OutputShape]:
    """Split the options off a sink's spec; a comma that no option follows belongs to the argument.

    Args:
        spec: such as `map:wall,size=640x360,delay=80`.

    Returns:
        (such as `map:wall`, its shape).

    Raises:
        SonoramaError: an option that does not exist, or a value that is not allowed.

    """
    found: dict[str, str] = {}
    while (match := _OPTION.fullmatch((parts := spec.rpartition(","))[2])) and parts[1]:
        if match[1] not in _PARSERS:
            if near := difflib.get_close_matches(match[1], _PARSERS, 1):
                raise SonoramaError(f"Outputs have no option {match[1]}", f"Did you mean {near[0]}=...?")
            break
        if found.setdefault(match[1], match[2]) != match[2]:
            said = f"{match[1]} is given twice, {match[2]} and {found[match[1]]}"
            raise SonoramaError(f"An output's {said}", "Leave one of them out.")
        spec = parts[0]
    shape = OutputShape()
    for name, text in found.items():
        shape = _PARSERS[name](shape, text)
    return spec, shape


def _size(shape: OutputShape, text: str) -> OutputShape:
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(1 <= side <= MOST_SIDE for side in size):
        raise SonoramaError(f"size={text} is no size of an output", f"Use WxH in pixels, at most {MOST_SIDE} each.")
    return replace(shape, size=size)


def _fit(shape: OutputShape, text: str) -> OutputShape:
    return replace(shape, fit=_one_of(FITS, "fit", text))


def _flip(shape: OutputShape, text: str) -> OutputShape:
    return replace(shape, flip=_one_of(FLIPS, "flip", text))


def _one_of(choices: tuple[str, ...], name: str, text: str) -> str:
    if text not in choices:
        raise SonoramaError(f"{name}={text} is not known", f"Use one of: {', '.join(choices)}.")
    return text


def _delay(shape: OutputShape, text: str) -> OutputShape:
    delay = float(text) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]*)?", text) else -1.0
    if not 0.0 <= delay <= MOST_DELAY_MS:
        raise SonoramaError(f"delay={text} is no delay", f"Use milliseconds, 0 to {MOST_DELAY_MS:.0f}.")
    return replace(shape, delay_ms=delay)


_PARSERS: dict[str, Callable[[OutputShape, str], OutputShape]] = {
    "size": _size, "fit": _fit, "flip": _flip, "delay": _delay,
}  # fmt: skip


def open_output(spec: str) -> tuple[str, Callable[[], FrameSink]]:
    """As registry.open_sink, for a spec with options.

    Raises:
        SonoramaError: as `open_sink` and `parse_spec`; or the sink cannot have these options.

    """
    plain, shape = parse_spec(spec)
    name = plain.partition(":")[0]
    try:
        label, make = open_sink(plain)
    except SonoramaError as error:
        if "," in plain:  # perhaps meant as an option
            hint = f"{error.hint} Behind a comma there may be {', '.join(_PARSERS)}, such as ,size=640x360."
            raise SonoramaError(error.message, hint) from error
        raise
    if shape == OutputShape():
        return label, make
    factory = load(SINKS, name)
    if hint := getattr(factory, "shaped_by", ""):
        raise SonoramaError(f"The sink {name} has no size, flip or delay of this kind", hint)
    if shape.delay_ms and getattr(factory, "policy", "") == "every":
        raise SonoramaError(f"The sink {name} keeps every picture, so it has no delay", "Leave delay out.")
    return label, lambda: ShapedSink(make(), shape)


class ShapedSink:
    """A sink that is given pictures of another shape.

    Args:
        sink: what takes them.
        shape: of the pictures.

    """

    def __init__(self, sink: FrameSink, shape: OutputShape) -> None:
        self.policy: Literal["latest", "every"] = sink.policy
        self._sink, self._shape = sink, shape
        self._scale: Callable[[Pixels], Pixels] = lambda pixels: pixels
        self._info: StreamInfo | None = None
        self._held: deque[Picture] = deque()
        self._last: tuple[Pixels, Pixels] | None = None

    @property
    def about(self) -> str:
        """As the sink says."""
        return str(self._sink.about)

    def open(self, info: StreamInfo) -> None:
        """Open it with its own size. Raises as the sink does."""
        width, height = self._shape.size or (info.width, info.height)
        before, self._info = self._info, info
        if before is None or (before.width, before.height) != (info.width, info.height):
            self._scale = scaler((info.width, info.height), (width, height), fit=self._shape.fit)
            self._held.clear()
            self._last = None
        self._sink.open(replace(info, width=width, height=height))

    def send(self, picture: Picture) -> None:
        """Send the picture in its own shape, or with a delay the newest one that is old enough."""
        shaped = replace(picture, pixels=self._shaped(picture.pixels))
        if not self._shape.delay_ms:
            self._sink.send(shaped)
            return
        delay_ns = round(self._shape.delay_ms * 1e6)
        most = max(2, MOST_BYTES // max(1, shaped.pixels.nbytes))
        if not self._held or shaped.pts_ns - self._held[-1].pts_ns >= delay_ns / most:
            self._held.append(shaped)
        due: Picture | None = None
        while self._held and self._held[0].pts_ns <= picture.pts_ns - delay_ns:
            due = self._held.popleft()
        if due is not None:
            self._sink.send(due)

    def _shaped(self, pixels: Pixels) -> Pixels:
        """In the output's size and direction; of the same picture the same array, as sinks that encode rely on."""
        if self._last is None or self._last[0] is not pixels:
            made, flip = self._scale(pixels), self._shape.flip
            if flip != FLIPS[0]:
                rows, columns = (-1 if flip in way else 1 for way in (("vertical", "both"), ("horizontal", "both")))
                made = np.ascontiguousarray(made[::rows, ::columns])
            made.setflags(write=False)
            self._last = pixels, made
        return self._last[1]

    def close(self) -> None:
        """Close it; pictures that are held back are not sent any more."""
        self._held.clear()
        self._last = self._info = None
        self._sink.close()
