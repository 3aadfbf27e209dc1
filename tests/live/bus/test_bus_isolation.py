"""An agency on a machine of its own: it runs with its settings and keys alone, and those open nothing of another's."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from forger import Forger
from province import Province
from psycopg import sql

from lienthong.samples import write_decision, write_samples
from lienthong.supervisor import hold, release
from streams.names import BUS, AgencyCode, EventType, database_schema
from streams.references import key_ids_in
from streams.sealing import SubjectKey, open_sealed

pytestmark = pytest.mark.live

TODAY = datetime.now(UTC).date()
OWN = "police-hanam"
INVESTIGATOR = f"{OWN}/investigator"


@pytest.fixture
def own_machine(province: Province, folder: Path) -> Iterator[Path]:
    """A second data folder with the police's settings and officers' keys and nothing else, its worker running there."""
    assert province.run("officer", "add", INVESTIGATOR).code == 0
    data = folder / "police"
    shutil.copytree(province.data / "agencies" / OWN, data / "agencies" / OWN)
    shutil.copytree(province.data / "directory" / OWN, data / "directory" / OWN)
    hold(province.data, OWN)
    command = [sys.executable, "-m", "lienthong", "worker", OWN, "--data", str(data)]
    env = {**os.environ, "LIENTHONG_SESSION_TIMEOUT_SECONDS": "6"}
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
    yield data
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    release(province.data, OWN)
    province.settle()


def _suspicions(province: Province) -> list[Any]:
    return [row[0] for row in province.rows(OWN, "select event_id from inbox where event_type = 'seller.suspected'")]


def test_an_agency_runs_from_its_own_folder_alone(province: Province, own_machine: Path, folder: Path) -> None:
    """Its worker applies what comes, and its officer lists, opens and acts there; nothing else is in that folder."""
    samples = write_samples(folder / "files", seed=6, as_of=TODAY)
    before = set(_suspicions(province))

    province.lines("ingest", "einvoice", samples.folder)
    province.until("a suspicion at the police", lambda: set(_suspicions(province)) - before)

    (suspicion,) = set(_suspicions(province)) - before
    listed = province.lines("inbox", "list", "--as", INVESTIGATOR, data=own_machine)
    assert str(suspicion) in [each["event_id"] for each in listed]
    shown = province.lines("inbox", "show", str(suspicion), "--as", INVESTIGATOR, data=own_machine)[0]
    assert shown["data"]["seller_tax_code"] == samples.seller_tax_code
    order = ["--as", INVESTIGATOR, "--event", str(suspicion), "--decision-file", str(write_decision(folder))]
    order += ["--number", "6/QD", "--date", TODAY.isoformat(), "--act", "nd-52-2024", "--article", "11.1"]
    order += ["--bank-bin", samples.bank_bin, "--account", samples.account, "--from", TODAY.isoformat()]
    ordered = province.lines("act", "payment-block", *order, data=own_machine)[0]
    province.until(
        "the order at the State Bank branch",
        lambda: province.rows("sbv-hanam", "select from inbox where event_id = %s", ordered["event_id"]),
    )
    assert sorted(each.name for each in (own_machine / "agencies").iterdir()) == [OWN]
    assert province.run("inbox", "list", "--as", "sbv-hanam/payment-desk", data=own_machine).code == 2


@pytest.fixture
def login(province: Province) -> Iterator[Callable[[str], psycopg.Connection]]:
    """Logs in with an agency's own credentials, as any program on its machine could."""
    opened: list[psycopg.Connection] = []

    def connect(agency: str) -> psycopg.Connection:
        settings = tomllib.loads((province.data / "agencies" / agency / "settings.toml").read_text(encoding="utf-8"))
        opened.append(psycopg.connect(settings["postgres"]["dsn"], autocommit=True))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def test_an_agencys_login_opens_no_schema_but_its_own(
    province: Province, login: Callable[[str], psycopg.Connection]
) -> None:
    """No table of another agency, of the bus or of the key service can be read, written, seen by size or made."""
    for agency in province.agencies:
        connection = login(agency)
        own = database_schema(agency)
        assert connection.execute(sql.SQL("select count(*) from {}.inbox").format(sql.Identifier(own))).fetchone()
        tables = province.rows(
            BUS, "select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|information)'"
        )
        others = [each for each in tables if each[0] != own]
        assert {each[0] for each in others} >= {"bus", "keyring"}
        for schema, table in others:
            for statement in ("select * from {} limit 1", "delete from {}", "insert into {} default values"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(sql.SQL(statement).format(sql.Identifier(schema, table)))
        for forbidden in (
            "create table public.mine (a int)",
            "create schema mine",
            "create role mine",
            "create extension dblink",
            "set role lt_bus",
            "set session authorization lt_bus",
            "copy (select 1) to program 'true'",
            "select keyring.grant_keys(array['a'], array['police-hanam'], array['police-hanam'])",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)


@pytest.fixture
def sealed(province: Province, folder: Path) -> Mapping[str, Any]:
    """A sealed value that the police was given and the Steering Committee was not."""
    province.lines("ingest", "einvoice", write_samples(folder / "sealed", seed=7, as_of=TODAY).folder)
    province.settle()
    rows = province.rows(OWN, "select value from inbox where event_type = 'seller.suspected'")
    codec = Forger(province.registry).codec
    events = [codec.decode(bytes(value), expected=EventType("seller.suspected")) for (value,) in rows]
    # Other tests' suspicions, which lie there too, have none.
    found: Mapping[str, Any] = next(each["seller_tax_code"] for each in events if each["seller_tax_code"])
    return found


def _keys(connection: psycopg.Connection, sealed: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    return connection.execute("select key_id, secret from keyring.keys(%s)", [[sealed["key_id"]]]).fetchall()


def test_a_value_that_was_not_delivered_cannot_be_opened(
    login: Callable[[str], psycopg.Connection], sealed: Mapping[str, Any]
) -> None:
    """The key service gives the key to those whose copy held the value, and nothing to anyone else."""
    (key_id, secret), *_ = _keys(login(OWN), sealed)

    assert open_sealed(sealed, SubjectKey(key_id=key_id, secret=bytes(secret)))
    assert _keys(login("bcd389-hanam"), sealed) == []
    assert _keys(login("sbv-hanam"), sealed) == []


def test_nobody_gets_a_key_by_naming_it_in_an_event_of_his_own(
    province: Province, login: Callable[[str], psycopg.Connection]
) -> None:
    """The bus grants the keys of a copy only where the event's sender holds them."""
    forger = Forger(province.registry)
    target = "d2c8c0f2-8a3b-5b57-9d0c-0a9d9b8f7e6d"
    connection = login("sbv-hanam")
    key_id, _ = connection.execute(
        "select key_id, secret from keyring.key_for('account', 'vn-account', %s, %s)", [target, os.urandom(32)]
    ).fetchone() or ("", b"")
    stolen = {"key_id": key_id, "nonce": b"0" * 12, "ciphertext": b"0" * 16}
    subject = forger.invoice("stolen").event.subject
    data = {**forger.invoice("stolen").event.data, "seller_name": stolen}
    assert key_ids_in(data) == {key_id}
    forged = forger.make("einvoice.received", subject, data, source="tax-hanam")

    province.send("lt.einvoice.received", forged.value, forged.headers)
    province.settle()

    assert province.rows("tax-hanam", "select from inbox where event_id = %s", forged.event.id)
    assert _keys(login("tax-hanam"), stolen) == []


def test_documents_are_given_only_to_those_whose_delivery_named_them(province: Province, folder: Path) -> None:
    """The invoice's file to the tax office and to market surveillance; to all others it does not exist."""
    samples = write_samples(folder, seed=8, as_of=TODAY)
    planted = next(each for each in samples.files if "planted-words" in each.name)
    province.lines("ingest", "einvoice", samples.folder)
    province.settle()
    hashes = province.rows(
        "qltt-hanam",
        "select distinct document.sha256 from document join inbox using (event_id) where event_type = %s",
        "einvoice.anomaly_detected",
    )
    content = planted.read_bytes()
    (sha256,) = [each for (each,) in hashes if each == _sha256(content)]

    for officer in ("tax-hanam/invoice-desk", "qltt-hanam/inspector"):
        out = folder / f"{officer.replace('/', '-')}.xml"
        assert province.run("document", "get", sha256, "--as", officer, "--out", out).code == 0
        assert content == out.read_bytes()
    for officer in ("sbv-hanam/payment-desk", "bcd389-hanam/secretariat"):
        refused = province.run("document", "get", sha256, "--as", officer)
        assert (refused.code, refused.out) == (1, "")
    unknown = province.run("document", "get", _sha256(b"nothing"), "--as", officer)
    assert (unknown.code, unknown.out) == (1, "")
    assert refused.err.replace(sha256, "") == unknown.err.replace(_sha256(b"nothing"), "")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_agencies_have_schemas_of_their_own(province: Province) -> None:
    """Each role may use its schema and the key service's functions, and no other schema."""
    for agency in province.agencies:
        usable = province.rows(
            BUS,
            "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema)'"
            " and has_schema_privilege(%s, nspname, 'usage') and nspname <> 'public' order by 1",
            f"lt_{agency.replace('-', '_')}",
        )
        assert [database_schema(AgencyCode(agency)), "keyring"] == [each for (each,) in usable]
