"""PostgreSQL: roles and migrations, the agencies' stores, the bus's ledger, the key service."""

from connectors.postgres.agency_store import PostgresAgencyStore
from connectors.postgres.bus_store import PostgresBusStore
from connectors.postgres.connection import Database
from connectors.postgres.keyring import PostgresKeyring
from connectors.postgres.migrate import provision_database

__all__ = ["Database", "PostgresAgencyStore", "PostgresBusStore", "PostgresKeyring", "provision_database"]
