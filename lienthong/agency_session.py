"""
One agency's tools, put together from its settings: store, keys, codec, sender.

Used by its worker and by its officers' commands alike; both act with the agency's own credentials and nothing more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.folder_documents import FolderDocumentStore, load_or_make_key
from connectors.postgres import Database, PostgresAgencyStore, PostgresKeyring
from lienthong.settings import AgencySettings, RegistrySettings, agency_settings
from streams.catalogue import load_catalogue
from streams.codec import Codec
from streams.documents import DocumentStore
from streams.errors import InputError
from streams.names import AgencyCode, agency_code, database_schema
from streams.reader import Reader
from streams.registry import ConfluentRegistry, preload_ids
from streams.sender import Sender

__all__ = ["AgencySession", "now", "open_agency", "open_documents", "open_reader"]


@dataclass(frozen=True)
class AgencySession:
    """
    An agency's tools.

    Args:
        agency: whose.
        settings: its own.
        database: open, as its role, in its schema.
        store: its inbox, state and outbox.
        keys: the key service, as this agency.
        reader: makes events of records.
        sender: makes records of drafts.
    """

    agency: AgencyCode
    settings: AgencySettings
    database: Database
    store: PostgresAgencyStore
    keys: PostgresKeyring
    reader: Reader
    sender: Sender


def now() -> datetime:
    """Give the time, aware UTC."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_agency(data: Path, code: str) -> AsyncIterator[AgencySession]:
    """
    Open an agency's tools.

    Raises:
        InputError: nothing is installed for this agency.
        ConfigurationError: a setting or the registry is wrong.
        TransientError: PostgreSQL or the registry is away.
    """
    agency = agency_code(code)
    settings = agency_settings(data, agency)
    async with AsyncExitStack() as stack:
        dsn = settings.postgres.dsn.get_secret_value()
        database = await stack.enter_async_context(Database(dsn, schema=database_schema(agency)))
        keyring_dsn = settings.postgres.keyring_dsn
        key_database = database
        if keyring_dsn is not None:
            key_database = await stack.enter_async_context(Database(keyring_dsn.get_secret_value(), schema="keyring"))
        reader = await stack.enter_async_context(open_reader(settings.registry))
        keys = PostgresKeyring(key_database)
        yield AgencySession(
            agency=agency,
            settings=settings,
            database=database,
            store=PostgresAgencyStore(database, agency),
            keys=keys,
            reader=reader,
            sender=Sender(agency=agency, codec=reader.codec, keys=keys),
        )


@asynccontextmanager
async def open_reader(settings: RegistrySettings) -> AsyncIterator[Reader]:
    """
    Ask the registry for the ids of all types, compare fingerprints, and give what reads records.

    Raises:
        ConfigurationError: a schema is missing or another one.
        TransientError: the registry is away.
    """
    with ConfluentRegistry(settings.address) as registry:
        catalogue = load_catalogue()
        ids = await asyncio.to_thread(preload_ids, registry, catalogue)
        yield Reader(codec=Codec(catalogue=catalogue, ids=ids), registry=registry)


def open_documents(settings: AgencySettings, agency: AgencyCode) -> DocumentStore:
    """
    Open the document store.

    Raises:
        InputError: this installation cannot reach one.
    """
    if settings.documents is None or not settings.documents.key_file.is_file():
        raise InputError(
            f"The document store cannot be reached from here: set documents.folder and documents.key_file for {agency}."
        )
    return FolderDocumentStore(settings.documents.folder, load_or_make_key(settings.documents.key_file))
