"""A socket's file that somebody removes is made again; one that took its name stays."""

import logging
import shutil
import socket
from pathlib import Path

import pytest

from sonorama.plugin.sinks import server_socket
from sonorama.plugin.sinks.server_socket import ServerSocket, listen_on_file


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_socket, "FILE_CHECK_S", -1.0)


def reached(server: ServerSocket, path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        if client.connect_ex(str(path)):
            return False
        connection = server.accept()
        if connection is not None:
            connection.close()
        return connection is not None


def test_a_removed_file_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "s"
    server = listen_on_file(path)
    assert reached(server, path)
    path.unlink()
    assert not reached(server, path)
    with caplog.at_level(logging.WARNING):
        assert server.accept() is None
    assert "is made again" in caplog.text
    assert reached(server, path)
    server.close()
    assert not path.exists()


def test_in_a_removed_folder_it_waits_for_the_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "show" / "s"
    path.parent.mkdir()
    server = listen_on_file(path)
    shutil.rmtree(path.parent)
    for _ in range(3):
        assert server.accept() is None
    assert caplog.text.count("cannot be made again") == 1
    path.parent.mkdir()
    server.accept()
    assert reached(server, path)
    server.close()


def test_what_took_its_name_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = listen_on_file(path)
    path.unlink()
    path.write_text("mine")
    assert server.accept() is None
    server.close()
    assert path.read_text() == "mine"
