"""Messages between processes: they arrive whole, strangers stay outside, whoever goes away is noticed."""

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.channel import (
    LARGEST,
    TRUSTED,
    ChannelClosed,
    Peer,
    Server,
    connect,
    connect_to,
    read_session,
    session_file,
)
from sonorama.engine.ipc.messages import Applied, Change, Quit, Set, StateSaved, Values
from sonorama.engine.ipc.shared_paths import process_started


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    server = Server()
    server.announce("test", {"osc_port": 9123})
    yield server
    server.close()


def joined(server: Server) -> tuple[str, Peer]:
    for _ in range(6000):
        if found := server.accept():
            return found[0]
        time.sleep(0.01)
    raise AssertionError("nobody came")


def test_messages_arrive_in_order_both_ways(server: Server) -> None:
    panel = connect("test", "panel")
    role, show = joined(server)
    assert role == "panel"
    for number in range(500):
        panel.send(Set([("/look/seed", number)]))
    assert [show.receive(1.0) for _ in range(500)] == [Set([("/look/seed", n)]) for n in range(500)]
    text = Values({"/look/text": 'grün \n " ' + "x" * 100_000})
    show.send(text)
    assert panel.receive(1.0) == text
    assert panel.receive(0.0) is None


def test_another_process_finds_the_show_by_name(server: Server) -> None:
    code = (
        "from sonorama.engine.ipc.channel import connect; from sonorama.engine.ipc.messages import StateSaved; "
        "p = connect('test', 'renderer'); p.send(StateSaved(7)); p.receive(5)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        role, show = joined(server)
        assert (role, show.receive(5.0)) == ("renderer", StateSaved(7))
        child.kill()
    with pytest.raises(ChannelClosed):
        show.receive(5.0)
    with pytest.raises(ChannelClosed):
        for _ in range(100):
            show.send(Quit())


def test_the_session_file_is_the_user_s_alone_and_goes_with_the_show(server: Server) -> None:
    path = session_file("test")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_session("test")["osc_port"] == 9123
    server.close()
    assert not path.exists()
    with pytest.raises(SonoramaError, match="No show called test"):
        connect("test", "panel")


def test_without_the_token_nobody_joins(server: Server) -> None:
    stranger = connect_to(server.port, "guess", "panel")
    with pytest.raises(ChannelClosed):
        for _ in range(100):
            server.accept()
            stranger.receive(0.05)
    assert not server.accept()


@pytest.mark.parametrize("token", ["é", 7, None, ["x"], "\ud800"])
def test_odd_tokens_turn_away_their_owner_only(server: Server, token: object) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(json.dumps({"type": "join", "role": "renderer", "token": token}).encode() + b"\n")
        good = connect("test", "panel")
        role, _ = joined(server)
        assert role == "panel"
        good.close()


def test_strangers_who_say_nothing_leave_room(server: Server) -> None:
    strangers: list[socket.socket] = []
    for _ in range(5):
        strangers += [socket.create_connection(("127.0.0.1", server.port)) for _ in range(12)]
        server.accept()
    good = connect("test", "renderer")
    assert joined(server)[0] == "renderer"
    good.close()
    for stranger in strangers:
        stranger.close()


def test_a_renderer_may_say_more_at_once(server: Server) -> None:
    renderer = connect("test", "renderer")
    _, show = joined(server)
    show.largest = TRUSTED
    said = Applied(1, 1470, [Change("/sound/tap", True, "osc")] * 100_000, 1)
    sending = threading.Thread(target=renderer.send, args=(said,))
    sending.start()
    assert show.receive(20.0) == said
    sending.join()


def test_what_was_said_before_the_end_is_heard_after_a_failed_answer(server: Server) -> None:
    renderer = connect("test", "renderer")
    _, show = joined(server)
    renderer.send(StateSaved(1))
    renderer.close()
    with pytest.raises(ChannelClosed):
        for _ in range(1000):
            show.send(Values({"/look/text": "x" * 1000}))
    assert show.receive(1.0) == StateSaved(1)
    with pytest.raises(ChannelClosed):
        show.receive(1.0)


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\n", b"[1, 2]\n", b"{\n", b"[" * 100_000 + b"\n", b"x" * (LARGEST + 1), b"7\n", b"null\n",
        b'{"type":"set","changes":[["/look/seed",NaN]]}\n', b'{"x":' + b"[" * 100_000 + b"\n",
        b'{"type":"set","changes":[["/look/text","\\ud800"]]}\n', b'{"type":"set","x":' + b'{"a":' * 100_000 + b"\n",
    ],
)  # fmt: skip
def test_what_is_no_message_ends_that_connection_only(server: Server, line: bytes) -> None:
    good = connect("test", "panel")
    _, show_good = joined(server)
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(json.dumps({"type": "join", "role": "panel", "token": server.token}).encode() + b"\n")
        _, show_bad = joined(server)
        raw.sendall(line)
        with pytest.raises(ChannelClosed):
            for _ in range(100):
                show_bad.receive(0.05)
    good.send(Quit())
    assert show_good.receive(1.0) == Quit()


def test_a_message_of_an_unknown_type_is_skipped(server: Server) -> None:
    panel = connect("test", "panel")
    _, show = joined(server)
    for line in (b"{}", b'{"type":"dance"}', b'{"type":7}', b'{"set":[]}', b'{"type":"applied"}', b'{"type":"set"}'):
        panel._socket.sendall(line + b"\n")
    panel.send(Set([("/look/seed", 1)]))
    assert show.receive(1.0) == Set([("/look/seed", 1)])
    assert show.skipped == 6


def test_two_shows_of_one_name(server: Server) -> None:
    other = os.getppid()
    session = read_session("test")
    session_file("test").write_text(json.dumps(session | {"pid": other, "started": process_started(other)}))
    second = Server()
    with pytest.raises(SonoramaError, match=rf"already running \(process {other}\)"):
        second.announce("test", {})
    session_file("test").write_text(json.dumps(session | {"pid": 2**22 + 5}))  # its owner is dead
    second.announce("test", {})
    second.close()


def test_a_number_that_another_process_has_by_now_is_no_show(server: Server) -> None:
    session = read_session("test")
    assert session["started"] > 0
    session_file("test").write_text(json.dumps(session | {"started": session["started"] - 3600}))
    with pytest.raises(SonoramaError, match="No show called test is running"):
        read_session("test")


@pytest.mark.parametrize("odd", [{"pid": "x"}, {"pid": []}, {"started": {}}, {"pid": float("inf")}])
def test_a_session_file_of_something_else_is_no_show(server: Server, odd: dict[str, object]) -> None:
    session_file("test").write_text(json.dumps(read_session("test") | odd))
    with pytest.raises(SonoramaError, match="No show called test is running"):
        read_session("test")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "x" * 65, ".hidden"])
def test_names_stay_in_their_folder(name: str) -> None:
    with pytest.raises(SonoramaError, match="cannot name a show"):
        session_file(name)
