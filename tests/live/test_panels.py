"""Panels come and go, hang, flood and talk nonsense: nothing else notices."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.ipc.channel import ChannelClosed, Peer
from sonorama.engine.ipc.messages import Message, Status

from ..processes import open_links
from .stage import LiveShow, Watcher, until

Start = Callable[..., LiveShow]
OFFSCREEN = {"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"}


def connected(pid: int, port: int) -> bool:
    """Whether a process has a connection to a port of this machine."""
    links = open_links(pid)
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "01" and int(fields[2].split(":")[1], 16) == port and f"socket:[{fields[9]}]" in links:
            return True
    return False


@contextmanager
def panel(show: LiveShow) -> Iterator[int]:
    """`sonorama panel`, as people open it again; its process number."""
    command = [sys.executable, "-m", "sonorama.engine.cli.main", "panel", show.name]
    with subprocess.Popen(command, env=os.environ | OFFSCREEN, stderr=subprocess.DEVNULL) as process:
        try:
            show.wait(lambda: connected(process.pid, show.session()["port"]), "the panel does not come back")
            yield process.pid
        finally:
            process.kill()


def check_rhythm(watcher: Watcher) -> None:
    """Pictures went on leaving, whether or not this busy process saw each of them."""
    seen = watcher.close()
    first, last = seen[0], seen[-1]
    assert last.count - first.count > 10 * (last.at - first.at)
    watcher.check_gaps()


def hear(peer: Peer, found: list[Message]) -> None:
    """Take everything that a peer is told, until it is left."""
    try:
        while (message := peer.receive(None)) is not None:
            found.append(message)
    except ChannelClosed:
        return


def test_a_killed_panel_and_a_stopped_one(start: Start) -> None:
    show = start("--source", "tone", env=OFFSCREEN)
    renderer, port = show.playing(), show.session()["port"]
    show.wait(lambda: any(connected(pid, port) for pid in show.children("panel")), "no panel comes")
    with Watcher(show.name) as watcher:
        os.kill(show.children("panel")[0], signal.SIGKILL)
        show.set("/look/seed", 21)
        show.holds("/look/seed", 21)
        with panel(show) as pid:
            os.kill(pid, signal.SIGSTOP)
            sent = 0

            def left() -> bool:
                """The system keeps some megabytes for a reader who does not read."""
                nonlocal sent
                for _ in range(10):  # at the pace of a controller: what comes at once is told once
                    sent += 1
                    for number in range(1, 9):
                        show.set(f"/moves/{number}/steps", "1 0 " * 240 + str(sent))
                    time.sleep(0.01)
                return not connected_from(show.process.pid, port, pid)

            show.wait(left, "a panel that stands still is not left")
            show.set("/look/seed", 22)
            show.holds("/look/seed", 22)
            os.kill(pid, signal.SIGCONT)
            show.wait(lambda: connected(pid, port), "it does not come back when it goes on")
        check_rhythm(watcher)
    assert show.renderer() == renderer
    assert show.row["restarts"] == 0


def connected_from(owner: int, port: int, other: int) -> bool:
    """Whether the show still holds its end of the other process's line."""
    links, others = open_links(owner), open_links(other)
    if not links or not others:
        return True
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    theirs = {row[1] for row in rows if f"socket:[{row[9]}]" in others and int(row[2].split(":")[1], 16) == port}
    return any(row[2] in theirs and f"socket:[{row[9]}]" in links for row in rows)


def test_a_panel_that_floods(start: Start) -> None:
    """It asks without end; OSC and the renderer have their turn all the same."""
    show = start("--source", "tone")
    renderer = show.playing()
    flooding, ending = show.panel(), threading.Event()
    flooding.patience(60.0)

    def flood() -> None:
        number = 0
        while not ending.is_set():
            number += 1
            send_raw(flooding, [["/look/seed_b", number % 1000]] * 20)

    told: list[Message] = []
    threads = [threading.Thread(target=flood), threading.Thread(target=hear, args=(flooding, told), daemon=True)]
    for thread in threads:
        thread.start()
    try:
        with Watcher(show.name) as watcher:
            for seed in range(1, 6):
                show.set("/look/seed", seed)
                show.holds("/look/seed", seed)
            until(lambda: watcher.new > 120, "no pictures come")
            check_rhythm(watcher)
    finally:
        ending.set()
        threads[0].join()
    assert show.renderer() == renderer
    assert show.row["restarts"] == 0
    assert any(isinstance(one, Status) for one in told)


