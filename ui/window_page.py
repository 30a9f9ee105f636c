"""The tab WINDOW: where each full-screen window is, how long it holds pictures back, its corners and its flip."""

from __future__ import annotations

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QGuiApplication, QScreen
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from sonorama.engine.control.addresses import WINDOW_DELAY, WINDOW_DISPLAY, WINDOW_FULL_SCREEN, WINDOW_X, WINDOW_Y
from sonorama.engine.control.live_table import WINDOWS, window_address

from .displays import display_id
from .formatting import caption
from .layout import GAP, captioned, label
from .link import Link
from .widgets.controls import OpenChoice

COLUMNS = 9
FIRST = (WINDOW_FULL_SCREEN, WINDOW_X, WINDOW_Y, WINDOW_DELAY)
"""Parameters in the first row, after the display."""


class DisplayChoice(OpenChoice):
    """The displays that are connected now, and the one of the parameter."""

    def __init__(self, link: Link, path: str = WINDOW_DISPLAY) -> None:
        super().__init__(link.table[path], link, away="not connected")
        if isinstance(app := QGuiApplication.instance(), QGuiApplication):
            app.screenAdded.connect(self._fill_soon)
            app.screenRemoved.connect(self._fill_soon)
        self._fill()

    def _fill_soon(self, _: QScreen) -> None:
        QTimer.singleShot(0, self._fill)  # one that is removed is still in the list

    def _fill(self) -> None:
        names = [display_id(screen).text for screen in QGuiApplication.screens()]
        self.offer([("", "where it is opened"), *((name, name) for name in names)])


class WindowPage(QWidget):
    """Every parameter of the full-screen windows, a page for each."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        column, windows = QVBoxLayout(self), QTabWidget()
        column.setContentsMargins(0, 0, 0, 0)
        for number in range(1, WINDOWS + 1):
            windows.addTab(_page(link, number), f"WINDOW {number}")
        column.addWidget(windows)


def _page(link: Link, number: int) -> QWidget:
    def own(path: str) -> str:
        return window_address(path, number)

    page = QWidget()
    column, grid = QVBoxLayout(page), QGridLayout()
    column.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(GAP)
    display = QHBoxLayout()
    display.setSpacing(4)
    display.addWidget(label(caption(own(WINDOW_DISPLAY)), "dim"))
    display.addWidget(DisplayChoice(link, own(WINDOW_DISPLAY)), 1)
    grid.addLayout(display, 0, 0, 1, 2)
    all_first = [path for path in link.table if path.startswith("/window/") and path.count("/") == 2]
    others = [path for path in all_first if path not in (WINDOW_DISPLAY, *FIRST)]
    for cell, path in enumerate((*FIRST, *others), 2):
        grid.addWidget(captioned(link.table[own(path)], link), cell // COLUMNS, cell % COLUMNS)
    for column_number in range(COLUMNS):
        grid.setColumnStretch(column_number, 1)
    column.addLayout(grid)
    column.addStretch(1)
    return page
