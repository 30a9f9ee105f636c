"""The command palette (Ctrl+K): search all controls and keys; Enter goes to the selected control."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QWidget

from .formatting import doc, osc_address, slot_of
from .keys import Key
from .layout import Card, label
from .link import Link


class Palette(Card):
    """A search field and the list of matches, floating over the panel; the shortcuts of the show stay active."""

    def __init__(self, link: Link, keys: Iterable[Key], go: Callable[[str], None], parent: QWidget) -> None:
        super().__init__("CONTROLS", parent)
        self._link, self._keys, self._go = link, tuple(keys), go
        self.field, self.list = QLineEdit(), QListWidget()
        self.field.setPlaceholderText("search by name, address or description")
        self.field.setAccessibleName("search controls")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setProperty("floating", True)
        self.title.addWidget(label("Enter: go to control, Esc: close", "dim"))
        self.body.addWidget(self.field)
        self.body.addWidget(self.list, 1)
        self._fill()
        link.classes_changed.connect(self._fill)
        self.field.textChanged.connect(self._narrow)
        self.field.returnPressed.connect(self._take)
        self.list.itemClicked.connect(lambda _: self._take())
        self.field.installEventFilter(self)
        self.hide()

    def _fill(self) -> None:
        """List everything; of the meaning mixer, the slots that the world uses."""
        self.list.clear()
        classes = self._link.classes
        for path, param in self._link.table.items():
            if slot_of(path) <= len(classes):
                self._add(f"{osc_address(path, classes)}   {doc(param, classes)}", path)
        for key in self._keys:
            self._add(f"Key {key.keys}   {key.does}", "")
        self._narrow(self.field.text())

    def _add(self, text: str, path: str) -> None:
        item = QListWidgetItem(text, self.list)
        item.setData(Qt.ItemDataRole.UserRole, path)

    def open(self) -> None:
        """Show the palette in the middle of the panel and give the search field the keyboard focus."""
        parent = self.parentWidget()
        if parent is not None:
            width, height = min(620, parent.width() - 80), min(380, parent.height() - 140)
            self.setGeometry((parent.width() - width) // 2, 64, width, height)
        self.field.clear()
        self._narrow("")
        self.show()
        self.raise_()
        self.field.setFocus()

    def shown(self) -> list[str]:
        """Paths of the parameters now listed."""
        rows = (self.list.item(row) for row in range(self.list.count()))
        return [item.data(Qt.ItemDataRole.UserRole) for item in rows if item is not None and not item.isHidden()]

    def _narrow(self, text: str) -> None:
        words = text.lower().split()
        first = None
        for row in range(self.list.count()):
            if (item := self.list.item(row)) is not None:
                text = f"{item.text()} {item.data(Qt.ItemDataRole.UserRole)}"
                content = f" {text} {text.replace('_', ' ').replace('/', ' ')}".lower()
                item.setHidden(not all(_has(content, word) for word in words))
                first = item if first is None and not item.isHidden() else first
        self.list.setCurrentItem(first)

    def _take(self) -> None:
        item = self.list.currentItem()
        if item is not None and not item.isHidden() and (path := item.data(Qt.ItemDataRole.UserRole)):
            self.hide()
            self._go(path)

    def _step(self, by: int) -> None:
        row = self.list.currentRow() + by
        while (item := self.list.item(row)) is not None and item.isHidden():
            row += by
        if item is not None:
            self.list.setCurrentItem(item)

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:
        """Move through the list with the arrow keys; close on Escape."""
        if isinstance(a1, QKeyEvent) and a1.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
            if a1.key() in steps:
                self._step(steps[Qt.Key(a1.key())])
                return True
            if a1.key() == Qt.Key.Key_Escape:
                self.hide()
                return True
        return super().eventFilter(a0, a1)


def _has(content: str, word: str) -> bool:
    """Whether a word begins with it, or an address holds it: "rate" is not in "separated"."""
    return f" {word}" in content or ("/" in word and word in content)
