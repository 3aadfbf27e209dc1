"""Running workers say how they are, and neither that nor their logs tell anything of what events carry."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from forger import Forger
from prometheus_client.parser import text_string_to_metric_families
from province import Province

from agents import KINDS
from lienthong.directory import LiveDirectory
from lienthong.samples import write_samples
from streams.names import BUS

pytestmark = pytest.mark.live

TODAY = datetime.now(UTC).date()


def get(province: Province, agency: str, path: str) -> tuple[int, bytes]:
    """Ask a worker at the address that `lienthong status` shows."""
    address = province.workers()[agency].address
    assert address, f"the worker of {agency} shows no address"
    host, _, port = address.rpartition(":")
    assert host == "127.0.0.1"
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def samples(province: Province, agency: str, name: str) -> list[tuple[dict[str, str], float]]:
    """Give a metric's samples."""
    text = get(province, agency, "/metrics")[1].decode()
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    ]


def total(province: Province, agency: str, name: str) -> float | None:
    """Add a metric's samples up; None when it is absent."""
    found = [value for _, value in samples(province, agency, name)]
    return sum(found) if found else None


def test_every_handler_belongs_to_a_faust_agent_whose_app_owns_its_group(province: Province) -> None:
    """The running workers say it themselves, and Kafka knows each app as the group that reads the agent's topics."""
    kinds = {code: entry.kind for code, entry in LiveDirectory(province.data)().agencies.items()}

    for agency in (BUS, *province.agencies):
        said = json.loads(get(province, agency, "/agents")[1])
        group = province.describe_groups(said["app"])[said["app"]]
        read = {
            topic["topic"]
            for member in group["members"]
            for topic in member["member_assignment"]["assigned_partitions"]
        }
        ((name, topics),) = said["agents"].items()
        handlers = [each.name for each in KINDS[kinds[agency]].handlers] if agency != BUS else []
        assert (said["app"], name) == (f"lt.{agency}", f"lt.{agency}.inbox")
        assert handlers == said["handlers"]
        assert read == set(topics)
        assert all(member["client_id"].startswith("faust-") for member in group["members"])


def test_every_worker_is_ready_and_counts_what_it_does(province: Province, folder: Path) -> None:
    """By hand, by Prometheus, and by the commands; what was sealed is in no metric and in no log."""
    before = total(province, BUS, "lienthong_events_processed_total") or 0
    written = write_samples(folder / "files", seed=909, as_of=TODAY)
    province.lines("ingest", "einvoice", written.folder)
    province.settle()

    for agency in (BUS, *province.agencies):
        assert get(province, agency, "/livez")[0] == 200
        assert get(province, agency, "/readyz") == (200, b'{"ready": true, "not_ready": {}}\n')
        # The end of a partition is what the last fetch said, so the last record's may come a moment later.
        province.until(
            f"no lag of {agency}", lambda agency=agency: total(province, agency, "lienthong_lag_messages") == 0
        )
        assert total(province, agency, "lienthong_outbox_pending") == 0
        assert {labels["agency"] for labels, _ in samples(province, agency, "lienthong_build_info")} == {agency}
    assert (total(province, BUS, "lienthong_events_processed_total") or 0) > before

    assert province.run("health", "bus").code == 0
    measured = {row["agency"]: row for row in province.lines("metrics")}
    assert set(measured) == {BUS, *province.agencies}
    assert measured["tax-hanam"]["lag_messages"] == 0

    shown = b"".join(get(province, agency, "/metrics")[1] for agency in (BUS, *province.agencies))
    logged = b"".join(path.read_bytes() for path in (province.data / "logs").glob("worker-*"))
    for secret in (written.seller_tax_code, written.seller_name, written.account, *written.parcels):
        assert secret.encode() not in shown
        assert secret.encode() not in logged


def test_a_worker_names_the_server_that_is_away_and_is_ready_again_after_it(province: Province) -> None:
    """It lives on meanwhile, and what only that server knows is absent from its metrics."""
    with province.without("postgres"):
        status, body = get(province, "tax-hanam", "/readyz")
        found = json.loads(body)
        assert (status, found["ready"], list(found["not_ready"])) == (503, False, ["database"])
        assert "PostgreSQL" in found["not_ready"]["database"]
        assert get(province, "tax-hanam", "/livez")[0] == 200
        assert total(province, "tax-hanam", "lienthong_outbox_pending") is None
        said = province.run("health", "tax-hanam")
        assert (said.code, said.err.split(":")[0]) == (1, "database")

    province.until("ready again", lambda: get(province, "tax-hanam", "/readyz")[0] == 200)
    province.until(
        "the outbox known again", lambda: total(province, "tax-hanam", "lienthong_outbox_pending") is not None
    )
    assert province.run("health", "tax-hanam", "--wait", "20").code == 0


def test_each_quarantined_record_is_one_line_of_the_log(province: Province) -> None:
    """With its code, its place and its trace, whatever its headers try to make of the line."""
    forged = Forger(province.registry).invoice(uuid4().hex)
    hostile = b'x\r\n{"event": "forged"}\x1b[31m\xe2\x80\xa8\xe2\x80\xae'
    headers = [*((name, value) for name, value in forged.headers if name != "ce_time"), ("ce_time", hostile)]
    log = province.data / "logs" / "worker-bus.log"

    topic, partition, offset = province.send("lt.einvoice.received", forged.value, [*headers, ("ce_\n", hostile)])

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        return [
            each
            for each in found
            if (each.get("topic"), each.get("partition"), each.get("offset")) == (topic, partition, offset)
        ]

    province.until("the line", lines)
    [line] = lines()
    assert (line["event"], line["level"], line["reason"], line["agency"]) == (
        "quarantined",
        "warning",
        "bad_envelope",
        "bus",
    )
    assert line["event_id"] == str(forged.event.id)
    assert line["trace_id"] == forged.event.correlation.hex
