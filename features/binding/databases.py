"""DuckDB files and PostgreSQL as sources, without any extension that would have to be downloaded."""

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

import duckdb

from features.binding.textfiles import quote as literal
from features.errors import SourceError
from features.settings import TableSettings

_SCHEMES = ("postgresql://", "postgres://")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def identifier(name: str) -> str:
    """Write a name, dotted where it has a schema, as a quoted SQL identifier."""
    return ".".join('"' + part.strip('"').replace('"', '""') + '"' for part in name.split("."))


def expand(address: str) -> str:
    """Replace every ``${NAME}`` from the environment.

    In the user and password of a ``postgresql://`` address the value is percent-encoded, so that a
    password may hold any character.

    Raises:
        SourceError: A variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise SourceError(f"{redact(address)} needs the environment variable {name}, which is not set")
        authority = address.startswith(_SCHEMES) and match.end() <= address.rfind("@")
        return quote(os.environ[name], safe="") if authority else os.environ[name]

    return _VARIABLE.sub(value, address)


def redact(address: str) -> str:
    """An address without the password it may carry."""
    shown = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", address)
    return re.sub(r"""(?i)(password\s*=\s*)[^&\s"']+""", r"\1***", shown)


def is_postgres(address: str) -> bool:
    """Whether an expanded address leads to PostgreSQL."""
    return address.startswith(_SCHEMES)


def copy_postgres(
    connection: duckdb.DuckDBPyConnection, address: str, shown: str, settings: TableSettings, into: str
) -> set[str]:
    """Copy a table or query out of PostgreSQL, as a stream of Arrow batches in a read-only session.

    Args:
        connection: Where to.
        address: Expanded address.
        shown: The address as messages may show it.
        settings: Which table or query.
        into: The table to create, as SQL.

    Returns:
        The columns of type ``numeric``, which arrive as text.

    Raises:
        SourceError: The server cannot be reached or refuses.
    """
    from adbc_driver_postgresql import dbapi

    if settings.query is None and settings.table is None:
        raise SourceError(f"{shown} needs to know what to read: give table or query")
    sql = settings.query or f"SELECT * FROM {identifier(settings.table or '')}"
    try:
        with dbapi.connect(address) as server, server.cursor() as cursor:
            # A table scanned by several sessions at once would start somewhere in its middle.
            cursor.execute("SET synchronize_seqscans = off")
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            server.commit()
            cursor.execute(sql)
            reader = cursor.fetch_record_batch()
            numeric = {
                field.name for field in reader.schema
                if (field.metadata or {}).get(b"ADBC:postgresql:typname") == b"numeric"
            }  # fmt: skip
            connection.register("server_rows", reader)
            try:
                connection.execute(f"CREATE TABLE {into} AS SELECT * FROM server_rows")
            finally:
                connection.unregister("server_rows")
    except dbapi.Error as error:
        # Not chained: libpq quotes pieces of the address, the password among them.
        raise SourceError(f"{shown}: {_without_secrets(str(error), address)}") from None
    return numeric


def attach_duckdb(
    connection: duckdb.DuckDBPyConnection, path: Path, settings: TableSettings, into: str
) -> str:
    """Open a DuckDB file read-only.

    Args:
        connection: Where to.
        path: The file.
        settings: Which table or query; may say neither where the file has one table.
        into: The table to create for a query, as SQL.

    Returns:
        The relation, as SQL: the table itself, or ``into`` with the answer of the query.

    Raises:
        SourceError: It is not a DuckDB file, is locked by a writer, or has no such table.
    """
    alias = "file_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    try:
        connection.execute(f"ATTACH IF NOT EXISTS {literal(str(path))} AS {alias} (READ_ONLY)")
        if settings.query is not None:
            home = connection.execute("SELECT current_database()").fetchall()[0][0]
            connection.execute(f"USE {alias}")
            try:
                connection.execute(f"CREATE TABLE {identifier(home)}.{into} AS {settings.query}")
            finally:
                connection.execute(f"USE {identifier(home)}")
            return into
        names = duckdb_tables(connection, alias)
    except duckdb.Error as error:
        raise SourceError(f"{path}: {str(error).splitlines()[0]}") from error
    name = settings.table or (names[0] if len(names) == 1 else None)
    if name is None:
        raise SourceError(f'{path} has the tables {", ".join(names)}; choose one with table = "…"')
    if name not in names and name not in {known.split(".")[-1] for known in names}:
        raise SourceError(f"{path} has no table {name!r}; it has {', '.join(names) or 'none'}")
    return f"{alias}.{identifier(name)}"


def duckdb_tables(connection: duckdb.DuckDBPyConnection, alias: str) -> list[str]:
    """Tables and views of an attached DuckDB file; those outside ``main`` with their schema."""
    rows = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $1 UNION ALL "
        "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = $1 AND NOT internal",
        [alias],
    ).fetchall()
    return sorted(table if schema == "main" else f"{schema}.{table}" for schema, table in rows)


def detach_files(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of all attached DuckDB files."""
    attached = connection.execute("SELECT database_name FROM duckdb_databases() WHERE readonly").fetchall()
    for (name,) in attached:
        connection.execute(f"DETACH {identifier(name)}")


def _without_secrets(message: str, address: str) -> str:
    first = next((line.strip() for line in message.splitlines() if line.strip()), "it gave no reason")
    login = re.search(r"://[^:/@]*:(.*)@", address)
    secrets = {login.group(1), unquote(login.group(1))} if login else set()
    for secret in (*sorted(secrets, key=len, reverse=True), *re.findall(r"(?i)password=([^&\s]+)", address)):
        if secret:
            first = first.replace(secret, "***")
    return first
