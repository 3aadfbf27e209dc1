"""One real PostgreSQL for the session, provisioned once; each test works on a copy of its database."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from contract_events import BANK, SURVEILLANCE, TAX
from psycopg import sql

from connectors.postgres import Database, provision_database
from lienthong.stack import SilentProgress, StackPlan, postgres_admin_dsn, postgres_dsn
from lienthong.stack.postgres import POSTGRES
from lienthong.stack.servers import _start, _stop, _whole_stack
from streams.names import BUS, AgencyCode, database_role, database_schema

MEMBERS = (BUS, TAX, SURVEILLANCE, BANK)
TEMPLATE = "lienthong_template"


@pytest.fixture(scope="session")
def postgres() -> Iterator[StackPlan]:
    """Start PostgreSQL alone, as the stack does, and provision a database that tests copy."""
    with tempfile.TemporaryDirectory(prefix="lt-pg-") as folder:
        plan = StackPlan(data=Path(folder), cache=Path(folder))
        progress = SilentProgress()
        with _whole_stack(plan, progress):
            _start(POSTGRES, plan, Path(), progress)
        try:
            with psycopg.connect(postgres_admin_dsn(plan), autocommit=True) as connection:
                connection.execute("alter system set fsync = off")
                connection.execute("select pg_reload_conf()")
            provision_database(
                postgres_admin_dsn(plan),
                postgres_admin_dsn(plan, TEMPLATE),
                database=TEMPLATE,
                passwords={agency: f"secret of {agency}" for agency in MEMBERS},
            )
            yield plan
        finally:
            _stop(POSTGRES, plan)
            with suppress(OSError):
                plan.postgres_socket.rmdir()


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Number the tests' databases."""
    return itertools.count()


@pytest.fixture
def database_name(postgres: StackPlan, numbers: Iterator[int]) -> Iterator[str]:
    """Make a database with every schema and no row."""
    name = f"test_{next(numbers)}"
    copy = sql.SQL("create database {} template {} strategy file_copy")
    drop = sql.SQL("drop database {} with (force)")
    with psycopg.connect(postgres_admin_dsn(postgres), autocommit=True) as connection:
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
        yield name
        connection.execute(drop.format(sql.Identifier(name)))


@pytest.fixture
def dsn(postgres: StackPlan, database_name: str) -> Callable[[AgencyCode], str]:
    """Give the address of an agency's role in this test's database."""

    def dsn(agency: AgencyCode) -> str:
        return postgres_dsn(
            postgres, role=database_role(agency), password=f"secret of {agency}", database=database_name
        )

    return dsn


@pytest.fixture
def login(dsn: Callable[[AgencyCode], str]) -> Callable[[AgencyCode], Database]:
    """Give an agency's database, to be entered by the test."""
    return lambda agency: Database(dsn(agency), schema=database_schema(agency))


@pytest.fixture
def administrator(postgres: StackPlan, database_name: str) -> Iterator[psycopg.Connection]:
    """Look as the administrator, whom rights do not bind."""
    with psycopg.connect(postgres_admin_dsn(postgres, database_name), autocommit=True) as connection:
        yield connection
