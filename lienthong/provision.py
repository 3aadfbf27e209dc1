"""
Provisioning: what must be there before any worker starts.

Topics, schemas, PostgreSQL roles and tables, and a folder with settings for each agency. Doing it again changes
nothing that is right, makes what is missing, and says so when something is wrong.
"""

from __future__ import annotations

import json
import secrets
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaError
from psycopg.conninfo import make_conninfo

from connectors.folder_documents import load_or_make_key
from connectors.postgres import provision_database
from lienthong.directory import contradictions, overlay_folder
from lienthong.settings import agency_folder
from lienthong.stack import Progress, StackPlan, postgres_admin_dsn, require_compatibility
from lienthong.stack.private_files import make_private_folder, write_private
from streams.catalogue import Catalogue, load_catalogue
from streams.directory import Directory, load_directory
from streams.directory_rules import require_sound
from streams.errors import ConfigurationError, TransientError
from streams.kafka import KafkaAddress
from streams.names import BUS, AgencyCode, database_role
from streams.registry import ConfluentRegistry, register_all
from streams.topics import TopicSpec, topic_plan

__all__ = ["DATABASE", "Provisioned", "Servers", "make_topics", "provision"]

DATABASE = "lienthong"
"""The database of the embedded PostgreSQL."""

_TOPIC_EXISTS = 36

_HEAD = """\
# Written by `lienthong provision`, which keeps the password and writes everything else anew. To set a value yourself,
# use the environment: LIENTHONG_KAFKA__BOOTSTRAP and so on (docs/operations.md).
"""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What was newly made."""

    topics: Sequence[str]
    schemas: Sequence[str]
    database_schemas: Sequence[str]


@dataclass(frozen=True, slots=True)
class Servers:
    """
    The servers to provision.

    Args:
        data: where each agency's folder is written.
        kafka: the cluster, as an administrator.
        registry_url: the registry's Confluent interface.
        admin_dsn: PostgreSQL's administrator, in a database that exists.
    """

    data: Path
    kafka: KafkaAddress
    registry_url: str
    admin_dsn: str = field(repr=False)

    @classmethod
    def of_stack(cls, plan: StackPlan) -> Servers:
        """Give those that `lienthong up` started."""
        kafka = KafkaAddress(bootstrap=plan.kafka_bootstrap)
        return cls(data=plan.data, kafka=kafka, registry_url=plan.registry_url, admin_dsn=postgres_admin_dsn(plan))

    def dsn(self, **changes: str) -> str:
        """Give the administrator's connection string with another database, role or password."""
        return make_conninfo(self.admin_dsn, dbname=DATABASE, **changes)


def provision(servers: Servers, *, progress: Progress) -> Provisioned:
    """
    Bring servers up to date with the catalogue and the directory.

    Raises:
        ConfigurationError: the directory contradicts itself, a schema is incompatible, or a topic is not as it
            should be.
        TransientError: a server is away.
    """
    require_sound(contradictions(servers.data))
    catalogue, directory = load_catalogue(), load_directory(overlay_folder(servers.data))
    topics = _told(progress, "topics", lambda: make_topics(servers.kafka, topic_plan(catalogue, directory)))
    schemas = _told(progress, "schemas", lambda: _register(servers, catalogue))
    database = _told(progress, "database", lambda: _database(servers, directory))
    return Provisioned(topics=topics, schemas=schemas, database_schemas=database)


def make_topics(address: KafkaAddress, topics: Sequence[TopicSpec]) -> list[str]:
    """
    Make the topics that are missing, and give those that are there the plan's settings.

    Returns:
        The names of the new ones.

    Raises:
        ConfigurationError: Kafka refuses one, or one has another number of partitions.
        TransientError: Kafka is away.
    """
    try:
        admin = KafkaAdminClient(**address.kafka_python(), client_id="lienthong-provision", bootstrap_timeout_ms=10_000)
        try:
            known = {each["name"]: len(each["partitions"]) for each in admin.describe_topics(admin.list_topics())}
            _check_partitions(topics, known)
            missing = [topic for topic in topics if topic.name not in known]
            _create(admin, missing)
            _set(admin, [topic for topic in topics if topic.name in known])
        finally:
            admin.close()
    except KafkaError as error:
        raise TransientError(f"Kafka at {address.bootstrap} does not answer as it should: {error}") from error
    return [topic.name for topic in missing]


