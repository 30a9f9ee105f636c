"""Loads and saves presets and whole shows by name. An unusable file gives an error in the status line, nothing else.

The meaning mixer is kept by class, so that a preset of one world fits the classes that another world has too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from sonorama.engine.control import presets
from sonorama.engine.control.addresses import ENGINE_WORLD
from sonorama.engine.control.class_addresses import GROUP, by_class, by_slot, moved, parameter_of, parts
from sonorama.engine.control.parameters import Value
from sonorama.engine.control.presets import Kind
from sonorama.engine.errors import InputError, SonoramaError
from sonorama.engine.files.folders import is_there

from .formatting import class_name
from .layout import GAP
from .link import Link
from .widgets.controls import PushButton
from .widgets.plain_text import plain_tip

NAME_TIP = "Name of a preset or show"


class PresetBar(QWidget):
    """A field for the name and the buttons Load, Save preset and Save show."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self._waiting: dict[str, Value] = {}
        link.classes_changed.connect(self._play_classes)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        self.name = QComboBox()
        self.name.setEditable(True)
        self.name.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.name.setMinimumWidth(90)
        self.name.setAccessibleName("name of a preset or show")
        self.name.setToolTip(NAME_TIP)
        self.name.editTextChanged.connect(lambda text: self.name.setToolTip(plain_tip(text) or NAME_TIP))
        if (edit := self.name.lineEdit()) is not None:
            edit.setPlaceholderText("name")
            edit.returnPressed.connect(self.name.clearFocus)
        row.addWidget(self.name, 1)
        self.load = self._button(row, "Load", "Load the preset or show of this name", self.load_it)
        older = "The ten previous versions are kept"
        self.save_preset = self._button(
            row, "Save preset", f"Save picture, motion and modulator settings. {older}", lambda: self.save_it("look")
        )
        self.save_show = self._button(row, "Save show", f"Save all settings. {older}", lambda: self.save_it("show"))
        self.fill()

    def _button(self, row: QHBoxLayout, text: str, tip: str, act: object) -> PushButton:
        button = PushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(act)
        row.addWidget(button)
        return button

    def fill(self) -> None:
        """Fill the list with the names of the saved presets and shows; shows are marked `(show)`."""
        text = self.name.currentText()
        self.name.clear()
        for name, kind in presets.names():
            self.name.addItem(name if kind == "look" else f"{name} (show)")
        self.name.setEditText(text)

    def _chosen(self) -> tuple[str, Kind]:
        text = self.name.currentText().strip()
        if text.endswith("(show)"):
            return text.removesuffix("(show)").strip(), "show"
        return text, "look"

    def save_it(self, kind: Kind) -> None:
        """Save the current values under the name in the field; `kind` is `look` for a preset, or `show`."""
        name, _ = self._chosen()
        values = presets.select(self._link.values, self._link.table, kind)
        try:
            presets.save(presets.file_of(name, kind), by_class(values, self._link.classes))
        except SonoramaError as error:
            self._link.fault.emit(f"{error.message}. {error.hint}")
        self.fill()

    def load_it(self) -> None:
        """Apply the values of the named file. Entries that are not valid are skipped and reported."""
        try:
            path = presets.file_of(*self._chosen())
            if not is_there(path):
                name = self.name.currentText().strip()
                raise InputError(f"There is no preset or show called {name}", "Choose a name from the list.")
            values, faults = presets.load(path, self._link.table)
        except SonoramaError as error:
            self._link.fault.emit(f"{error.message}. {error.hint}")
            return
        self._apply(values)
        if faults:
            self._link.fault.emit(faults[0] if len(faults) == 1 else f"{faults[0]}, and {len(faults) - 1} more")

    def _apply(self, values: Mapping[str, Value]) -> None:
        """Post what differs. Classes that a preset with any values of the mixer does not know go back to their
        defaults; those that only the preset has are named, or wait for the world that it loads.
        """
        link = self._link
        slots, unknown = by_slot(values, link.classes)
        if any(path.startswith(GROUP) for path in values):
            slots |= moved(link.values, values, link.classes, link.table)
        loads = slots.get(ENGINE_WORLD, link.values[ENGINE_WORLD]) != link.values[ENGINE_WORLD]
        self._waiting = {path: value for path, value in values.items() if path.startswith((GROUP, ENGINE_WORLD))}
        if not (unknown and loads):
            self._waiting = {}
            if lost := self._set_ones(values, unknown):
                link.fault.emit(f"Not in this world, left out of the mixer: {', '.join(lost)}")
        for path, value in slots.items():
            if value != link.values[path]:
                link.post(path, value)

    def _set_ones(self, values: Mapping[str, Value], classes: Sequence[str]) -> list[str]:
        """Those of the classes that have other settings than the defaults, by name."""
        table, found = self._link.table, dict[str, None]()
        for path, value in values.items():
            param, of_class = parameter_of(path, table), parts(path)
            if param and of_class and of_class[0] in classes and value != param.default:
                found[class_name(of_class[0])] = None
        return [*found]

    def _play_classes(self) -> None:
        """Another world is played: if it is the one that a show file loads, its classes get their settings."""
        waiting, self._waiting = self._waiting, {}
        if waiting and waiting[ENGINE_WORLD] == self._link.values[ENGINE_WORLD]:
            self._apply(waiting)
