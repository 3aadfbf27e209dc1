"""PostgreSQL: roles and migrations, the agencies' stores, the bus's ledger, the key service, and views of them."""

from connectors.postgres.agency_store import PostgresAgencyStore
from connectors.postgres.bus_store import PostgresBusStore
from connectors.postgres.connection import Database
from connectors.postgres.inbox_view import InboxItem, find_item, list_items, names_document, waiting_in_outbox
from connectors.postgres.keyring import PostgresKeyring
from connectors.postgres.ledger_view import open_answers, trace, travelled
from connectors.postgres.migrate import provision_database

__all__ = [
    "Database",
    "InboxItem",
    "PostgresAgencyStore",
    "PostgresBusStore",
    "PostgresKeyring",
    "find_item",
    "list_items",
    "names_document",
    "open_answers",
    "provision_database",
    "trace",
    "travelled",
    "waiting_in_outbox",
]
