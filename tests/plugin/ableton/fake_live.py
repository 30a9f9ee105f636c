"""Stands for Live with AbletonOSC: its published messages, on its kind of socket, without Live.

As the script does, it takes what has come every 100 ms, answers at a fixed port of the sender's machine, tells a
listener the value at once and then at each change, and calls what it does not know an error. Beats are noticed late.
"""

import random
import socket
import threading
import time
from typing import Any

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

TICK_S, LATE_S = 0.1, 0.06
SONG = ("tempo", "is_playing", "beat")


class FakeLive:
    """A set with tracks and scenes.

    Args:
        replies: port that it answers at.
        old: as before 2023: beats come unasked as `/live/song/beat`, and nothing is said of what is not known.
        port: where it listens; 0: any.

    """

    def __init__(self, replies: int, old: bool = False, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]
        self._to, self._old = ("127.0.0.1", replies), old
        self.tempo, self.is_playing = 120.0, False
        self.scenes, self.tracks = 4, 2
        self.slots = [-2, -2]
        self.listened: set[tuple[Any, ...]] = set()
        self._began, self._beat, self._notice = 0.0, -1, 0.0
        self._dice, self._lock = random.Random(1), threading.RLock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._send("/live/startup")
        self._thread.start()

    # --- what a person does in Live

    def play(self, from_beat: float = 0.0) -> None:
        with self._lock:
            self._began = time.monotonic() - from_beat * 60 / self.tempo
            self._beat = int(from_beat) if from_beat % 1 else -1
            self._set("is_playing", True)

    def stop(self) -> None:
        with self._lock:
            self._set("is_playing", False)

    def set_tempo(self, tempo: float) -> None:
        with self._lock:
            beats = self.beats()
            self._began = time.monotonic() - beats * 60 / tempo
            self._set("tempo", tempo)

    def launch(self, scene: int) -> None:
        """A click on a scene, and its launch."""
        for triggered in (True, False):
            self._notify("scene", "is_triggered", scene, triggered)
        for track in range(self.tracks):
            self.play_clip(track, scene)

    def play_clip(self, track: int, slot: int) -> None:
        with self._lock:
            if self.slots[track] != slot:
                self.slots[track] = slot
                self._notify("track", "playing_slot_index", track, slot)

    def beats(self, at: float | None = None) -> float:
        return ((time.monotonic() if at is None else at) - self._began) * self.tempo / 60

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._socket.close()

    # --- the script

    def _set(self, name: str, value: Any) -> None:
        setattr(self, name, value)
        self._notify("song", name, value)

    def _notify(self, kind: str, name: str, *arguments: Any) -> None:
        with self._lock:
            if (kind, name, *arguments[:-1]) in self.listened:
                self._send(f"/live/{kind}/get/{name}", *arguments)

    def _send(self, address: str, *arguments: Any) -> None:
        builder = OscMessageBuilder(address)
        for argument in arguments:
            builder.add_arg(argument)
        self._socket.sendto(builder.build().dgram, self._to)

    def _run(self) -> None:
        due = 0.0
        while not self._closing.wait(0.005):
            with self._lock:
                self._look_at_beat()
                if time.monotonic() >= due:
                    due = time.monotonic() + TICK_S
                    self._process()

    def _look_at_beat(self) -> None:
        now = time.monotonic()
        if not self.is_playing or now < self._notice:
            return
        self._notice = now + self._dice.uniform(0, LATE_S)
        if (beat := int(self.beats(now))) != self._beat:
            self._beat = beat
            if self._old:
                self._send("/live/song/beat", beat)
            elif ("song", "beat") in self.listened:
                self._send("/live/song/get/beat", beat)

    def _process(self) -> None:
        while True:
            try:
                datagram = self._socket.recv(65_536)
            except OSError:
                return
            message = OscMessage(datagram)
            if not self._act(message.address.split("/")[2:], tuple(message.params)) and not self._old:
                self._send("/live/error", f"Unknown OSC address: {message.address}")

    def _act(self, parts: list[str], arguments: tuple[Any, ...]) -> bool:
        match parts:
            case ["song", "get", "num_scenes"]:
                self._send("/live/song/get/num_scenes", self.scenes)
            case ["song", "get", ("tempo" | "is_playing") as name]:
                self._send(f"/live/song/get/{name}", getattr(self, name))
            case ["song" | "scene" | "track" as kind, "start_listen", name] if self._has(kind, name, arguments):
                self.listened.add((kind, name, *arguments))
                if name != "beat":
                    self._send(f"/live/{kind}/get/{name}", *arguments, self._value(name, arguments))
            case ["song" | "scene" | "track" as kind, "stop_listen", name] if self._has(kind, name, arguments):
                self.listened.discard((kind, name, *arguments))
            case _:
                return False
        return True

    def _has(self, kind: str, name: str, arguments: tuple[Any, ...]) -> bool:
        match kind, name, arguments:
            case "song", _, ():
                return name in SONG and not (self._old and name == "beat")
            case "scene", "is_triggered", [scene]:
                return scene < self.scenes
            case "track", "playing_slot_index", [track]:
                return track < self.tracks
        return False

    def _value(self, name: str, arguments: tuple[Any, ...]) -> Any:
        match name:
            case "is_triggered":
                return False
            case "playing_slot_index":
                return self.slots[arguments[0]]
        return getattr(self, name)
