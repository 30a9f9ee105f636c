"""Slow work off the frame loop: loading worlds and codes, and finding the latents of texts, sounds and photos
(preparation_worker.py).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from ..control.accept import plain_names
from ..control.parameters import Change
from ..control.pending_load import (
    CODES,
    LOADS,
    NO_PROMPT,
    PHOTO,
    PROMPTS,
    RESULTS,
    SOUNDS,
    PendingLoad,
    PendingLoads,
)
from ..errors import InputError, WorldError, one_line_error
from ..faults import Faults
from ..files.folders import photos_folder, sounds_folder
from ..inference.backend import graphs_missing, open_backend, threads_of_one
from ..inference.graph_cache import told_spare
from ..model.base_code import find_code
from ..model.world_file import find_world, load_world, read_card
from ..pipeline.loaded_world import LoadedWorld
from .preparation_worker import PreparationWorker

T = TypeVar("T")
Asked = queue.SimpleQueue[tuple[PendingLoad, tuple[str, str]]]
"""Loads, and (world, device) that played when they were asked for."""
KEPT_S = 600.0
"""Seconds after which an idle preparation worker is ended."""


class WorldLoader:
    """Opens worlds and keeps the last two; prepares pending loads in a thread of its own, photos in another one.

    `open` may be called from the frame loop (it waits only for what is not open yet); the other methods never wait.

    Args:
        faults: where to report what cannot be loaded.

    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._preparation_worker, self._photo_worker = PreparationWorker(), PreparationWorker()
        self._open: dict[tuple[str, str], LoadedWorld] = {}
        self._asked, self._photos = Asked(), Asked()
        self._pending = PendingLoads()
        self._lock = threading.Lock()  # no result of an older load may follow that of a newer one
        self._results: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self._refused: queue.SimpleQueue[PendingLoad] = queue.SimpleQueue()
        for name, asked, worker in (
            ("loader", self._asked, self._preparation_worker),
            ("photos", self._photos, self._photo_worker),
        ):
            threading.Thread(target=self._run, args=(asked, worker), name=name, daemon=True).start()

    def open(self, world: str, device: str) -> LoadedWorld:
        """A world ready to be played on a device: one picture at a time, with up to four threads.

        Raises:
            SonoramaError: unknown or damaged world, no such device.

        """
        if (world, device) not in self._open:
            loaded = load_world(world)
            instrument = LoadedWorld(loaded, open_backend(loaded, device, threads_of_one(), painters=1))
            instrument.backend.synthesize(
                instrument.seed_bank.base(1, 0.7, 0.0, None, 0.0)
            )  # the first picture is slow
            _ = instrument.quality_gate, instrument.axes  # the first paints, both take time
            self._open = {**dict(list(self._open.items())[-1:]), (world, device): instrument}
            if line := told_spare(loaded):
                self._faults.note("cache", line)
        return self._open[world, device]

    def ask(self, changes: Sequence[Change], loaded: tuple[str, str]) -> None:
        """Prepare what has to be loaded for a batch of changes; of one address only the last one that was asked for.

        Args:
            changes: asked for at one frame.
            loaded: (world, device) that play now.

        """
        self._pending.complete(changes)
        with self._lock:
            for load in self._pending.add(changes):
                if (cleared := _cleared(load)) is not None:  # without waiting for what is searched for now
                    self._results.put(cleared)
                else:
                    (self._photos if load.path == PHOTO else self._asked).put((load, loaded))

    def results(self) -> list[Change]:
        """The changes that can act now because what they need is loaded."""
        return _drained(self._results)

    def refused(self) -> list[PendingLoad]:
        """What could not be loaded: the values before still hold."""
        return _drained(self._refused)

    def close(self) -> None:
        """Abandon what is being prepared."""
        self._preparation_worker.close()
        self._photo_worker.close()

    def _run(self, asked: Asked, worker: PreparationWorker) -> None:
        while True:
            try:
                load, loaded = asked.get(timeout=KEPT_S)
            except queue.Empty:
                worker.rest()
                continue
            if load not in self._pending:
                continue  # somebody types faster than texts are embedded
            try:
                changes = self._prepare(load, loaded)
                with self._lock:
                    for change in changes if load in self._pending else ():
                        self._results.put(change)
            except Exception as error:  # noqa: BLE001 (whatever a file or a library comes up with, the next is tried)
                if load in self._pending:
                    outcome = "changes nothing" if load.path in RESULTS else "stays as it is"
                    self._faults.note(load.path, f"{load.path} {outcome}: {one_line_error(error)}", error)
                    self._refused.put(load)

    def _prepare(self, load: PendingLoad, loaded: tuple[str, str]) -> list[Change]:
        """The changes that act from now on."""
        if load.path == PHOTO:
            return load.results(self._invert(str(load.asked.value), loaded[0]))
        if load.path in SOUNDS:
            return load.results(self._hear(str(load.asked.value), loaded[0]))
        if load.path in CODES:
            return [self._read_code(load, loaded[0])]
        if load.path in PROMPTS:
            text = str(load.asked.value).strip()
            seed, unknown = self._preparation_worker.seed(self.open(*loaded).world.card.path, text)
            if unknown:
                self._faults.note("words", unknown)
            return load.results(seed)
        asked = dict(zip(LOADS, loaded, strict=True)) | {load.path: str(load.asked.value)}
        world, device = (asked[path] for path in LOADS)
        if (world, device) != loaded:
            self._forget_if_changed(world, device)
        if (world, device) not in self._open and graphs_missing(load_world(world), device):
            self._preparation_worker.make_graphs(world, device)
        self.open(world, device)
        return [load.result()]

    def _forget_if_changed(self, world: str, device: str) -> None:
        """Close a world whose file is another one by now: it was taught, fitted or imported since it was opened."""
        known = self._open.get((world, device))
        if known is not None and read_card(find_world(world)).content != known.world.card.content:
            self._open = {key: one for key, one in self._open.items() if key != (world, device)}

    def _read_code(self, load: PendingLoad, world: str) -> Change:
        """A code is read here, so that the frame loop finds it in memory."""
        name = str(load.asked.value)
        if find_code(name).world != read_card(find_world(world)).content:
            raise WorldError(f"{name} is a code of another world", "Play that world, or invert the photo in this one.")
        return load.result()

    def _invert(self, photo: str, world: str) -> str:
        """The name of the code of a photo in the user's folder."""
        path = _file_in(photos_folder(), photo, "photo")
        name = self._photo_worker.invert(str(find_world(world)), str(path))
        find_code(name)
        return name

    def _hear(self, sound: str, world: str) -> int:
        """The seed whose picture fits a sound in the user's folder."""
        path = _file_in(sounds_folder(), sound, "sound")
        return self._preparation_worker.hear(str(find_world(world)), str(path))


def _file_in(folder: Path, name: str, what: str) -> Path:
    """A file of the user's folder of photos or sounds. InputError where there is none, or the name is a path."""
    if not plain_names([name]) or not (folder / name).is_file():
        raise InputError(f"There is no {what} {name[:60]!r}", f"Put it into {folder}.")
    return folder / name


def _cleared(load: PendingLoad) -> Change | None:
    """The change that takes effect where a text, photo or code was cleared; None for anything that has to be loaded."""
    if load.path in LOADS or str(load.asked.value).strip():
        return None
    if load.path in SOUNDS:  # its seed stays
        return load.asked
    return load.result(NO_PROMPT if load.path in PROMPTS else "") if load.path in RESULTS else load.asked


def _drained(waiting: queue.SimpleQueue[T]) -> list[T]:
    taken: list[T] = []
    while not waiting.empty():  # only one thread takes
        taken.append(waiting.get())
    return taken