def _check_partitions(topics: Sequence[TopicSpec], known: dict[str, int]) -> None:
    for topic in topics:
        if known.get(topic.name, topic.partitions) != topic.partitions:
            raise ConfigurationError(
                f"Topic {topic.name} has {known[topic.name]} partitions, not {topic.partitions}. A change would move "
                "keys to other partitions: make a new topic instead."
            )


def _create(admin: KafkaAdminClient, missing: Sequence[TopicSpec]) -> None:
    if not missing:
        return
    wanted = {
        topic.name: {"num_partitions": topic.partitions, "replication_factor": -1, "configs": dict(topic.config)}
        for topic in missing
    }
    answer = admin.create_topics(wanted, wait_for_metadata=True, raise_errors=False)
    for each in answer["topics"]:
        if each["error_code"] not in (0, _TOPIC_EXISTS):
            raise ConfigurationError(f"Kafka does not make topic {each['name']}: {each['error_message']}")


def _set(admin: KafkaAdminClient, topics: Sequence[TopicSpec]) -> None:
    if topics:
        admin.alter_configs([ConfigResource("topic", topic.name, dict(topic.config)) for topic in topics])


def _register(servers: Servers, catalogue: Catalogue) -> list[str]:
    """Register the schemas; their ids are remembered beside the registry, which could be lost."""
    require_compatibility(servers.registry_url)
    note = servers.data / "schema-ids.json"
    remembered = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
    with ConfluentRegistry(servers.registry_url) as registry:
        registrations = register_all(registry, catalogue, remembered=remembered)
    ids = {**remembered, **{each.fingerprint: each.schema_id for each in registrations}}
    if ids != remembered:
        write_private(note, json.dumps(ids, indent=1))
    return [each.type for each in registrations if each.new]


def _database(servers: Servers, directory: Directory) -> list[str]:
    members = [BUS, *sorted(directory.agencies)]
    passwords = {agency: _settings(servers, directory, agency) for agency in members}
    return provision_database(servers.admin_dsn, servers.dsn(), database=DATABASE, passwords=passwords)


def _settings(servers: Servers, directory: Directory, agency: AgencyCode) -> str:
    """Write an agency's settings, with the password that it had before; give the password."""
    make_private_folder(servers.data / "agencies")
    folder = make_private_folder(agency_folder(servers.data, agency))
    path = folder / "settings.toml"
    known = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    password: str = known.get("provisioned", {}).get("password") or secrets.token_urlsafe(24)
    groups = {
        "kafka": {"bootstrap": servers.kafka.bootstrap},
        "registry": {"url": servers.registry_url},
        "postgres": {"dsn": servers.dsn(user=database_role(agency), password=password)},
        "provisioned": {"password": password},
    }
    if agency != BUS:
        key_file = servers.data / "documents.key"
        load_or_make_key(key_file)
        groups["documents"] = {"folder": str(servers.data / "documents"), "key_file": str(key_file)}
        if directory.agencies[agency].kind == "postal_operator":
            groups["postal"] = {"outgoing": str(folder / "outgoing"), "scans": str(folder / "scans")}
    write_private(path, _HEAD + "".join(_group(name, values) for name, values in groups.items()))
    return password


def _group(name: str, values: Mapping[str, str]) -> str:
    """Write one group of settings; a JSON string is a TOML string."""
    return f"\n[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def _told(progress: Progress, name: str, work: Callable[[], list[str]]) -> list[str]:
    progress.step(name, "making what is missing")
    made = work()
    progress.done(name)
    return made
