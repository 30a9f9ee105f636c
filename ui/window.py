"""The panel's main window, laid out like a mixer.

It has a control for every parameter of the table; those without a position of their own are on the tab MORE.
"""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPoint, QRect, Qt
from PyQt6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QStatusTipEvent
from PyQt6.QtWidgets import QApplication, QFrame, QHBoxLayout, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from sonorama.engine.control.addresses import (
    EDIT_REDO,
    EDIT_UNDO,
    LOOK_CODE,
    LOOK_CODE_WEIGHT,
    LOOK_PHOTO,
    LOOK_PLACE,
    LOOK_PROMPT,
    LOOK_SHIFT_X,
    LOOK_SHIFT_Y,
    LOOK_TEXT_WEIGHT,
    LOOK_TURN,
    OUT_FLASH_GUARD,
    look_level_code,
    look_level_seed,
    scene,
)
from sonorama.engine.control.parameters import Parameter
from sonorama.engine.units import LEVELS

from . import keys
from .blend_page import BlendPage
from .click_mode import COPY, MAP, ClickMode, copy_address, map_midi
from .cues_page import CuesPage
from .displays import display_id
from .floors import Floors
from .inputs_page import InputsPage
from .layout import GAP, Card, grid
from .link import Link
from .mixer import ClassMixer, HeardLine
from .modulators import Modulators
from .outputs_page import OutputsPage
from .palette import Palette
from .played_world import LicenceLine
from .preset_bar import PresetBar
from .preview import FullScreen, Preview
from .scenes import SceneLabels, Scenes
from .status_line import BottomLine
from .strips import motion_card
from .sync_page import SyncPage
from .theme import style_sheet
from .topbar import TopBar
from .widgets.control import Control
from .widgets.controls import PushButton, SlotControl, TextControl, control_for
from .widgets.meters import LevelMeters, Mel, Tempo
from .window_page import WindowPage

SMALLEST = (1024, 640)
"""Size at which everything is in sight; in a smaller window the part between top bar and status line scrolls."""
USUAL = (1280, 800)
LEAST = (400, 240)
"""As small as the window can be made: a display of 1024x640 at a scale of 2.5."""
FRAME = (16, 48)
"""Room left for the frame of a window, which is not known before it opens."""

_OF_LEVELS = (path(level) for level in LEVELS for path in (look_level_seed, look_level_code))
_CODES = (LOOK_PHOTO, LOOK_CODE, LOOK_CODE_WEIGHT, LOOK_TEXT_WEIGHT, LOOK_PLACE, *_OF_LEVELS)
"""Parameters of the tab CODES; the mixes of the levels are in their strips."""
_EFFECTS = ("/picture/", OUT_FLASH_GUARD)
"""What begins so is in the tab PICTURE: the guard limits the strobe."""
_PLACEMENT = (LOOK_SHIFT_X, LOOK_SHIFT_Y, LOOK_TURN)
"""Beside the axes in their tab, since they do nothing in most worlds."""


