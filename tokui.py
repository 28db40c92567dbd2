"""The door: the command line's entry point, its options, and one place where an error becomes one line.

Verbs live in ``commands``, a module for each family of them; rooms are imported inside the verbs, so that
``tokui --help`` answers at once.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__" and not sys.flags.safe_path:
    # `python -m tokui` searches the current folder first, and a folder called features there is the user's.
    here = Path.cwd()
    if here != Path(__file__).resolve().parent:
        sys.path[:] = [folder for folder in sys.path if folder and Path(folder) != here]

import typer

from commands import data, experiments, keys, live, models
from commands.shared import err, one_line
from features.errors import TokuiError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="B2B customer value: from purchase history to lifetime value, churn and uplift, as a REST answer.",
)
for verb in (
    data.init, data.check, data.simulate, data.features,
    models.train, models.models, models.promote,
    live.snapshot, live.serve, live.score, live.demo,
):  # fmt: skip
    app.command()(verb)
app.add_typer(experiments.experiment_app, name="experiment")
app.add_typer(keys.keys_app, name="keys")


def main() -> None:
    """Run the command line; what a user can mend ends in one line and status 2."""
    # Programs started from here do not search the user's current folder for modules either.
    os.environ["PYTHONSAFEPATH"] = "1"
    debug = "--debug" in sys.argv
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        app(args=arguments, prog_name="tokui")
    except (TokuiError, OSError) as error:
        if debug:
            raise
        if "--json" in arguments:
            typer.echo(
                json.dumps({"error": str(error), "kind": type(error).__name__}, ensure_ascii=False), err=True
            )
        else:
            err.print(f"[bold red]error[/] {one_line(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every verb. The entry point has taken --debug already, wherever it stood."""
    del debug


if __name__ == "__main__":
    main()
