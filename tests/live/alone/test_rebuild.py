"""What PostgreSQL has follows from the log, and a row that does not is named; nothing is done again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

import psycopg
import pytest
from forger import Forger, payment_block
from hostile import RawName
from province import Province
from psycopg import sql

from lienthong.provision import DATABASE
from lienthong.samples import write_samples
from lienthong.stack import postgres_admin_dsn
from streams.names import BUS, AgencyCode, database_schema

pytestmark = pytest.mark.live

OPERATOR = ("--as", "bcd389-hanam/operator")


@pytest.fixture(scope="module")
def worked(running_province: Province, tmp_path_factory: pytest.TempPathFactory) -> Province:
    """The province with invoices read, alerts out, something refused or unreadable, and something published again."""
    province, folder = running_province, tmp_path_factory.mktemp("rebuild")
    province.settle()
    assert province.run("officer", "add", OPERATOR[1]).code == 0
    samples = write_samples(folder / "first", seed=43, as_of=date(2026, 11, 20))
    province.run("ingest", "einvoice", folder / "first", "--recursive")
    again = folder / "again.xml"  # the same invoice in other bytes: another document, and no other event
    again.write_bytes(samples.files[0].read_bytes() + b"\n")
    [told] = province.run("ingest", "einvoice", again, "--json").lines
    assert "duplicate" in str(told)
    forger = Forger(province.registry)
    for forged, topic in (
        (forger.invoice(uuid4().hex), "lt.seller.suspected"),
        (payment_block(forger), "lt.payment_block.requested"),
    ):
        province.send(topic, forged.value, forged.headers, key=forged.event.subject.key.encode())
    raw = forger.invoice(uuid4().hex)
    for topic in ("lt.seller.suspected", "lt.inbox.bcd389-hanam"):
        province.send(topic, raw.value, [*raw.headers, (RawName("ff00fe"), b"a name that is no UTF-8")])
    known = forger.invoice(uuid4().hex)
    for _ in range(2):
        province.send("lt.einvoice.received", known.value, known.headers, key=known.event.subject.key.encode())
    province.settle()
    province.run("quarantine", "redrive", "--of", "bus", *OPERATOR, "--reason", "wrong_topic", "--do")
    province.settle()
    return province


def test_every_table_follows_from_the_log(worked: Province) -> None:
    """Of the bus and of every agency; and looking changes nothing: no row, no record, no key."""
    before, ends = worked.counts(), len(worked.read("lt.audit", "lt.inbox.post-hanam", "lt.einvoice.received"))

    ran = worked.run("rebuild", "--json")
    found = {each["member"]: each for each in ran.lines}

    assert {name: each["differences"] for name, each in found.items() if not each["equal"]} == {}
    assert ran.code == 0, ran.err
    assert set(found) == {BUS, *worked.agencies}
    assert all(each["live"] == each["rebuilt"] and each["records"] for each in found.values())
    assert before == worked.counts()
    assert ends == len(worked.read("lt.audit", "lt.inbox.post-hanam", "lt.einvoice.received"))
    assert worked.value(BUS, "select count(*) from pg_namespace where nspname ~ '^(rebuilt|live)_'") == 0


@dataclass(frozen=True)
class Change:
    """A value that somebody edits."""

    member: str
    table: str
    key: str
    column: str
    value: object


CHANGES = [
    Change(BUS, "event", "event_id", "depth", 99),
    Change(BUS, "delivery", "event_id", "purpose", "another"),
    Change(BUS, "audit", "event_id", "officer", "tax-hanam/nobody"),
    Change(BUS, "quarantine", "id", "value", b"x"),
    Change("qltt-hanam", "inbox", "event_id", "value", b"x"),
    Change("qltt-hanam", "state", "state_key", "handler", "another"),
]


def test_edited_rows_are_named(worked: Province) -> None:
    """Table, key and column, and not what stands there; a row under another key is one too many and one too few."""
    with edited(worked) as keys:
        ran = worked.run("rebuild", "--json", "--limit", "50")

    assert ran.code == 1
    found = [(row["member"], each) for row in ran.lines for each in row["differences"]]
    for change, key in zip(CHANGES, keys, strict=True):
        [*named] = [each for member, each in found if member == change.member and each["table"] == change.table]
        assert any(key in each["key"] for each in named), change
        if change.column != "handler":
            assert {(change.column,)} == {tuple(each["columns"]) for each in named}
    assert {"extra", "missing"} <= {each["what"] for _, each in found}
    assert [row["equal"] for row in worked.lines("rebuild", "--agency", "qltt-hanam")] == [True]


@contextmanager
def edited(province: Province) -> Iterator[list[str]]:
    """Edit one row of each table as whoever has the administrator's rights could; put all back."""
    with psycopg.connect(postgres_admin_dsn(province.plan, DATABASE), autocommit=True) as connection:
        found = []
        for each in CHANGES:
            table, column = (
                sql.Identifier(database_schema(AgencyCode(each.member)), each.table),
                sql.Identifier(each.column),
            )
            query = sql.SQL("select ctid::text, {}::text, {} from {} order by ctid limit 1")
            row = connection.execute(query.format(sql.Identifier(each.key), column, table)).fetchone()
            assert row is not None
            change = sql.SQL("update {} set {} = %s where ctid = %s::tid returning ctid::text").format(table, column)
            found.append((change, row, connection.execute(change, [each.value, row[0]]).fetchone()))
        try:
            yield [row[1] for _, row, _ in found]
        finally:
            for change, row, place in found:
                assert place is not None
                connection.execute(change, [row[2], place[0]])
