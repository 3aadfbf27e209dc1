"""
Save PostgreSQL and put it back: PostgreSQL's own dump, of one state; subjects' keys apart.

The canonical hash of every schema is computed in the same snapshot, and compared after the dump was put back.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from connectors.postgres import TableHash, canonical_hash, make_roles
from lienthong.provision import DATABASE, Servers
from lienthong.stack import clean_environment, postgres_program
from streams.errors import ConfigurationError, TransientError
from streams.names import AgencyCode

__all__ = ["KEY_TABLES", "SavedDatabase", "hash_database", "put_database_back", "save_database"]

KEY_TABLES = ("keyring.subject_key", "keyring.key_grant")
"""Tables that are saved with the keys and nowhere else."""

_FILE, _KEYS_FILE = "postgres.dump", "keyring.dump"

_SCHEMAS = "select nspname from pg_namespace where nspname ~ '^(bus|keyring|agency_.*)$' order by 1"


@dataclass(frozen=True)
class SavedDatabase:
    """The server's version, and the hash of each table by schema."""

    version: str
    tables: Mapping[str, Mapping[str, TableHash]]


def save_database(servers: Servers, folder: Path, keys: Path | None) -> SavedDatabase:
    """
    Dump the database as it is at one moment.

    Args:
        servers: with the administrator's address.
        folder: gets the dump.
        keys: gets subjects' keys; None leaves them out.

    Raises:
        ConfigurationError: the dump failed.
        TransientError: PostgreSQL is away.
    """
    try:
        with psycopg.connect(servers.dsn()) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            (snapshot,) = _one(connection, "select pg_export_snapshot()")
            options = [f"--snapshot={snapshot}", "--format=custom", "--no-owner"]
            without = [f"--exclude-table-data={table}" for table in KEY_TABLES]
            _run(servers, "pg_dump", [*options, *without, f"--file={folder / _FILE}"])
            if keys is not None:
                only = ["--data-only", *(f"--table={table}" for table in KEY_TABLES)]
                _run(servers, "pg_dump", [*options, *only, f"--file={keys / _KEYS_FILE}"])
            (version,) = _one(connection, "select current_setting('server_version')")
            return SavedDatabase(version=version, tables=_hashes(connection))
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer as it should: {error}") from error


def put_database_back(servers: Servers, members: Sequence[AgencyCode], folder: Path, keys: Path | None) -> None:
    """
    Make the database and its roles, and fill it; provisioning sets passwords and rights afterwards.

    Raises:
        ConfigurationError: there is a database of that name, or the dump does not go in.
        TransientError: PostgreSQL is away.
    """
    try:
        with psycopg.connect(servers.admin_dsn, autocommit=True) as connection:
            if connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone() is not None:
                raise ConfigurationError(f"PostgreSQL has a database {DATABASE} already: restore to an empty server.")
        make_roles(servers.admin_dsn, servers.dsn(), database=DATABASE, members=members)
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer as it should: {error}") from error
    options = ["--no-owner", "--exit-on-error", "--single-transaction"]
    _run(servers, "pg_restore", [*options, str(folder / _FILE)])
    if keys is not None:
        _run(servers, "pg_restore", [*options, "--data-only", str(keys / _KEYS_FILE)])


def hash_database(servers: Servers) -> dict[str, dict[str, TableHash]]:
    """Give the hash of each table by schema, as they are now; TransientError when PostgreSQL is away."""
    try:
        with psycopg.connect(servers.dsn()) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            return _hashes(connection)
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer as it should: {error}") from error


def _hashes(connection: psycopg.Connection) -> dict[str, dict[str, TableHash]]:
    return {schema: canonical_hash(connection, schema) for (schema,) in connection.execute(_SCHEMAS).fetchall()}


def _one(connection: psycopg.Connection, query: str) -> tuple[str, ...]:
    row: tuple[str, ...] | None = connection.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 -- these queries give one row
    return row


def _run(servers: Servers, program: str, options: Sequence[str]) -> None:
    parts = conninfo_to_dict(servers.dsn())
    password = parts.pop("password", None)
    command = [str(postgres_program(program)), *options, f"--dbname={make_conninfo('', **parts)}"]
    # In the environment and not among the arguments, which every user of the machine can read.
    environment = {**clean_environment(), **({"PGPASSWORD": str(password)} if password else {})}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        reason = (ran.stderr.strip().splitlines() or ["no reason given"])[0]
        raise ConfigurationError(f"{program} failed: {reason}")