NONSENSE: list[Any] = [
    None, 7, "set", [], {}, [[]], [None], [[1, 2]], [["/look/seed"]], [["/look/seed", 1, 2]],
    [["/look/seed", None]], [["/look/seed", [1]]], [["/look/seed", {}]], [["/look/seed", 10**400]],
    [["/look/seed", -(10**400)]], [["/look/seed", "x"]], [["/look/truncation", 10**400]],
    [["/look/text", "\0\n"]], [["/look/text", "x" * 100_000]],
    [["/no/where", 1]], [["/look/seed" * 1000, 1]], [["/scene/recall", 10**30]], [["/scene/store", -5]],
    [["/engine/device", "tpu"]], [["/engine/world", ""]], [["/engine/world", "../../etc/passwd"]],
    [["/engine/world", "/dev/zero"]], [["/moves/1/steps", "one two"]], [["/sound/tap", True]] * 300,
]  # fmt: skip


GARBAGE = [
    b"{", b"[]\n", b"\xff\xfe\n", b"x" * (2 << 20), b'{"type": "set", "changes": ' + b"[" * 100_000 + b"\n",
    b'{"type": "set", "changes": [["/look/seed", NaN]]}', b'{"type": "set", "changes": [["/look/seed", -Infinity]]}',
    b'{"type": "set", "changes": [["/look/text", "\\ud800"]]}',
]  # fmt: skip


def test_nonsense_from_a_panel(start: Start) -> None:
    """Each is answered by nothing, or a fault; what is well in the same message, and what follows, acts."""
    show = start("--source", "tone")
    renderer = show.playing()
    held = show.values()
    with ExitStack() as undo:
        watcher = undo.enter_context(Watcher(show.name))
        peer, told = show.panel(), list[Message]()
        threading.Thread(target=hear, args=(peer, told), daemon=True).start()
        for number, one in enumerate(NONSENSE):
            send_raw(peer, one)
            send_raw(peer, [*(one if isinstance(one, list) else []), ["/look/seed_b", number + 1]])
            show.holds("/look/seed_b", number + 1)
        for garbage in GARBAGE:
            other = show.panel()
            try:
                other._socket.sendall(garbage + b"\n")
            except OSError:
                continue  # it was left in the middle of it
        show.set("/look/seed", 33)
        show.holds("/look/seed", 33)
        show.wait(lambda: show.values()["/engine/world"] == held["/engine/world"], "the world does not come back")
        check_rhythm(watcher)
    values = show.values()
    assert all(SHOW[path].clip(value) == value for path, value in values.items())
    assert values["/engine/device"] == held["/engine/device"]
    assert show.renderer() == renderer
    assert show.row["restarts"] == 0


def send_raw(peer: Peer, changes: Any) -> None:
    """A Set as any program may send it."""
    peer._socket.sendall(json.dumps({"type": "set", "changes": changes}).encode() + b"\n")


def test_strangers_who_say_nothing_keep_no_renderer_out(start: Start) -> None:
    show = start("--source", "tone")
    renderer, port = show.playing(), show.session()["port"]
    with ExitStack() as strangers:
        for number in range(40):
            stranger = strangers.enter_context(socket.create_connection(("127.0.0.1", port)))
            if number % 4 == 0:
                stranger.sendall(b'{"type": "join", "token": "\xc3\xa9", "role": "renderer"}\n')
        os.kill(renderer, signal.SIGKILL)
        show.wait(lambda: show.row.get("renderer_pid") not in (0, renderer), "no other renderer comes")
        assert show.playing() != renderer


@pytest.mark.timeout(300)
def test_a_renderer_that_stands_still_is_replaced(start: Start) -> None:
    show = start("--source", "tone")
    renderer = show.playing()
    with Watcher(show.name) as watcher:
        os.kill(renderer, signal.SIGSTOP)
        for number in range(100):
            show.set("/look/seed", number)
        show.wait(lambda: show.row.get("renderer_pid") not in (0, renderer), "no other renderer comes")
        assert show.playing() != renderer
        check_rhythm(watcher)
    show.holds("/look/seed", 99)
