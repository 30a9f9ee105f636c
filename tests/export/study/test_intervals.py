"""Intervals against published values, exhaustive enumeration and the normal distribution."""

import itertools
import math

import numpy as np
import pytest

from sonorama.export.study.intervals import RESAMPLES, bootstrap, wilson


@pytest.mark.parametrize(
    ("chosen", "choices", "low", "high"),
    [  # R: binom::binom.confint(..., methods = "wilson")
        (8, 10, 0.4901625, 0.9433178),
        (0, 10, 0.0, 0.2775328),
        (10, 10, 0.7224672, 1.0),
        (5, 10, 0.2365931, 0.7634069),
    ],
)
def test_wilson_is_the_published_one(chosen: int, choices: int, low: float, high: float) -> None:
    assert wilson(chosen, choices) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(("chosen", "choices"), [(1, 3), (17, 90), (250, 400)])
def test_wilson_holds_the_shares_that_a_score_test_accepts(chosen: int, choices: int) -> None:
    share = chosen / choices
    for end in wilson(chosen, choices):
        assert abs(share - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / choices), rel=1e-5)


@pytest.mark.parametrize(("chosen", "choices"), [(0, 0), (3, 2), (-1, 2)])
def test_no_share_has_no_interval(chosen: int, choices: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(chosen, choices)


def test_the_bootstrap_is_that_of_all_resamples() -> None:
    """Of six values there are 46,656 resamples: their means have the quantiles that drawing 10,000 finds."""
    values = np.array([1.0, 2.1, 2.9, 3.7, 4.2, 5.0])
    means = [sum(drawn) / 6 for drawn in itertools.product(values, repeat=6)]
    exact = np.quantile(means, (0.025, 0.975))
    assert bootstrap(values[:, None])[:, 0] == pytest.approx(exact, abs=0.05)


def test_the_bootstrap_of_many_is_nearly_normal() -> None:
    values = np.random.default_rng(0).normal(3.2, 0.8, (400, 1))
    low, high = bootstrap(values)[:, 0]
    half = 1.959964 * values.std(ddof=1) / math.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)
    wider = bootstrap(values, 0.99)[:, 0]
    assert wider[0] < low < high < wider[1]


def test_the_bootstrap_repeats_itself_and_takes_many_participants() -> None:
    values = np.random.default_rng(1).normal(size=(RESAMPLES // 50, 2))
    assert np.array_equal(bootstrap(values), bootstrap(values.copy()))


def test_who_gave_no_answer_does_not_count() -> None:
    values = np.array([[1.0, 4.0], [2.0, np.nan], [3.0, 5.0], [4.0, np.nan]])
    both = bootstrap(values)
    assert both[:, 0] == pytest.approx(bootstrap(values[:, :1])[:, 0])
    assert 4.0 <= both[0, 1] <= both[1, 1] <= 5.0


def test_what_nobody_answered_has_no_interval() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.nan], [4.0, np.nan]])
    low, high = bootstrap(values)
    assert low[0] < high[0]
    assert np.isnan((low[1], high[1])).all()


def test_one_participant_has_no_interval() -> None:
    assert np.isnan(bootstrap(np.array([[3.0, 4.0]]))).all()
