"""Contact sheets of a data set: its pictures, and what is kept of each file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from ...engine.errors import InputError
from ...engine.files.still import encode_still
from ...engine.picture.contact_sheet import contact_sheet
from .crops import cut
from .decode import Film, photo
from .manifest import Made
from .outcome import Outcome
from .picture import Box, Picture, Renderer, fit

SHEET, CROPS = "contact-sheet.png", "crops.png"
_MOST_PICTURES, _MOST_FILES, _SIDE, _COLUMNS = 60, 24, 160, 6
_DIMMED, _LINE = 0.35, (255, 190, 40)


def _spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` indices, evenly."""
    return sorted({round(i * (count - 1) / max(1, most - 1)) for i in range(most)}) if count > most else [*range(count)]


def picture_sheet(root: Path, made: Made) -> bytes | None:
    """Up to 60 pictures of the data set, evenly over all; None where there are none."""
    files = [photo.file for _, outcome in made for photo in outcome.photos]
    pictures = []
    for i in _spread(len(files), _MOST_PICTURES):
        frame, geometry = photo(root / files[i])
        pictures.append(Renderer(geometry, Box(), fit(geometry.shown, _SIDE))(frame))
    return _png(_on_cells(pictures)) if pictures else None


def crop_sheet(made: Made) -> bytes | None:
    """A whole picture of up to 24 files, what is cropped away dimmed; None where there are none."""
    seen = [(item.path, o) for item, o in made if o.kind in ("video", "photo") and not o.skipped]
    found = [_whole(*seen[i]) for i in _spread(len(seen), _MOST_FILES)]
    pictures = [picture for picture in found if picture is not None]
    return _png(_on_cells(pictures)) if pictures else None


def _whole(path: Path, outcome: Outcome) -> Picture | None:
    """A whole picture of a source with its crop; None where the source cannot be read any more."""
    try:
        if outcome.kind == "photo":
            frame, geometry = photo(path)
        else:
            film = Film(path)
            geometry = film.geometry
            frame = next(film.samples(1))
        size = fit(geometry.shown, round(_SIDE * min(geometry.shown) / max(geometry.shown)))
        picture = Renderer(geometry, Box(), size)(frame)
    except (InputError, FFmpegError, StopIteration, OSError):
        return None
    return framed(picture, outcome.box)


def framed(picture: Picture, box: Box) -> Picture:
    """A picture that is dimmed outside of a box, with a line around it."""
    out = (picture * _DIMMED).astype(np.uint8)
    cut(out, box)[:] = _LINE
    inner = cut(out, box)[1:-1, 1:-1]
    inner[:] = cut(picture, box)[1:-1, 1:-1]
    return out


def _on_cells(pictures: Sequence[Picture]) -> Picture:
    """Pictures of different shapes in the middle of equal cells."""
    high, wide = max(p.shape[0] for p in pictures), max(p.shape[1] for p in pictures)
    cells = []
    for picture in pictures:
        cell = np.full((high, wide, 3), 22, np.uint8)
        top, left = (high - picture.shape[0]) // 2, (wide - picture.shape[1]) // 2
        cell[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        cells.append(cell)
    return contact_sheet(cells, min(_COLUMNS, len(cells)))


def _png(picture: Picture) -> bytes:
    return encode_still(VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24"), "png", {})
