"""What an experiment's report says without a picture: what was tested, what was odd, counts, returns, methods."""

from typing import Any

from evaluation.effects.sampleratio import BROKEN
from evaluation.effects.units import MIN_UNITS
from evaluation.experiments.records import Code, Readout, Return
from evaluation.reports.readout.pictures import LTV
from evaluation.reports.readout.verdict import back_of
from evaluation.reports.readout.words import ReadoutWords
from evaluation.reports.words import NOTHING

_MENDS = ("filter", "twice", "record", "plan")
_METHODS = {
    "Welch t": "welch",
    "studentised permutation": "permutation",
    "cluster-robust": "cluster",
    "weighted": "weighted",
}
_ADJUSTED = "cross-fitted adjustment"


def facts(r: Readout, w: ReadoutWords) -> list[tuple[str, list[str]]]:
    """What was tested: names with what is said of them, a line each."""
    first, last = w.date(r.first), w.date(r.last)
    when = w("what.day", first=first) if first == last else w("what.days", first=first, last=last)
    groups = [
        w("what.treated" if k else "what.control", arm=arm, customers=w.counted("customers", r.sizes[arm]))
        for k, arm in enumerate(r.arms)
    ]
    primary = next(each for each in r.measures if each.name == r.primary)
    key = "what.judged_margin" if r.primary == "margin" else "what.judged_other"
    drawn = "chosen" if not r.randomised else "meant" if r.verdict.code == Code.BLOCKED else "chance"
    said = {
        "experiment": [r.experiment],
        "arms": groups,
        "drawn": [w(f"what.drawn_{drawn}")],
        "when": [when],
        "judged": [w(key, days=primary.days, measure=w.inside(r.primary))],
        "data": [w("what.until", until=w.day_before(r.data_until))],
    }
    return [(w(f"what.{name}"), lines) for name, lines in said.items()]


def warnings(r: Readout, w: ReadoutWords) -> list[tuple[str, bool]]:
    """What was odd, in the page's language, and whether it is; where there are no words, as it was raised."""
    found = []
    for each in r.warnings:
        if not w.either(f"warnings.{each.code}", ""):
            found.append((each.message, False))
            continue
        fields = {
            "count": f"{each.count:,}",
            "customers": w.counted("customers", each.count),
            "example": each.example or NOTHING,
            "days": r.horizon_days,
            "least": MIN_UNITS,
            "measure": w.measure(each.example or ""),
        }
        found.append((w(f"warnings.{each.code}", **fields), True))
    return found


def ratio(r: Readout, w: ReadoutWords) -> dict[str, Any]:
    """Counts against the plan, and what to look into where they are broken."""
    found: dict[str, Any] = {"mends": [], "broken": False}
    if r.ratio is None:
        found["lead"] = w("ratio.unknown" if r.randomised else "ratio.chosen")
        rows: list[list[Any]] = [[arm, f"{r.sizes[arm]:,}"] for arm in r.arms]
        heads = [w("ratio.arm"), w("ratio.counted")]
        return found | {"table": {"caption": w("ratio.caption_seen"), "heads": heads, "rows": rows}}
    found["broken"] = r.ratio.broken
    found["lead"] = w("ratio.broken" if r.ratio.broken else "ratio.fits", p=w.p_is(r.ratio.p))
    if r.ratio.broken:
        found["mends"] = [w(f"ratio.mend_{which}") for which in _MENDS]
    rows = []
    for arm, count, expected in zip(r.arms, r.ratio.counts, r.ratio.expected, strict=True):
        gap = w.number(count - expected, 0)
        rows.append([
            arm,
            f"{count:,}",
            w.number(expected, 0),
            f"+{gap}" if round(count - expected) > 0 else gap,
        ])  # fmt: skip
    heads = [w(f"ratio.{key}") for key in ("arm", "counted", "planned", "gap")]
    # What was randomised as a whole counts once, so there are fewer units than customers.
    clustered = sum(r.ratio.counts) != sum(r.sizes[arm] for arm in r.arms)
    caption = "ratio.caption_units" if clustered else "ratio.caption"
    return found | {"table": {"caption": w(caption), "heads": heads, "rows": rows, "stack": False}}


