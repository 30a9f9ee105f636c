"""The tab OUTPUTS: where the pictures of the show go, and every output there is, with what it lacks here."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from PyQt6.QtCore import QProcess, Qt
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from sonorama.engine.ipc.messages import Status

from .layout import GAP, label
from .link import Link
from .theme import BAR_PX
from .widgets.controls import PushButton

PROGRAM = ("-P", "-m", "sonorama.engine.cli.main", "plugins", "sinks", "--json")
NONE = "only the frame map, called like the show: --sink NAME, given when the show is started, adds an output"


def as_line(said: Mapping[str, object]) -> str:
    """One output as text: `ndi  missing: cyndilib is not installed` and, below it, how to get it."""
    state, about, how = (str(said.get(key) or "") for key in ("state", "about", "how_to_install"))
    shown = about if state == "available" else f"{state}: {about}"
    return f"{said.get('name')}   {shown}" + (f"\n        {how}" if how else "")


class OutputsPage(QWidget):
    """The outputs that run, as the show says, and those that could, found by a process of its own."""

    def __init__(self, link: Link, program: Sequence[str] = PROGRAM) -> None:
        super().__init__()
        self._program, self._process = list(program), QProcess(self)
        self._process.finished.connect(self._read)
        self.running, self.note = _text(""), label("", "dim")
        self.rows: list[QLabel] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(label("where the pictures go, and every output with what it lacks", "dim"), 1)
        again = PushButton("look again")
        again.setToolTip("Look for what was installed or connected meanwhile")
        again.clicked.connect(self.look)
        head.addWidget(again)
        column.addLayout(head)
        column.addWidget(self._list(), 1)
        self._show_running(link.status)
        link.status_received.connect(self._show_running)

    def _list(self) -> QScrollArea:
        area, inner = QScrollArea(), QWidget()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidgetResizable(True)
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addWidget(self.running)  # text that wraps stays in here: around it, it would stretch the panel
        self._column.addWidget(self.note)
        self._column.addStretch(1)
        area.setWidget(inner)
        for transparent in (inner, area.viewport()):
            if transparent is not None:
                transparent.setAutoFillBackground(False)
        area.setMinimumHeight(BAR_PX)
        return area

    def _show_running(self, status: Status) -> None:
        text = "\n".join(status.outputs) or NONE
        if text != self.running.text():
            self.running.setText(text)

    def showEvent(self, a0: QShowEvent | None) -> None:
        """Look, the first time that it is in sight."""
        super().showEvent(a0)
        if not self.rows:
            self.look()

    def look(self) -> None:
        """Ask every output what it lacks; that takes some seconds."""
        if self._process.state() == QProcess.ProcessState.NotRunning:
            self.note.setText("looking for outputs \u2026")
            self.note.show()
            self._process.start(sys.executable, self._program)

    def leave(self) -> None:
        """End the process."""
        self._process.finished.disconnect(self._read)
        self._process.kill()
        self._process.waitForFinished(1000)

    def _read(self) -> None:
        try:
            said = json.loads(self._process.readAllStandardOutput().data())
        except ValueError:
            said = None
        if not isinstance(said, list):
            self.note.setText("The outputs could not be listed; try: sonorama plugins sinks")
            return
        self.note.hide()
        for row in self.rows:
            row.deleteLater()
        self.rows = [_text(as_line(one)) for one in said if isinstance(one, dict)]
        for index, row in enumerate(self.rows):
            self._column.insertWidget(1 + index, row)


def _text(text: str) -> QLabel:
    """Text that can be copied, such as a command."""
    made = label(text, "value")
    made.setWordWrap(True)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
