"""The panel's colours and style sheet. Every pair of text and background colours meets WCAG 2.2 AA."""

from __future__ import annotations

WINDOW, CARD, CONTROL = "#161617", "#1e1e20", "#2a2a2d"
TEXT, DIM, LINE = "#e8e8ea", "#a6a6ad", "#6f6f76"
ACCENT, MODULATION, LIVE, RECORD, MAPPED = "#ffb454", "#59c2ff", "#7fd962", "#ff6b6b", "#c39bff"
# ACCENT_FILL is the accent colour, darkened until light text on it meets AA: text may lie over a filled bar.
ACCENT_FILL, HOVER = "#5a4320", "#333337"
SCENES = {
    "none": CONTROL, "red": RECORD, "orange": ACCENT, "yellow": "#f0e070", "green": LIVE, "cyan": "#5fd7d7",
    "blue": "#6fa8ff", "violet": MAPPED, "pink": "#ff9ed2",
}  # fmt: skip
"""What the colours of scenes look like; the name lies on it."""

TEXT_PAIRS = (
    *((ink, ground) for ink in (TEXT, DIM, ACCENT, MODULATION, LIVE, RECORD, MAPPED) for ground in (WINDOW, CARD)),
    *((ink, CONTROL) for ink in (TEXT, DIM, ACCENT, MODULATION)),
    (TEXT, ACCENT_FILL),
    (TEXT, HOVER),
    (DIM, HOVER),
    *((WINDOW, ground) for ground in (ACCENT, MODULATION, LIVE, RECORD)),
    *((WINDOW, ground) for name, ground in SCENES.items() if name != "none"),
)
"""(text, background) of all texts: a contrast of at least 4.5:1."""
EDGE_PAIRS = ((LINE, CARD), (LINE, WINDOW), (ACCENT, CONTROL), (MODULATION, CONTROL))
"""(edge, background) of graphical parts that must be visible: a contrast of at least 3:1."""

FONT_PX = 12
BAR_PX = 22
"""Height of a control in pixels."""

SCENE_PX = (36, 54)
"""Least height of a scene's button in pixels, and its height where there is room."""


def luminance(colour: str) -> float:
    """Relative luminance 0..1 of `#rrggbb`, as WCAG 2.2 defines it."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio 1..21 of two colours `#rrggbb`, as WCAG 2.2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def style_sheet() -> str:
    """The panel's Qt style sheet."""
    return f"""
* {{ font-size: {FONT_PX}px; color: {TEXT}; }}
QWidget#window, QDialog {{ background: {WINDOW}; }}
QFrame[card="true"] {{ background: {CARD}; border-radius: 6px; }}
QFrame[floating="true"] {{ border: 1px solid {LINE}; }}
QLabel {{ background: transparent; }}
QLabel[role="title"] {{ color: {DIM}; font-size: 11px; font-weight: 600; }}
QLabel[role="dim"] {{ color: {DIM}; }}
QLabel[role="caption"] {{ color: {DIM}; font-size: 10px; }}
QLabel[role="live"] {{ color: {WINDOW}; background: {LIVE}; border-radius: 4px; padding: 3px 8px; font-weight: 700; }}
QLabel[role="away"] {{ color: {WINDOW}; background: {RECORD}; border-radius: 4px; padding: 3px 8px; font-weight: 700; }}
QLabel[role="fault"] {{ color: {RECORD}; }}
QPushButton {{ background: {CONTROL}; border: 1px solid {LINE}; border-radius: 4px; padding: 0 8px;
    min-height: {BAR_PX - 2}px; }}
QPushButton:hover {{ background: {HOVER}; }}
QPushButton:pressed, QPushButton:checked {{ background: {ACCENT}; color: {WINDOW}; border-color: {ACCENT};
    font-weight: 700; }}
QPushButton:focus, QComboBox:focus, QLineEdit:focus, QSpinBox:focus {{ border: 1px solid {ACCENT}; }}
QComboBox[loading="true"], QLineEdit[loading="true"] {{ border: 1px solid {MODULATION}; }}
QPushButton:checked:focus {{ border: 1px solid {TEXT}; }}
QPushButton:disabled, QComboBox:disabled, QLineEdit:disabled, QSpinBox:disabled {{ color: {LINE}; }}
QPushButton:checked:disabled {{ background: {HOVER}; border-color: {LINE}; }}
QPushButton[tone="record"]:checked:enabled, QPushButton[tone="alarm"]:checked:enabled,
QPushButton[tone="alarm"]:pressed {{
    background: {RECORD}; border-color: {RECORD}; }}
QPushButton[tone="freeze"]:checked:enabled {{ background: {MODULATION}; border-color: {MODULATION}; }}
QPushButton[shape="tiny"] {{ padding: 0; min-width: 18px; }}
QPushButton[shape="big"] {{ font-weight: 700; min-height: 26px; }}
QComboBox, QLineEdit, QSpinBox {{ background: {CONTROL}; border: 1px solid {LINE}; border-radius: 4px;
    padding: 0 4px; min-height: {BAR_PX - 2}px; max-height: {BAR_PX - 2}px;
    selection-background-color: {ACCENT}; selection-color: {WINDOW}; }}
QComboBox::drop-down {{ border: 0; width: 12px; }}
QComboBox::down-arrow {{ image: none; border-left: 4px solid {CONTROL}; border-right: 4px solid {CONTROL};
    border-top: 5px solid {DIM}; width: 0; height: 0; margin-right: 4px; }}
QComboBox QAbstractItemView, QMenu, QListWidget {{ background: {CONTROL}; border: 1px solid {LINE};
    selection-background-color: {ACCENT}; selection-color: {WINDOW}; outline: 0; }}
QMenu::item {{ padding: 4px 18px; }}
QMenu::item:selected {{ background: {ACCENT}; color: {WINDOW}; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 3px 6px; }}
QScrollArea {{ background: transparent; border: 0; }}
QScrollBar {{ background: {CONTROL}; margin: 0; }}
QScrollBar:vertical {{ width: 10px; }}
QScrollBar:horizontal {{ height: 10px; }}
QScrollBar::handle {{ background: {LINE}; border-radius: 4px; }}
QScrollBar::handle:vertical {{ min-height: 24px; }}
QScrollBar::handle:horizontal {{ min-width: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent;
    width: 0; height: 0; }}
QListWidget::item {{ padding: 3px 6px; }}
QSpinBox::up-button, QSpinBox::down-button {{ width: 0; border: 0; }}
QTabWidget::pane {{ border: 0; }}
QTabBar::tab {{ background: transparent; color: {DIM}; padding: 3px 12px 3px 2px; font-size: 11px; font-weight: 600; }}
QTabBar::tab:selected {{ color: {ACCENT}; }}
QTabBar::tab:focus {{ color: {TEXT}; }}
QToolTip {{ background: {CONTROL}; color: {TEXT}; border: 1px solid {LINE}; padding: 3px; }}
{_scenes_and_tables()}"""


def _scenes_and_tables() -> str:
    return f"""
QPushButton[shape="scene"] {{ padding: 0; border: 0; min-width: 36px; min-height: {SCENE_PX[0]}px;
    max-height: {SCENE_PX[1]}px; }}
QTableWidget {{ background: {CONTROL}; border: 1px solid {LINE}; gridline-color: {CARD}; outline: 0;
    selection-background-color: {ACCENT_FILL}; selection-color: {TEXT}; }}
QTableWidget QLineEdit {{ border: 0; border-radius: 0; min-height: 0; padding: 0; }}
QHeaderView::section {{ background: {CARD}; color: {DIM}; border: 0; font-size: 10px; padding: 0 4px; }}
"""
