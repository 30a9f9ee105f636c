"""Arguments of bridges and outputs as words."""

import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.registry import BRIDGES, SINKS, Kind, make
from sonorama.engine.show.output_shape import parse_spec
from sonorama.plugin.arguments import Words

LONG = "9" * 5000


def test_a_value_that_is_given_twice() -> None:
    words = Words("The bridge x", "universe=1&universe=1&to=a&to=b&start=1&start=2", ("universe", "to", "start"))
    assert (words.number("universe", 0, range(9)), words.all("to")) == (1, ["a", "b"])
    with pytest.raises(SonoramaError, match="The bridge x: start is given twice, 1 and 2") as caught:
        words.number("start", 1, range(9))
    assert caught.value.hint == "Leave one of them out."


def test_an_option_of_an_output_that_is_given_twice() -> None:
    assert parse_spec("null,delay=5,delay=5")[1].delay_ms == 5
    with pytest.raises(SonoramaError, match="delay is given twice, 1 and 2"):
        parse_spec("null,delay=1,delay=2")


@pytest.mark.parametrize(
    ("group", "name", "argument"),
    [
        (BRIDGES, "osc", f"port={LONG}"), (BRIDGES, "link", LONG), (BRIDGES, "ltc", LONG), (BRIDGES, "sacn", LONG),
        (SINKS, "stream", f"tcp:{LONG}"), (SINKS, "artnet", f"universe={LONG}"),
    ],
)  # fmt: skip
def test_numbers_that_are_too_long(group: Kind, name: str, argument: str) -> None:
    with pytest.raises(SonoramaError) as caught:
        make(group, name, argument)
    assert "fault of the plug-in" not in str(caught.value)


@pytest.mark.parametrize("place", ["", "::1", "multicast"])
def test_places_where_no_lamp_is(place: str) -> None:
    with pytest.raises(SonoramaError, match=f"to={place} is nowhere to send Art-Net to"):
        make(SINKS, "artnet", f"to={place}")
