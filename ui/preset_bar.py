"""Loads and saves presets and whole shows by name. An unusable file gives an error in the status line, nothing else."""

from __future__ import annotations

from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from sonorama.engine.control import presets
from sonorama.engine.control.presets import Kind
from sonorama.engine.errors import SonoramaError

from .layout import GAP
from .link import Link
from .widgets.controls import PushButton

NAME_TIP = "Name of a preset or show"


class PresetBar(QWidget):
    """A field for the name and the buttons Load, Save preset and Save show."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        self.name = QComboBox()
        self.name.setEditable(True)
        self.name.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.name.setMinimumWidth(90)
        self.name.setAccessibleName("name of a preset or show")
        self.name.setToolTip(NAME_TIP)
        self.name.editTextChanged.connect(lambda text: self.name.setToolTip(text or NAME_TIP))
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
        try:
            presets.save(presets.file_of(name, kind), presets.select(self._link.values, self._link.table, kind))
        except SonoramaError as error:
            self._link.fault.emit(error.message)
        self.fill()

    def load_it(self) -> None:
        """Apply the values of the named file. Entries that are not valid are skipped and reported."""
        try:
            values, faults = presets.load(presets.file_of(*self._chosen()), self._link.table)
        except SonoramaError as error:
            self._link.fault.emit(error.message)
            return
        for path, value in values.items():
            if value != self._link.values[path]:
                self._link.post(path, value)
        if faults:
            self._link.fault.emit(faults[0] if len(faults) == 1 else f"{faults[0]}, and {len(faults) - 1} more")
