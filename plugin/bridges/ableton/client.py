"""The thread of a bridge to Live: asks AbletonOSC what to follow, takes its answers, and notices when Live is gone."""

from __future__ import annotations

import queue
import selectors
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder

from sonorama.engine.control.addresses import ABLETON_LAUNCH, ABLETON_TRACK
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import SonoramaError, one_line_error
from sonorama.engine.faults import Faults
from sonorama.engine.osc.messages import parse
from sonorama.engine.osc.sockets import family_of, widen
from sonorama.engine.osc.validation import unpack
from sonorama.engine.plugins.interfaces import BridgePort

from ..show_clock import ShowClock
from .launches import SOURCE, Launches
from .song import Song

ASK_S, SILENT_S = 2.0, 7.0
"""Seconds between two questions, and without any answer until Live is taken for gone."""
_LOOK_S = 0.1
_BURST = 500
FOLLOWED = ("tempo", "is_playing", "beat")
"""Properties of the song that are listened to. Older AbletonOSC sends beats as `/live/song/beat`, unasked."""


class Client:
    """Follows Live from `start` to `close`.

    Args:
        port: the show.
        live: address and port of AbletonOSC.
        replies: port of this machine to which it sends.

    Raises:
        SonoramaError: that port is taken.

    """

    def __init__(self, port: BridgePort, live: tuple[str, int], replies: int) -> None:
        self._port, self._live, self._faults = port, live, Faults()
        self._socket = _open(live[0], replies)
        self._song, self._clock = Song(), ShowClock(port, SOURCE)
        self._launches = Launches(port, self._send)
        self._chosen: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self._answered, self._asked, self._connected = float("-inf"), float("-inf"), False
        self._following, self._began = False, time.monotonic()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ableton", daemon=True)

    @property
    def facts(self) -> Mapping[str, Value]:
        """See AbletonBridge.facts."""
        song = self._song
        return {"ableton_tempo": song.bpm, "ableton_playing": song.playing, "ableton_launched": self._launches.last}

    def faults(self) -> list[str]:
        """See AbletonBridge.faults."""
        silent = not self._connected and time.monotonic() - self._began > ASK_S
        line = f"Ableton Live does not answer at {self._live[0]}:{self._live[1]}: is AbletonOSC chosen in its settings?"
        return [*([line] if silent else []), *self._faults.recent()]

    def start(self) -> None:
        """Begin."""
        self._port.subscribe(self._changed)
        self._thread.start()

    def close(self) -> None:
        """End; may be called twice."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(3.0)
        self._socket.close()

    def _changed(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.path in (ABLETON_LAUNCH, ABLETON_TRACK):
                self._chosen.put(change)

    # --- the thread

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while not self._closing.is_set():
                try:
                    self._turn(selector)
                except Exception as error:  # noqa: BLE001 (whatever Live sends, the next message must be taken)
                    self._faults.note("ableton", f"A message of Live was skipped: {one_line_error(error)}", error)
            if self._connected:
                for name in FOLLOWED:
                    self._send(f"/live/song/stop_listen/{name}")
                self._launches.end()
            self._clock.end()

    def _turn(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        if now >= self._asked + ASK_S:
            self._asked = now
            self._send("/live/song/get/tempo")
            if self._connected:
                self._launches.ask()
        if self._connected and now > self._answered + SILENT_S:
            self._connected = False
            self._song = Song()
        while not self._chosen.empty():
            change = self._chosen.get()
            self._launches.choose(change.path, change.value)
        self._follow(time.monotonic_ns())
        if selector.select(_LOOK_S):
            self._receive(time.monotonic())

    def _receive(self, now: float) -> None:
        for _ in range(_BURST):
            try:
                datagram, sender = self._socket.recvfrom(65_536)
            except OSError:  # none is left; on Windows also where nobody listens
                return
            if sender[0] != self._live[0]:
                continue
            for raw in unpack(datagram).messages:
                if (message := parse(raw)) is not None:
                    self._take(message.address, message.arguments, now)

    def _take(self, address: str, arguments: list[Any], now: float) -> None:
        if address == "/live/error":
            self._faults.note("error", f"AbletonOSC says: {str(arguments[0])[:120]}" if arguments else "AbletonOSC")
            return
        if not self._connected or address == "/live/startup":
            self._connected = True
            for name in FOLLOWED:
                self._send(f"/live/song/start_listen/{name}")
            self._launches.begin()
        self._answered = now
        match address, arguments:
            case "/live/song/get/tempo", [bpm]:
                self._song.tempo(float(bpm), now)
            case "/live/song/get/is_playing", [playing]:
                self._song.play(bool(playing))
            case (("/live/song/get/beat" | "/live/song/beat"), [beat]):
                self._song.beat(int(beat), now)
            case "/live/song/get/num_scenes", [count]:
                self._launches.count(int(count))
            case "/live/scene/get/is_triggered", [scene, triggered]:
                self._launches.triggered(int(scene), bool(triggered), self._song.playing)
            case "/live/track/get/playing_slot_index", [track, slot]:
                self._launches.slot(int(track), int(slot))

    def _follow(self, now_ns: int) -> None:
        began = self._song.began
        if began is None:
            self._following = False
            self._clock.end()
            return
        (self._clock.compare if self._following else self._clock.begin)(now_ns)
        self._following = True
        self._clock.tell(self._song.bpm, began, now_ns / 1e9)

    def _send(self, address: str, *arguments: int) -> None:
        builder = OscMessageBuilder(address)
        for argument in arguments:
            builder.add_arg(argument)
        try:
            self._socket.sendto(builder.build().dgram, self._live)
        except OSError as error:  # no way there, such as a network that is down
            self._faults.note("send", f"Ableton Live cannot be reached: {one_line_error(error)}")


def _open(live: str, replies: int) -> socket.socket:
    """The socket of the replies: of this machine only if Live runs here."""
    one = socket.socket(family_of(live), socket.SOCK_DGRAM)
    try:
        one.bind((live if live.startswith("127.") or live == "::1" else "", replies))
    except OSError as error:
        one.close()
        message = f"Port {replies}, to which AbletonOSC sends, cannot be opened: {error.strerror}"
        raise SonoramaError(
            message, "End the other program that talks to AbletonOSC: it serves one at a time."
        ) from error
    one.setblocking(False)
    widen(one)
    return one
