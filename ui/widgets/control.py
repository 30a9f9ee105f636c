"""What every control of the panel shares: one address, a name, the info line, the right-click menu."""

from __future__ import annotations

from typing import cast

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QMenu, QWidget

from sonorama.engine.control.parameters import Parameter, Value

from ..formatting import osc_address, short_name
from ..link import Link

MOVE_MIME = "application/x-sonorama-move"
"""Drags of a move carry its number, in ASCII."""


class Control:
    """Mixed into a widget that plays one parameter. The widget calls `join` once it can show a value."""

    param: Parameter
    link: Link
    effective: float | None = None
    driver: str = ""
    tip: str

    @property
    def widget(self) -> QWidget:
        """The control itself, as the widget it is."""
        return cast("QWidget", self)

    def join(self, param: Parameter, link: Link) -> None:
        """Become the control of `param`."""
        self.param, self.link = param, link
        widget = self.widget
        widget.setAccessibleName(short_name(param.path))
        widget.setAccessibleDescription(param.doc)
        self.tip = f"{short_name(param.path)}: {param.doc}\n{osc_address(param.path)}  ({param.allowed()})"
        widget.setToolTip(self.tip)
        widget.setStatusTip(param.path)  # the window shows its line at the bottom
        widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        widget.customContextMenuRequested.connect(self._open_menu)
        link.watch(param.path, self)

    def ask(self, value: Value) -> None:
        """The hand wants this value."""
        self.link.post(self.param.path, value)

    def show_value(self, value: Value) -> None:
        """Show the value asked for last."""

    def show_effective(self, value: float | None, driver: str) -> None:
        """Show what the picture gets."""
        self.effective, self.driver = value, driver

    def show_loading(self, loading: bool) -> None:
        """A coloured edge, as long as the value asked for does not act yet."""
        self.widget.setProperty("loading", loading)
        if (style := self.widget.style()) is not None:
            style.polish(self.widget)

    def copy_address(self) -> None:
        """Put the OSC address into the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(osc_address(self.param.path))

    def add_move(self, number: int) -> None:
        """Let move `number` move this control."""
        self.link.post(f"/moves/{number}/target", self.param.path)

    def moves(self) -> list[int]:
        """Numbers of the moves that could move this control."""
        found, number = [], 1
        while (target := self.link.table.get(f"/moves/{number}/target")) is not None:
            if self.param.path in target.choices:
                found.append(number)
            number += 1
        return found

    def menu(self) -> QMenu:
        """The right-click menu."""
        menu = QMenu(self.widget)
        menu.addAction(f"Copy OSC address {osc_address(self.param.path)}", self.copy_address)
        if not self.param.event:
            menu.addAction("Back to the default", lambda: self.ask(self.param.default))
        moves = self.moves()
        if moves and (sub := menu.addMenu("Let a move move it")) is not None:
            for number in moves:
                source = self.link.values.get(f"/moves/{number}/source", "")
                sub.addAction(f"Move {number} ({source})", lambda n=number: self.add_move(n))
        return menu

    def _open_menu(self, at: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.widget.mapToGlobal(at))
