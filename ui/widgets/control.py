"""The base class of the panel's controls: parameter, accessible name, tooltip and right-click menu."""

from __future__ import annotations

from typing import cast

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QMenu, QWidget

from sonorama.engine.control.addresses import MIDI_FORGET, MIDI_LEARN, modulator
from sonorama.engine.control.parameters import Parameter, Value

from ..formatting import allowed, doc, osc_address, short_name, slot_of
from ..link import Link
from .plain_text import plain_tip

MODULATOR_MIME = "application/x-sonorama-modulator"
"""MIME type of a dragged modulator; the data is its number in ASCII."""


class Control:
    """Mixin for a widget that controls one parameter. The widget calls `join` once it can show a value.

    Attributes:
        param: the parameter's entry in the table.
        effective: the value that acts on the picture while the parameter is modulated; else None.
        driver: what modulates it.

    """

    param: Parameter
    link: Link
    effective: float | None = None
    driver: str = ""
    tip: str

    @property
    def widget(self) -> QWidget:
        """The control itself, typed as a QWidget."""
        return cast("QWidget", self)

    def join(self, param: Parameter, link: Link) -> None:
        """Connect the control to the parameter `param`."""
        self.param, self.link = param, link
        widget = self.widget
        self.show_name()
        if any(map(slot_of, (param.path, *param.choices))):
            link.classes_changed.connect(self.show_name)
        widget.setStatusTip(param.path)  # from this path the window finds the text of the status line
        widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        widget.customContextMenuRequested.connect(self._open_menu)
        link.watch(param.path, self)

    def show_name(self) -> None:
        """Set the accessible name and the tooltip, which follow the classes of the world."""
        param, widget, classes = self.param, self.widget, self.link.classes
        name, text = short_name(param.path, classes), doc(param, classes)
        widget.setAccessibleName(name)
        widget.setAccessibleDescription(text)
        self.tip = f"{name}: {text}\n{self.address}  ({allowed(param)})"
        widget.setToolTip(plain_tip(self.tip))

    @property
    def address(self) -> str:
        """Its OSC address, by class if it belongs to one."""
        return osc_address(self.param.path, self.link.classes)

    def ask(self, value: Value) -> None:
        """Post the value to the show."""
        self.link.post(self.param.path, value)

    def show_value(self, value: Value) -> None:
        """Show the parameter's base value."""

    def show_effective(self, value: float | None, driver: str) -> None:
        """Show the modulated value, or None if nothing modulates the parameter, and what modulates it."""
        self.effective, self.driver = value, driver

    def show_loading(self, loading: bool) -> None:
        """Show a coloured edge while the new value is being loaded."""
        self.widget.setProperty("loading", loading)
        if (style := self.widget.style()) is not None:
            style.polish(self.widget)

    def copy_address(self, address: str = "") -> None:
        """Copy the OSC address, or the given one, to the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(address or self.address)

    def add_modulator(self, number: int) -> None:
        """Make this parameter the target of modulator `number`."""
        self.link.post(modulator(number, "target"), self.param.path)

    def modulators(self) -> list[int]:
        """Numbers of the modulators that can have this parameter as their target."""
        found, number = [], 1
        while (target := self.link.table.get(modulator(number, "target"))) is not None:
            if self.param.path in target.choices:
                found.append(number)
            number += 1
        return found

    def menu(self) -> QMenu:
        """The right-click menu."""
        menu = QMenu(self.widget)
        for address in dict.fromkeys((self.address, osc_address(self.param.path))):  # by class, and of the slot
            menu.addAction(f"Copy OSC address {address}", lambda address=address: self.copy_address(address))
        if not self.param.event:
            menu.addAction("Reset to default", lambda: self.ask(self.param.default))
        modulators = self.modulators()
        if modulators and (sub := menu.addMenu("Modulate by")) is not None:
            for number in modulators:
                source = self.link.values.get(modulator(number, "source"), "")
                sub.addAction(f"Modulator {number} ({source})", lambda n=number: self.add_modulator(n))
        if "midi_ports" in self.link.status.bridges:
            self._add_midi(menu)
        return menu

    def _add_midi(self, menu: QMenu) -> None:
        if self.param.kind != "slot":
            menu.addAction("MIDI learn", self.learn_midi)
        elif (sub := menu.addMenu("MIDI learn")) is not None:
            for number in range(1, int(self.param.high) + 1):
                sub.addAction(f"{number}", lambda n=number: self.learn_midi(f"{n}"))
        menu.addAction("Forget MIDI", self.forget_midi)
        if self.link.values.get(MIDI_LEARN):
            menu.addAction("End MIDI learn", lambda: self.link.post(MIDI_LEARN, ""))

    def learn_midi(self, value: str = "") -> None:
        """Map the MIDI control that is moved next; with a value, or to a text (the one that stands here), a button."""
        if self.param.kind == "text":
            value = str(self.link.values[self.param.path])
        self.link.post(MIDI_LEARN, f"{self.param.path} {value}".strip())

    def forget_midi(self) -> None:
        """Remove the mappings of MIDI controls to this parameter."""
        self.link.post(MIDI_LEARN, self.param.path)
        self.link.post(MIDI_FORGET, True)

    def _open_menu(self, at: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.widget.mapToGlobal(at))
