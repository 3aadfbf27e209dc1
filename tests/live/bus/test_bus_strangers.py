"""What others can read: a stranger's client on an inbox topic, Prometheus on a worker; and no stack at all."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import pytest
from province import Province

from lienthong.samples import SampleSet, write_samples
from lienthong.settings import agency_settings
from lienthong.stack.loopback import free_ports
from streams.subject import pseudonym

pytestmark = pytest.mark.live

TODAY = datetime.now(UTC).date()


@pytest.fixture
def samples(province: Province, folder: Path) -> SampleSet:
    """A sample set that went all the way to the postal operator's inbox."""
    written = write_samples(folder, seed=3, as_of=TODAY)
    province.lines("ingest", "einvoice", written.folder)
    province.settle()
    return written


def _seller(samples: SampleSet) -> bytes:
    """Give the record key of a sample's seller."""
    return pseudonym("seller", "vn-mst", samples.seller_tax_code).key.encode()


def _get(url: str) -> Any:
    """Ask a worker."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        return answer.read().decode()


def _registered(province: Province, path: str) -> Any:
    """Ask the registry, with what an agency was given for it."""
    registry = agency_settings(province.data, "police-hanam").registry.address
    user = base64.b64encode((registry.user or "").encode()).decode()
    headers = {"Authorization": f"Basic {user}"}
    request = urllib.request.Request(registry.url + path, headers=headers)  # noqa: S310 -- of our own stack
    tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=registry.ca_file))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls)
    with opener.open(request, timeout=10) as answer:
        return answer.read().decode()


def test_a_stranger_reads_an_inbox_topic_with_the_registry_alone(province: Province, samples: SampleSet) -> None:
    """Kafka's protocol, plain HTTP and another Avro library suffice; the personal fields stay sealed."""
    schemas: dict[int, Any] = {}
    read = []

    for record in province.read("lt.inbox.police-hanam"):
        assert record.value is not None
        schema_id = int.from_bytes(record.value[1:5], "big")
        if schema_id not in schemas:
            answer = json.loads(_registered(province, f"/schemas/ids/{schema_id}"))
            schemas[schema_id] = avro.schema.parse(answer["schema"])
        decoder = avro.io.BinaryDecoder(io.BytesIO(record.value[5:]))
        fields: Any = avro.io.DatumReader(schemas[schema_id]).read(decoder)
        read.append((record, schemas[schema_id], fields))

    # Of this sample's seller: other tests' suspicions lie there, too, and say less.
    about = _seller(samples), b"seller.suspected"
    suspicions = [each for each in read if (each[0].key, each[0].headers["ce_type"]) == about]
    assert suspicions
    for record, schema, fields in suspicions:
        assert record.key is not None
        assert record.value is not None
        assert record.value[0] == 0
        assert schema.fullname == "vn.lienthong.events.SellerSuspected"
        assert {each: record.headers[each] for each in _FIXED} == _FIXED
        assert {"ce_id", "ce_time", "ce_subject", "ce_correlationid", "ce_legalarticle"} <= record.headers.keys()
        assert record.headers["ce_subject"].decode() == f"seller:{fields['seller']['value']}" == record.key.decode()
        assert fields["score"] >= fields["threshold"]
        assert fields["seller_tax_code"].keys() == {"key_id", "nonce", "ciphertext"}
        for secret in (samples.seller_tax_code, samples.seller_name, samples.account, *samples.parcels):
            assert secret.encode() not in record.value


_FIXED = {
    "content-type": b"application/avro",
    "ce_specversion": b"1.0",
    "ce_type": b"seller.suspected",
    "ce_source": b"//lienthong/agency/qltt-hanam",
    "ce_purpose": b"investigation",
}


