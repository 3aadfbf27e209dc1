"""Real Kafka, schema registry and PostgreSQL on one machine, without containers."""

from __future__ import annotations

from lienthong.stack.plan import StackPlan, default_cache
from lienthong.stack.postgres import postgres_admin_dsn, postgres_dsn, postgres_program
from lienthong.stack.progress import PlainProgress, Progress, RichProgress, SilentProgress, progress_on
from lienthong.stack.registry import require_compatibility
from lienthong.stack.registry_users import RegistryRight, ensure_readers, registry_as
from lienthong.stack.server import clean_environment
from lienthong.stack.servers import server_status, start_servers, stop_registry, stop_servers
from lienthong.stack.status import ServiceState, ServiceStatus

__all__ = [
    "PlainProgress",
    "Progress",
    "RegistryRight",
    "RichProgress",
    "ServiceState",
    "ServiceStatus",
    "SilentProgress",
    "StackPlan",
    "clean_environment",
    "default_cache",
    "ensure_readers",
    "postgres_admin_dsn",
    "postgres_dsn",
    "postgres_program",
    "progress_on",
    "registry_as",
    "require_compatibility",
    "server_status",
    "start_servers",
    "stop_registry",
    "stop_servers",
]
