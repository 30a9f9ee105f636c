"""The tab SYNC says what timecode and Link session the show hears."""

from pytestqt.qtbot import QtBot

from sonorama.engine.ipc.messages import Status
from sonorama.ui.sync_page import SyncPage, heard
from sonorama.ui.window import Window

from .conftest import FakeShow


def test_what_arrives_is_said() -> None:
    assert heard(Status()) == ""
    assert heard(Status(timecode="mtc 01:00:10.4")) == "timecode: mtc 01:00:10.4"
    both = heard(Status(timecode="ltc: no timecode runs", bridges={"link_peers": 2, "link_playing": True}))
    assert both == "timecode: ltc: no timecode runs   Link: 2 others, playing"
    assert heard(Status(bridges={"link_peers": 1, "link_playing": False})) == "Link: 1 other, stopped"
    assert heard(Status(bridges={"link_peers": 0, "link_playing": False})) == "Link: nobody else"


def test_the_tab_follows_the_show(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    page = window.findChildren(SyncPage)[0]
    assert page.heard.text == ""
    show.tell(timecode="ltc 00:01:00.0")
    qtbot.waitUntil(lambda: page.heard.text == "timecode: ltc 00:01:00.0")
    show.tell(timecode="")
    qtbot.waitUntil(lambda: page.heard.text == "")
