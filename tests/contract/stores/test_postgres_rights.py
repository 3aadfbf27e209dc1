"""What one role of the database cannot do to another, whoever asks and however."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import LiteralString

import psycopg
import pytest
from contract_events import BANK, SELLER, SURVEILLANCE, TAX, admission, delivery, event
from psycopg import sql

from connectors.postgres import Database, PostgresBusStore, PostgresKeyring, provision_database
from lienthong.stack import StackPlan, postgres_admin_dsn, postgres_dsn
from streams.background import with_patience
from streams.errors import ConfigurationError, ForbiddenError, TransientError
from streams.names import BUS, AgencyCode, database_role, database_schema

pytestmark = pytest.mark.live

Dsn = Callable[[AgencyCode], str]
Login = Callable[[AgencyCode], Database]
TABLES = ("inbox", "state", "outbox", "handover", "ingested", "document", "parked", "quarantine", "relay")


def refused(dsn: str, statement: sql.Composed | LiteralString) -> bool:
    """Say whether PostgreSQL refuses a statement for want of a right."""
    with psycopg.connect(dsn) as connection:
        try:
            connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            return True
        return False


@pytest.mark.parametrize("table", TABLES)
def test_an_agency_cannot_open_another_agencys_tables(dsn: Dsn, table: str) -> None:
    """Neither read, nor write, nor empty them; its own it can read."""
    others = sql.Identifier(database_schema(SURVEILLANCE), table)

    for statement in ("select * from {}", "insert into {} default values", "delete from {}", "truncate {}"):
        assert refused(dsn(TAX), sql.SQL(statement).format(others))
    assert not refused(dsn(TAX), sql.SQL("select * from {}").format(sql.Identifier(database_schema(TAX), table)))


@pytest.mark.parametrize("table", ["event", "delivery", "outbox", "audit", "quarantine"])
def test_an_agency_cannot_open_the_ledger(dsn: Dsn, table: str) -> None:
    """What travelled between others is not an agency's to read."""
    assert refused(dsn(TAX), sql.SQL("select * from {}").format(sql.Identifier("bus", table)))


@pytest.mark.parametrize("who", [TAX, BUS])
@pytest.mark.parametrize("table", ["subject_key", "key_grant", "member"])
def test_nobody_reads_the_keyring_but_by_its_functions(dsn: Dsn, who: AgencyCode, table: str) -> None:
    """Not even the bus, which grants keys, can read one."""
    name = sql.Identifier("keyring", table)

    assert refused(dsn(who), sql.SQL("select * from {}").format(name))
    assert refused(dsn(who), sql.SQL("insert into {} default values").format(name))
    assert refused(dsn(who), sql.SQL("delete from {}").format(name))


def test_an_agency_cannot_grant_keys(dsn: Dsn) -> None:
    """Only the bus does, with a delivery; to itself least of all."""
    assert refused(dsn(TAX), "select keyring.grant_keys(array['x'], array['tax-hanam'], array['qltt-hanam'])")
    assert refused(dsn(TAX), "select keyring.caller()")


async def test_a_key_follows_the_login_and_no_argument(login: Login, dsn: Dsn) -> None:
    """Whatever name a session takes on, the function sees who logged in."""
    async with login(SURVEILLANCE) as database:
        key = await PostgresKeyring(database).key_for(SELLER)

    def ask() -> list[tuple[str]]:
        with psycopg.connect(dsn(TAX), autocommit=True) as connection:
            connection.execute("set application_name = 'qltt-hanam'")
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(database_role(TAX))))
            return connection.execute("select key_id from keyring.keys(%s)", [[key.key_id]]).fetchall()

    assert await asyncio.to_thread(ask) == []
    for change in ("set role {}", "set session authorization {}"):
        assert refused(dsn(TAX), sql.SQL(change).format(sql.Identifier(database_role(SURVEILLANCE))))


def test_changing_the_role_does_not_change_who_asks(
    dsn: Dsn, administrator: psycopg.Connection, postgres: StackPlan, database_name: str
) -> None:
    """Even a login that was made a member of another role by mistake gets that role's tables, never its keys."""
    lured = AgencyCode("lured-agency")
    role, other = sql.Identifier(database_role(lured)), sql.Identifier(database_role(SURVEILLANCE))
    with psycopg.connect(dsn(SURVEILLANCE)) as connection:
        row = connection.execute(
            "select key_id from keyring.key_for('seller', 'vn-mst', 'x', %s)", [bytes(32)]
        ).fetchone()
    assert row is not None
    administrator.execute(sql.SQL("create role {} login password 'x' in role {}").format(role, other))
    try:
        administrator.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(database_name), role))
        own = postgres_dsn(postgres, role=database_role(lured), password="x", database=database_name)  # noqa: S106 -- a role of this test
        with psycopg.connect(own, autocommit=True) as connection:
            connection.execute(sql.SQL("set role {}").format(other))
            assert connection.execute("select from agency_qltt_hanam.inbox").fetchall() == []
            assert connection.execute("select from keyring.keys(%s)", [[row[0]]]).fetchall() == []
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select keyring.key_for('seller', 'vn-mst', 'x', %s)", [bytes(32)])
    finally:
        administrator.execute(sql.SQL("drop owned by {}").format(role))
        administrator.execute(sql.SQL("drop role {}").format(role))


