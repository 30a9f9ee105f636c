"""Which timecode the first frame carries."""

from fractions import Fraction

import pytest

from sonorama.engine.errors import OutputError
from sonorama.export.timecode import timecode

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("text", "fps", "wanted"),
    [
        (None, Fraction(30), "00:00:00:00"),
        (None, Fraction(25), "00:00:00:00"),
        (None, Fraction(24000, 1001), "00:00:00:00"),
        (None, NTSC, "00:00:00;00"),
        (None, Fraction(60000, 1001), "00:00:00;00"),
        (None, Fraction(25, 2), None),
        (None, Fraction(29), None),
        ("01:00:00:00", Fraction(25), "01:00:00:00"),
        ("23:59:59:23", Fraction(24), "23:59:59:23"),
        ("01:00:00:00", NTSC, "01:00:00:00"),  # counted without dropping, which is allowed
        ("00:01:00;02", NTSC, "00:01:00;02"),
        ("00:10:00;00", NTSC, "00:10:00;00"),
    ],
)
def test_timecode_of_the_first_frame(text: str | None, fps: Fraction, wanted: str | None) -> None:
    assert timecode(text, fps) == wanted


@pytest.mark.parametrize(
    ("text", "fps", "hint"),
    [
        ("1:00:00:00", Fraction(25), "01:00:00:00"),
        ("", Fraction(25), "01:00:00:00"),
        ("00:00:00:25", Fraction(25), "24"),
        ("24:00:00:00", Fraction(25), "24"),
        ("00:60:00:00", Fraction(25), "24"),
        ("00:00:00;00", Fraction(25), "00:00:00:00"),
        ("00:01:00;00", NTSC, "00:01:00;02"),
        ("00:01:00;03", Fraction(60000, 1001), "00:01:00;04"),
        ("00:00:00:00", Fraction(25, 2), "Leave"),
    ],
)
def test_what_is_no_timecode(text: str, fps: Fraction, hint: str) -> None:
    with pytest.raises(OutputError) as caught:
        timecode(text, fps)
    assert hint in caught.value.hint
