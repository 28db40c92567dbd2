"""The sentence at the top of an experiment's report, and the arms at a glance."""

from typing import Any

from evaluation.estimate import Estimate
from evaluation.experiments.records import Code, MeasureEffect, Readout
from evaluation.reports.readout.words import ReadoutWords, sign_of
from evaluation.reports.words import NOTHING


def headline(r: Readout, w: ReadoutWords) -> dict[str, str]:
    """Tone, title and the one sentence."""
    code = r.verdict.code
    title = w(f"verdict.{code}" if code == Code.BLOCKED else w.seen(f"verdict.{code}"))
    # The colour of a proven gain is not for what proves nothing.
    tone = "open" if w.observational and code != Code.BLOCKED else code.value
    return {"tone": tone, "title": title, "sentence": sentence(r, w)}


def sentence(r: Readout, w: ReadoutWords) -> str:
    """What was found, in one sentence."""
    if r.verdict.code == Code.BLOCKED:
        return _blocked(r, w)
    treated = r.arms[1:]
    primary = {each.arm: each for each in r.effects if each.measure == r.primary}
    unread = [arm for arm in treated if arm not in primary or primary[arm].best is None]
    open_ = [arm for arm in treated if arm not in (*r.verdict.gains, *r.verdict.losses, *unread)]
    clauses = [
        (stem, _changed(r, w, stem, list(arms), primary))
        for stem, arms in (("gain", r.verdict.gains), ("loss", r.verdict.losses))
        if arms
    ]
    if clauses and open_:
        clauses.append(("unproven", {"arms": w.enumerated(open_)}))
    elif open_:
        spans = [w("verdict.each", arm=arm, span=_span(r, w, primary[arm])) for arm in open_]
        told = w.joined(spans)
        clauses.append(
            (
                "nothing",
                {"arms": told, "measure": w.inside(r.primary), "days": r.horizon_days, "level": w.sure},
            )
        )
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


def _blocked(r: Readout, w: ReadoutWords) -> str:
    if r.ratio is None:
        raise ValueError("a blocked readout has no sample ratio; it is the ratio that blocks")
    arms = [
        w("verdict.blocked_arm", arm=arm, count=f"{count:,}", expected=f"{expected:,.0f}")
        for arm, count, expected in zip(r.arms, r.ratio.counts, r.ratio.expected, strict=True)
    ]
    return w("verdict.blocked_sentence", arms=w.joined(arms), p=w.p_is(r.ratio.p))


def _changed(
    r: Readout, w: ReadoutWords, stem: str, arms: list[str], primary: dict[str, MeasureEffect]
) -> dict[str, Any]:
    parts = []
    for k, arm in enumerate(arms):
        best = primary[arm].best
        if best is None:
            continue
        found = best.absolute
        # A loss of so much: the sign is in the words.
        found = found if stem == "gain" else Estimate(-found.value, -found.high, -found.low)
        parts.append(
            w(
                w.seen(f"verdict.{stem}_{'next' if k else 'first'}"),
                arm=arm,
                measure=w.inside(r.primary),
                money=w.money(found.value),
                span=w.span(w.money(found.low), w.money(found.high)),
                days=r.horizon_days,
                level=w.sure,
            )
        )
    return {"clause": w.enumerated(parts)}


def _span(r: Readout, w: ReadoutWords, found: MeasureEffect) -> str:
    unit = next(each.unit for each in r.measures if each.name == r.primary)
    return NOTHING if found.best is None else w.ends(unit, found.best.absolute)


def glance(r: Readout, w: ReadoutWords) -> dict[str, Any] | None:
    """Each arm in one row: finding, effect and return; None where there is no verdict."""
    if r.verdict.code == Code.BLOCKED:
        return None
    unit = next(each.unit for each in r.measures if each.name == r.primary)
    paid = {each.arm: each.roi for each in r.returns}
    rows: list[list[Any]] = []
    back: str | tuple[str, str]
    for arm in r.arms[1:]:
        found = next((each for each in r.effects if (each.arm, each.measure) == (arm, r.primary)), None)
        if found is None or found.best is None:
            rows.append([(arm, w("finding.refused")), NOTHING, NOTHING])
            continue
        roi = paid.get(arm)
        back = NOTHING if roi is None else back_of(roi, w)
        if roi is not None and roi.low <= 1 <= roi.high:
            # A large return of an effect that may be none would be the first thing to be read.
            back = w("returns.open"), back[1]
        rows.append([(arm, finding(found, w)), w.cell(unit, found.best.absolute), back])
    heads = [
        w("verdict.arm"),
        w("verdict.effect", measure=w.inside(r.primary), days=r.horizon_days),
        w("verdict.paid", unit=w.money(1, 0)),
    ]
    if not any(roi is not None for roi in paid.values()):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    return {"caption": w("verdict.glance"), "heads": heads, "rows": rows, "stack": True}


def finding(found: MeasureEffect, w: ReadoutWords) -> str:
    """What is proven of an effect; said so where only its interval by itself is clear of 0."""
    return w("finding.counted") if _near(found, w) else w.finding(sign_of(found, w.level))


def _near(found: MeasureEffect, w: ReadoutWords) -> bool:
    best = found.best
    return best is not None and best.p < 1 - w.level and sign_of(found, w.level) == "open"


def back_of(roi: Estimate, w: ReadoutWords) -> tuple[str, str]:
    """Money that came back for each unit spent, over its interval."""
    return w.money(roi.value, 2), w.span(w.money(roi.low, 2), w.money(roi.high, 2))
