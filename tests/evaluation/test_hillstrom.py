"""A real experiment read: what 64,000 e-mail subscribers did, as plain statistics have it and as was published."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare, ttest_ind
from statsmodels.stats.multitest import multipletests

from evaluation.effects.effect import Effect
from evaluation.effects.trial import Trial
from evaluation.experiments.reading import Reading
from evaluation.experiments.records import Code, Measure, MeasureEffect, Role, verdict
from tests.places import SHARED

FILE = SHARED / "hillstrom.csv"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="needs hillstrom.csv in ../shared/data")

ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
OUTCOMES = ("visit", "spend")


@pytest.fixture(scope="module")
def mails() -> pd.DataFrame:
    """A row each subscriber: arm, whether they visited the shop in two weeks, and what they spent in dollars."""
    return pd.read_csv(FILE, usecols=["segment", *OUTCOMES])


@pytest.fixture(scope="module")
def reading(mails: pd.DataFrame) -> Reading:
    """A third was planned for each arm."""
    arm = np.array([ARMS.index(each) for each in mails["segment"]], np.intp)
    share = np.full((len(mails), len(ARMS)), 1 / len(ARMS))
    return Reading(Trial("e-mail", ARMS, arm, share, np.zeros(len(mails), np.int64)))


@pytest.fixture(scope="module")
def effects(mails: pd.DataFrame, reading: Reading) -> list[MeasureEffect]:
    """Both e-mails on both outcomes."""
    visit, spend = (mails[outcome].to_numpy(np.float64) for outcome in OUTCOMES)
    measures = [
        Measure("visit", "share", Role.SHORT, 14, visit),
        Measure("spend", "money", Role.SHORT, 14, spend),
    ]
    return reading.effects(measures, [1, 2], "spend")


def plain_effect(effects: list[MeasureEffect], outcome: str, arm: int) -> Effect:
    [found] = [each for each in effects if (each.measure, each.arm) == (outcome, ARMS[arm])]
    assert found.adjusted is None
    assert found.plain is not None
    return found.plain


def ends(effect: Effect) -> tuple[float, float]:
    return effect.absolute.low, effect.absolute.high


def test_the_arms_are_as_large_as_was_planned(mails: pd.DataFrame, reading: Reading) -> None:
    found = reading.ratio()
    assert found is not None
    counts = mails["segment"].value_counts()[list(ARMS)]
    assert found.counts == tuple(counts)
    assert found.p == pytest.approx(chisquare(counts).pvalue, rel=1e-9)
    assert not found.broken
    assert reading.readable() == ([1, 2], [])


@pytest.mark.parametrize("arm", [1, 2])
def test_visits_are_compared_as_two_shares_are(
    mails: pd.DataFrame, effects: list[MeasureEffect], arm: int
) -> None:
    found = plain_effect(effects, "visit", arm)
    groups = mails.groupby("segment")["visit"]
    shares, counts = (
        groups.mean()[[ARMS[0], ARMS[arm]]].to_numpy(),
        groups.size()[[ARMS[0], ARMS[arm]]].to_numpy(),
    )
    assert (found.control, found.treated) == pytest.approx(tuple(shares))
    assert found.absolute.value == pytest.approx(shares[1] - shares[0], rel=1e-12)
    assert found.standard_error == pytest.approx(np.sqrt((shares * (1 - shares) / (counts - 1)).sum()))
    # With twenty thousand in an arm Student's t is the normal distribution.
    half = 1.959964 * found.standard_error
    assert ends(found) == pytest.approx((found.absolute.value - half, found.absolute.value + half), rel=1e-3)


@pytest.mark.parametrize(("arm", "published", "error"), [(1, 0.770, 0.145), (2, 0.424, 0.130)])
def test_spend_is_compared_as_welch_does_but_for_its_long_tail(
    mails: pd.DataFrame, effects: list[MeasureEffect], arm: int, published: float, error: float
) -> None:
    found = plain_effect(effects, "spend", arm)
    spent = {name: group.to_numpy() for name, group in mails.groupby("segment")["spend"]}
    peer = ttest_ind(spent[ARMS[arm]], spent[ARMS[0]], equal_var=False)
    low, high = peer.confidence_interval()
    assert found.absolute.value == pytest.approx((low + high) / 2, rel=1e-9)
    assert found.standard_error == pytest.approx(found.absolute.value / peer.statistic, rel=1e-9)
    assert (found.absolute.value, found.standard_error) == pytest.approx((published, error), abs=5e-4)
    # Nine in a thousand bought anything, so the ends are not Student's; they are not far from it.
    assert ends(found) == pytest.approx((low, high), abs=0.15 * (high - low) / 2)


def test_both_e_mails_raise_spend_the_men_s_most(reading: Reading, effects: list[MeasureEffect]) -> None:
    found = verdict(effects, "spend", reading.ratio(), 0.95)
    assert (found.code, found.gains, found.losses) == (Code.GAIN, ARMS[1:], ())
    raw = [plain_effect(effects, "spend", arm).p for arm in (1, 2)]
    said = [each.p for each in effects if each.measure == "spend"]
    assert said == pytest.approx(multipletests(raw, method="holm")[1])
