"""The data dictionary: every canonical table, stream and feature, as Markdown.

python -m features.catalogue.dictionary > docs/data-dictionary.md
"""

from features.catalogue.sets import PURCHASES
from features.catalogue.tables import STREAMS, TABLES
from features.engine.streams import Elapsed, Stream
from features.engine.views import FeatureView

_HEAD = """# Data dictionary

Printed by `python -m features.catalogue.dictionary` from the definitions themselves; do not edit it by hand.

All times are wall-clock times in the project's zone, all money is in the project's currency. Only
`customers` and `orders` are needed; a table that is not bound contributes no features.
"""

_STREAMS = """
## Streams

A row that changes later must not leak. So each table is read as streams, each dated by its own time and
carrying only what is known then. A row with `known_at` counts from the later of both times on.

| stream | dated by | carries | rows |
|---|---|---|---|
"""

_FEATURES = """
## Features

Features at a cutoff see times in [cutoff − window, cutoff). `30d` is a window of 30 days, `ever` reaches
back to the first row. Counts and sums of nothing are 0; everything else is missing then.

| feature | from | windows |
|---|---|---|
"""


def dictionary() -> str:
    """The whole page."""
    lines = [_HEAD]
    for table in TABLES.values():
        key = f" One row for each {', '.join(table.key)}." if table.key else ""
        lines.append(f"\n## {table.name}\n\nA row is {table.row}. Dated by `{table.time}`.{key}\n")
        lines.append("| column | kind | needed | meaning |\n|---|---|---|---|")
        lines += [
            f"| `{c.name}` | {c.kind.value} | {'yes' if c.required else ''} | {c.meaning} |"
            for c in table.columns
        ]
        lines.append("")
    lines.append(_STREAMS.rstrip())
    lines += [_stream(stream) for stream in STREAMS.values()]
    lines.append(_FEATURES.rstrip())
    for view in PURCHASES.views:
        if not isinstance(view, FeatureView):
            lines += [f"| `{name}` | the cutoff's date | |" for name in view.names]
            continue
        for aggregation in view.aggregations:
            names = view.names_of(aggregation)
            what = " ".join((aggregation.__doc__ or "").split("\n")[0].replace("|", "\\|").split())
            if len(names) == len(view.windows) > 1:
                stem = names[0].removesuffix(view.windows[0].label)
                windows = ", ".join(window.label for window in view.windows)
                lines.append(f"| `{stem}…` | `{view.stream.name}`: {what} | {windows} |")
            else:
                lines += [f"| `{name}` | `{view.stream.name}`: {what} | |" for name in names]
    return "\n".join(lines) + "\n"


def _stream(stream: Stream) -> str:
    numbers = [
        f"{n.name} (days from {n.start} to {n.end})" if isinstance(n, Elapsed) else n for n in stream.numbers
    ]
    rows = (
        "all"
        if stream.where is None
        else f"{stream.where.column} {stream.where.comparison} {stream.where.value:g}"
    )
    return f"| `{stream.name}` | {stream.time} | {', '.join([*numbers, *stream.texts])} | {rows} |"


if __name__ == "__main__":
    print(dictionary(), end="")  # noqa: T201  # that is what it is for