async def test_what_was_admitted_and_audited_is_never_edited(login: Login, dsn: Dsn) -> None:
    """The bus adds events and audit entries; it can neither change nor remove one, nor its own migrations."""
    async with login(BUS) as database, PostgresBusStore(database).transaction() as transaction:
        await transaction.admit([admission(event(), delivery(TAX))])

    for table in ("event", "audit"):
        name = sql.Identifier("bus", table)
        for statement in (
            "delete from {}",
            "truncate {}",
            "update {} set event_id = gen_random_uuid()",
            "drop table {}",
        ):
            assert refused(dsn(BUS), sql.SQL(statement).format(name)), f"{statement} {table}"
    assert refused(dsn(BUS), "update bus.migration set version_num = '0000'")


@pytest.mark.parametrize("who", [TAX, BUS])
def test_no_role_can_make_anything_outside_its_tables(dsn: Dsn, who: AgencyCode) -> None:
    """No tables or functions of one's own, with which a later caller could be lured."""
    for place in (database_schema(who), "public", "keyring"):
        assert refused(dsn(who), sql.SQL("create table {} ()").format(sql.Identifier(place, "lure")))
    assert refused(dsn(who), "create role stranger")
    assert refused(dsn(who), "create schema stranger")


async def test_a_missing_right_is_forbidden_not_transient(login: Login) -> None:
    """Waiting would not help, so the error says that trying again changes nothing."""
    async with login(TAX) as database:
        with pytest.raises(ForbiddenError) as caught:
            async with database.transaction() as connection:
                await connection.execute("select from bus.event")

    assert caught.value.code == "database_right"


async def test_a_wrong_password_is_a_setting_to_correct(postgres: StackPlan, database_name: str) -> None:
    """The program does not start; waiting would not help, and the password is not shown."""
    dsn = postgres_dsn(postgres, role=database_role(TAX), password="not-the-one", database=database_name)  # noqa: S106 -- wrong by intent

    with pytest.raises(ConfigurationError) as caught:
        async with Database(dsn, schema=database_schema(TAX)):
            pass

    assert "not-the-one" not in str(caught.value)


async def test_a_server_that_is_away_is_transient(tmp_path: object) -> None:
    """No server at that address: try later."""
    with pytest.raises(TransientError):
        async with Database(f"postgresql://lt_tax_hanam@/x?host={tmp_path}", schema="agency_tax_hanam"):
            pass


async def test_a_session_that_is_cut_is_transient_and_the_next_one_works(
    login: Login, administrator: psycopg.Connection
) -> None:
    """What was begun is undone; the same work goes through once the server answers again."""
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'lt_bus'"
    async with login(BUS) as database:
        store = PostgresBusStore(database)
        with pytest.raises(TransientError):  # noqa: PT012 -- the block is what is tested
            async with store.transaction() as transaction:
                await transaction.admit([admission(event(), delivery(TAX))])
                administrator.execute(cut)
                await transaction.admit([admission(event("two"), delivery(BANK))])

        async def again() -> None:
            async with store.transaction() as transaction:
                assert await transaction.admit([admission(event(), delivery(TAX))])

        # The pool may hold more than one connection that was cut, so patience is needed, as in a worker.
        assert await with_patience(again, stop=asyncio.Event(), retried=lambda: None)


async def test_provisioning_again_changes_nothing_but_the_password(postgres: StackPlan, database_name: str) -> None:
    """Rows stay, no schema is made anew, the new password holds and the old one no longer."""
    admin, target = postgres_admin_dsn(postgres), postgres_admin_dsn(postgres, database_name)

    def again(password: str) -> list[str]:
        return provision_database(
            admin, target, database=database_name, passwords={BUS: "secret of bus", BANK: password}
        )

    def address(password: str) -> str:
        return postgres_dsn(postgres, role=database_role(BANK), password=password, database=database_name)

    with psycopg.connect(address("secret of sbv-hanam")) as connection:
        connection.execute("insert into agency_sbv_hanam.state values ('watch', 'key', '{}')")

    try:
        assert await asyncio.to_thread(again, "another one") == []

        with psycopg.connect(address("another one")) as connection:
            assert connection.execute("select state_key from agency_sbv_hanam.state").fetchall() == [("key",)]
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address("secret of sbv-hanam"))
    finally:
        await asyncio.to_thread(again, "secret of sbv-hanam")