def test_what_is_removed_is_gone_before_the_topic(province: Province, samples: SampleSet) -> None:
    """The committee's copy of a suspicion says which fields it lacks, and none of its bytes holds a sealed value."""
    about = _seller(samples), b"seller.suspected"
    copies = [
        each for each in province.read("lt.inbox.bcd389-hanam") if (each.key, each.headers.get("ce_type")) == about
    ]
    originals = {
        each.headers["ce_id"]: each for each in province.read("lt.seller.suspected") if "ce_id" in each.headers
    }

    assert copies
    for copy in copies:
        removed = copy.headers["ce_removed"].decode().split(",")
        assert {"seller_tax_code", "seller_name", "seller_account", "parcels"} <= set(removed)
        assert copy.value is not None
        assert len(copy.value) < len(originals[copy.headers["ce_id"]].value or b"")
    assert samples.parcels


@pytest.fixture
def second_worker(province: Province, folder: Path) -> Iterator[int]:
    """A second worker of the committee, from a folder of its own, on a metrics port."""
    own = Path("agencies", "bcd389-hanam")
    shutil.copytree(province.data / own, folder / own)
    [port] = free_ports(1)
    env = {**os.environ, "LIENTHONG_METRICS_PORT": str(port), "LIENTHONG_SESSION_TIMEOUT_SECONDS": "6"}
    command = [sys.executable, "-m", "lienthong", "worker", "bcd389-hanam", "--data", str(folder)]
    with (province.work / "second.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=province.work, stdout=log, stderr=log)
    yield port
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    province.settle()


def test_two_workers_of_an_agency_share_its_partitions_and_count_in_the_open(
    province: Province, second_worker: int, folder: Path
) -> None:
    """Kafka gives each one of the two partitions; Prometheus reads from loopback what was processed."""

    def shares() -> list[int]:
        group = province.describe_groups("lt.bcd389-hanam")["lt.bcd389-hanam"]
        if group["group_state"] != "Stable":
            return []
        places = [each["member_assignment"]["assigned_partitions"] for each in group["members"]]
        return sorted(sum(len(topic["partitions"]) for topic in each) for each in places)

    province.until("one partition each", lambda: shares() == [1, 1])
    province.lines("ingest", "einvoice", write_samples(folder / "files", seed=4, as_of=TODAY).folder)
    province.settle()

    metrics = _get(f"http://127.0.0.1:{second_worker}/metrics")
    applied = [
        float(line.rpartition(" ")[2])
        for line in metrics.splitlines()
        if line.startswith("lienthong_events_processed_total{") and 'outcome="applied"' in line
    ]
    assert sum(applied) > 0
    assert 'agency="bcd389-hanam"' in metrics
    assert 'topic="lt.inbox.bcd389-hanam"' in metrics


def test_every_agency_is_a_faust_app_with_a_consumer_group_of_its_own(province: Province) -> None:
    """Kafka sees, for the bus and each agency, one group with Faust's client, which reads what it should alone."""
    groups = province.describe_groups("lt.bus", *(f"lt.{each}" for each in province.agencies))

    for name, group in groups.items():
        assert (group["group_state"], group["protocol_type"]) == ("Stable", "consumer")
        assert all(each["client_id"].startswith("faust-") for each in group["members"])
        topics = {
            place["topic"] for each in group["members"] for place in each["member_assignment"]["assigned_partitions"]
        }
        if name == "lt.bus":
            assert not any("inbox" in each or "audit" in each or "quarantine" in each for each in topics)
        else:
            assert topics == {name.replace("lt.", "lt.inbox.")}


@pytest.mark.parametrize("installed", [False, True], ids=["nothing installed", "servers down"])
def test_without_a_running_stack_ingest_says_one_sentence(province: Province, folder: Path, *, installed: bool) -> None:
    """Exit 2, nothing on standard output, no traceback."""
    data = folder / "elsewhere"
    if installed:
        own = data / "agencies" / "tax-hanam"
        own.mkdir(parents=True)
        settings = (province.data / "agencies" / "tax-hanam" / "settings.toml").read_text(encoding="utf-8")
        (own / "settings.toml").write_text(
            settings.replace(str(province.plan.postgres_socket), str(folder / "no-socket")), encoding="utf-8"
        )
    invoice = write_samples(folder / "files", seed=5, as_of=TODAY).files[0]

    ran = province.run("ingest", "einvoice", invoice, "--json", data=data)

    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.strip().splitlines()) == 1
    assert "Traceback" not in ran.err
