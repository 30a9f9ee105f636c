"""The tab SYNC: clock, timecode and Ableton Live, with a line on what arrives."""

from __future__ import annotations

from PyQt6.QtWidgets import QVBoxLayout, QWidget

from sonorama.engine.ipc.messages import Status

from .formatting import OF_SYNC
from .layout import grid
from .link import Link
from .status_line import Line
from .theme import CARD, TEXT

COLUMNS = 4


class SyncPage(QWidget):
    """The parameters of `OF_SYNC`, and below them the timecode and the Link session as the show hears them."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        own = [param for path, param in link.table.items() if path.startswith(OF_SYNC)]
        self.heard = Line("timecode and Link", TEXT, ground=CARD)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(grid(own, link, COLUMNS))
        column.addWidget(self.heard)
        column.addStretch(1)
        link.status_received.connect(lambda status: self.heard.say(heard(status)))


def heard(status: Status) -> str:
    """What arrives, for people: `timecode: ltc 01:00:10.4   Link: 2 others, playing`; or nothing."""
    said = [f"timecode: {status.timecode}"] if status.timecode else []
    peers = status.bridges.get("link_peers")
    if peers is not None:
        count = "nobody else" if not peers else f"{peers} {'other' if peers == 1 else 'others'}"
        plays = f", {'playing' if status.bridges.get('link_playing') else 'stopped'}" if peers else ""
        said.append(f"Link: {count}{plays}")
    return "   ".join(said)
