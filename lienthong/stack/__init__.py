"""Real Kafka, schema registry and PostgreSQL on one machine, without containers."""

from __future__ import annotations

from lienthong.stack.plan import StackPlan, default_cache
from lienthong.stack.postgres import postgres_admin_dsn, postgres_dsn, postgres_program
from lienthong.stack.progress import PlainProgress, Progress, RichProgress, SilentProgress, progress_on
from lienthong.stack.registry import require_compatibility
from lienthong.stack.server import clean_environment
from lienthong.stack.servers import server_status, start_servers, stop_servers
from lienthong.stack.status import ServiceState, ServiceStatus

__all__ = [
    "PlainProgress",
    "Progress",
    "RichProgress",
    "ServiceState",
    "ServiceStatus",
    "SilentProgress",
    "StackPlan",
    "clean_environment",
    "default_cache",
    "postgres_admin_dsn",
    "postgres_dsn",
    "postgres_program",
    "progress_on",
    "require_compatibility",
    "server_status",
    "start_servers",
    "stop_servers",
]
