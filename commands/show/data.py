"""Show: what `tokui init` took files for, on the terminal, and what it asks."""

import typer
from rich.console import Group
from rich.markup import escape

from commands.shared import err
from commands.show.models import grid
from features.guess.questions import Question
from features.guess.settings import Guess


def ask(question: Question) -> str:
    """Put a question on the terminal; the first choice is the answer of who just presses enter."""
    err.print(f"[bold]{escape(question.about)}[/]: {escape(question.asks)}", highlight=False)
    texts = [text for text, _ in question.choices]
    for number, (text, example) in enumerate(question.choices, start=1):
        err.print(
            f"  {number}  {escape(text)}" + (f"  [dim]{escape(example)}[/]" if example else ""),
            highlight=False,
        )
    while True:
        answer = str(
            typer.prompt("  number" + (" or another answer" if question.free else ""), default="1", err=True)
        ).strip()
        if answer.isdecimal() and 1 <= int(answer) <= len(texts):
            return texts[int(answer) - 1]
        if answer in texts or (question.free and answer):
            return answer
        err.print(f"  give a number from 1 to {len(texts)}")


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
            cells = (line["column"], escape(line["expression"]), example, line["confidence"], why)
            made.add_row(label, file["table"], *(f"{mark}{cell}" for cell in cells))
            label = ""
    lines += [f"[bold red]missing[/] {escape(what)}" for what in guess.missing]
    if guess.ledger:
        lines.append(f"money comes from [bold]{', '.join(guess.ledger)}[/]")
    return Group(made, *lines)
