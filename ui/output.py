"""The output window: the pictures of a frame map on a display, with nothing drawn over them.

It belongs to its display: it hides when that is unplugged and returns with it. With a show, the parameters `/window/`
place it, hold its pictures back and correct its corners (keystone).
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from PyQt6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt, QTimer
from PyQt6.QtGui import QGuiApplication, QImage, QKeyEvent, QPainter, QPolygonF, QScreen, QTransform
from PyQt6.QtWidgets import QWidget

from sonorama.engine.control.addresses import (
    WINDOW_BOTTOM_LEFT_X,
    WINDOW_BOTTOM_LEFT_Y,
    WINDOW_BOTTOM_RIGHT_X,
    WINDOW_BOTTOM_RIGHT_Y,
    WINDOW_DELAY,
    WINDOW_DISPLAY,
    WINDOW_FLIP,
    WINDOW_FULL_SCREEN,
    WINDOW_HEIGHT,
    WINDOW_TOP_LEFT_X,
    WINDOW_TOP_LEFT_Y,
    WINDOW_TOP_RIGHT_X,
    WINDOW_TOP_RIGHT_Y,
    WINDOW_WIDTH,
    WINDOW_X,
    WINDOW_Y,
)
from sonorama.engine.control.live_table import SHOW, window_address
from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.frame_map import FrameMap, FrameSlot

from .displays import display_id, find_display
from .frame_delay import FrameDelay
from .key_places import shortcut_at
from .link import Link, link_to
from .picture import Picture, letterbox, screen_format

log = logging.getLogger(__name__)
USUAL = 768
CORNERS = (
    (WINDOW_TOP_LEFT_X, WINDOW_TOP_LEFT_Y),
    (WINDOW_TOP_RIGHT_X, WINDOW_TOP_RIGHT_Y),
    (WINDOW_BOTTOM_RIGHT_X, WINDOW_BOTTOM_RIGHT_Y),
    (WINDOW_BOTTOM_LEFT_X, WINDOW_BOTTOM_LEFT_Y),
)
"""Addresses of the corners' shifts, clockwise."""
PLACE = (WINDOW_DISPLAY, WINDOW_FULL_SCREEN, WINDOW_X, WINDOW_Y, WINDOW_WIDTH, WINDOW_HEIGHT)
"""Parameters that place the window."""


