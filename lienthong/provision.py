"""
Provisioning: what must be there before any worker starts.

Topics, schemas, PostgreSQL roles and tables, and a folder with settings for each agency. Doing it again changes
nothing that is right, makes what is missing, and says so when something is wrong.
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from connectors.folder_documents import load_or_make_key
from connectors.postgres import provision_database
from lienthong.settings import agency_folder
from lienthong.stack import Progress, StackPlan, postgres_admin_dsn, postgres_dsn
from lienthong.stack.private_files import make_private_folder, write_private
from streams.catalogue import Catalogue, load_catalogue
from streams.directory import Directory, load_directory
from streams.errors import ConfigurationError, TransientError
from streams.kafka import KafkaAddress
from streams.names import BUS, AgencyCode, database_role
from streams.registry import ConfluentRegistry, register_all
from streams.topics import TopicSpec, topic_plan

__all__ = ["DATABASE", "Provisioned", "make_topics", "provision"]

DATABASE = "lienthong"
"""The database of the embedded PostgreSQL."""

_TOPIC_EXISTS = 36


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What was newly made."""

    topics: Sequence[str]
    schemas: Sequence[str]
    database_schemas: Sequence[str]


def provision(plan: StackPlan, *, progress: Progress) -> Provisioned:
    """
    Bring the servers of a stack up to date with the catalogue and the directory.

    Raises:
        ConfigurationError: a schema is incompatible, or a topic is not as it should be.
        TransientError: a server is away.
    """
    catalogue, directory = load_catalogue(), load_directory(plan.data / "directory")
    address = KafkaAddress(bootstrap=plan.kafka_bootstrap)
    topics = _told(progress, "topics", lambda: make_topics(address, topic_plan(catalogue, directory)))
    schemas = _told(progress, "schemas", lambda: _register(plan, catalogue))
    database = _told(progress, "database", lambda: _database(plan, directory))
    return Provisioned(topics=topics, schemas=schemas, database_schemas=database)


def make_topics(address: KafkaAddress, topics: Sequence[TopicSpec]) -> list[str]:
    """
    Make the topics that are missing.

    Returns:
        Their names.

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


def _register(plan: StackPlan, catalogue: Catalogue) -> list[str]:
    with ConfluentRegistry(plan.registry_url) as registry:
        registrations = register_all(registry, catalogue)
    return [each.type for each in registrations if each.new]


def _database(plan: StackPlan, directory: Directory) -> list[str]:
    members = [BUS, *sorted(directory.agencies)]
    passwords = {agency: _settings(plan, directory, agency) for agency in members}
    return provision_database(
        postgres_admin_dsn(plan), postgres_admin_dsn(plan, DATABASE), database=DATABASE, passwords=passwords
    )


def _settings(plan: StackPlan, directory: Directory, agency: AgencyCode) -> str:
    """Write an agency's settings, with the password that it had before; give the password."""
    folder = make_private_folder(agency_folder(plan.data, agency))
    path = folder / "settings.toml"
    known = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    password: str = known.get("provisioned", {}).get("password") or secrets.token_urlsafe(24)
    role = database_role(agency)
    dsn = postgres_dsn(plan, role=role, password=password, database=DATABASE)
    lines = [
        "# Written by `lienthong provision`, which keeps the password and writes everything else anew. To set a value",
        "# yourself, use the environment: LIENTHONG_KAFKA__BOOTSTRAP and so on (docs/operations.md).",
        f'[kafka]\nbootstrap = "{plan.kafka_bootstrap}"',
        f'[registry]\nurl = "{plan.registry_url}"',
        f'[postgres]\ndsn = "{dsn}"',
    ]
    if agency != BUS:
        key_file = plan.data / "documents.key"
        load_or_make_key(key_file)
        lines.append(f'[documents]\nfolder = "{plan.data / "documents"}"\nkey_file = "{key_file}"')
        if directory.agencies[agency].kind == "postal_operator":
            lines.append(f'[postal]\noutgoing = "{folder / "outgoing"}"\nscans = "{folder / "scans"}"')
    lines.append(f'[provisioned]\npassword = "{password}"')
    write_private(path, "\n\n".join(lines) + "\n")
    return password


def _told(progress: Progress, name: str, work: Callable[[], list[str]]) -> list[str]:
    progress.step(name, "")
    made = work()
    progress.done(name)
    return made
