"""Looks and shows by name: load, save. A file that is no good is one fault line, and nothing changes."""

from __future__ import annotations

from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from sonorama.engine.control import presets
from sonorama.engine.control.presets import Kind
from sonorama.engine.errors import SonoramaError

from .layout import GAP
from .link import Link
from .widgets.controls import PushButton


class LookBar(QWidget):
    """An editable name and three buttons."""

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
        self.name.setAccessibleName("name of a look or show")
        self.name.setToolTip("Name of a look or show")
        self.name.editTextChanged.connect(lambda text: self.name.setToolTip(text or "Name of a look or show"))
        if (edit := self.name.lineEdit()) is not None:
            edit.setPlaceholderText("name")
            edit.returnPressed.connect(self.name.clearFocus)
        row.addWidget(self.name, 1)
        self.load = self._button(row, "Load", "Set everything in the look or show of that name", self.load_it)
        keep = "Write it; ten older versions are kept"
        self.save_look = self._button(
            row, "Save look", f"Picture, motion and moves. {keep}", lambda: self.save_it("look")
        )
        self.save_show = self._button(row, "Save show", f"Every setting. {keep}", lambda: self.save_it("show"))
        self.fill()

    def _button(self, row: QHBoxLayout, text: str, tip: str, act: object) -> PushButton:
        button = PushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(act)
        row.addWidget(button)
        return button

    def fill(self) -> None:
        """List what is there."""
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
        """Write what stands now."""
        name, _ = self._chosen()
        try:
            presets.save(presets.file_of(name, kind), presets.select(self._link.values, self._link.table, kind))
        except SonoramaError as error:
            self._link.fault.emit(error.message)
        self.fill()

    def load_it(self) -> None:
        """Set what the file says."""
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