class Output(Picture):
    """The output window. It keeps the last picture while nobody publishes, and continues when publishing resumes.

    Args:
        name: of the frame map.
        link: to the show whose parameters it follows; None for a window that is moved by hand.
        number: of the window, from 1, which says which parameters: `/window/`, `/window/2/` and so on.
        parent: the window with which it closes.

    """

    def __init__(self, name: str, parent: QWidget | None = None, link: Link | None = None, number: int = 1) -> None:
        super().__init__(name, hz=60.0, parent=parent)
        self.setWindowFlag(Qt.WindowType.Window)
        self.setWindowTitle(f"sonorama: {name}")
        self.resize(USUAL, USUAL)
        followed = (*PLACE, WINDOW_DELAY, WINDOW_FLIP, *sum(CORNERS, ()))
        self._link, self._values = link, {path: SHOW[path].default for path in followed}
        self._own = {window_address(path, number): path for path in followed}  # its address -> that of the first
        self._full_screen = window_address(WINDOW_FULL_SCREEN, number)
        self._open = self._full = False
        self._home = self._asked = ""  # the display it belongs to, and the words by which it was chosen
        self._laid_out: tuple[object, ...] = ()
        self._delay = FrameDelay()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._arrange)
        if isinstance(app := QGuiApplication.instance(), QGuiApplication):
            app.screenAdded.connect(self._find)
            app.screenRemoved.connect(self._lose)
        if link is not None:
            link.watch_many(self._own, self._valued)

    # -- its place ------------------------------------------------------------------------------------------------

    def fill_screen(self, full: bool, display: str = "") -> None:
        """Open in full screen on `display` (its name or number; default: the one it is on) and hide the cursor; or in a
        window.

        Raises:
            SonoramaError: there is no such display.

        """
        screens = QGuiApplication.screens()
        if display and find_display(screens, display) is None:
            known = ", ".join(f"{number} ({display_id(one).text})" for number, one in enumerate(screens))
            raise SonoramaError(f"There is no display {display}", f"Available displays: {known}")
        here = self.screen()
        self._asked = self._home = ""
        self._bind(display or (display_id(here).text if here is not None else "0"))
        self._open, self._full = True, full
        self._arrange()

    def _bind(self, asked: str) -> None:
        """Belong to the display of these words from now on; later words of the same text mean the same display."""
        if asked != self._asked:
            found = find_display(QGuiApplication.screens(), asked)
            self._asked, self._home = asked, asked if found is None else display_id(found).text

    def _valued(self, path: str, value: Value) -> None:
        path = self._own[path]
        self._values[path] = value
        if path in PLACE:
            self._soon.start()
        self.update()

    def _find(self, _: QScreen) -> None:
        """A display has come; it may be the one."""
        self._soon.start()

    def _lose(self, screen: QScreen) -> None:
        """A display is gone; the system would put its windows on another."""
        if display_id(screen).text == self._home:
            self.hide()
        self._soon.start()

    def _arrange(self) -> None:
        """Be on the display, or hidden while it is away."""
        if not self._open:
            return
        full = self._full
        if self._link is not None and self._link.connected:
            full = bool(self._values[WINDOW_FULL_SCREEN])
            if self._values[WINDOW_DISPLAY]:
                self._bind(str(self._values[WINDOW_DISPLAY]))
        screen = find_display(QGuiApplication.screens(), self._home)
        if screen is None:
            if self._laid_out:
                log.warning("The display %s is not connected: its window is hidden until it is", self._home)
            self._laid_out = ()
            self.hide()
            return
        self._home = display_id(screen).text
        x, y, width, height = (int(self._values[path]) for path in PLACE[2:])
        wanted = (self._home, screen.geometry().getRect(), full, x, y, width, height)
        if wanted != self._laid_out or not self.isVisible():
            self._laid_out = wanted
            self._put(screen, full, QRect(x, y, width, height))

    def _put(self, screen: QScreen, full: bool, place: QRect) -> None:
        """Show it on a screen: in full screen, without a frame at an exact place, or as the system opens windows."""
        exact = not full and place.width() > 0 and place.height() > 0
        if bool(self.windowFlags() & Qt.WindowType.FramelessWindowHint) != exact:
            self.setWindowFlag(Qt.WindowType.FramelessWindowHint, exact)
        self.setScreen(screen)
        if full:
            self.setGeometry(screen.geometry())
            self.setCursor(Qt.CursorShape.BlankCursor)
            self.showFullScreen()
            return
        self.unsetCursor()
        self.showNormal()
        if exact:
            self.setGeometry(place.translated(screen.geometry().topLeft()))
        elif self._link is None or not screen.geometry().intersects(self.geometry()):
            self.setGeometry(screen.availableGeometry())
            self.resize(USUAL, USUAL)

    @property
    def filling(self) -> bool:
        """Whether it is open, even if its display is away."""
        return self._open

    def leave(self) -> None:
        """Close, and stay closed when its display returns."""
        self._open = False
        self.close()

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """Escape and Q close the window, F toggles full screen."""
        if a0 is None:
            return
        if a0.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Q):
            self.leave()
        elif a0.key() == Qt.Key.Key_F or shortcut_at(a0) == "F":
            if self._link is not None and self._link.connected:
                self._link.post(self._full_screen, not self.isFullScreen())
            else:
                self.fill_screen(not self.isFullScreen())

    # -- its pictures ---------------------------------------------------------------------------------------------

    def next_picture(self) -> FrameSlot | None:
        """The newest picture, `/window/delay` after it came."""
        slot, delay_s, now = self.feed.poll(), float(self._values[WINDOW_DELAY]) / 1000, time.monotonic()
        if delay_s <= 0:
            held = self._delay.take(now, 0.0)  # those of a delay that has just ended
            return slot or held
        if slot is not None:
            self._delay.put(slot, now, delay_s)
        return self._delay.take(now, delay_s)

    def draw(self, painter: QPainter, image: QImage) -> QRect:
        """Paint the image, flipped and with its corners where the parameters say; returns the rectangle it covers."""
        if (flip := self._values[WINDOW_FLIP]) != "none":
            image = image.mirrored(flip in ("horizontal", "both"), flip in ("vertical", "both"))
        shifts = [(float(self._values[x]), float(self._values[y])) for x, y in CORNERS]
        if not any(any(shift) for shift in shifts):
            return super().draw(painter, image)
        box = QRectF(letterbox(image.width(), image.height(), self.rect()))
        corners = [box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft()]
        size = QSizeF(self.size())
        moved = [
            corner + QPointF(x * size.width(), y * size.height())
            for corner, (x, y) in zip(corners, shifts, strict=True)
        ]
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        transform = QTransform()
        if QTransform.quadToQuad(QPolygonF(corners), QPolygonF(moved), transform):
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setTransform(transform)
            painter.drawImage(box, screen_format(image))
            painter.resetTransform()
        return self.rect()


def run_view(name: str, full_screen: bool, display: str, screenshot: Path | None, after: float, number: int = 1) -> int:
    """Show the frame map `name` until the window is closed; return the exit code.

    In full screen the window follows the parameters of window `number` of the show of that name.

    Raises:
        FrameMapMissing: there is no frame map of that name.
        SonoramaError: there is no display, or not the one asked for.

    """
    FrameMap(name).close()  # raises before a window opens
    from .app import application, run

    app = application()
    app.setQuitOnLastWindowClosed(False)  # it is hidden while its display is away
    link = link_to(name) if full_screen else None
    window = Output(name, link=link, number=number)
    window.closed.connect(app.quit)
    window.fill_screen(full_screen, display)
    if link is not None:
        link.start()
    try:
        return run(app, window, screenshot, after)
    finally:
        window.close_feed()
        if link is not None:
            link.close()
