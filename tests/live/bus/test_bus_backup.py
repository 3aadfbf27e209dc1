"""An installation is saved, and restored to an empty folder beside it, and nothing is lost and nothing done twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from forger import Forged, Forger
from province import Province

from lienthong.installation import workers
from lienthong.samples import write_samples
from lienthong.stack import StackPlan, stop_servers
from lienthong.supervisor import start_supervisor, stop_supervisor
from streams.names import BUS, consumer_group, inbox_topic

pytestmark = pytest.mark.live

CUT = "lt.cut-by-retention"
POST = "post-hanam"


@dataclass(frozen=True)
class Saved:
    """What was before, and the backup of it."""

    folder: Path
    keys: Path
    told: dict[str, Any]
    counts: dict[str, int]
    known: Forged


@pytest.fixture(scope="module")
def saved(running_province: Province, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """The province with work done, something in quarantine, and a partition that lost its head; saved."""
    province, folder = running_province, tmp_path_factory.mktemp("backup")
    province.settle()
    write_samples(folder / "einvoices", seed=41, as_of=date(2026, 11, 20))
    province.run("ingest", "einvoice", folder / "einvoices", "--recursive")
    forger = Forger(province.registry)
    known, bad = forger.invoice(uuid4().hex), forger.invoice(uuid4().hex)
    province.send("lt.einvoice.received", known.value, known.headers)
    province.send("lt.seller.suspected", bad.value, [*bad.headers, ("dữ liệu", "có dấu".encode()), ("x", b"")])
    _make_cut_topic(province)
    province.settle()

    ran = province.run("backup", folder / "backup", "--keys", folder / "keys", "--json")
    assert ran.code == 0, ran.err
    return Saved(folder / "backup", folder / "keys", ran.lines[0], province.counts(), known)


@pytest.fixture(scope="module")
def restored(running_province: Province, saved: Saved, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """The same on other servers; the first one's workers rest meanwhile, for two cores are few."""
    data = tmp_path_factory.mktemp("restored")
    plan = StackPlan.on_free_ports(data / "data", running_province.plan.cache)
    ports = {f"LIENTHONG_STACK__{name.upper()}": str(getattr(plan, name)) for name in _PORTS}
    running_province.settle()  # the backup left its workers running
    stop_supervisor(running_province.data)
    try:
        words = ("restore", saved.folder, "--keys", saved.keys, "--json")
        ran = running_province.run(*words, data=plan.data, env=ports)
        assert ran.code == 0, ran.err
        assert ran.lines == [saved.told]
        with Province(plan, data) as province:
            yield province
    finally:
        stop_supervisor(plan.data)
        stop_servers(plan)
        start_supervisor(running_province.data, workers(running_province.data))


_PORTS = ("kafka_port", "kafka_controller_port", "kafka_broker_port", "registry_port")


def _make_cut_topic(province: Province) -> None:
    """Make a topic whose first four records are gone, and a group that read seven."""
    address = province.plan.kafka_admin.librdkafka()
    admin = AdminClient(address)
    admin.create_topics([NewTopic(CUT, num_partitions=1, config={"message.timestamp.type": "LogAppendTime"})])[
        CUT
    ].result()
    for number in range(10):
        province.send(CUT, str(number).encode(), [])
    [cut] = admin.delete_records([TopicPartition(CUT, 0, 4)]).values()
    cut.result()
    consumer = Consumer({**address, "group.id": CUT})
    consumer.commit(offsets=[TopicPartition(CUT, 0, 7)], asynchronous=False)
    consumer.close()


def _timed(province: Province, topic: str) -> list[tuple[int, int, int, bytes | None]]:
    address = province.plan.kafka_admin.librdkafka()
    consumer = Consumer({**address, "group.id": uuid4().hex, "enable.partition.eof": True})
    try:
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, one, OFFSET_BEGINNING) for one in partitions])
        found, ended = [], 0
        while ended < len(partitions):
            for each in consumer.consume(1000, timeout=0.5):
                if each.error() is not None:
                    ended += 1
                else:
                    found.append((each.partition() or 0, each.offset() or 0, each.timestamp()[1], each.value()))
        return sorted(found)
    finally:
        consumer.close()


