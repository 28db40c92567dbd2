"""The report of a campaign without a control group: before against after, and that it proves no cause."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.estimate import Estimate
from evaluation.experiments.beforeafter import BeforeAfter, Period
from evaluation.reports.charts import Axis, Bar, Mark, PeriodSide, bar_chart, forest_chart
from evaluation.reports.numbers import NOTHING
from evaluation.reports.pages import PageCell, PageTable, Picture, rendered
from evaluation.reports.readout.words import ReadoutWords, coarse
from features.engine.observations import wall_clock
from features.language import Language


@dataclass(frozen=True)
class ComparisonPage:
    """A comparison and the words it is told in.

    Args:
        comparison: Before against after.
        words: Of its page.
    """

    comparison: BeforeAfter
    words: ReadoutWords

    @property
    def day(self) -> str:
        """When the campaign began."""
        return self.words.date(wall_clock(self.comparison.campaign_start))


@dataclass(frozen=True)
class SeasonPart:
    """The change against that of a year earlier: what is said, and the picture; without one where it is not known."""

    lead: str
    picture: Picture | None = None


@dataclass(frozen=True)
class ComparisonPart:
    """One comparison, such as that by week.

    Args:
        title: Of what periods.
        picture: All of them, with the table of both sides.
        season: Against a year earlier.
        periods: Every period in numbers.
    """

    title: str
    picture: Picture
    season: SeasonPart
    periods: PageTable


def render_before_after(
    comparisons: BeforeAfter | Sequence[BeforeAfter],
    project: str,
    currency: str,
    timezone: str,
    lang: Language = "en",
) -> str:
    """The comparison as one HTML page that needs no network and no script.

    Args:
        comparisons: One, or several of the same campaign, such as by week and by month.
        project: Name of the project.
        currency: ISO 4217 code of the money.
        timezone: Zone of all times.
        lang: ``en`` or ``ja``.
    """
    several = [comparisons] if isinstance(comparisons, BeforeAfter) else list(comparisons)
    pages = comparison_pages(several, currency, lang)
    w = pages[0].words
    return rendered(
        "beforeafter.html",
        w,
        project=project,
        day=pages[0].day,
        sentence=_sentence(pages[0]),
        parts=[_part(page) for page in pages],
        methods=[
            w("methods.intervals"),
            w("methods.periods"),
            w("methods.base", currency=currency, timezone=timezone),
        ],
    )


def comparison_pages(
    several: Sequence[BeforeAfter], currency: str, lang: Language = "en"
) -> list[ComparisonPage]:
    """Comparisons of one campaign with their words, their money told alike."""
    whole = coarse(comparison.before.value for comparison in several)
    w = ReadoutWords(lang, currency, whole=whole, page="beforeafter", level=several[0].level)
    return [ComparisonPage(comparison, w) for comparison in several]


def _sentence(page: ComparisonPage) -> str:
    comparison, w = page.comparison, page.words
    count = w.counted(comparison.kind, comparison.count)
    fields = {"count": count, "day": page.day, "level": w.sure}
    relative = comparison.relative
    if np.isfinite(relative.value):
        key = "more" if relative.value >= 0 else "less"
        span = w.relative(relative)[1]
        said = [w(f"verdict.{key}", percent=w.percent(abs(relative.value)), span=span, **fields)]
    else:
        said = [w("verdict.none", **fields)]
    last = comparison.last_year
    if last is not None and np.isfinite(last.value):
        key = f"verdict.year_{'more' if last.value >= 0 else 'less'}"
        said.append(w(key, percent=w.percent(abs(last.value))))
    elif comparison.kind != "year":
        said.append(w("verdict.year_none"))
    return w("verdict.clause").join([*said, w("verdict.caveat")]) + w("stop.sentence")


def _part(page: ComparisonPage) -> ComparisonPart:
    title = page.words(f"kinds.{page.comparison.kind}")
    return ComparisonPart(title, _picture(page), season_part(page), period_table(page))


def period_sides(comparison: BeforeAfter) -> list[PeriodSide]:
    """On which side each period is compared: the whole ones next to the start are, others on none."""
    whole = [(k, period.side) for k, period in enumerate(comparison.periods) if period.complete]
    before = [k for k, side in whole if side == "before"][-comparison.count :]
    after = [k for k, side in whole if side == "after"][: comparison.count]
    return [
        "before" if k in before else "after" if k in after else "none" for k in range(len(comparison.periods))
    ]


def _picture(page: ComparisonPage) -> Picture:
    comparison, w = page.comparison, page.words
    shown = [
        Bar(_label(page, period), period.total, side)
        for period, side in zip(comparison.periods, period_sides(comparison), strict=True)
    ]
    starts = 0.0
    for period in comparison.periods:
        past = (comparison.campaign_start - period.start) / (period.end - period.start)
        starts += float(np.clip(past, 0, 1))
    before, after = w.money(comparison.before.value), w.money(comparison.after.value)
    # What is said of the picture is said on it as well: it may be cut out and passed on.
    svg = bar_chart(
        shown,
        starts,
        w("banner.short") + w("format.gap") + w("periods.picture", day=page.day),
        w("periods.about", before=before, after=after),
        Axis(w("periods.y", currency=w.coin) + w("banner.mark"), w.amount_tick),
        w("periods.start"),
    )
    return Picture(svg, about=w("banner.short"), table=compared_table(page))


def _label(page: ComparisonPage, period: Period) -> str:
    begin = wall_clock(period.start)
    if page.comparison.kind == "year":
        return f"{begin:%Y}"
    return page.words.month(begin) if page.comparison.kind == "month" else page.words.short_date(begin)


def compared_table(page: ComparisonPage) -> PageTable:
    """Means of both sides and how they differ."""
    comparison, w = page.comparison, page.words
    rows: list[list[PageCell]] = [
        [w("compared.before"), (w.money(comparison.before.value), w.ends("money", comparison.before))],
        [w("compared.after"), (w.money(comparison.after.value), w.ends("money", comparison.after))],
        [w("compared.change"), w.cell("money", comparison.change)],
        [w("compared.relative"), w.relative(comparison.relative)],
    ]
    caption = w("compared.heads", count=w.counted(comparison.kind, comparison.count), level=w.sure)
    return PageTable(caption, [w("compared.mean"), w("compared.number")], rows)


def season_part(page: ComparisonPage) -> SeasonPart:
    """The change against that of a year earlier."""
    comparison, w = page.comparison, page.words
    last, beyond = comparison.last_year, comparison.beyond_season
    if last is None or beyond is None:
        return SeasonPart(w("season.years" if comparison.kind == "year" else "season.none"))
    named: list[tuple[str, Estimate]] = [
        (w("season.now"), comparison.relative),
        (w("season.last"), last),
        (w("season.beyond"), beyond),
    ]
    rows = [[name, *w.relative(estimate)] for name, estimate in named]
    told = [w("season.pair", name=name, value=value, span=span) for name, value, span in rows]
    svg = forest_chart(
        [Mark(name, estimate) for name, estimate in named],
        w("banner.short") + w("format.gap") + w("season.picture"),
        w.joined(told),
        Axis(w("season.x"), w.share_tick),
    )
    heads = [w("season.x"), w("compared.number"), w("compared.interval", level=w.sure)]
    clear = beyond.low > 0 or beyond.high < 0
    lead = w("season.lead") + w("format.gap") + w(f"season.{'clear' if clear else 'open'}")
    table = PageTable(w("season.picture"), heads, rows)
    return SeasonPart(lead, Picture(svg, about=w("banner.short"), table=table))


def period_table(page: ComparisonPage) -> PageTable:
    """Every period, and whether it is compared."""
    comparison, w = page.comparison, page.words
    rows: list[list[PageCell]] = []
    for period, side in zip(comparison.periods, period_sides(comparison), strict=True):
        unused = "during" if period.side == "during" else "beyond" if period.complete else "part"
        per_buyer = (w.money(period.per_buyer.value), w.ends("money", period.per_buyer))
        rows.append([
            w.date(wall_clock(period.start)),
            w(f"periods_table.{unused if side == 'none' else side}"),
            (w.money(period.total.value), w.ends("money", period.total)),
            per_buyer if period.buyers else NOTHING,
            w.number(period.buyers, 0),
        ])  # fmt: skip
    keys = ("start", "side", "total", "per", "buyers")
    return PageTable(w(f"kinds.{comparison.kind}"), [w(f"periods_table.{key}") for key in keys], rows)
