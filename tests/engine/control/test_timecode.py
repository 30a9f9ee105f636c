"""The timecode as people read it."""

from sonorama.engine.control.timecode import shown_timecode


def test_timecode_as_people_read_it() -> None:
    values = {"/timecode/source": "ltc", "/timecode/running": True, "/timecode/origin": 5.0, "/timecode/offset": 3600.0}
    assert shown_timecode(values, 3615.46) == "ltc 01:00:10.4"  # as it is sent, not less the offset
    assert shown_timecode(values, 4.0) == "ltc 00:00:00.0"
    assert shown_timecode({**values, "/timecode/running": False}, 9.0) == "ltc: no timecode runs"
    assert shown_timecode({**values, "/timecode/source": "off"}, 9.0) == ""
