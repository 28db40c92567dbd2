"""What an experiment's report says without a picture: what was tested, what was odd, counts, returns, methods."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.effects.sampleratio import BROKEN
from evaluation.effects.units import MIN_UNITS
from evaluation.experiments.records import Return
from evaluation.reports.numbers import NOTHING, signed
from evaluation.reports.pages import PageCell, PageTable
from evaluation.reports.readout.pictures import LTV, measures_shown
from evaluation.reports.readout.verdict import back_of
from evaluation.reports.readout.words import ReadoutPage, ReadoutWords

_MENDS = ("filter", "twice", "record", "plan")
_METHODS = {
    "Welch t": "welch",
    "studentised permutation": "permutation",
    "cluster-robust": "cluster",
    "weighted": "weighted",
}
_ADJUSTED = "cross-fitted adjustment"


@dataclass(frozen=True)
class RatioPart:
    """Counts against the plan: what is said of them, the table, and what to look into where they are broken."""

    lead: str
    table: PageTable
    mends: Sequence[str] = ()


@dataclass(frozen=True)
class ReturnPart:
    """Returns.

    Args:
        lead: How they are to be read.
        table: Of the horizon.
        missing: Arms of which no cost is known, empty if there are none.
        beyond: How the second table is to be read.
        lasting: With lifetime value after the horizon, if that is known.
    """

    lead: str
    table: PageTable
    missing: str
    beyond: str
    lasting: PageTable | None


def readout_facts(page: ReadoutPage) -> list[tuple[str, list[str]]]:
    """What was tested: names with what is said of them, a line each."""
    r, w = page.readout, page.words
    first, last = w.date(r.first), w.date(r.last)
    when = w("what.day", first=first) if first == last else w("what.days", first=first, last=last)
    groups = [
        w("what.treated" if k else "what.control", arm=arm, customers=w.counted("customers", r.sizes[arm]))
        for k, arm in enumerate(r.arms)
    ]
    primary = next(facts for facts in r.measures if facts.name == r.primary)
    key = "what.judged_margin" if r.primary == "margin" else "what.judged_other"
    drawn = "chosen" if not r.randomised else "meant" if page.blocked else "chance"
    said = {
        "experiment": [r.experiment],
        "arms": groups,
        "drawn": [w(f"what.drawn_{drawn}")],
        "when": [when],
        "judged": [w(key, days=primary.days, measure=w.inside(r.primary))],
        "data": [w("what.until", until=w.day_before(r.data_until))],
    }
    return [(w(f"what.{name}"), lines) for name, lines in said.items()]


def notes(page: ReadoutPage) -> list[tuple[str, bool]]:
    """What was odd, in the page's language, and whether it is; where there are no words, as it was raised."""
    r, w = page.readout, page.words
    told = []
    for warned in r.warnings:
        if not w.either(f"warnings.{warned.code}", ""):
            told.append((warned.message, False))
            continue
        fields = {
            "count": w.number(warned.count, 0),
            "customers": w.counted("customers", warned.count),
            "example": warned.example or NOTHING,
            "days": r.horizon_days,
            "least": MIN_UNITS,
            "measure": w.measure(warned.example or ""),
        }
        told.append((w(f"warnings.{warned.code}", **fields), True))
    return told


def ratio_part(page: ReadoutPage) -> RatioPart:
    """Counts against the plan, and what to look into where they are broken."""
    r, w = page.readout, page.words
    if r.ratio is None:
        rows = [[arm, w.number(r.sizes[arm], 0)] for arm in r.arms]
        table = PageTable(w("ratio.caption_seen"), [w("ratio.arm"), w("ratio.counted")], rows)
        return RatioPart(w("ratio.unknown" if r.randomised else "ratio.chosen"), table)
    rows = []
    for arm, count, expected in zip(r.arms, r.ratio.counts, r.ratio.expected, strict=True):
        gap = signed(w.number(count - expected, 0), count - expected)
        rows.append([arm, w.number(count, 0), w.number(expected, 0), gap])
    heads = [w(f"ratio.{key}") for key in ("arm", "counted", "planned", "gap")]
    # What was randomised as a whole counts once, so there are fewer units than customers.
    clustered = sum(r.ratio.counts) != sum(r.sizes[arm] for arm in r.arms)
    caption = w("ratio.caption_units" if clustered else "ratio.caption")
    return RatioPart(
        w("ratio.broken" if r.ratio.broken else "ratio.fits", p=w.p_is(r.ratio.p)),
        PageTable(caption, heads, rows, stack=False),
        [w(f"ratio.mend_{which}") for which in _MENDS] if r.ratio.broken else [],
    )


def return_part(page: ReadoutPage) -> ReturnPart | None:
    """What each arm brought for what it cost; None where nothing was read."""
    r, w = page.readout, page.words
    if not r.returns:
        return None
    free_arms = [back.arm for back in r.returns if back.roi is None]
    missing = ""
    if free_arms:
        missing = w("returns.missing", arms=w.enumerated(free_arms), example=_key(free_arms[0]), value=1000)
    within = w("returns.within", days=r.horizon_days)
    return ReturnPart(
        lead=w("returns.lead", unit=w.money(1, 0)) + w("format.gap") + within,
        table=_brought(r.returns, w("returns.caption", level=w.sure), w),
        missing=missing,
        beyond=w("returns.beyond", days=r.horizon_days),
        lasting=_brought(r.lasting, w("returns.lasting", level=w.sure), w) if r.lasting else None,
    )


