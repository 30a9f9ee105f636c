"""A photo dropped on the preview goes into the user's photo folder, and its name to the show."""

from pathlib import Path

import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent, QImage
from pytestqt.qtbot import QtBot

from sonorama.ui.link import Link
from sonorama.ui.window import Window

from .conftest import FakeShow

COPY, LEFT, NONE = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_PHOTOS", str(tmp_path / "photos"))
    return tmp_path / "photos"


def drop(window: Window, *paths: Path) -> bool:
    """Drag files onto the preview and let go; whether they were welcome."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    enter = QDragEnterEvent(QPoint(5, 5), COPY, data, LEFT, NONE)
    enter.ignore()
    window.preview.dragEnterEvent(enter)
    window.preview.dropEvent(QDropEvent(QPointF(5, 5), COPY, data, LEFT, NONE))
    return enter.isAccepted()


def photo(path: Path, colour: int = 0xFF336699) -> Path:
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(colour)
    assert image.save(str(path))
    return path


def test_its_copy_is_asked_for_by_name(
    window: Window, show: FakeShow, photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    first = photo(tmp_path / "My Beach!.PNG")
    assert drop(window, first)
    qtbot.waitUntil(lambda: any(path == "/look/photo" for path, _ in show.got))
    (name,) = [value for path, value in show.got if path == "/look/photo"]
    assert name.startswith("my_beach-") and name.endswith(".png")
    assert (photos / name).read_bytes() == first.read_bytes()
    assert drop(window, photo(first, 0xFFAA2200))  # another photo of the same name
    qtbot.waitUntil(lambda: len(list(photos.iterdir())) == 2)
    show.tell(loading=["/look/photo"])
    qtbot.waitUntil(lambda: window.bottom.info.text.startswith("inverting the photo my_beach-"))


def test_what_is_no_photo_is_refused_in_words(
    window: Window, link: Link, show: FakeShow, tmp_path: Path, photos: Path
) -> None:
    told: list[str] = []
    link.fault.connect(told.append)
    (tmp_path / "notes.txt").write_text("no photo")
    assert drop(window, tmp_path / "notes.txt")
    assert told == ["notes.txt is no photo. Drop a photo, such as a .jpg or .png file"]
    two = (photo(tmp_path / "a.png"), photo(tmp_path / "b.png"))
    assert not drop(window, *two)
    assert not drop(window, tmp_path)
    assert not drop(window)
    assert not photos.exists() and "/look/photo" not in [path for path, _ in show.got]
