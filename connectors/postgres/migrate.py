"""
Roles, schemas and migrations: what provisioning does in PostgreSQL.

Each agency has a login role and a schema that no other role can use. Migrations run as the administrator and are
Alembic's; there are two lines of them, the bus's and the agencies'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import alembic.command
import psycopg
import sqlalchemy
from alembic.config import Config
from psycopg import sql

from streams.errors import TransientError
from streams.names import BUS, AgencyCode, database_role, database_schema

__all__ = ["make_roles", "provision_database"]

_MIGRATIONS = Path(__file__).parent / "migrations"


def provision_database(
    admin_dsn: str, target_dsn: str, *, database: str, passwords: Mapping[AgencyCode, str]
) -> list[str]:
    """
    Make the database, the roles with their passwords, the schemas and the tables; doing it again changes nothing.

    Args:
        admin_dsn: of the administrator, in a database that exists.
        target_dsn: of the administrator, in `database`.
        database: its name.
        passwords: of the bus and of each agency.

    Returns:
        The schemas that were newly made.

    Raises:
        TransientError: PostgreSQL is away.
    """
    try:
        _make_database(admin_dsn, database)
        with psycopg.connect(target_dsn) as connection:
            made = [schema for agency, word in passwords.items() if (schema := _make_member(connection, agency, word))]
        engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(target_dsn))
        for agency in sorted(passwords, key=lambda code: code != BUS):
            with _migrating(engine, database_schema(agency)) as config:
                alembic.command.upgrade(config, "head")
        engine.dispose()
        with psycopg.connect(target_dsn) as connection:
            for agency in passwords:
                _grant(connection, agency)
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer as it should: {error}") from error
    return made


def make_roles(admin_dsn: str, target_dsn: str, *, database: str, members: Sequence[AgencyCode]) -> None:
    """
    Make the database and the roles alone, before a dump that names them is put back; provisioning does the rest.

    Raises:
        TransientError: PostgreSQL is away.
    """
    try:
        _make_database(admin_dsn, database)
        with psycopg.connect(target_dsn) as connection:
            for agency in members:
                _make_role(connection, agency)
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer as it should: {error}") from error


def _make_role(connection: psycopg.Connection, agency: AgencyCode) -> None:
    if connection.execute("select from pg_roles where rolname = %s", [database_role(agency)]).fetchone() is None:
        role = sql.Identifier(database_role(agency))
        connection.execute(sql.SQL("create role {} login nosuperuser nocreatedb nocreaterole").format(role))


def _make_database(admin_dsn: str, database: str) -> None:
    with psycopg.connect(admin_dsn, autocommit=True) as connection:
        if connection.execute("select from pg_database where datname = %s", [database]).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
        connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))


def _make_member(connection: psycopg.Connection, agency: AgencyCode, password: str) -> str | None:
    role, schema = sql.Identifier(database_role(agency)), database_schema(agency)
    _make_role(connection, agency)
    connection.execute(sql.SQL("alter role {} password {}").format(role, sql.Literal(password)))
    connection.execute(
        sql.SQL("grant connect on database {} to {}").format(sql.Identifier(connection.info.dbname), role)
    )
    if connection.execute("select from pg_namespace where nspname = %s", [schema]).fetchone() is not None:
        return None
    connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    return schema


@contextmanager
def _migrating(engine: sqlalchemy.Engine, schema: str) -> Iterator[Config]:
    config = Config()
    line = "bus" if schema == database_schema(BUS) else "agency"
    config.set_main_option("script_location", str(_MIGRATIONS / line))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("select set_config('search_path', :schema, false)"), {"schema": schema})
        config.attributes.update(connection=connection, schema=schema)
        yield config


def _grant(connection: psycopg.Connection, agency: AgencyCode) -> None:
    role, schema = sql.Identifier(database_role(agency)), sql.Identifier(database_schema(agency))
    for statement in (
        "grant usage on schema {schema} to {role}",
        "grant select, insert, update, delete on all tables in schema {schema} to {role}",
        "revoke insert, update, delete on {schema}.migration from {role}",
        # What could not be processed, and who did what about it, is added to and never edited.
        "revoke update, delete on {schema}.quarantine, {schema}.quarantine_act from {role}",
        "grant usage on schema keyring to {role}",
        "grant execute on function keyring.key_for(text, text, text, bytea), keyring.keys(text[]) to {role}",
    ):
        connection.execute(sql.SQL(statement).format(schema=schema, role=role))
    if agency == BUS:
        connection.execute(
            sql.SQL("grant execute on function keyring.grant_keys(text[], text[], text[]) to {role}").format(role=role)
        )
        # What was admitted and audited is never edited: the bus adds, and notes deliveries and answers.
        connection.execute(
            sql.SQL("revoke update, delete on {schema}.audit, {schema}.event from {role}").format(
                schema=schema, role=role
            )
        )
    connection.execute(
        "insert into keyring.member (role, agency) values (%s, %s) on conflict do nothing",
        [database_role(agency), agency],
    )
