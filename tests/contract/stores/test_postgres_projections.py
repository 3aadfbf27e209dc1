"""Copies of tables beside the live ones, and the rows in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import LiteralString

import psycopg
import pytest

from connectors.postgres import (
    Difference,
    Projection,
    compare,
    empty_copies,
    last_offsets,
    placed_tables,
    refused_places,
    snapshot,
)
from lienthong.stack import StackPlan, postgres_admin_dsn
from streams.bus_store import Place
from streams.names import TopicName

pytestmark = pytest.mark.live

SCHEMA = "agency_tax_hanam"
STATE = Projection("state", ("handler", "state_key"))
ROWS: LiteralString = """
    insert into agency_tax_hanam.state (handler, state_key, body)
    values ('h', 'a', '{"n": 1}'), ('h', 'b', '{}'), ('h', 'c', '{}')
"""
KEPT: LiteralString = """
    insert into agency_tax_hanam.quarantine
        (id, topic, partition, "offset", reason, detail, header_names, header_values)
    values (gen_random_uuid(), 't', 0, 4, 'loop', 'round', '{}', '{}'),
           (gen_random_uuid(), 't', 0, 9, 'x', '', '{}', '{}')
"""


@pytest.fixture
def dsn(postgres: StackPlan, database_name: str) -> str:
    """The administrator's address in this test's database."""
    return postgres_admin_dsn(postgres, database_name)


@pytest.fixture
def run(dsn: str) -> Callable[[LiteralString], None]:
    """Run a statement as the administrator."""

    def run(statement: LiteralString) -> None:
        with psycopg.connect(dsn) as connection:
            connection.execute(statement)

    return run


@pytest.fixture
def copies(dsn: str, run: Callable[[LiteralString], None]) -> Iterator[str]:
    """Three live rows, a snapshot of them in `one`, and an empty `two`."""
    run(ROWS)
    run(KEPT)
    with empty_copies(dsn, SCHEMA, names=["one", "two"]):
        snapshot(dsn, SCHEMA, "one", ["state", "quarantine"])
        yield dsn


def test_equal_tables_have_equal_hashes(copies: str) -> None:
    """And no differences."""
    snapshot(copies, SCHEMA, "two", ["state"])

    live, rebuilt, found = compare(copies, [STATE], live="one", rebuilt="two", limit=10)

    assert (live, found) == (rebuilt, [])
    assert live["state"].rows == 3


def test_differences_are_named_up_to_a_bound(copies: str, run: Callable[[LiteralString], None]) -> None:
    """A changed row by its columns, one too many and one too few by their keys; comparing edits nothing."""
    snapshot(copies, SCHEMA, "two", ["state"])
    run("update two.state set body = '{\"n\": 2}' where state_key = 'a'")
    run("delete from two.state where state_key = 'b'")
    run("update two.state set state_key = 'd' where state_key = 'c'")

    _, _, found = compare(copies, [STATE], live="one", rebuilt="two", limit=10)
    _, _, first = compare(copies, [STATE], live="one", rebuilt="two", limit=1)

    assert sorted(found, key=lambda each: each.key) == [
        Difference("state", "handler=h state_key=a", "changed", ("body",)),
        Difference("state", "handler=h state_key=b", "extra", ()),
        Difference("state", "handler=h state_key=c", "extra", ()),
        Difference("state", "handler=h state_key=d", "missing", ()),
    ]
    assert len(first) == 1


def test_what_does_not_follow_from_the_log_is_left_out(copies: str, run: Callable[[LiteralString], None]) -> None:
    """Columns and rows, in the comparison only."""
    snapshot(copies, SCHEMA, "two", ["state"])
    run("update two.state set body = '[]'")
    run("update two.state set handler = 'other' where state_key = 'a'")
    some = Projection("state", ("handler", "state_key"), left_out=("body",), where="state_key > 'a'")

    _, _, found = compare(copies, [some], live="one", rebuilt="two", limit=10)
    _, _, all_of_it = compare(copies, [STATE], live="one", rebuilt="two", limit=10)

    assert (found, len(all_of_it)) == ([], 4)


def test_rows_say_how_far_was_read_and_what_was_refused(copies: str) -> None:
    """The highest offset of each partition; code and sentence of each refused record."""
    assert {"inbox", "quarantine"} <= set(placed_tables(copies, SCHEMA))
    assert last_offsets(copies, "one", ["quarantine", "inbox"]) == {("t", 0): 9}
    assert refused_places(copies, "one") == {
        Place(TopicName("t"), 0, 4): ("loop", "round"),
        Place(TopicName("t"), 0, 9): ("x", ""),
    }


def test_copies_are_gone_afterwards(dsn: str) -> None:
    """Also what an earlier run left."""
    for _ in range(2):
        with empty_copies(dsn, SCHEMA, names=["one"]), psycopg.connect(dsn) as connection:
            assert connection.execute("select from one.state").fetchall() == []

    with psycopg.connect(dsn) as connection:
        assert connection.execute("select from pg_namespace where nspname = 'one'").fetchone() is None
