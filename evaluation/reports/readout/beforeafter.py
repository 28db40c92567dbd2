"""The report of a campaign without a control group: before against after, and that it proves no cause."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.estimate import Estimate
from evaluation.experiments.beforeafter import BeforeAfter, Period
from evaluation.reports.charts import Axis, Bar, Mark, Side, bars, forest
from evaluation.reports.pages import Table, rendered
from evaluation.reports.readout.words import ReadoutWords, coarse
from evaluation.reports.words import NOTHING
from features.engine.observations import wall_clock
from features.language import Language


def render_before_after(
    found: BeforeAfter | Sequence[BeforeAfter],
    project: str,
    currency: str,
    timezone: str,
    lang: Language = "en",
) -> str:
    """The comparison as one HTML page that needs no network and no script.

    Args:
        found: One comparison, or several of the same campaign, such as by week and by month.
        project: Name of the project.
        currency: ISO 4217 code of the money.
        timezone: Zone of all times.
        lang: ``en`` or ``ja``.
    """
    several = [found] if isinstance(found, BeforeAfter) else list(found)
    w = words_for(several, currency, lang)
    day = w.date(wall_clock(several[0].campaign_start))
    return rendered(
        "beforeafter.html",
        w,
        project=project,
        day=day,
        sentence=_sentence(several[0], w),
        kinds=[_kind(each, w) for each in several],
        methods=[
            w("methods.intervals"),
            w("methods.periods"),
            w("methods.base", currency=currency, timezone=timezone),
        ],
    )


def words_for(several: Sequence[BeforeAfter], currency: str, lang: Language = "en") -> ReadoutWords:
    """The words of some comparisons of one campaign, and how their money reads."""
    whole = coarse(each.before.value for each in several)
    return ReadoutWords(lang, currency, whole=whole, page="beforeafter", level=several[0].level)


def _sentence(found: BeforeAfter, w: ReadoutWords) -> str:
    count, day = w.counted(found.kind, found.count), w.date(wall_clock(found.campaign_start))
    fields = {"count": count, "day": day, "level": w.sure}
    relative = found.relative
    if np.isfinite(relative.value):
        key = "more" if relative.value >= 0 else "less"
        span = w.relative(relative)[1]
        said = [w(f"verdict.{key}", percent=w.percent(abs(relative.value)), span=span, **fields)]
    else:
        said = [w("verdict.none", **fields)]
    last = found.last_year
    if last is not None and np.isfinite(last.value):
        said.append(
            w(f"verdict.year_{'more' if last.value >= 0 else 'less'}", percent=w.percent(abs(last.value)))
        )
    elif found.kind != "year":
        said.append(w("verdict.year_none"))
    return w("verdict.clause").join([*said, w("verdict.caveat")]) + w("stop.sentence")


def _kind(found: BeforeAfter, w: ReadoutWords) -> dict[str, Any]:
    return {
        "title": w(f"kinds.{found.kind}"),
        "svg": _picture(found, w),
        "compared": compared(found, w),
        "season": season(found, w),
        "periods": periods(found, w),
    }


def sides(found: BeforeAfter) -> list[Side]:
    """On which side each period is compared: the whole ones next to the start are, others on none."""
    before = [k for k, each in enumerate(found.periods) if each.side == "before" and each.complete][
        -found.count :
    ]
    after = [k for k, each in enumerate(found.periods) if each.side == "after" and each.complete][
        : found.count
    ]
    return ["before" if k in before else "after" if k in after else "none" for k in range(len(found.periods))]


def _picture(found: BeforeAfter, w: ReadoutWords) -> Any:
    shown = [
        Bar(_label(each, found, w), each.total, side)
        for each, side in zip(found.periods, sides(found), strict=True)
    ]
    starts = 0.0
    for each in found.periods:
        starts += float(np.clip((found.campaign_start - each.start) / (each.end - each.start), 0, 1))
    day = w.date(wall_clock(found.campaign_start))
    about = w("periods.about", before=w.money(found.before.value), after=w.money(found.after.value))
    axis = Axis(w("periods.y", currency=w.coin), w.tick("money"))
    # What is said of the picture is said on it as well: it may be cut out and passed on.
    return bars(
        shown,
        starts,
        w("banner.short") + " " + w("periods.picture", day=day),
        about,
        Axis(axis.title + w("banner.mark"), axis.tick),
        w("periods.start"),
    )


def _label(period: Period, found: BeforeAfter, w: ReadoutWords) -> str:
    begin = wall_clock(period.start)
    if found.kind in {"month", "year"}:
        return f"{begin:%Y-%m}" if found.kind == "month" else f"{begin:%Y}"
    return w("periods.label", month=begin.month, day=begin.day)


def compared(found: BeforeAfter, w: ReadoutWords) -> Table:
    """Means of both sides and how they differ."""
    rows: list[list[Any]] = [
        [w("compared.before"), (w.money(found.before.value), w.ends("money", found.before))],
        [w("compared.after"), (w.money(found.after.value), w.ends("money", found.after))],
        [w("compared.change"), w.cell("money", found.change)],
        [w("compared.relative"), w.relative(found.relative)],
    ]
    caption = w("compared.heads", count=w.counted(found.kind, found.count), level=w.sure)
    return {"caption": caption, "heads": [w("compared.mean"), w("compared.number")], "rows": rows}


def season(found: BeforeAfter, w: ReadoutWords) -> dict[str, Any]:
    """The change against that of a year earlier: what is said, and a table where that is known."""
    last, beyond = found.last_year, found.beyond_season
    if last is None or beyond is None:
        said = w("season.years" if found.kind == "year" else "season.none")
        return {"lead": said, "svg": None, "table": None}
    named: list[tuple[str, Estimate]] = [
        (w("season.now"), found.relative),
        (w("season.last"), last),
        (w("season.beyond"), beyond),
    ]
    svg = forest(
        [Mark(name, each) for name, each in named],
        w("banner.short") + " " + w("season.picture"),
        w.joined([f"{name} {value} ({span})" for name, each in named for value, span in [w.relative(each)]]),
        Axis(w("season.x"), w.percent_tick),
    )
    rows = [[name, *w.relative(each)] for name, each in named]
    heads = [w("season.x"), w("compared.number"), w("compared.interval", level=w.sure)]
    clear = beyond.low > 0 or beyond.high < 0
    return {
        "lead": w("season.lead") + w("format.gap") + w(f"season.{'clear' if clear else 'open'}"),
        "svg": svg,
        "table": {"caption": w("season.picture"), "heads": heads, "rows": rows},
    }


def periods(found: BeforeAfter, w: ReadoutWords) -> Table:
    """Every period, and whether it is compared."""
    rows: list[list[Any]] = []
    for each, side in zip(found.periods, sides(found), strict=True):
        key = (
            side
            if side != "none"
            else "during"
            if each.side == "during"
            else "beyond"
            if each.complete
            else "part"
        )
        rows.append([
            w.date(wall_clock(each.start)),
            w(f"periods_table.{key}"),
            (w.money(each.total.value), w.ends("money", each.total)),
            (w.money(each.per_buyer.value), w.ends("money", each.per_buyer)) if each.buyers else NOTHING,
            f"{each.buyers:,}",
        ])  # fmt: skip
    keys = ("start", "side", "total", "per", "buyers")
    return {
        "caption": w(f"kinds.{found.kind}"),
        "heads": [w(f"periods_table.{k}") for k in keys],
        "rows": rows,
    }
