"""Faults of PostgreSQL and of the registry."""

from __future__ import annotations

import signal
import time
from random import Random

import psycopg
from cluster import until
from mounts import fill, free
from rig import Rig

from lienthong.stack.postgres import POSTGRES
from lienthong.stack.processes import is_alive

__all__ = ["break_postgres", "fill_postgres"]

_AWAY_SECONDS = 30.0
_TIMEOUT = "canceling statement due to statement timeout"
_DEADLOCK = "deadlock detected"
_FULL = "No space left on device"
_SERIALIZE = "could not serialize access"


def break_postgres(rig: Rig, chance: Random) -> None:
    """Stopped for half a minute, killed, connections ended; time-outs, deadlocks, serialization failures."""
    strokes = [_stop, _kill, _end_connections, _time_out, _deadlock, _serialize]
    chance.shuffle(strokes)
    for number, each in enumerate(strokes):
        rig.until_done((number + chance.random() / 2) / (len(strokes) + 1))
        each(rig)
        rig.snapshot()


def _stop(rig: Rig) -> None:
    rig.strikes.want("immediate stops")
    rig.stores.end(POSTGRES, signal.SIGQUIT)
    rig.strikes.note("immediate stops")
    rig.linger(_AWAY_SECONDS)
    rig.stores.start(POSTGRES)


def _kill(rig: Rig) -> None:
    rig.strikes.want("postmasters killed")
    rig.stores.end(POSTGRES, signal.SIGKILL)
    rig.strikes.note("postmasters killed")
    rig.stores.start(POSTGRES)


def _end_connections(rig: Rig) -> None:
    rig.strikes.want("connections ended", 10)
    for _ in range(8):
        ended = rig.stores.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename like 'lt_%' and datname is not null"
        )
        rig.strikes.note("connections ended", len(ended))
        time.sleep(0.5)


def _time_out(rig: Rig) -> None:
    """Lock what everybody writes to, longer than a statement may take."""
    rig.strikes.want("statements timed out", 2)
    before = rig.stores.postgres_log.count(_TIMEOUT)
    with _roles(rig, "statement_timeout = '400ms'"), rig.stores.database() as connection:
        for table in ("bus.event", "agency_bcd389_hanam.inbox"):
            with connection.transaction():
                connection.execute(f"lock table {table} in exclusive mode".encode())
                time.sleep(3)
    rig.strikes.note("statements timed out", rig.stores.postgres_log.count(_TIMEOUT) - before)


def _deadlock(rig: Rig) -> None:
    """Lock two tables the other way round, with more patience than the worker's: so it is the worker that loses."""
    rig.strikes.want("deadlocks")
    before = rig.stores.postgres_log.count(_DEADLOCK)
    for _ in range(5):
        with rig.stores.database() as connection:
            connection.execute("set deadlock_timeout = '60s'")
            _meet(connection)
        if rig.stores.postgres_log.count(_DEADLOCK) > before:
            break
    rig.strikes.note("deadlocks", rig.stores.postgres_log.count(_DEADLOCK) - before)


def _meet(connection: psycopg.Connection[object]) -> None:
    waiting = "select count(*) from pg_locks where not granted and relation = 'bus.delivery'::regclass"
    with connection.transaction():
        connection.execute("lock table bus.delivery in exclusive mode")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            (count,) = connection.execute(waiting.encode()).fetchone() or (0,)
            if count:
                connection.execute("lock table bus.event in exclusive mode")
                return
            time.sleep(0.01)


def _serialize(rig: Rig) -> None:
    """Run the bus under the strictest isolation for a while; its transactions then fail each other."""
    rig.strikes.want("serialization failures")
    before = rig.stores.postgres_log.count(_SERIALIZE)
    with _roles(rig, "default_transaction_isolation = 'serializable'"), rig.stores.database() as connection:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and rig.stores.postgres_log.count(_SERIALIZE) == before:
            _provoke(connection)
    rig.strikes.note("serialization failures", rig.stores.postgres_log.count(_SERIALIZE) - before)


def _provoke(connection: psycopg.Connection[object]) -> None:
    """Change the rows that a handler is about to lock."""
    with connection.transaction():
        connection.execute("update agency_qltt_hanam.state set body = body")
        time.sleep(0.3)


class _roles:  # noqa: N801 -- read as a statement
    """Set a setting of the workers' roles, and take it back; connections are ended so that it counts at once."""

    def __init__(self, rig: Rig, setting: str) -> None:
        self._rig, self._setting = rig, setting

    def __enter__(self) -> None:
        """Set it."""
        self._each(f"set {self._setting}")

    def __exit__(self, *_: object) -> None:
        """Take it back."""
        self._each(f"reset {self._setting.split(' ', maxsplit=1)[0]}")

    def _each(self, words: str) -> None:
        with self._rig.stores.database() as connection:
            for (role,) in connection.execute("select rolname from pg_roles where rolname like 'lt_%'").fetchall():
                connection.execute(f"alter role {role} {words}".encode())
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename like 'lt_%'")


def fill_postgres(rig: Rig, chance: Random) -> None:
    """PostgreSQL's disk is full: workers wait, and go on when there is room."""
    rounds = rig.scaled(2)
    rig.strikes.want("ENOSPC in PostgreSQL's log", rounds)
    for number in range(rounds):
        rig.until_done((number + chance.random() / 2) / (rounds + 1))
        before = rig.stores.postgres_log.count(_FULL)
        fill(rig.stores.plan.postgres_folder)
        until(
            "no space",
            lambda before=before: rig.stores.postgres_log.count("No space left on device") > before,
            seconds=90,
        )
        rig.strikes.note("ENOSPC in PostgreSQL's log")
        rig.linger(10)
        free(rig.stores.plan.postgres_folder)
        process = rig.stores.process(POSTGRES)
        if process is None or not is_alive(process):
            rig.stores.start(POSTGRES)
        rig.snapshot()
