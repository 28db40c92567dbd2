"""Questions: what a person is asked where a look at the files leaves it open."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from features.guess.conditions import Exclusion
from features.guess.lines import Line
from features.guess.matches import Match


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the files do not decide.

    Args:
        about: What it is about, as in ``orders.amount of sales.csv``.
        asks: The question.
        choices: Answers with an example each, where there is one; the first is what would be written unasked.
        free: Whether another answer may be given.
    """

    about: str
    asks: str
    choices: tuple[tuple[str, str | None], ...]
    free: bool = False


Ask = Callable[[Question], str]
"""Puts a question to a person and gives the answer."""

NONE, YES, NO = "none of them", "yes", "no"


def settle_columns(match: Match, ask: Ask) -> Match:
    """Ask for the columns of a table that the file leaves open, and for the order of its days and months."""
    lines = [line if line.sure else _settled(match, line, ask) for line in match.lines]
    dates = match.dates
    if dates is not None:
        doubts = "; ".join(dict.fromkeys(match.look.doubts.values()))
        other = dates.translate(str.maketrans("dm", "md"))
        question = Question(
            f"dates of {match.look.label}", f"which is it? {doubts}", ((dates, None), (other, None))
        )
        dates = ask(question)
    return replace(match, lines=tuple(line for line in lines if line is not None), dates=dates)


def _settled(match: Match, line: Line, ask: Ask) -> Line | None:
    column = match.table.column(line.column)
    examples = match.look.examples
    choices = [(name, examples.get(name)) for name in (line.expression, *line.others)]
    if not column.required:
        choices.append((NONE, None))
    about = f"{match.table.name}.{line.column} of {match.look.label}"
    while True:
        answer = ask(Question(about, f"which column is this: {column.meaning}?", tuple(choices), free=True))
        if answer == NONE:
            return None
        if answer == line.expression:
            return replace(line, reason="as you said", strength=4, others=())
        if answer in match.look.kinds:
            return replace(line, expression=answer, reason="as you said", strength=4, others=())
        about = f"{match.look.label} has no column {answer!r}; {match.table.name}.{line.column}"


def agreed(match: Match, conditions: list[Exclusion], ask: Ask) -> list[Exclusion]:
    """The conditions that a person agrees to."""
    return [
        condition
        for condition in conditions
        if ask(
            Question(
                f"{match.table.name} of {match.look.label}",
                f"leave out {condition.rows:,} of the {match.look.rows:,} rows looked at, {condition.why}?",
                ((YES, None), (NO, None)),
            )
        )
        == YES
    ]
