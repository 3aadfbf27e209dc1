"""Workers killed, servers away, a registry lost: everything arrives, once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from forger import Forger
from province import Province

from lienthong.samples import SampleSet, write_samples
from lienthong.supervisor import hold, release
from streams.catalogue import load_catalogue
from streams.names import BUS, inbox_topic
from streams.registry import ConfluentRegistry, preload_ids
from streams.subject import pseudonym

pytestmark = pytest.mark.live

SETS = 8
TODAY = datetime.now(UTC).date()


@pytest.fixture
def samples(folder: Path) -> list[SampleSet]:
    """Several sample sets of different sellers, some 250 files in all."""
    return [write_samples(folder / str(seed), seed=100 + seed, as_of=TODAY) for seed in range(SETS)]


def _admitted(province: Province, event_type: str) -> int:
    count: int = province.value(BUS, "select count(*) from event where event_type = %s", event_type)
    return count


def test_workers_killed_in_mid_run_lose_nothing_and_do_nothing_twice(
    province: Province, samples: list[SampleSet]
) -> None:
    """SIGKILL to the tax office's worker and to the bus's, again and again, while a few hundred invoices flow."""
    types = ("einvoice.received", "einvoice.anomaly_detected")
    killed: Counter[str] = Counter()
    refused = _quarantined(province)
    command = [sys.executable, "-m", "lienthong", "ingest", "einvoice", "--json"]
    env = {**os.environ, "LIENTHONG_DATA": str(province.data)}
    turns = [(agency, watched) for watched in types for agency in ("tax-hanam", BUS)]

    with (province.work / "ingest.err").open("wb") as errors:
        for turn, (agency, watched) in enumerate(turns):
            files = [str(each.folder) for each in samples[turn :: len(turns)]]
            more = _more(province, watched)  # counted before these files come, so that there always is more to wait for
            with subprocess.Popen([*command, *files], env=env, stdout=subprocess.DEVNULL, stderr=errors) as ingest:
                province.until(f"more {watched}", more)
                killed[agency] += 1
                province.kill_worker(agency)
            assert ingest.returncode == 0
    province.settle()

    assert dict(killed) == {"tax-hanam": 2, BUS: 2}
    assert refused == _quarantined(province)
    _assert_every_event_once(province)
    for each in samples:
        _assert_found_as_planted(province, each)


def _more(province: Province, event_type: str) -> Callable[[], bool]:
    seen = _admitted(province, event_type)
    return lambda: _admitted(province, event_type) > seen


def _quarantined(province: Province) -> list[tuple[object, ...]]:
    query = "select topic, reason, detail, id from quarantine order by id"
    return [row for each in (BUS, *province.agencies) for row in province.rows(each, query)]


def _assert_every_event_once(province: Province) -> None:
    """Topics, ledger, deliveries, inbox topics and inboxes name the same events, by id."""
    ledger = dict(province.rows(BUS, "select event_id, event_type from event"))
    refused = province.value(BUS, "select count(*) from quarantine")
    named = "select header_values[array_position(header_names, 'ce_id')] from quarantine"
    apart_at_bus = {_id(bytes(row[0]) if row[0] else None) for row in province.rows(BUS, named)}
    for spec in load_catalogue().types.values():
        if spec.type == "audit.recorded":
            continue
        on_topic = {_id(each.headers.get("ce_id")) for each in province.read(spec.topic)}
        admitted = {event_id for event_id, event_type in ledger.items() if event_type == spec.type}
        assert admitted <= on_topic
        assert len(on_topic - admitted - {None}) <= refused
    for agency in province.agencies:
        delivered = [row[0] for row in province.rows(BUS, "select event_id from delivery where agency = %s", agency)]
        forged = {row[0] for row in province.rows(agency, "select event_id from inbox")} - set(delivered)
        kept = province.rows(agency, "select event_id from inbox where event_id = any(%s)", delivered)
        if agency == "stttt-hanam":  # it keeps no inbox: of each suspicion it made one warning, if it had words for it
            kept = province.rows(
                BUS, "select cause from event where source = %s and cause = any(%s)", agency, delivered
            )
        apart = {row[0] for row in province.rows(agency, "select id from quarantine")}
        received = [row[0] for row in kept]
        assert len(received) == len(set(received))
        assert len(set(delivered) - set(received)) <= len(apart)
        assert set(delivered) <= {_id(each.headers.get("ce_id")) for each in province.read(inbox_topic(agency))}
        assert all(each not in ledger or ledger[each] == "einvoice.received" for each in forged)
        # What it made; not what it put aside, nor what an officer published again for it.
        made = "select row_id from outbox where topic !~ '^lt[.](quarantine|inbox)[.]'"
        known = {row[0] for row in province.rows(agency, made)}
        assert known <= set(ledger) | apart_at_bus  # other tests take a grant away while something is under way


def _id(text: bytes | None) -> UUID | None:
    try:
        return UUID(text.decode()) if text else None
    except ValueError:
        return None


def _assert_found_as_planted(province: Province, samples: SampleSet) -> None:
    """The findings about the suspect are those that were planted; one suspicion; each parcel flagged once."""
    seller = pseudonym("seller", "vn-mst", samples.seller_tax_code).value
    by_type = dict(
        province.rows(
            BUS, "select event_type, count(*) from event where subject_value = %s group by event_type", seller
        )
    )
    planted = [rules for name, rules in samples.expected.items() if _suspects(name)]
    expected = {
        "einvoice.received": len(planted),
        "einvoice.anomaly_detected": sum(map(len, planted)),
        "seller.suspected": 1,
        "warning.prepared": 1,
    }
    assert expected == by_type, province.rows(BUS, "select topic, reason, detail from quarantine")
    parcels = [pseudonym("parcel", "postal-number", number).value for number in samples.parcels]
    flags = province.rows(
        BUS,
        "select subject_value from event where event_type = 'shipment.flagged' and subject_value = any(%s)",
        parcels,
    )
    assert len(samples.parcels) == len(flags) == len(set(flags))


def _suspects(name: str) -> bool:
    return "planted" in name and int(name[:2]) > 50


def _publish_invoices(province: Province, forger: Forger, count: int) -> Sequence[str]:
    made = [forger.invoice(uuid4().hex) for _ in range(count)]
    for each in made:
        province.send("lt.einvoice.received", each.value, each.headers, key=each.event.subject.key.encode())
    return [str(each.event.id) for each in made]


def _arrived(province: Province, ids: Sequence[str]) -> bool:
    admitted = province.value(BUS, "select count(*) from event where event_id = any(%s::uuid[])", list(ids))
    received = province.value("tax-hanam", "select count(*) from inbox where event_id = any(%s::uuid[])", list(ids))
    return bool(admitted == received == len(ids))


def test_workers_wait_while_postgresql_is_away(province: Province) -> None:
    """What came meanwhile is admitted and delivered when it is back, by the same processes; nothing is lost."""
    before = {code: each.pid for code, each in province.workers().items()}
    forger = Forger(province.registry)

    with province.without("postgres"):
        ids = _publish_invoices(province, forger, 40)
        log = province.data / "logs" / "worker-bus.log"
        province.until("the bus waiting", lambda: '"waiting"' in _tail(log))

    province.until("everything arrived", lambda: _arrived(province, ids))
    province.settle()
    assert before == {code: each.pid for code, each in province.workers().items()}


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8")[-4000:]


def test_a_worker_that_finds_no_registry_starts_again_until_there_is_one(province: Province) -> None:
    """It cannot start without schema ids; its supervisor keeps trying, and what waited on Kafka arrives."""
    restarts = _restarts(province)
    forger = Forger(province.registry)

    hold(province.data, "tax-hanam")
    with province.without("registry"):
        ids = _publish_invoices(province, forger, 10)
        release(province.data, "tax-hanam")
        province.until("a second try", lambda: _restarts(province) > restarts + 1)

    province.until("everything arrived", lambda: _arrived(province, ids), seconds=90)


def _restarts(province: Province) -> int:
    detail = province.workers()["tax-hanam"].detail
    words = (detail.partition("started again: ")[2] or "0").replace(";", " ").split()
    return int(words[0])


def test_a_lost_registry_is_filled_again_with_the_same_ids(province: Province) -> None:
    """Its data removed and the server started anew: provision registers every schema, and old records still decode."""
    catalogue = load_catalogue()
    with ConfluentRegistry(province.registry) as registry:
        before = preload_ids(registry, catalogue)

    with province.without("registry"):
        for each in province.plan.registry_folder.glob("db*"):
            each.unlink()
    assert province.run("ingest", "einvoice", str(province.work)).code == 2
    ran = province.run("provision")

    assert ran.code == 0, ran.err
    assert f"{len(catalogue.types)} schemas" in ran.err
    with ConfluentRegistry(province.registry) as registry:
        assert before == preload_ids(registry, catalogue)
