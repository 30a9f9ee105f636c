"""The line to the show: optimistic, corrected, for ever looking."""

from pytestqt.qtbot import QtBot

from sonorama.engine.ipc.channel import Server, connect_to
from sonorama.engine.ipc.messages import Changed, Quit, Set, Values
from sonorama.ui import link as link_module
from sonorama.ui.link import Link

from .conftest import FakeShow

PATH = "/motion/coarse/amount"


def test_what_the_hand_does_holds_at_once_and_is_sent_once(show: FakeShow, link: Link, qtbot: QtBot) -> None:
    for step in range(20):
        link.post(PATH, step / 10)
    assert link.values[PATH] == 1.9
    qtbot.waitUntil(lambda: bool(show.got))
    assert show.got == [(PATH, 1.9)]


def test_values_are_clipped_before_they_leave(show: FakeShow, link: Link, qtbot: QtBot) -> None:
    link.post(PATH, 99.0)
    qtbot.waitUntil(lambda: show.got == [(PATH, 2.0)])


def test_an_echo_does_not_pull_the_hand_back(show: FakeShow, link: Link, qtbot: QtBot) -> None:
    show.echo = False
    link.post(PATH, 1.5)
    show.change(PATH, 0.3, "panel")  # of an older move
    qtbot.wait(60)
    assert link.values[PATH] == 1.5


def test_what_the_show_says_last_holds_once_the_hand_rests(show: FakeShow, link: Link, qtbot: QtBot) -> None:
    show.echo = False
    link.post(PATH, 1.5)
    show.change(PATH, 0.3, "panel")
    qtbot.waitUntil(lambda: link.values[PATH] == 0.3, timeout=2000)


def test_others_win_over_the_hand(show: FakeShow, link: Link, qtbot: QtBot) -> None:
    link.post(PATH, 1.5)
    qtbot.waitUntil(lambda: bool(show.got))
    show.change(PATH, 0.4)
    qtbot.waitUntil(lambda: link.values[PATH] == 0.4, timeout=1000)


def test_events_are_all_sent_in_order(show: FakeShow, link: Link) -> None:
    link.post(PATH, 1.2)
    link.post("/sound/tap", True)
    link.post("/sound/tap", True)
    assert show.got == [(PATH, 1.2), ("/sound/tap", True), ("/sound/tap", True)]


def test_a_show_that_goes_and_comes_back(show: FakeShow, link: Link, qtbot: QtBot) -> None:
    faults: list[str] = []
    link.fault.connect(faults.append)
    show.there = False
    qtbot.waitUntil(lambda: not link.connected)
    link.post(PATH, 1.7)
    assert link.values[PATH] == 1.0 and PATH in faults[0]
    show.there = True
    show.values[PATH] = 0.25
    qtbot.waitUntil(lambda: link.connected and link.values[PATH] == 0.25, timeout=3000)
    assert show.connections == 2


def test_without_a_show_it_says_how_to_start_one(qtbot: QtBot) -> None:
    show = FakeShow()
    show.there = False
    link = Link(show.reach)
    said: list[str] = []
    link.state.connect(lambda _, text: said.append(text))
    link.start()
    assert "sonorama live" in said[0]
    link.close()


def test_odd_values_change_nothing(show: FakeShow, link: Link, qtbot: QtBot) -> None:
    before = dict(link.values)
    show.outbox += [
        Changed([("/nothing", 1, "x"), (PATH, "loud", "x"), ("/motion/mode", "x", "x"), (PATH, 10**400, "x")]),
        Values({"/nothing": 1, PATH: "loud", "/sound/tap": True}),
        Quit(),
    ]
    qtbot.waitUntil(lambda: not show.outbox)
    assert link.values == before
    assert link.connected


def test_over_the_real_channel(qtbot: QtBot) -> None:
    server = Server()
    link = Link(lambda: connect_to(server.port, server.token, "panel"))
    link.start()
    peers = []
    qtbot.waitUntil(lambda: bool(peers.extend(peer for _, peer in server.accept()) or peers))
    peers[0].send(Values({PATH: 0.5}))
    qtbot.waitUntil(lambda: link.values[PATH] == 0.5)
    assert link.connected
    link.post(PATH, 0.75)
    got = []
    qtbot.waitUntil(lambda: bool((message := peers[0].receive(0.0)) and got.append(message) is None))
    assert got == [Set([(PATH, 0.75)])]
    peers[0].close()
    qtbot.waitUntil(lambda: not link.connected)
    qtbot.waitUntil(lambda: bool(server.accept()), timeout=3000)  # it is looking again
    link.close()
    server.close()


def test_a_silent_show_is_said(show: FakeShow, link: Link, qtbot: QtBot) -> None:
    said: list[str] = []
    link.state.connect(lambda _, text: said.append(text))
    link._last_message_at -= link_module.SILENT_S + 1
    qtbot.waitUntil(lambda: any("not answered" in text for text in said), timeout=2000)
