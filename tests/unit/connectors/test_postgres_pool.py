"""What is set of psycopg's pool, because its own choice would cost an outage twice."""

from __future__ import annotations

from connectors.postgres import Database

MOST_SECONDS = 10


async def test_attempts_to_connect_have_a_bound() -> None:
    """Pauses double without one; after it the next one who asks begins anew."""
    database = Database("host=/nowhere", schema="agency_x")

    assert database._pool.reconnect_timeout <= MOST_SECONDS
