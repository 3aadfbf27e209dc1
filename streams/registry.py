"""
The schema registry: ids at start, never on the hot path.

Only provisioning registers; workers look up. At every start the registry's ids and fingerprints are compared with
`schemas/`, so that a lost or changed registry is found before the first event.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from streams.catalogue import Catalogue, EventTypeSpec, fingerprint
from streams.errors import ConfigurationError, TransientError
from streams.names import EventType
from streams.schema_rules import check_schema

__all__ = ["ConfluentRegistry", "Registration", "Registry", "RegistryAddress", "preload_ids", "register_all"]

_NOT_FOUND = 404
_CONFLICT = 409

_NO_ANSWER = (httpx2.HTTPError, ValueError, KeyError, TypeError)
"""No connection, or an answer that is none: whatever answers there is no registry at the moment."""


@dataclass(frozen=True, slots=True)
class Registration:
    """
    What provisioning did for one type.

    Args:
        type: the event type.
        fingerprint: of the schema.
        schema_id: the registry's id.
        new: it was not there before.
    """

    type: EventType
    fingerprint: str
    schema_id: int
    new: bool


class Registry(Protocol):
    """What we need of a registry with Confluent's interface. Blocking; never called on the event loop."""

    def lookup(self, subject: str, schema_text: str) -> int | None:
        """Give the id under which a subject holds a schema, None when it does not; TransientError when away."""

    def register(self, subject: str, schema_text: str) -> int:
        """Register a schema; ConfigurationError when it is incompatible, TransientError when away."""

    def schema_text(self, schema_id: int) -> str | None:
        """Give a schema's text by id, None when there is none; TransientError when away."""

    def ids_of(self, subject: str) -> list[int]:
        """Give the ids of all schemas that a subject holds, none for an unknown one; TransientError when away."""


@dataclass(frozen=True, slots=True)
class RegistryAddress:
    """
    A registry and who we are there.

    Args:
        url: with the path of the Confluent interface, for instance `https://localhost:18081/apis/ccompat/v7`.
        user: `NAME:PASSWORD`; None for a registry without authentication.
        ca_file: PEM file of the authority that the registry's certificate is of.
    """

    url: str
    user: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    def confluent(self) -> dict[str, Any]:
        """Give the settings for confluent-kafka's client."""
        given: dict[str, Any] = {"url": self.url, "timeout": 10}
        if self.user is not None:
            given["basic.auth.user.info"] = self.user
        if self.ca_file is not None:
            given["ssl.ca.location"] = self.ca_file
        return given

    def httpx(self) -> dict[str, Any]:
        """Give the settings for a client of httpx; a proxy of the environment must not stand in between."""
        given: dict[str, Any] = {"trust_env": False}
        if self.user is not None:
            name, _, password = self.user.partition(":")
            given["auth"] = (name, password)
        if self.ca_file is not None:
            given["verify"] = ssl.create_default_context(cafile=self.ca_file)
        return given


