"""A scene's button: its picture, number and name, in its colour."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QGuiApplication, QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QMenu, QSizePolicy

from sonorama.engine.control.addresses import SCENE_RECALL, SCENE_STORE, scene
from sonorama.engine.control.parameters import Value

from .formatting import osc_address
from .link import Link
from .theme import ACCENT, CONTROL, HOVER, LINE, SCENE_PX, SCENES, TEXT, WINDOW
from .widgets.controls import PushButton
from .widgets.paint import CENTRE, colour
from .widgets.plain_text import plain_tip

NAME_PX = 14
_DARK = 170
"""Opacity 0 to 255 of what lies behind the number."""


class SceneButton(PushButton):
    """Recalls a scene; its menu stores, names and colours it.

    Signals:
        rename: the menu asks for a name; the number of the scene, from 1.

    """

    rename = pyqtSignal(int)

    def __init__(self, number: int, link: Link) -> None:
        super().__init__("")
        self.number, self._link = number, link
        self.name, self.colour, self.stored = "", "none", False
        self.picture: QPixmap | None = None
        self._scaled: tuple[QSize, QPixmap] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setProperty("shape", "scene")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda at: self.menu_of_scene().popup(self.mapToGlobal(at)))
        link.watch_many([scene(number, "name"), scene(number, "colour")], self._labelled)

    def sizeHint(self) -> QSize:
        """Its height where there is room; the row shares its width."""
        return QSize(36, SCENE_PX[1])

    def show_stored(self, stored: bool) -> None:
        """Show whether the scene holds something."""
        self.stored = stored
        self.setAccessibleDescription("stored" if stored else "empty")
        self.update()

    def show_picture(self, picture: QPixmap | None) -> None:
        """Show a picture, or none."""
        self.picture, self._scaled = picture, None
        self.update()

    def _labelled(self, path: str, value: Value) -> None:
        if path.endswith("/name"):
            self.name = str(value)
            named = f"scene {self.number} {self.name}".strip()
            self.setAccessibleName(named)
            keys = f"click or press {self.number} to recall, with Shift to store"
            self.setToolTip(plain_tip(f"{named}: {keys}; right-click for more"))
        else:
            self.colour = str(value)
        self.update()

    def menu_of_scene(self) -> QMenu:
        """The right-click menu."""
        link, number, menu = self._link, self.number, QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Recall", lambda: link.post(SCENE_RECALL, number))
        menu.addAction("Store", lambda: link.post(SCENE_STORE, number))
        menu.addAction("Name \u2026", lambda: self.rename.emit(number))
        if (sub := menu.addMenu("Colour")) is not None:
            for choice in link.table[scene(number, "colour")].choices:
                sub.addAction(choice, lambda choice=choice: link.post(scene(number, "colour"), choice))
        address = osc_address(SCENE_RECALL)
        menu.addAction(f"Copy OSC address {address}", lambda: self._copy(address))
        return menu

    @staticmethod
    def _copy(address: str) -> None:
        if (clipboard := QGuiApplication.clipboard()) is not None:
            clipboard.setText(address)

    # -- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint the picture, the number in its corner and the name below."""
        painter, box = QPainter(self), self.rect()
        above = box.adjusted(0, 0, 0, -NAME_PX)
        painter.fillRect(box, colour(HOVER if self.underMouse() else CONTROL))
        if (picture := self._fitted(above.size())) is not None:
            painter.drawPixmap(above, picture, QRect(QPoint((picture.width() - above.width()) // 2, 0), above.size()))
        self._paint_number(painter, above)
        self._paint_name(painter, QRect(0, box.height() - NAME_PX, box.width(), NAME_PX))
        edge = TEXT if self.hasFocus() or self.isDown() else ACCENT if self.stored and self.isEnabled() else LINE
        painter.setPen(colour(edge))
        painter.drawRect(box.adjusted(0, 0, -1, -1))

    def _fitted(self, size: QSize) -> QPixmap | None:
        """The picture so large that it covers a size, scaled once for each size."""
        if self.picture is None:
            return None
        if self._scaled is None or self._scaled[0] != size:
            cover, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
            self._scaled = size, self.picture.scaled(size, cover, smooth)
        return self._scaled[1]

    def _paint_number(self, painter: QPainter, above: QRect) -> None:
        font = QFont(self.font())
        font.setBold(True)
        painter.setFont(font)
        corner = QRect(0, 0, 16, 16) if self.picture is not None else above
        if self.picture is not None:
            ground = QColor(WINDOW)  # those of `colour` are shared
            ground.setAlpha(_DARK)
            painter.fillRect(corner, ground)
        painter.setPen(colour(TEXT if self.isEnabled() else LINE))
        painter.drawText(corner, CENTRE, str(self.number))

    def _paint_name(self, painter: QPainter, line: QRect) -> None:
        ground = SCENES[self.colour]
        painter.fillRect(line, colour(ground))
        font = QFont(self.font())
        font.setPixelSize(10)
        painter.setFont(font)
        painter.setPen(colour(WINDOW if ground != CONTROL else TEXT))
        text = painter.fontMetrics().elidedText(self.name, Qt.TextElideMode.ElideRight, line.width() - 4)
        painter.drawText(line, CENTRE, text)
