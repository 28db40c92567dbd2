"""Verbs of API keys: who may ask the server what."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from commands.shared import TOML, Config, Json, one_line, out, say
from features.counted import counted

if TYPE_CHECKING:
    from serving.api.keys import KeyFile

keys_app = typer.Typer(no_args_is_help=True, help="API keys of the server, in keys.json beside tokui.toml.")

KeyName = Annotated[str, typer.Argument(help="Who has the key, such as crm or prometheus.")]


@keys_app.command("add")
def add_key(
    name: KeyName,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it opens: predict, history, console or admin. Repeat for more; predict if not given."
        ),
    ] = None,
    config: Config = TOML,
    as_json: Json = False,
) -> None:
    """Make a key and print it, this once: only a digest of it is kept."""
    scopes = scope or ["predict"]
    secret = _file_of(config).add(name, scopes)
    say(
        {"name": name, "scopes": scopes, "key": secret},
        as_json,
        lambda: out.print(
            f"{secret}\n[dim]it is not kept and cannot be shown again[/]", highlight=False, soft_wrap=True
        ),
    )


@keys_app.command("list")
def list_keys(config: Config = TOML, as_json: Json = False) -> None:
    """Show the keys by name, with what they open."""
    keys = _file_of(config).read()

    def show() -> None:
        table = Table("name", "opens", "made", title=counted(len(keys), "key"))
        for key in keys:
            table.add_row(one_line(key.name), ", ".join(key.scopes), key.made)
        out.print(table)

    say([{"name": key.name, "scopes": key.scopes, "made": key.made} for key in keys], as_json, show)


@keys_app.command("remove")
def remove_key(name: KeyName, config: Config = TOML, as_json: Json = False) -> None:
    """Take a key away; servers that run notice within two seconds."""
    _file_of(config).remove(name)
    say({"removed": name}, as_json, lambda: out.print(f"removed {one_line(name)}"))


def _file_of(config: "Config") -> "KeyFile":
    from features.settings import load_settings
    from serving.api.keys import KEYS_FILE, KeyFile

    return KeyFile(load_settings(config).folder / KEYS_FILE)
