"""What a training found, in one plain sentence, and never more than its intervals carry."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.bootstrap import bootstrap, paired_test
from evaluation.estimate import Comparison, Estimate
from evaluation.metrics import total_ratio
from evaluation.reports.card.breakdown import METRICS
from evaluation.reports.card.data import CardData, CardPage
from evaluation.reports.numbers import digits_for

BASELINES = ("base_rate", "last_period", "bgnbd")
"""Kinds that need no boosting, the simplest first."""

_SIMPLEST_FIRST = (*BASELINES, "tweedie", "two_part", "hazard")

Proof = Literal["better", "worse", "unproven"]
Tone = Literal["proven", "unproven", "baseline", "alone"]


@dataclass(frozen=True)
class CardVerdict:
    """What stands at the top of a card.

    Args:
        tone: In a word.
        sentences: The finding first, then what limits it.
    """

    tone: Tone
    sentences: tuple[str, ...]


def proof(metric: str, comparison: Comparison) -> Proof:
    """Whether a is better than b, proven by an interval of the difference that excludes none."""
    sign = -1 if METRICS[metric].better == "lower" else 1
    ends = sorted((sign * comparison.difference.low, sign * comparison.difference.high))
    if not np.isfinite(ends).all() or ends[0] <= 0 <= ends[1]:
        return "unproven"
    return "better" if ends[0] > 0 else "worse"


def champion_comparison(card: CardData) -> Comparison | None:
    """The chosen candidate (a) against the champion (b); None without the champion's answer."""
    if card.champion is None or card.champion_prediction is None:
        return None
    n, outputs = card.actual.shape
    return paired_test(
        METRICS[card.metric],
        card.actual.ravel(),
        card.prediction.ravel(),
        card.champion_prediction.ravel(),
        np.repeat(np.arange(n), outputs),
    )


def card_verdict(page: CardPage) -> CardVerdict:
    """The finding: is the chosen candidate worth more than something simple?"""
    card, words = page.card, page.words
    tone, other = _tone(card)
    sentences = [_sentence(page, tone, other)]
    sibling = _sibling(card, other)
    if sibling and tone != "alone":
        sentences.append(_sentence(page, "sibling", sibling))
    chosen = card.metrics[card.chosen][card.metric]
    if card.task == "ltv" and chosen.low <= 0:
        low = words.number(chosen.low)
        sentences.append(words("ltv.chance", metric=words.metric(card.metric), low=low))
    level = _level(page)
    return CardVerdict(tone, (*sentences, level) if level else tuple(sentences))


def _rank(kind: str) -> int:
    return _SIMPLEST_FIRST.index(kind) if kind in _SIMPLEST_FIRST else len(_SIMPLEST_FIRST)


def _best(card: CardData, kinds: list[str]) -> str:
    """The kind whose metric is best."""
    metric = METRICS[card.metric]
    losses = {kind: float(metric.loss(card.metrics[kind][card.metric].value)) for kind in kinds}
    return min(kinds, key=lambda kind: losses[kind] if np.isfinite(losses[kind]) else np.inf)


def _open(card: CardData) -> list[str]:
    """Kinds the chosen one is not proven better than."""
    return [
        kind for kind, comparison in card.comparisons.items() if proof(card.metric, comparison) != "better"
    ]


def _tone(card: CardData) -> tuple[Tone, str | None]:
    """What to say, and of which other kind."""
    baselines = [kind for kind in card.comparisons if kind in BASELINES]
    boosted = [kind for kind in card.comparisons if kind not in BASELINES]
    if card.chosen in BASELINES:
        return "baseline", _best(card, boosted) if boosted else None
    if not baselines:
        return "alone", None
    undecided = [kind for kind in baselines if kind in _open(card)]
    if undecided:
        return "unproven", min(undecided, key=_rank)
    return "proven", _best(card, baselines)


def _sibling(card: CardData, other: str | None) -> str | None:
    """The simplest kind that is simpler than the chosen one, not named yet and not told apart from it."""
    simpler = [kind for kind in _open(card) if _rank(kind) < _rank(card.chosen) and kind != other]
    return min(simpler, key=_rank) if simpler else None


def _sentence(page: CardPage, case: str, other: str | None) -> str:
    card, words = page.card, page.words
    chosen = card.metrics[card.chosen][card.metric]
    if other is None:
        comparison = Comparison(
            chosen.value, float("nan"), Estimate(0.0, float("nan"), float("nan")), float("nan")
        )
        case = "baseline_alone" if case == "baseline" else case
    else:
        comparison = card.comparisons[other]
    digits = digits_for(comparison.difference.low, comparison.difference.high)
    own = words(
        "format.with_interval",
        value=words.number(chosen.value, digits),
        span=words.interval(chosen, digits),
    )
    return words(
        f"{card.task}.{case}",
        model=words.kind(card.chosen),
        other=words.kind(other or ""),
        metric=words.metric(card.metric),
        a=own,
        b=words.number(comparison.b, digits),
        difference=words.number(comparison.difference.value, digits),
        span=words.interval(comparison.difference, digits),
    )


def _level(page: CardPage) -> str | None:
    """Whether the sum is right, of the last horizon where there are several."""
    card, words = page.card, page.words
    y, p = card.actual[:, -1], card.prediction[:, -1]
    if not y.sum() > 0:
        return None
    ratio = bootstrap({"ratio": total_ratio}, y, p)["ratio"]
    if not np.isfinite([ratio.low, ratio.high]).all():
        return None
    case = "level_high" if ratio.low > 1 else "level_low" if ratio.high < 1 else "level_fits"
    if card.task == "ltv":
        span = words.span(words.percent(ratio.low), words.percent(ratio.high))
        return words(f"ltv.{case}", ratio=words.percent(ratio.value), span=span)
    return words(
        f"churn.{case}",
        horizon=words.horizon(card.outputs[-1]),
        predicted=words.percent(float(p.mean())),
        actual=words.percent(float(y.mean())),
        ratio=words.number(ratio.value, 2),
        span=words.interval(ratio, 2),
    )
