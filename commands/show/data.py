"""Show: what `tokui init` took files for, on the terminal."""

from rich.console import Group
from rich.markup import escape

from commands.show.models import grid
from features.guess.settings import Guess


def guessed(guess: Guess) -> Group:
    """File to table, column to column, with an example, how sure it is, and what to check."""
    made = grid("file", "table", "column", "is", "example", "sure", "why")
    lines = []
    for file in guess.files:
        if file["table"] is None:
            lines.append(f"{escape(file['file'])}: [bold]not used[/] {escape(file['why'])}")
            continue
        label = escape(file["file"])
        for line in file["columns"]:
            why = escape(line["why"] + (f"; or {line['runner_up']}?" if line["runner_up"] else ""))
            mark = "[yellow]" if line["check"] else ""
            example = escape(str(line["example"] or ""))[:24]
            cells = (line["column"], escape(line["expression"]), example, f"{line['confidence']:.0%}", why)
            made.add_row(label, file["table"], *(f"{mark}{cell}" for cell in cells))
            label = ""
    lines += [f"[bold red]missing[/] {escape(what)}" for what in guess.missing]
    if guess.ledger:
        lines.append(f"money comes from [bold]{', '.join(guess.ledger)}[/]")
    return Group(made, *lines)
