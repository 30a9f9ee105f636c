"""A fault that lasts must not fill the terminal, and no fault may stay unsaid."""

import pytest

from sonorama.engine.show.news import AGAIN_S, RepeatedLines


class Hand:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def dropped(count: int) -> str:
    return f"record x2.mp4 is too slow: {count:,} pictures were dropped"


def test_a_slow_recording_is_one_line_and_then_one_a_minute_with_the_sum() -> None:
    """Ten minutes at four looks a second, while six pictures are lost between two of them."""
    hand, said = Hand(), list[tuple[float, str]]()
    lines = RepeatedLines(hand)
    for look in range(2400):
        hand.now = 100.0 + look / 4
        said += [(hand.now, line) for line in lines.choose([dropped(15 + 6 * look)])]
    assert said == [(100.0 + 60 * minute, dropped(15 + 6 * 240 * minute)) for minute in range(10)]


def test_the_sum_is_told_although_it_has_ended() -> None:
    hand = Hand()
    lines = RepeatedLines(hand)
    assert lines.choose([dropped(1)]) == [dropped(1)]
    assert lines.choose([dropped(9)]) == []
    assert lines.choose([]) == []
    hand.now += AGAIN_S
    assert lines.choose([]) == [dropped(9)]
    hand.now += AGAIN_S
    assert lines.choose([]) == []


def test_a_fault_that_comes_and_goes_is_told_again_once_a_minute_while_it_holds() -> None:
    hand = Hand()
    lines = RepeatedLines(hand)
    fault = "device 1 gives no sound"
    told = []
    for second in range(121):
        hand.now = 100.0 + second
        told += [(second, line) for line in lines.choose([fault] if second % 10 < 5 else [])]
    assert told == [(0, fault), (60, fault), (120, fault)]
    hand.now += 1
    assert lines.choose([]) == []


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("osc: too late (and 3 more before it)", "osc: too late", True),
        ("it does not answer, for 3 s", "it does not answer, for 12 s", True),
        ("12.5 s behind", "8 s behind", True),
        ("record a.mp4 is off", "record a-2.mp4 is off", False),
        ("OSC: 10.0.0.5 may not send", "OSC: 10.0.0.6 may not send", False),
        ("OSC: unknown address '/moves/4/x'", "OSC: unknown address '/moves/5/x'", False),
        ("device USB#1 is gone", "device USB#2 is gone", False),
    ],
)
def test_lines_are_alike_if_their_numbers_only_differ(one: str, other: str, alike: bool) -> None:
    lines = RepeatedLines(Hand())
    assert lines.choose([one]) == [one]
    assert lines.choose([one, other]) == ([] if alike else [other])


def test_every_kind_of_fault_is_written_however_many_there_are() -> None:
    lines = RepeatedLines(Hand())
    assert sum(len(lines.choose([f"'{number}' is gone"])) for number in range(3000)) == 3000