def test_nothing_is_lost_or_done_twice_by_a_restore(
    running_province: Province, saved: Saved, restored: Province, tmp_path: Path
) -> None:
    """With all workers at work: the same rows, records at the same places, alerts written once; then new work."""
    _assert_saved_again_is_the_same(restored, saved, tmp_path)
    outgoing = sorted(path.name for path in _outgoing(restored).rglob("*"))
    assert outgoing == sorted(path.name for path in _outgoing(running_province).rglob("*"))
    topics = ["lt.audit", "lt.einvoice.received", "lt.seller.suspected", inbox_topic(POST), CUT]  # type: ignore[arg-type] # a code
    before = {topic: _timed(restored, topic) for topic in topics}
    assert before == {topic: _timed(running_province, topic) for topic in topics}

    assert restored.run("up").code == 0
    restored.settle()

    assert saved.counts == restored.counts()
    assert before == {topic: _timed(restored, topic) for topic in topics}
    assert outgoing == sorted(path.name for path in _outgoing(restored).rglob("*"))

    forger = Forger(restored.registry)
    new = forger.invoice(uuid4().hex)
    for each in (saved.known, new):
        restored.send("lt.einvoice.received", each.value, each.headers)
    restored.settle()
    assert restored.counts()["bus.event"] == saved.counts["bus.event"] + 1


def test_groups_are_where_they_were(restored: Province, saved: Saved) -> None:
    """Each group's committed offsets, also in a partition that lost its head."""
    del saved
    groups = {CUT: 7}
    for group, offset in groups.items():
        assert [offset] == [each.offset for each in restored._admin.list_group_offsets(group)[group].values()]
    assert restored._admin.list_group_offsets(consumer_group(BUS))[consumer_group(BUS)]
    assert min(offset for _, offset, _, _ in _timed(restored, CUT)) == 4


def test_what_is_sealed_opens_with_the_keys_and_not_without(restored: Province, saved: Saved) -> None:
    """An agency that held a key opens the same values; the backup's folder has none of them."""
    for path in saved.folder.rglob("*"):
        assert path.suffix not in {".pem", ".key"}
        assert path.name != "settings.toml"
    held = restored.value(BUS, "select count(*) from keyring.subject_key")
    assert held
    for (secret,) in restored.rows(BUS, "select secret from keyring.subject_key"):
        for path in (each for each in saved.folder.glob("*") if each.is_file()):
            assert bytes(secret) not in path.read_bytes()
            assert bytes(secret).hex().encode() not in path.read_bytes()
    assert {0o600} == {path.stat().st_mode & 0o777 for path in saved.keys.rglob("*") if path.is_file()}


def test_a_restore_is_refused_where_something_is(running_province: Province, saved: Saved, tmp_path: Path) -> None:
    """A folder with anything in it, keys of another backup, a backup with a changed byte."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    other = tmp_path / "other-keys"
    shutil.copytree(saved.keys, other)
    (other / "manifest.json").write_text(
        (other / "manifest.json").read_text().replace(saved.told["backup_id"], str(uuid4()))
    )
    damaged = tmp_path / "damaged"
    shutil.copytree(saved.folder, damaged)
    with (damaged / "registry.zip").open("r+b") as file:
        file.seek(100)
        file.write(b"!")

    for words, data in [
        ((saved.folder, "--keys", saved.keys), tmp_path / "taken"),
        ((saved.folder, "--keys", other), tmp_path / "new"),
        ((damaged,), tmp_path / "new"),
    ]:
        ran = running_province.run("restore", *words, data=data)
        assert ran.code == 2, ran.err
    assert not (tmp_path / "new").exists()
    assert running_province.run("backup", tmp_path / "taken").code == 2
    assert running_province.run("backup", tmp_path / "b", "--keys", tmp_path / "b" / "keys").code == 2


def _assert_saved_again_is_the_same(restored: Province, saved: Saved, folder: Path) -> None:
    """Not one record, offset, time or row differs in a backup of what was restored."""
    ran = restored.run("backup", folder / "again", "--json")
    assert ran.code == 0, ran.err
    assert saved.told["canonical"] == ran.lines[0]["canonical"]
    for path in sorted(saved.folder.glob("topics/*/*")):
        assert path.read_bytes() == (folder / "again" / path.relative_to(saved.folder)).read_bytes(), path


def _outgoing(province: Province) -> Path:
    return province.data / "agencies" / POST / "outgoing"
