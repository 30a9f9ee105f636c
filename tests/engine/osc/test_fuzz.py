"""80,000 packets, from noise to nearly valid, through guard, parser, routes and table in this process."""

from functools import partial

import pytest

from sonorama.engine.control.accept import valid_change
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameter_state import ParameterState
from sonorama.engine.osc.counters import OscCounters
from sonorama.engine.osc.messages import Schedule, parse
from sonorama.engine.osc.routing import Router
from sonorama.engine.osc.validation import unpack

from .osc_helpers import fuzz


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 8))])
def test_nothing_escapes_and_no_value_leaves_its_range(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    tally, params = OscCounters(), ParameterState(SHOW)
    routes, schedule = Router(SHOW, tally, partial(valid_change, SHOW, names=lambda: {"shore"})), Schedule()
    whole = applied = 0
    for number, packet in enumerate(fuzz(10_000, seed)):
        messages, refused = unpack(packet)
        whole += not refused
        for raw in messages:
            one = parse(raw)
            assert one is not None, "what is taken for valid cannot be parsed"
            schedule.is_future(one)
            for accepted in routes.changes(one.address, one.arguments, ("127.0.0.1", number % 100)):
                change = accepted.change
                assert SHOW[change.path].clip(change.value) == change.value
                assert change.path != "/engine/world" or change.value == "shore"
                params.post(change)
                applied += 1
        if number % 100 == 0:
            for path, value in params.step(1 / 30).items():
                assert SHOW[path].clip(value) == value
    assert 2400 < whole < 8000
    assert applied > 1200
    assert caplog.records == [], "the parser complains of what the guard let through"
