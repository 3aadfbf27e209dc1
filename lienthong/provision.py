"""
Provisioning: what must be there before any worker starts.

Topics, schemas, PostgreSQL roles and tables, Kafka's users, access rules and quotas, and a folder with settings for
each agency. Doing it again changes nothing that is right, makes what is missing, takes away what is too much of users
and rules, and says so when something is wrong.
"""

from __future__ import annotations

import json
import secrets
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaError
from psycopg.conninfo import make_conninfo

from connectors.folder_documents import load_or_make_key
from connectors.postgres import provision_database
from lienthong.directory import contradictions, overlay_folder
from lienthong.kafka_access import grant_access
from lienthong.settings import agency_folder
from lienthong.stack import (
    Progress,
    RegistryRight,
    StackPlan,
    postgres_admin_dsn,
    registry_as,
    require_compatibility,
)
from lienthong.stack.private_files import make_private_folder, write_private
from streams.calendar import vietnamese_day
from streams.catalogue import Catalogue, load_catalogue
from streams.directory import Directory, load_directory
from streams.directory_rules import require_sound
from streams.errors import ConfigurationError, TransientError
from streams.kafka import KafkaAddress
from streams.names import BUS, AgencyCode, database_role
from streams.registry import ConfluentRegistry, RegistryAddress, register_all
from streams.rights import access_rules, quotas
from streams.topics import TopicSpec, topic_plan

__all__ = ["DATABASE", "Provisioned", "Servers", "make_topics", "provision"]

DATABASE = "lienthong"
"""The database of the embedded PostgreSQL."""

_TOPIC_EXISTS = 36

_HEAD = """\
# Written by `lienthong provision`, which keeps the passwords and writes everything else anew. To set a value yourself,
# use the environment: LIENTHONG_KAFKA__BOOTSTRAP and so on (docs/operations.md).
"""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What was newly made, and what changed of users, access rules and quotas."""

    topics: Sequence[str]
    access: Sequence[str]
    schemas: Sequence[str]
    database_schemas: Sequence[str]


@dataclass(frozen=True, slots=True)
class Servers:
    """
    The servers to provision.

    Args:
        data: where each agency's folder is written.
        kafka: the cluster, as its administrator.
        kafka_clients: the cluster as everybody else finds it, without a name and a password.
        registry: gives the registry as one of its users: a right, an agency, or the bus.
        admin_dsn: PostgreSQL's administrator, in a database that exists.
    """

    data: Path
    kafka: KafkaAddress
    kafka_clients: KafkaAddress
    registry: Callable[[str], RegistryAddress]
    admin_dsn: str = field(repr=False)

    @classmethod
    def of_stack(cls, plan: StackPlan) -> Servers:
        """Give those that `lienthong up` started."""
        return cls(
            data=plan.data,
            kafka=plan.kafka_admin,
            kafka_clients=KafkaAddress(bootstrap=plan.kafka_bootstrap, ca_file=plan.ca_file),
            registry=lambda name: registry_as(plan, name),
            admin_dsn=postgres_admin_dsn(plan),
        )

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
    passwords = {member: _settings(servers, directory, member) for member in [BUS, *sorted(directory.agencies)]}
    database = _told(progress, "database", lambda: _database(servers, passwords))
    access = _told(progress, "access", lambda: _access(servers, catalogue, directory, passwords))
    return Provisioned(topics=topics, access=access, schemas=schemas, database_schemas=database)


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
    require_compatibility(servers.registry(RegistryRight.COMPATIBILITY))
    note = servers.data / "schema-ids.json"
    remembered = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
    with ConfluentRegistry(servers.registry(RegistryRight.REGISTER)) as registry:
        registrations = register_all(registry, catalogue, remembered=remembered)
    ids = {**remembered, **{each.fingerprint: each.schema_id for each in registrations}}
    if ids != remembered:
        write_private(note, json.dumps(ids, indent=1))
    return [each.type for each in registrations if each.new]


def _database(servers: Servers, passwords: Mapping[AgencyCode, _Passwords]) -> list[str]:
    wanted = {member: each.postgres for member, each in passwords.items()}
    return provision_database(servers.admin_dsn, servers.dsn(), database=DATABASE, passwords=wanted)


def _access(
    servers: Servers, catalogue: Catalogue, directory: Directory, passwords: Mapping[AgencyCode, _Passwords]
) -> list[str]:
    return grant_access(
        servers.kafka,
        passwords={member: each.kafka for member, each in passwords.items()},
        rules=access_rules(catalogue, directory, on=vietnamese_day(datetime.now(UTC))),
        quotas=quotas(directory),
    )


@dataclass(frozen=True, slots=True)
class _Passwords:
    kafka: str = field(repr=False)
    postgres: str = field(repr=False)


def _settings(servers: Servers, directory: Directory, agency: AgencyCode) -> _Passwords:
    """Write an agency's settings, with the passwords that it had before; give these."""
    make_private_folder(servers.data / "agencies")
    folder = make_private_folder(agency_folder(servers.data, agency))
    path = folder / "settings.toml"
    known = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    kept = known.get("provisioned", {})
    passwords = _Passwords(
        kafka=kept.get("kafka_password") or secrets.token_urlsafe(24),
        postgres=kept.get("password") or secrets.token_urlsafe(24),
    )
    kafka, registry = servers.kafka_clients, servers.registry(agency)
    # A copy for each, named without its folder, so that an agency's folder can be taken to a machine of its own.
    authorities = dict.fromkeys(each for each in (kafka.ca_file, registry.ca_file) if each is not None)
    ca_file = "ca.pem" if authorities else None
    if ca_file is not None:
        write_private(folder / ca_file, "".join(Path(each).read_text(encoding="ascii") for each in authorities))
    groups: dict[str, dict[str, str | None]] = {
        "kafka": {
            "bootstrap": kafka.bootstrap,
            "username": agency,
            "password": passwords.kafka,
            "ca_file": ca_file,
        },
        "registry": {"url": registry.url, "user": registry.user, "ca_file": ca_file},
        "postgres": {"dsn": servers.dsn(user=database_role(agency), password=passwords.postgres)},
        "provisioned": {"password": passwords.postgres, "kafka_password": passwords.kafka},
    }
    if agency != BUS:
        key_file = servers.data / "documents.key"
        load_or_make_key(key_file)
        groups["documents"] = {"folder": str(servers.data / "documents"), "key_file": str(key_file)}
        if directory.agencies[agency].kind == "postal_operator":
            groups["postal"] = {"outgoing": str(folder / "outgoing"), "scans": str(folder / "scans")}
    write_private(path, _HEAD + "".join(_group(name, values) for name, values in groups.items()))
    return passwords


def _group(name: str, values: Mapping[str, str | None]) -> str:
    """Write one group of settings; a JSON string is a TOML string."""
    there = {key: json.dumps(value) for key, value in values.items() if value is not None}
    return f"\n[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in there.items())


def _told(progress: Progress, name: str, work: Callable[[], list[str]]) -> list[str]:
    progress.step(name, "making what is missing")
    made = work()
    progress.done(name)
    return made
