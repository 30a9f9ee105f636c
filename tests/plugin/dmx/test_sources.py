"""Several consoles at one universe: priorities, merging, order of packets, loss and end."""

from sonorama.plugin.bridges.dmx.sources import MOST, Sources
from sonorama.plugin.dmx.levels import Levels


def levels(source: str, *values: int, sequence: int | None = None, priority: int = 100, ended: bool = False) -> Levels:
    return Levels(1, source, source, sequence, bytes(values), priority, ended)


def test_the_highest_level_counts_among_equals() -> None:
    sources = Sources(2.5)
    sources.hear(levels("a", 10, 200), 0)
    sources.hear(levels("b", 50, 100, 7), 0)
    assert sources.merged() == bytes([50, 200, 7])
    sources.hear(levels("a", 60), 1)
    assert sources.merged() == bytes([60, 100, 7])


def test_the_highest_priority_plays_until_it_is_lost_or_ends() -> None:
    sources = Sources(2.5)
    sources.hear(levels("main", 10, priority=150), 0)
    sources.hear(levels("spare", 99, priority=100), 0)
    assert sources.merged() == bytes([10]) and [one.name for one in sources.playing] == ["main"]
    sources.hear(levels("spare", 98, priority=100), 2)
    assert not sources.expire(2.4) and sources.expire(2.6)
    assert sources.merged() == bytes([98]) and sources.lost == "", "another one plays"
    sources.hear(levels("spare", ended=True), 3)
    assert sources.merged() == b"" and sources.lost == "spare"
    sources.hear(levels("main", 11), 4)
    assert sources.merged() == bytes([11]) and sources.lost == ""


def test_packets_that_were_overtaken_are_left_out() -> None:
    sources = Sources(2.5)
    for sequence, value, kept in (
        (250, 1, 1),
        (249, 2, 1),
        (250, 3, 1),
        (251, 4, 4),
        (0, 5, 5),
        (255, 6, 5),
        (1, 7, 7),
    ):
        sources.hear(levels("a", value, sequence=sequence), 0)
        assert sources.merged() == bytes([kept]), sequence
    sources.hear(levels("a", 8, sequence=200), 0)
    assert sources.merged() == bytes([8]), "a console that was started again"
    sources.hear(levels("a", 9), 0)
    assert sources.merged() == bytes([9]), "one that does not count"


def test_there_is_an_end_to_sources() -> None:
    sources = Sources(2.5)
    for number in range(1000):
        sources.hear(levels(str(number), number % 256), 0)
    assert len(sources.playing) == MOST
    sources.hear(levels("999", ended=True), 0)
    assert len(sources.playing) == MOST, "one that was left out"


def test_a_console_of_a_higher_priority_has_a_place_among_many() -> None:
    sources = Sources(2.5)
    for number in range(1000):
        sources.hear(levels(str(number), 200), 0)
    sources.hear(levels("main", 7, priority=150), 0)
    assert sources.merged() == bytes([7]) and [one.name for one in sources.playing] == ["main"]
    sources.hear(levels("1001", 9), 0)
    assert sources.merged() == bytes([7])