def opening(room: QRect) -> QRect:
    """Where the panel opens in the room that a display has for windows: 1280x800, two thirds of a large display, and
    never more than there is.
    """
    width, height = (
        max(usual, 2 * have // 3) for usual, have in zip(USUAL, (room.width(), room.height()), strict=True)
    )
    width, height = min(width, room.width() - FRAME[0]), min(height, room.height() - FRAME[1])
    made = QRect(0, 0, max(width, LEAST[0]), max(height, LEAST[1]))
    made.moveCenter(room.center())
    made.moveTopLeft(QPoint(max(made.left(), room.left()), max(made.top(), room.top())))
    return made


class Window(QWidget):
    """The main window. `controls` maps each parameter path to its control."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link
        self.setObjectName("window")
        self.setWindowTitle("sonorama")
        self.setStyleSheet(style_sheet())
        self.setMinimumSize(*LEAST)
        if (screen := self.screen()) is not None:
            self.setGeometry(opening(screen.availableGeometry()))
        self.preview, self.bottom = Preview(link), BottomLine(link)
        self.modulators, self.scenes, self.top = Modulators(link), Scenes(link), TopBar(link)
        self.preset_bar, self.mixer, self.floors = PresetBar(link), ClassMixer(link), Floors(link)
        self.heard, self.blend = HeardLine(link), BlendPage(link)
        self._map = PushButton("map by clicking (L)")
        self._map.setCheckable(True)
        self._map.setFixedWidth(160)
        for path in (EDIT_UNDO, EDIT_REDO):
            self.scenes.row.addWidget(control_for(link.table[path], link))
        self.scenes.row.addWidget(self.preset_bar, 2)
        self.tabs = QTabWidget()
        self._full: FullScreen | None = None
        self.body, self.area = QWidget(), QScrollArea()
        self._lay_out()
        self.controls = self._find_controls()
        self._add_more()
        self.copy_mode = ClickMode(self, self.bottom.hold, COPY, copy_address)
        self.map_mode = ClickMode(self, self.bottom.hold, MAP, map_midi)
        self._map.clicked.connect(self.map_mode.toggle)
        self.map_mode.switched.connect(self._map.setChecked)
        self.palette_list = Palette(link, self._keys(), self.reveal, self)
        keys.install(self, self._keys())
        self._shortcuts = {key.keys: key for key in self._keys()}
        link.state.connect(self._stated)
        self._stated(link.connected, "")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # a click on the background takes the focus from a text field
        self.setFocus()
        if isinstance(app := QApplication.instance(), QApplication):
            app.focusChanged.connect(self._focus)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(GAP, GAP, GAP, 3)
        column.setSpacing(GAP)
        column.addWidget(self.top)
        inner = QVBoxLayout(self.body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(GAP)
        middle = QHBoxLayout()
        middle.setSpacing(GAP)
        middle.addLayout(self._left(), 25)
        middle.addWidget(self.preview, 41)
        middle.addLayout(self._right(), 34)
        inner.addLayout(middle, 1)
        below = Card("")
        below.body.removeItem(below.title)
        below.body.setContentsMargins(8, 2, 8, 6)
        self.tabs.addTab(self.modulators, "MODULATORS")
        self.tabs.addTab(self.floors, "FLOORS")
        music = [p for path, p in self.link.table.items() if path.startswith("/sound/") and path.count("/") > 2]
        self.tabs.addTab(self._page([p for p in music if p.kind == "float"], 6), "MUSIC")
        self.tabs.addTab(self._page([p for path, p in self.link.table.items() if path.startswith("/auto/")]), "AUTO")
        effects = [p for path, p in self.link.table.items() if path.startswith(_EFFECTS)]
        self.tabs.addTab(self._page(effects), "PICTURE")
        self.tabs.addTab(self.blend, "BLEND")
        axes = [p for path, p in self.link.table.items() if path.startswith("/axis/") or path in _PLACEMENT]
        self.tabs.addTab(self._page(axes), "AXES")
        self.tabs.addTab(self._page([self.link.table[path] for path in _CODES]), "CODES")
        out = [p for path, p in self.link.table.items() if path.startswith(("/out/", "/engine/"))]
        self.tabs.addTab(
            self._page(
                [p for p in out if p not in effects and p.path not in self._above()], more=LicenceLine(self.link)
            ),
            "SETUP",
        )
        self.tabs.addTab(SceneLabels(self.link), "SCENES")
        self.cues = CuesPage(self.link)
        self.tabs.addTab(self.cues, "CUES")
        for button in self.scenes.buttons:
            button.rename.connect(lambda number: self.reveal(scene(number, "name")))
        self.tabs.addTab(WindowPage(self.link), "WINDOW")
        self.outputs = OutputsPage(self.link)
        self.tabs.addTab(self.outputs, "OUTPUTS")
        midi = [p for path, p in self.link.table.items() if path.startswith("/midi/")]
        self.tabs.addTab(self._page(midi, more=self._map), "MIDI")
        self.tabs.addTab(SyncPage(self.link), "SYNC")
        self.inputs = InputsPage(self.link)
        self.tabs.addTab(self.inputs, "INPUT")
        below.body.addWidget(self.tabs)
        inner.addWidget(below)
        inner.addWidget(self.scenes)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidgetResizable(True)
        self.area.setWidget(self.body)
        for transparent in (self.body, self.area.viewport()):
            if transparent is not None:
                transparent.setAutoFillBackground(False)
        column.addWidget(self.area, 1)
        column.addWidget(self.bottom)

    def _above(self) -> set[str]:
        return {widget.param.path for widget in self.top.findChildren(QWidget) if isinstance(widget, Control)}

    def _page(self, params: list[Parameter], columns: int = 4, more: QWidget | None = None) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(grid(params, self.link, columns))
        if more is not None:
            column.setSpacing(1)
            column.addWidget(more)
        column.addStretch(1)
        return page

    def _left(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(GAP)
        sound = Card("SOUND")
        group = [p for path, p in self.link.table.items() if path.startswith("/sound/")]
        small = [p for p in group if p.kind in ("choice", "trigger")]
        shown = [p for p in group if p not in small and p.kind != "text" and p.path.count("/") == 2]
        sound.body.addLayout(grid(shown, self.link, 2))
        row = QHBoxLayout()
        row.setSpacing(GAP)
        for param in small:
            row.addWidget(control_for(param, self.link), 1)
        sound.body.addLayout(row)
        sound.body.addWidget(Tempo(self.link))
        analysis = Card("ANALYSIS")
        analysis.title.addWidget(self.heard, 100)  # all of the room beside the title
        analysis.body.addWidget(self.mixer)
        analysis.body.addWidget(Mel(self.link), 2)
        analysis.body.addWidget(LevelMeters(self.link), 1)
        column.addWidget(sound)
        column.addWidget(analysis, 1)
        return column

    def _right(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(GAP)
        look = Card("LOOK")
        group = [p for path, p in self.link.table.items() if path.startswith("/look/") and path.count("/") == 2]
        for param in [p for p in group if p.kind == "text" and p.path not in _CODES]:
            field = TextControl(param, self.link)
            field.setPlaceholderText("describe a picture, then press Enter")
            look.body.addWidget(field)
        look.title.addWidget(control_for(self.link.table[LOOK_PROMPT], self.link))
        elsewhere = (LOOK_PROMPT, *_CODES, *_PLACEMENT)
        look.body.addLayout(grid([p for p in group if p.kind != "text" and p.path not in elsewhere], self.link, 3))
        column.addWidget(motion_card(self.link), 1)
        column.addWidget(look)
        return column

    def _find_controls(self) -> dict[str, QWidget]:
        found: dict[str, QWidget] = {}
        for widget in self.findChildren(QWidget):
            if isinstance(widget, Control):
                found.setdefault(widget.param.path, widget)
                if isinstance(widget, SlotControl) and widget.shifted is not None:
                    found.setdefault(widget.shifted.path, widget)
        return found

    def _add_more(self) -> None:
        more = [param for path, param in self.link.table.items() if path not in self.controls]
        if more:
            self.tabs.addTab(self._page(more), "MORE")
            self.controls = self._find_controls()

    def _keys(self) -> list[keys.Key]:
        return [
            *keys.show_keys(self.link),
            keys.Key("F", "show the picture in full screen", self.toggle_full_screen),
            keys.Key("M", "copy OSC addresses by clicking controls", self.copy_mode.toggle),
            keys.Key("L", "map MIDI controls by clicking controls", self.map_mode.toggle),
            keys.Key("Ctrl+K", "find a control", lambda: self.palette_list.open()),
        ]

    def reveal(self, path: str) -> None:
        """Show the control of the parameter `path` and give it the keyboard focus."""
        control = self.controls[path]
        for tabs in self.findChildren(QTabWidget):  # that of the windows has tabs of its own
            for index in range(tabs.count()):
                page = tabs.widget(index)
                if page is not None and page.isAncestorOf(control):
                    tabs.setCurrentIndex(index)
        if path.startswith("/moves/"):
            self.modulators.reveal(path)
        if path.startswith("/blend/"):
            self.blend.reveal(path)
        target = control.buttons[0] if isinstance(control, SlotControl) else control
        target.setFocus()
        self._bring(target)

    def _bring(self, control: QWidget | None) -> None:
        """Scroll to a control, in the mixer and in a window too small for everything."""
        self.mixer.bring(control)
        if control is not None and self.body.isAncestorOf(control):
            self.area.ensureWidgetVisible(control, GAP, GAP)

    def toggle_full_screen(self) -> None:
        """Open the output window on the display of `/window/display`, by default the panel's own, or close it."""
        if self._full is not None and self._full.filling:
            self._full.leave()
            return
        self._full = self._full or FullScreen(self.preview.feed.name, self, self.link)
        self._full.follow(self.preview.feed.name)
        here = self.screen()
        self._full.fill_screen(True, display_id(here).text if here is not None else "")

    def _stated(self, connected: bool, _: str) -> None:
        self.body.setEnabled(connected)

    def _focus(self, _: QWidget | None, now: QWidget | None) -> None:
        if now is not None and now.statusTip():
            self.bottom.point_at(now.statusTip())
        if not QGuiApplication.mouseButtons():  # a clicked button stays under the pointer
            self._bring(now)

    def event(self, a0: QEvent | None) -> bool:
        """Handle shortcuts by the place of the key; show the control under the pointer in the status line."""
        if isinstance(a0, QKeyEvent) and keys.take_by_place(a0, self._shortcuts):
            return True
        if isinstance(a0, QStatusTipEvent):
            if a0.tip():
                self.bottom.point_at(a0.tip())
            return True
        return super().event(a0)

    def closeEvent(self, a0: QCloseEvent | None) -> None:
        """Close the preview and the connection; the show keeps running."""
        self.copy_mode.end()
        self.map_mode.end()
        self.inputs.leave()
        self.outputs.leave()
        self.preview.close_feed()
        if self._full is not None:
            self._full.close_feed()
            self._full.leave()
        self.link.close()
        super().closeEvent(a0)
