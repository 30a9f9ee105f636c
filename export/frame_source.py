"""What paints the frames of a film: the narrow seam between writing files and the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..engine.files.fingerprint import sha256

if TYPE_CHECKING:
    from ..engine.control.parameters import Value
    from ..engine.pipeline.offline import OfflineRender
    from ..engine.units import Array
    from .farm.segments import Farm

    OpenFarm = Callable[[Path], Farm]


EFFECTS = "/picture/"
"""What the addresses of effects begin with."""


class Played(Protocol):
    """What plays: a world, on a device.

    Attributes:
        world: its name.
        version: of the world.
        licence: of the world.
        sha256: of the world's file.
        size: (width, height) of its frames.
        device: what it runs on, such as "cpu" or "cuda".
        inset: outermost pixels of its frames that are left out, see Card.

    """

    world: str
    version: str
    licence: str
    sha256: str
    size: tuple[int, int]
    device: str
    inset: int


class FrameSource(Played, Protocol):
    """A world ready to play to a sound."""

    def frames(
        self, blocks: Iterable[np.ndarray], n_frames: int, have: Container[int] = ()
    ) -> Iterator[np.ndarray | None]:
        """Paint float32 [height, width, 3] in 0..1 from mono 44.1 kHz blocks: exactly `n_frames` of them.

        None stands for each frame whose index is in `have`: nobody needs it.
        """
        ...


OpenFrameSource = Callable[[str, "Mapping[str, Value]", Fraction, str], FrameSource]


def film_values(values: Mapping[str, Value]) -> dict[str, Value]:
    """The values of a film, by address: with the modulators of a show, unless others are given; of one that is off that
    it is, and of effects those that are used.
    """
    from ..engine.control.addresses import modulator_slot
    from ..engine.control.live_table import FILM, MODULATORS
    from ..engine.control.render_table import TABLE

    filled = {path: param.default for path, param in FILM.items() if path not in TABLE} | dict(values)
    sources = {slot: f"{slot}source" for slot in map(modulator_slot, range(1, MODULATORS + 1))}
    off = {slot: source for slot, source in sources.items() if filled[source] == "off"}
    said = {source: filled[source] for source in off.values() if FILM[source].default != "off"}
    idle = {path for path, value in filled.items() if path.startswith(EFFECTS) and value == FILM[path].default}
    return {
        path: value for path, value in filled.items() if not path.startswith(tuple(off)) and path not in idle
    } | said


def world_frame_source(
    world: str,
    values: Mapping[str, Value],
    fps: Fraction,
    device: str,
    look_ahead_s: float = math.inf,
    open_farm: OpenFarm | None = None,
) -> WorldFrameSource:
    """Load a world (name or path) and make it ready to play; imports the model only now.

    Args:
        world: name of an installed world, or a path.
        values: address -> value, for the whole film, see `film_values`.
        fps: frames a second.
        device: auto, cpu or cuda.
        look_ahead_s: see OfflineRender.
        open_farm: see WorldFrameSource.

    Raises:
        WorldError: an unknown, damaged or foreign world.

    """
    from ..engine.control.assignments import start_values
    from ..engine.inference.backend import open_backend
    from ..engine.model.world_file import load_world
    from ..engine.pipeline.offline import OfflineRender

    loaded = load_world(world)
    performance = OfflineRender(
        loaded, {**start_values(()), **film_values(values)}, fps, open_backend(loaded, device), look_ahead_s
    )
    return WorldFrameSource(performance, open_farm)


class WorldFrameSource:
    """A world as a frame source; made by `world_frame_source`.

    open_farm: begins the workers that paint, from the world's file; None: this process paints.
    """

    def __init__(self, performance: OfflineRender, open_farm: OpenFarm | None = None) -> None:
        card = performance.world.card
        self._performance, self._open_farm = performance, open_farm
        self.world = card.name
        self.version = card.version
        self.licence = card.licence
        self.sha256 = sha256(Path(card.path))
        self.size = performance.size
        self.device = performance.backend.name
        self.inset = card.inset

    def with_values(self, values: Mapping[str, Value]) -> WorldFrameSource:
        """The same world with other values of some parameters; nothing is loaded again."""
        return WorldFrameSource(
            replace(self._performance, values={**self._performance.values, **values}), self._open_farm
        )  # fmt: skip

    def frames(
        self, blocks: Iterable[np.ndarray], n_frames: int, have: Container[int] = ()
    ) -> Iterator[np.ndarray | None]:
        """See FrameSource. Motion runs through every frame, since each follows from the last; painting does not."""
        from .effects import FilmEffects, used

        performance = self._performance
        if used(performance.values):
            effects = FilmEffects(performance.values)
            return effects.applied(self._painted(effects.wanted(performance.steps(blocks, n_frames), have)))
        return self._painted(performance.codes_without(blocks, n_frames, have))

    def _painted(self, codes: Iterable[Array | None]) -> Iterator[np.ndarray | None]:
        return self._performance.paint(codes) if self._open_farm is None else self._farmed(codes, self._open_farm)

    def _farmed(self, codes: Iterable[Array | None], open_farm: OpenFarm) -> Iterator[np.ndarray | None]:
        from .farm.segments import painted

        with closing(open_farm(Path(self._performance.world.card.path))) as farm:
            yield from painted(codes, farm)
