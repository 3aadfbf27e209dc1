"""PostgreSQL and the registry of one run: started, stopped hard, filled up and asked by a test."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
from cluster import until

from lienthong.provision import DATABASE
from lienthong.stack import SilentProgress, StackPlan, ensure_readers, postgres_admin_dsn
from lienthong.stack.certificates import ensure_certificates
from lienthong.stack.java import find_java
from lienthong.stack.postgres import POSTGRES
from lienthong.stack.private_files import make_private_folder
from lienthong.stack.processes import is_alive
from lienthong.stack.registry import REGISTRY, REGISTRY_NAME
from lienthong.stack.server import Server
from lienthong.stack.servers import _find, _start
from streams.directory import load_directory
from streams.names import BUS

__all__ = ["Stores"]

_TRACE = """
create schema if not exists kit;
create table if not exists kit.effect (
    number bigint generated always as identity primary key,
    place text not null, what text not null, id uuid not null
);
create sequence if not exists kit.decided;
create or replace function kit.note() returns trigger language plpgsql security definer as $$
begin
    insert into kit.effect (place, what, id) values (tg_table_schema, tg_table_name, new.event_id);
    if tg_table_name = 'event' then perform nextval('kit.decided'); end if;
    return null;
end $$;
create or replace function kit.note_refusal() returns trigger language plpgsql security definer as $$
begin
    insert into kit.effect (place, what, id) values (tg_table_schema, tg_table_name, new.id);
    if tg_table_schema = 'bus' then perform nextval('kit.decided'); end if;
    return null;
end $$;
"""
"""Rows of the kit's own: written by triggers, so that they tell of every effect, in order, whatever keys hold."""


@dataclass
class Stores:
    """
    PostgreSQL and the schema registry.

    Args:
        plan: their folders and ports; the Kafka parts of it are not used.
    """

    plan: StackPlan

    def __enter__(self) -> Self:
        """Nothing is started yet, so that a file system can be mounted first."""
        for folder in (self.plan.data, self.plan.run, self.plan.logs):
            make_private_folder(folder)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what still runs."""
        for server, number in ((POSTGRES, signal.SIGQUIT), (REGISTRY, signal.SIGKILL)):
            self.end(server, number)

    def start(self, *servers: Server) -> None:
        """Start servers, both where none is named, and wait until they answer."""
        java = find_java()
        ensure_certificates(self.plan.tls, REGISTRY_NAME)
        ensure_readers(self.plan, [BUS, *load_directory().agencies])
        for server in servers or (POSTGRES, REGISTRY):
            server.fetch(self.plan, SilentProgress())
            _start(server, self.plan, java, SilentProgress())

    def process(self, server: Server) -> psutil.Process | None:
        """Give a server's process while it lives."""
        record = _find(server, self.plan)
        return record.process() if record else None

    def end(self, server: Server, number: signal.Signals) -> bool:
        """Send a signal that ends a server, and wait until it is gone; False when it did not run."""
        process = self.process(server)
        if process is None:
            return False
        process.send_signal(number)
        until(f"{server.name} gone", lambda: not is_alive(process), seconds=40)
        return True

    # PostgreSQL

    @contextlib.contextmanager
    def database(self) -> Iterator[psycopg.Connection[Any]]:
        """Connect as the administrator."""
        dsn = postgres_admin_dsn(self.plan, DATABASE)
        with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
            yield connection

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Ask as the administrator."""
        with self.database() as connection:
            return connection.execute(query.encode(), arguments or None).fetchall()

    def change(self, statement: str) -> None:
        """Change something as the administrator."""
        with self.database() as connection:
            connection.execute(statement.encode())

    def trace(self, schemas: Sequence[str]) -> None:
        """Note every row of ledger, inboxes and quarantines, in order."""
        with self.database() as connection:
            connection.execute(_TRACE)
            for schema in schemas:
                table = "event" if schema == "bus" else "inbox"
                for name, function in ((table, "note"), ("quarantine", "note_refusal")):
                    made = f"create trigger kit after insert on {schema}.{name}"
                    connection.execute(f"{made} for each row execute function kit.{function}()".encode())

    def decided(self) -> int | None:
        """Count, roughly, what the bus has admitted or refused; None while PostgreSQL is away."""
        try:
            ((value, called),) = self.rows("select last_value, is_called from kit.decided")
        except psycopg.Error:
            return None
        return int(value) if called else 0

    def effects(self) -> int | None:
        """Count, roughly, all effects; None while PostgreSQL is away."""
        try:
            ((value,),) = self.rows("select coalesce(max(number), 0) from kit.effect")
        except psycopg.Error:
            return None
        return int(value)

    @property
    def postgres_data(self) -> Path:
        """Where PostgreSQL keeps its data."""
        return self.plan.postgres_folder / "data"

    @property
    def postgres_log(self) -> str:
        """What PostgreSQL printed since its last start, and in the run before."""
        logs = [self.plan.logs / name for name in ("postgres.log.1", "postgres.log")]
        return "".join(each.read_text(encoding="utf-8", errors="replace") for each in logs if each.exists())
