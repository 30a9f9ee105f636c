"""Launches of scenes and clips in Live, as scenes or cues of the show."""

from __future__ import annotations

from collections.abc import Callable

from sonorama.engine.control.addresses import ABLETON_LAUNCH, ABLETON_TRACK, CUE_GOTO, SCENE_RECALL
from sonorama.engine.control.parameters import Change
from sonorama.engine.ipc.messages import SCENES
from sonorama.engine.plugins.interfaces import BridgePort

SOURCE = "ableton"
MOST_SCENES = 500
"""Scenes of Live that are listened to at most."""


class Launches:
    """Knows what to listen to, and posts what a launch does. Belongs to one thread.

    Args:
        port: the show.
        send: (address, arguments) sends a message to Live.

    Attributes:
        last: number of the scene or slot that was launched last; 0: none.

    """

    def __init__(self, port: BridgePort, send: Callable[..., None]) -> None:
        self._port, self._send, self.last = port, send, 0
        values = port.values
        self._what, self._track = str(values[ABLETON_LAUNCH]), int(values[ABLETON_TRACK])
        self._scenes, self._triggered = 0, set[int]()
        self._slot: int | None = None

    def begin(self) -> None:
        """Live has just begun to answer: listen to what is wanted."""
        self._scenes, self._slot = 0, None
        self._triggered.clear()
        self._listen("start")
        self.ask()

    def choose(self, path: str, value: object) -> None:
        """A parameter has another value."""
        self.end()
        if path == ABLETON_LAUNCH:
            self._what = str(value)
        else:
            self._track = int(str(value))
        self.begin()

    def end(self) -> None:
        """Listen no more."""
        self._listen("stop")

    def _listen(self, word: str) -> None:
        if self._what == "off":
            return
        if self._track:
            self._send(f"/live/track/{word}_listen/playing_slot_index", self._track - 1)
            return
        for scene in range(self._scenes):
            self._send(f"/live/scene/{word}_listen/is_triggered", scene)

    def ask(self) -> None:
        """Ask how many scenes there are, since they come and go; call it every few seconds."""
        if self._what != "off" and not self._track:
            self._send("/live/song/get/num_scenes")

    def count(self, scenes: int) -> None:
        """So many scenes there are. Listeners belong to scenes, not to numbers: with another number, all anew."""
        if self._what == "off" or self._track or (scenes := min(scenes, MOST_SCENES)) == self._scenes:
            return
        self._listen("stop")
        self._scenes = scenes
        self._triggered.clear()
        self._listen("start")

    def triggered(self, scene: int, triggered: bool, playing: bool) -> None:
        """A scene (from 0) waits for its launch, or no longer: while Live plays, because it has been launched."""
        if triggered:
            self._triggered.add(scene)
        elif scene in self._triggered:
            self._triggered.remove(scene)
            if playing and not self._track:
                self._launch(scene + 1)

    def slot(self, track: int, slot: int) -> None:
        """A slot (from 0) of a track plays; a negative one: none. The first one that is said played before."""
        if track != self._track - 1:
            return
        before, self._slot = self._slot, slot
        if before is not None and slot not in (before, -1, -2):
            self._launch(slot + 1)

    def _launch(self, number: int) -> None:
        self.last = number
        if self._what == "scenes" and number <= SCENES:
            self._port.post(Change(SCENE_RECALL, number, SOURCE))
        elif self._what == "cues":
            self._port.post(Change(CUE_GOTO, number, SOURCE))