def returns(r: Readout, w: ReadoutWords) -> dict[str, Any] | None:
    """What each arm brought for what it cost; None where nothing was read."""
    if not r.returns:
        return None
    unit = w.money(1, 0)
    free_arms = [each.arm for each in r.returns if each.roi is None]
    missing = ""
    if free_arms:
        missing = w("returns.missing", arms=w.enumerated(free_arms), example=_key(free_arms[0]), value=1000)
    within = w("returns.within", days=r.horizon_days)
    return {
        "lead": w("returns.lead", unit=unit) + w("format.gap") + within,
        "missing": missing,
        "table": _brought(r.returns, w("returns.caption", level=w.sure), w),
        "lasting": w("returns.beyond", days=r.horizon_days),
        "lasting_table": _brought(r.lasting, w("returns.lasting", level=w.sure), w) if r.lasting else None,
    }


def _brought(found: tuple[Return, ...], caption: str, w: ReadoutWords) -> dict[str, Any]:
    rows: list[list[Any]] = []
    totals = w.totals([each.total for each in found])
    for each, total in zip(found, totals, strict=True):
        free = each.roi is None
        rows.append([
            (each.arm, "") if each.roi is None else (each.arm, _paid(each.roi.low, each.roi.high, w)),
            NOTHING if each.roi is None else back_of(each.roi, w),
            w.cell("money", each.per_customer),
            (NOTHING if free else w.money(each.cost), f"× {each.customers:,}"),
            NOTHING if free else w.cell("money", each.net),
            total,
        ])  # fmt: skip
    keys = ("arm", "roi", "brought", "cost", "net", "total")
    heads = [w(f"returns.{key}", unit=w.money(1, 0)) for key in keys]
    return {"caption": caption, "heads": heads, "rows": rows}


def _paid(low: float, high: float, w: ReadoutWords) -> str:
    return w("returns.pays" if low > 1 else "returns.loses" if high < 1 else "returns.open")


def _key(arm: str) -> str:
    """An arm as a key of TOML."""
    bare = arm.isascii() and arm.replace("-", "").replace("_", "").isalnum()
    return arm if bare else '"{}"'.format(arm.replace("\\", "\\\\").replace('"', '\\"'))


def methods(r: Readout, w: ReadoutWords) -> list[str]:
    """How everything on the page was computed."""
    blocked = r.verdict.code == Code.BLOCKED
    words = {
        word
        for each in (*(() if blocked else r.effects), *r.before)
        for found in (each.plain, each.adjusted)
        if found is not None
        for word in found.method.split(", ")
    }
    used = [w(f"methods.{key}") for name, key in _METHODS.items() if name in words]
    used += sorted(words - _METHODS.keys() - {_ADJUSTED})
    found = [w("methods.intervals", level=w.sure, methods=w.joined(used))] if used else []
    if not blocked:
        found += _of_effects(r, w, adjusted=_ADJUSTED in words)
    if r.ratio is not None:
        found.append(w("methods.ratio", method=w(f"methods.ratio_{r.ratio.method}"), bound=BROKEN))
    until = w.day_before(r.data_until)
    found.append(w("methods.base", currency=r.currency, timezone=r.timezone, until=until))
    return found


def _of_effects(r: Readout, w: ReadoutWords, *, adjusted: bool) -> list[str]:
    found = []
    if not r.randomised:
        found.append(w("methods.observational"))
    found.append(w("methods.adjustment" if adjusted else "methods.no_adjustment"))
    for each in r.measures:
        if each.low is not None and each.high is not None and each.beyond:
            found.append(
                w(
                    "methods.winsor",
                    measure=w.measure(each.name),
                    low=w.money(each.low),
                    high=w.money(each.high),
                    customers=w.counted("customers", each.beyond),
                )
            )
        if each.missing:
            share = w.percent(each.missing, 1 if each.missing >= 0.001 else 3)
            found.append(w("methods.missing", measure=w.measure(each.name), share=share))
    alpha = w.number(1 - r.level, 3).rstrip("0")
    found.append(w("methods.multiplicity", measure=w.inside(r.primary), alpha=f"p = {alpha}"))
    if any(each.measure == LTV for each in r.effects) or bool(r.lasting):
        found.append(w("methods.surrogacy"))
    optional = {
        "shrinkage": r.segments,
        "course": r.course,
        "looks": r.looks,
        "returns": r.returns,
        "uplift": r.uplift,
    }
    return [*found, *(w(f"methods.{key}") for key, there in optional.items() if there)]
