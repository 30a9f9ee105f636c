"""Every test of the panel runs without a display, against a show that lives in the test."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.channel import ChannelClosed
from sonorama.engine.ipc.messages import Changed, Hello, Message, Set, Status, Values
from sonorama.ui.link import Link
from sonorama.ui.window import USUAL, Window

from . import scene


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class FakeShow:
    """The show's end of the panel's line, in this process: keeps values, echoes changes, counts what it was sent."""

    def __init__(self) -> None:
        self.there = True
        self.values: dict[str, Any] = {path: param.default for path, param in SHOW.items() if not param.event}
        self.got: list[tuple[str, Any]] = []
        self.outbox: list[Message] = []
        self.echo = True
        self.connections = 0
        self.classes: tuple[str, ...] = scene.MANY

    def reach(self) -> "FakeShow":
        if not self.there:
            raise SonoramaError("No show called test is running", "Start it with: sonorama live --name test")
        self.connections += 1
        hello = Hello(name="test", world="shore", osc_port=9123, frame_map="test", version="0")
        self.outbox = [hello, Values(dict(self.values)), Status(classes=self.classes)]
        return self

    def send(self, message: Message) -> None:
        if not self.there:
            raise ChannelClosed("gone", "gone")
        assert isinstance(message, Set)
        for path, value in message.changes:
            self.got.append((path, value))
            if not SHOW[path].event:
                self.values[path] = value
                if self.echo:
                    self.outbox.append(Changed([(path, value, "panel")]))

    def receive(self, timeout: float | None = 0.0) -> Message | None:
        if not self.there:
            raise ChannelClosed("gone", "gone")
        return self.outbox.pop(0) if self.outbox else None

    def change(self, path: str, value: Any, source: str = "osc:127.0.0.1:5000") -> None:
        self.values[path] = value
        self.outbox.append(Changed([(path, value, source)]))

    def tell(self, **status: Any) -> None:
        known = {"classes": self.classes} | status
        self.outbox.append(Status(**{name: _frozen(value) for name, value in known.items()}))


@pytest.fixture
def show(qapp: QApplication) -> FakeShow:
    return FakeShow()


@pytest.fixture
def link(show: FakeShow) -> Iterator[Link]:
    made = Link(show.reach)
    made.start()
    assert made.connected
    yield made
    made.close()


@pytest.fixture
def window(show: FakeShow, link: Link, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Window:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path / "looks"))
    made = Window(link)
    made.resize(*USUAL)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made