class ConfluentRegistry:
    """
    A registry over HTTP (Apicurio, Karapace, Confluent).

    Args:
        address: where it is, and who we are there.

    Use it as a context manager, or call `close`: it keeps connections open.
    """

    def __init__(self, address: RegistryAddress) -> None:
        self._url = address.url
        self._client = SchemaRegistryClient(address.confluent())

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close its connections; nothing can be asked of it afterwards."""
        self._client.close()

    def lookup(self, subject: str, schema_text: str) -> int | None:
        """Give the id under which a subject holds a schema."""
        try:
            schema_id = self._client.lookup_schema(subject, Schema(schema_text, "AVRO")).schema_id
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_FOUND:
                return None
            raise self._away(error) from error
        except _NO_ANSWER as error:
            raise self._away(error) from error
        return None if schema_id is None else int(schema_id)

    def register(self, subject: str, schema_text: str) -> int:
        """Register a schema under a subject."""
        try:
            return int(self._client.register_schema(subject, Schema(schema_text, "AVRO")))
        except SchemaRegistryError as error:
            if error.http_status_code == _CONFLICT:
                raise ConfigurationError(
                    f"The registry refuses the schema of {subject}: it is not compatible with what is registered "
                    "(FULL_TRANSITIVE). Add fields with defaults only, or make a new event type.",
                    code="incompatible_schema",
                ) from error
            raise self._away(error) from error
        except _NO_ANSWER as error:
            raise self._away(error) from error

    def schema_text(self, schema_id: int) -> str | None:
        """Give a schema's text by id."""
        try:
            return str(self._client.get_schema(schema_id).schema_str)
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_FOUND:
                return None
            raise self._away(error) from error
        except _NO_ANSWER as error:
            raise self._away(error) from error

    def ids_of(self, subject: str) -> list[int]:
        """Give the ids of all schemas that a subject holds."""
        try:
            versions = self._client.get_versions(subject)
            # The client remembers what a version is, so that one request is made for each only once.
            found = [self._client.get_version(subject, each).schema_id for each in versions]
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_FOUND:
                return []
            raise self._away(error) from error
        except _NO_ANSWER as error:
            raise self._away(error) from error
        return [int(each) for each in found if each is not None]

    def _away(self, error: Exception) -> TransientError:
        return TransientError(f"The schema registry at {self._url} does not answer as it should: {error}")


def register_all(
    registry: Registry, catalogue: Catalogue, *, remembered: Mapping[str, int] | None = None
) -> list[Registration]:
    """
    Bring the registry up to date with the catalogue; a lost registry is refilled.

    Records on the topics carry ids for ever, so a refill must give each schema the id that it had: it registers in the
    order of the remembered ids, and what comes out is compared with them.

    Args:
        registry: the registry.
        catalogue: every version of every type is registered.
        remembered: the id of each schema by fingerprint, as `schema_id` of earlier registrations.

    Raises:
        ConfigurationError: a schema breaks a rule of the house, is not compatible with what the registry holds, or got
            another id than it had.
        TransientError: the registry is away.
    """
    known = remembered or {}
    for spec in catalogue.versions:
        check_schema(spec.schema)  # all before the first: what is registered stays for ever
    done = []
    for spec in sorted(catalogue.versions, key=lambda each: known.get(each.fingerprint, sys.maxsize)):
        held = registry.lookup(spec.registry_subject, spec.text)
        schema_id = registry.register(spec.registry_subject, spec.text) if held is None else held
        _compare(registry, spec, schema_id)
        if known.get(spec.fingerprint, schema_id) != schema_id:
            raise ConfigurationError(
                f"The registry gives {spec.type} v{spec.version} the id {schema_id}, but records carry "
                f"{known[spec.fingerprint]}: restore the registry from a backup.",
                code="schema_id_changed",
            )
        done.append(Registration(type=spec.type, fingerprint=spec.fingerprint, schema_id=schema_id, new=held is None))
    return done


def preload_ids(registry: Registry, catalogue: Catalogue) -> dict[EventType, int]:
    """
    Look up the id of every type and compare fingerprints.

    Raises:
        ConfigurationError: a schema is not registered, or the registry holds another one under its id.
        TransientError: the registry is away.
    """
    ids = {}
    for event_type, spec in sorted(catalogue.types.items()):
        schema_id = registry.lookup(spec.registry_subject, spec.text)
        if schema_id is None:
            raise ConfigurationError(
                f"The registry does not hold the schema of {event_type}: run `lienthong provision`.",
                code="schema_not_registered",
            )
        _compare(registry, spec, schema_id)
        ids[event_type] = schema_id
    return ids


def _compare(registry: Registry, spec: EventTypeSpec, schema_id: int) -> None:
    held = registry.schema_text(schema_id)
    if held is None or fingerprint(held) != spec.fingerprint:
        raise ConfigurationError(
            f"The registry's schema {schema_id} is not that of {spec.type} v{spec.version}: somebody changed the "
            "registry. Restore it from a backup, or empty it and run `lienthong provision`.",
            code="schema_mismatch",
        )
