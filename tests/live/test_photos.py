"""A photo is inverted beside the picture, and its code is played, taken and kept."""

from collections.abc import Callable
from pathlib import Path

from sonorama.engine.ipc.messages import Status
from sonorama.engine.model.base_code import read_code
from sonorama.engine.model.world_file import read_card
from sonorama.engine.take.reader import read_take

from ..engine.editing.test_inversion import write_photo
from .stage import PATIENCE_S, LiveShow, Watcher

Start = Callable[..., LiveShow]


def test_a_photo_is_inverted_and_its_code_played_while_the_picture_goes_on(
    start: Start, tiny_world: str, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    write_photo(tmp_path / "photos" / "beach.png")
    folders = {"SONORAMA_PHOTOS": str(tmp_path / "photos"), "SONORAMA_CODES": str(tmp_path / "codes")}
    show = start("--source", "tone", "--take", str(tmp_path / "x.take"), env=folders)
    renderer = show.playing()
    with Watcher(show.name) as watcher:
        show.set("/look/photo", "beach.png")
        show.wait(lambda: str(show.values()["/look/code"]).startswith("beach-"), "no code comes", seconds=600.0)
    watcher.check_gaps()
    assert show.renderer() == renderer
    assert "libtorch" not in Path(f"/proc/{renderer}/maps").read_text()
    name = str(show.values()["/look/code"])
    panel, faults = show.panel(), list[str]()
    show.set("/look/code", "lake-0123456789ab")  # there is none: the one before stays
    while not any("is not here" in line for line in faults):
        message = panel.receive(PATIENCE_S)
        assert message is not None
        faults.extend(message.faults if isinstance(message, Status) else ())
    show.holds("/look/code", name)
    assert show.stop() == 143
    code = read_code(tmp_path / "codes" / f"{name}.safetensors")
    assert (code.source, code.world) == ("beach.png", read_card(Path(tiny_world)).content)
    take = read_take(tmp_path / "x.take")
    assert [path.stem for path in take.codes] == [name]
    assert name in [one.value for changes in take.changes.values() for one in changes if one.path == "/look/code"]