def _brought(returns: Sequence[Return], caption: str, w: ReadoutWords) -> PageTable:
    rows: list[list[PageCell]] = []
    totals = w.totals([back.total for back in returns])
    for back, total in zip(returns, totals, strict=True):
        free = back.roi is None
        rows.append([
            (back.arm, "" if back.roi is None else _paid(back.roi.low, back.roi.high, w)),
            NOTHING if back.roi is None else back_of(back.roi, w),
            w.cell("money", back.per_customer),
            (NOTHING if free else w.money(back.cost), f"× {w.number(back.customers, 0)}"),
            NOTHING if free else w.cell("money", back.net),
            total,
        ])  # fmt: skip
    keys = ("arm", "roi", "brought", "cost", "net", "total")
    return PageTable(caption, [w(f"returns.{key}", unit=w.money(1, 0)) for key in keys], rows)


def _paid(low: float, high: float, w: ReadoutWords) -> str:
    return w("returns.pays" if low > 1 else "returns.loses" if high < 1 else "returns.open")


def _key(arm: str) -> str:
    """An arm as a key of TOML."""
    bare = arm.isascii() and arm.replace("-", "").replace("_", "").isalnum()
    return arm if bare else '"{}"'.format(arm.replace("\\", "\\\\").replace('"', '\\"'))


def number_tables(page: ReadoutPage) -> list[PageTable]:
    """Every number of every effect, one table a measure."""
    w = page.words
    tables = []
    keys = ("arm", "means", "adjusted", "relative", "plain", "plain_relative", "p")
    for of in measures_shown(page):
        rows: list[list[PageCell]] = []
        for effect in page.readout.effects:
            if effect.measure != of.name or effect.best is None or effect.plain is None:
                continue
            best, plain = effect.best, effect.plain
            adjusted: list[PageCell] = [NOTHING, NOTHING]
            if effect.adjusted is not None:
                adjusted = [w.cell(of.unit, best.absolute), w.relative(best.relative)]
            sizes = " / ".join(w.number(n, 0) for n in (best.n_treated, best.n_control))
            rows.append([
                (effect.arm, sizes),
                (w.amount(of.unit, best.treated), w.amount(of.unit, best.control)),
                *adjusted,
                w.cell(of.unit, plain.absolute),
                w.relative(plain.relative),
                w.p(effect.p),
            ])  # fmt: skip
        if rows:
            tables.append(PageTable(w.measure(of.name), [w(f"numbers.{key}") for key in keys], rows))
    return tables


def readout_methods(page: ReadoutPage) -> list[str]:
    """How everything on the page was computed."""
    r, w = page.readout, page.words
    names = {
        name
        for effect in (*(() if page.blocked else r.effects), *r.before)
        for reading in (effect.plain, effect.adjusted)
        if reading is not None
        for name in reading.method.split(", ")
    }
    used = [w(f"methods.{key}") for name, key in _METHODS.items() if name in names]
    used += sorted(names - _METHODS.keys() - {_ADJUSTED})
    told = [w("methods.intervals", level=w.sure, methods=w.joined(used))] if used else []
    if not page.blocked:
        told += _of_effects(page, adjusted=_ADJUSTED in names)
    if r.ratio is not None:
        told.append(w("methods.ratio", method=w(f"methods.ratio_{r.ratio.method}"), bound=BROKEN))
    until = w.day_before(r.data_until)
    told.append(w("methods.base", currency=r.currency, timezone=r.timezone, until=until))
    return told


def _of_effects(page: ReadoutPage, *, adjusted: bool) -> list[str]:
    r, w = page.readout, page.words
    told = []
    if not r.randomised:
        told.append(w("methods.observational"))
    told.append(w("methods.adjustment" if adjusted else "methods.no_adjustment"))
    for facts in r.measures:
        name = w.measure(facts.name)
        if facts.low is not None and facts.high is not None and facts.beyond:
            low, high, customers = (
                w.money(facts.low),
                w.money(facts.high),
                w.counted("customers", facts.beyond),
            )
            told.append(w("methods.winsor", measure=name, low=low, high=high, customers=customers))
        if facts.missing:
            share = w.percent(facts.missing, 1 if facts.missing >= 0.001 else 3)
            told.append(w("methods.missing", measure=name, share=share))
    alpha = w.number(1 - r.level, 3).rstrip("0")
    told.append(w("methods.multiplicity", measure=w.inside(r.primary), alpha=f"p = {alpha}"))
    if any(effect.measure == LTV for effect in r.effects) or bool(r.lasting):
        told.append(w("methods.surrogacy"))
    optional = {
        "shrinkage": r.segments,
        "course": r.course,
        "looks": r.looks,
        "returns": r.returns,
        "uplift": r.uplift,
    }
    return [*told, *(w(f"methods.{key}") for key, there in optional.items() if there)]
