"""The sentence at the top of an experiment's report, and the arms at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.estimate import Estimate
from evaluation.experiments.records import Code, MeasureEffect
from evaluation.reports.numbers import NOTHING
from evaluation.reports.pages import PageCell, PageTable
from evaluation.reports.readout.words import ReadoutPage, ReadoutWords, sign_of


@dataclass(frozen=True)
class Headline:
    """What stands at the top of a readout.

    Args:
        tone: Its colour in a word.
        title: The finding in a few words.
        sentence: The same in one sentence, with money, intervals and horizon.
    """

    tone: str
    title: str
    sentence: str


def headline(page: ReadoutPage) -> Headline:
    """What was found."""
    code, w = page.readout.verdict.code, page.words
    # The colour of a proven gain is not for what proves nothing, nor for what did not pay.
    tone, title = code.value, w(f"verdict.{code}" if page.blocked else w.seen(f"verdict.{code}"))
    if w.observational and not page.blocked:
        tone = "open"
    elif code == Code.GAIN and _costly(page):
        tone, title = "open", w("verdict.gain_costly", measure=w.inside(page.readout.primary))
    return Headline(tone, title, _blocked(page) if page.blocked else _sentence(page))


def _costly(page: ReadoutPage) -> bool:
    """Whether every arm that gained is proven to have cost more than it brought."""
    paid = {back.arm: back.roi for back in page.readout.returns}
    rois = [paid.get(arm) for arm in page.readout.verdict.gains]
    return all(roi is not None and roi.high < 1 for roi in rois)


def _sentence(page: ReadoutPage) -> str:
    r, w = page.readout, page.words
    treated = r.arms[1:]
    primary = {effect.arm: effect for effect in r.effects if effect.measure == r.primary}
    unread = [arm for arm in treated if arm not in primary or primary[arm].best is None]
    open_ = [arm for arm in treated if arm not in (*r.verdict.gains, *r.verdict.losses, *unread)]
    clauses: list[tuple[str, dict[str, Any]]] = [
        (stem, {"clause": _changed(page, stem, arms)})
        for stem, arms in (("gain", r.verdict.gains), ("loss", r.verdict.losses))
        if arms
    ]
    if clauses and open_:
        clauses.append(("unproven", {"arms": w.enumerated(open_)}))
    elif open_:
        spans = [w("verdict.each", arm=arm, span=_span(page, primary[arm])) for arm in open_]
        told = w.joined(spans)
        fields = {"arms": told, "measure": w.inside(r.primary), "days": r.horizon_days, "level": w.sure}
        clauses.append(("nothing", fields))
        near = [arm for arm in open_ if _near(primary[arm], w)]
        if near and not w.observational:
            clauses.append(("near", {"arms": w.enumerated(near), "count": len(treated)}))
    if unread:
        clauses.append(("unread", {"arms": w.enumerated(unread)}))
    if w.observational:
        clauses.append(("chance", {}))
    last = len(clauses) - 1
    parts = [
        w(w.seen(f"verdict.{stem}_{'last' if k == last else 'more'}"), **of)
        for k, (stem, of) in enumerate(clauses)
    ]
    said = w("verdict.clause").join(parts) + w("verdict.stop")
    # Names of arms stay as they are written.
    return said if said.startswith(tuple(treated)) else said[0].upper() + said[1:]


def _blocked(page: ReadoutPage) -> str:
    r, w = page.readout, page.words
    if r.ratio is None:
        raise ValueError("a blocked readout has no sample ratio; it is the ratio that blocks")
    arms = [
        w("verdict.blocked_arm", arm=arm, count=w.number(count, 0), expected=w.number(expected, 0))
        for arm, count, expected in zip(r.arms, r.ratio.counts, r.ratio.expected, strict=True)
    ]
    return w("verdict.blocked_sentence", arms=w.joined(arms), p=w.p_is(r.ratio.p))


def _changed(page: ReadoutPage, stem: str, arms: Sequence[str]) -> str:
    """By how much arms gained or lost."""
    r, w = page.readout, page.words
    parts: list[str] = []
    for arm in arms:
        best = r.effect(arm, r.primary).best
        if best is None:
            continue
        change = best.absolute
        # A loss of so much: the sign is in the words.
        change = change if stem == "gain" else Estimate(-change.value, -change.high, -change.low)
        parts.append(
            w(
                w.seen(f"verdict.{stem}_{'next' if parts else 'first'}"),
                arm=arm,
                measure=w.inside(r.primary),
                money=w.money(change.value),
                span=w.span(w.money(change.low), w.money(change.high)),
                days=r.horizon_days,
                level=w.sure,
            )
        )
    return w.enumerated(parts)


def _span(page: ReadoutPage, effect: MeasureEffect) -> str:
    return NOTHING if effect.best is None else page.words.ends(page.unit, effect.best.absolute)


def glance(page: ReadoutPage) -> PageTable | None:
    """Each arm in one row: finding, effect and return; None where there is no verdict."""
    if page.blocked:
        return None
    r, w = page.readout, page.words
    paid = {back.arm: back.roi for back in r.returns}
    primary = {effect.arm: effect for effect in r.effects if effect.measure == r.primary}
    rows: list[list[PageCell]] = []
    for arm in r.arms[1:]:
        effect = primary.get(arm)
        if effect is None or effect.best is None:
            rows.append([(arm, w("finding.refused")), NOTHING, NOTHING])
            continue
        roi = paid.get(arm)
        back: PageCell = NOTHING if roi is None else back_of(roi, w)
        if roi is not None and roi.low <= 1 <= roi.high:
            # A large return of an effect that may be none would be the first thing to be read.
            back = w("returns.open"), back[1]
        rows.append([(arm, finding(effect, w)), w.cell(page.unit, effect.best.absolute), back])
    heads = [
        w("verdict.arm"),
        w("verdict.effect", measure=w.inside(r.primary), days=r.horizon_days),
        w("verdict.paid", unit=w.money(1, 0)),
    ]
    if not any(roi is not None for roi in paid.values()):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    return PageTable(w("verdict.glance"), heads, rows, stack=True)


def finding(effect: MeasureEffect, w: ReadoutWords) -> str:
    """What is proven of an effect; said so where only its interval by itself is clear of 0."""
    return w("finding.counted") if _near(effect, w) else w.finding(sign_of(effect, w.level))


def _near(effect: MeasureEffect, w: ReadoutWords) -> bool:
    best = effect.best
    return best is not None and best.p < 1 - w.level and sign_of(effect, w.level) == "open"


def back_of(roi: Estimate, w: ReadoutWords) -> tuple[str, str]:
    """Money that came back for each unit spent, over its interval."""
    return w.money(roi.value, 2), w.span(w.money(roi.low, 2), w.money(roi.high, 2))
