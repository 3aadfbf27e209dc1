"""The canonical hash of a schema: the same for the same rows, another one for any change that counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from connectors.postgres import LOCAL_COLUMNS, canonical_hash, whole_hash
from lienthong.stack import StackPlan, postgres_admin_dsn

pytestmark = pytest.mark.live

SCHEMA = "agency_tax_hanam"
STATES: LiteralString = """
    insert into agency_tax_hanam.state (handler, state_key, body, changed_at) values
        ('watch', 'a', '{"sum": 1.50, "seen": ["x"]}', now()), ('watch', 'b', '{}', now())
"""
KEEP: LiteralString = """
    insert into agency_tax_hanam.quarantine
        (id, topic, partition, "offset", reason, detail, key, value, header_names, header_values)
    values ('00000000-0000-0000-0000-000000000001', 't', 0, 1, 'loop', 'x', null, '\\x00ff', '{a}', '{"\\\\x00"}')
"""


@pytest.fixture
def connection(postgres: StackPlan, database_name: str) -> Iterator[psycopg.Connection]:
    """Look as the administrator, in one transaction that is undone."""
    with psycopg.connect(postgres_admin_dsn(postgres, database_name)) as connection:
        connection.execute(STATES)
        connection.execute(KEEP)
        yield connection
        connection.rollback()


def whole(connection: psycopg.Connection) -> str:
    """Hash the tax office's schema."""
    return whole_hash(canonical_hash(connection, SCHEMA))


def test_order_and_local_times_do_not_count(connection: psycopg.Connection) -> None:
    """The same rows, written again in another order at another time under other settings."""
    before = whole(connection)

    connection.execute("create temporary table copy as select * from agency_tax_hanam.state")
    connection.execute("delete from agency_tax_hanam.state")
    connection.execute("set timezone = 'Asia/Ho_Chi_Minh'")
    connection.execute("set bytea_output = 'escape'")
    connection.execute(
        """
        insert into agency_tax_hanam.state
        select handler, state_key, body, now() + interval '1 day' from copy order by state_key desc
        """
    )

    assert before == whole(connection)


@pytest.mark.parametrize(
    "change",
    [
        "update agency_tax_hanam.state set body = '{\"sum\": 1.51}' where state_key = 'a'",
        "update agency_tax_hanam.state set state_key = 'c' where state_key = 'b'",
        "delete from agency_tax_hanam.state where state_key = 'b'",
        "insert into agency_tax_hanam.state values ('watch', 'c', '{}')",
        "update agency_tax_hanam.quarantine set value = '\\x00fe'",
        "update agency_tax_hanam.quarantine set key = ''",
        "update agency_tax_hanam.quarantine set header_values = '{}'",
    ],
)
def test_any_other_change_counts(connection: psycopg.Connection, change: LiteralString) -> None:
    """A changed value, a row more or less, null in place of empty."""
    before = whole(connection)

    connection.execute(change)

    assert before != whole(connection)


def test_rows_are_counted_table_by_table(connection: psycopg.Connection) -> None:
    """And an empty table has a hash, too."""
    found = canonical_hash(connection, SCHEMA)

    assert (found["state"].rows, found["quarantine"].rows, found["inbox"].rows) == (2, 1, 0)
    assert found["state"] == canonical_hash(connection, SCHEMA, tables=["state"])["state"]
    assert "migration" not in found


def test_local_columns_are_there(connection: psycopg.Connection) -> None:
    """Each name on the list is a column of some table, and is filled by a clock."""
    query = "select distinct column_name from information_schema.columns where data_type like 'timestamp%%'"
    known = {name for (name,) in connection.execute(query).fetchall()}

    assert set(LOCAL_COLUMNS) <= known
