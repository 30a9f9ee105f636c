"""The minute's report of a training."""

import re
import time

import pytest

from sonorama.training.status import Status
from sonorama.training.train import narrator
from sonorama.training.train.narrator import Narrator
from sonorama.training.train.schedule import Schedule


def test_it_says_what_how_good_and_until_when() -> None:
    said: list[str] = []
    one = Narrator(Schedule({"generator 32 px": 600.0, "encoder": 3000.0}), said.append)
    assert one.line() == ""
    one(Status("generator 32 px", 0.0, {"l1": 0.2}))
    one(Status("generator 32 px", 0.4, {"l1": 0.12}))
    assert len(said) == 1  # a line for a stage that begins; then one a minute
    assert re.fullmatch(
        r"\d\d:\d\d generator 32 px: learning the pictures, 40 %, pictures are off by 6.0% of the range from black to "
        r"white \(10.0% at first\)\. Ends \d\d:\d\d, in about 50 min\.\n",
        one.line(),
    )
    one(Status("encoder", 0.0, {}))
    assert re.search(r"encoder: learning to follow a sound \(eqs. 2 and 3\), 0 %\. Ends", said[-1])
    one(Status("polish", 0.5, {}))
    assert "polish: at work, 50 %" in said[-1]


def test_it_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrator, "EVERY_S", 0.05)
    said: list[str] = []
    with Narrator(Schedule({"motion": 60.0}), said.append) as one:
        one(Status("motion", 0.5, {"loss": 0.25}))
        until = time.monotonic() + 20
        while len(said) < 4 and time.monotonic() < until:
            time.sleep(0.01)
    count = len(said)
    assert count >= 4
    assert all("motion: learning to move, 50 %, loss 0.2500. Ends" in line for line in said)
    time.sleep(0.2)
    assert len(said) == count  # it has ended with the training
