"""Contact sheets, and the PNG they are written into."""

from pathlib import Path

import numpy as np
import pytest
from tests.export.helpers import pixels

from sonorama.engine.errors import OutputError
from sonorama.engine.picture.contact_sheet import contact_sheet, eight_bits, write_png


def test_frames_lie_row_by_row() -> None:
    frames = [np.full((10, 20, 3), value, np.uint8) for value in (50, 100, 150, 200, 250)]
    sheet = contact_sheet(frames, 3)
    assert sheet.shape == (4 + 2 * 14, 4 + 3 * 24, 3)
    assert [int(sheet[9, 14 + 24 * column, 0]) for column in range(3)] == [50, 100, 150]
    assert [int(sheet[23, 14 + 24 * column, 0]) for column in range(3)] == [200, 250, 22]
    assert (sheet[:4] == 22).all()


def test_float_frames_are_rounded_and_clipped() -> None:
    assert eight_bits(np.array([-1, 0, 0.5, 1, 2], np.float32)).tolist() == [0, 0, 128, 255, 255]
    sheet = contact_sheet([np.full((4, 4, 3), 0.2, np.float32)], 1)
    assert (sheet[4:8, 4:8] == 51).all()


@pytest.mark.parametrize("frames", [[], [np.zeros((4, 4, 3)), np.zeros((4, 5, 3))]])
def test_what_cannot_be_laid_out(frames: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="contact sheet"):
        contact_sheet(frames, 2)
    with pytest.raises(ValueError, match="contact sheet"):
        contact_sheet([np.zeros((4, 4, 3))], 0)


def test_the_png_holds_the_picture_exactly(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (33, 47, 3), dtype=np.uint8)
    write_png(tmp_path / "sheet.png", picture)
    assert np.array_equal(pixels(tmp_path / "sheet.png", "rgb24", (47, 33))[0], picture)
    with pytest.raises(OutputError):
        write_png(tmp_path / "missing" / "sheet.png", picture)
