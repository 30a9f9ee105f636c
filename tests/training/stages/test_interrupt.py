"""Signals during training."""

import signal

import pytest

from sonorama.training.stages.generator.interrupt import stop_between_steps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_step_and_then_means_what_it_meant_before(number: signal.Signals) -> None:
    told: list[int] = []

    def before(came: int, _frame: object) -> None:
        told.append(came)
        raise KeyboardInterrupt

    kept = signal.signal(number, before)
    try:
        with pytest.raises(KeyboardInterrupt), stop_between_steps() as stop:
            assert not stop()
            signal.raise_signal(number)
            assert stop()
            assert not told
        assert told == [number]
        assert signal.getsignal(number) is before
    finally:
        signal.signal(number, kept)
