"""PostgreSQL: roles and migrations, the agencies' stores, the bus's ledger, the key service, and views of them."""

from connectors.postgres.agency_store import PostgresAgencyStore
from connectors.postgres.bus_store import PostgresBusStore
from connectors.postgres.connection import Database
from connectors.postgres.inbox_view import (
    InboxItem,
    find_item,
    list_items,
    names_document,
    received_counts,
    travel_seconds,
    waiting_in_outbox,
)
from connectors.postgres.keyring import PostgresKeyring
from connectors.postgres.ledger_view import delivery_counts, events_of, open_answers, trace
from connectors.postgres.migrate import provision_database

__all__ = [
    "Database",
    "InboxItem",
    "PostgresAgencyStore",
    "PostgresBusStore",
    "PostgresKeyring",
    "delivery_counts",
    "events_of",
    "find_item",
    "list_items",
    "names_document",
    "open_answers",
    "provision_database",
    "received_counts",
    "trace",
    "travel_seconds",
    "waiting_in_outbox",
]
