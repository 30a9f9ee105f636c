"""Slow work off the frame loop: loading worlds, and finding latents for text prompts (preparation_worker.py)."""

from __future__ import annotations

import queue
import threading

from ..control.parameters import Change
from ..errors import one_line_error
from ..faults import Faults
from ..inference.backend import graphs_missing, open_backend, threads_of_one
from ..model.world_file import load_world
from ..pipeline.frame_pipeline import LOADS
from ..pipeline.loaded_world import LoadedWorld
from .preparation_worker import PreparationWorker

KEPT_S = 600.0
"""Seconds after which an idle preparation worker is ended."""
TEXT, PROMPT = "/look/text", "/look/prompt"


class WorldLoader:
    """Opens worlds and keeps them; turns loads and texts that were asked for into changes that act at once.

    `open` may be called from the frame loop (it waits only for what is not open yet); `ask` and `ready` never wait.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults, self._preparation_worker = faults, PreparationWorker()
        self._open: dict[tuple[str, str], LoadedWorld] = {}
        self._asked: queue.SimpleQueue[tuple[Change, tuple[str, str]]] = queue.SimpleQueue()
        self._newest: dict[str, Change] = {}
        self._ready: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self.refused: queue.SimpleQueue[str] = queue.SimpleQueue()
        """Addresses whose new value could not be loaded: what was there before still holds."""
        threading.Thread(target=self._run, name="loader", daemon=True).start()

    def open(self, world: str, device: str) -> LoadedWorld:
        """A world ready to be played on a device: one picture at a time, with up to four threads.

        Raises:
            SonoramaError: unknown or damaged world, no such device.

        """
        if (world, device) not in self._open:
            loaded = load_world(world)
            instrument = LoadedWorld(loaded, open_backend(loaded, device, threads_of_one(), painters=1))
            instrument.backend.synthesize(instrument.places.base(1, 0.7, 0.0, None, 0.0))  # the first picture is slow
            self._open = {**dict(list(self._open.items())[-1:]), (world, device): instrument}
        return self._open[world, device]

    def wants(self, change: Change) -> bool:
        """Whether a change has to be loaded for before it acts."""
        return change.path in (*LOADS, TEXT)

    def ask(self, change: Change, loaded: tuple[str, str]) -> None:
        """Prepare a change of world, device or text; of one address only the last that was asked for.

        loaded: (world, device) that play now, or will next.
        """
        self._newest[change.path] = change
        self._asked.put((change, loaded))

    def ready(self) -> list[Change]:
        """What can act now."""
        changes: list[Change] = []
        while not self._ready.empty():
            changes.append(self._ready.get())
        return changes

    def close(self) -> None:
        """Leave what is being prepared."""
        self._preparation_worker.close()

    def _run(self) -> None:
        while True:
            try:
                change, loaded = self._asked.get(timeout=KEPT_S)
            except queue.Empty:
                self._preparation_worker.rest()
                continue
            if change is not self._newest[change.path]:
                continue  # somebody types faster than words are found
            try:
                self._prepare(change, loaded)
            except Exception as error:  # noqa: BLE001 (whatever a file or a library comes up with, the next is tried)
                self._faults.note(change.path, f"{change.path} stays as it is: {one_line_error(error)}", error)
                self.refused.put(change.path)

    def _prepare(self, change: Change, loaded: tuple[str, str]) -> None:
        if change.path == TEXT:
            text = str(change.value).strip()
            seed = self._preparation_worker.place(self.open(*loaded).world.card.path, text) if text else -1
            self._ready.put(Change(PROMPT, seed, "text"))
            return
        asked = dict(zip(LOADS, loaded, strict=True)) | {change.path: str(change.value)}
        world, device = (asked[path] for path in LOADS)
        if (world, device) not in self._open and graphs_missing(load_world(world), device):
            self._preparation_worker.make_graphs(world, device)
        self.open(world, device)
        self._ready.put(change)
