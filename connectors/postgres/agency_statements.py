"""
The statements of an agency's store that write a set of rows: one array for each column.

Arrays of texts and bytes within a row travel as array literals (`rows.header_literals`).
"""

from __future__ import annotations

__all__ = [
    "ADD_DOCUMENTS",
    "ADD_HANDOVERS",
    "ADD_INGESTED",
    "ADD_STATES",
    "LOCK_STATES",
    "NOTE_ANSWERS",
    "OVERDUE",
    "OWN_PARKING",
    "PARK",
    "PARKED",
    "QUARANTINE",
    "QUEUE",
    "RECEIVED",
    "REPLACE_STATES",
    "SHARE_PARKING",
    "UNPARK",
]

RECEIVED = "select event_id from inbox where event_id = any(%(ids)b::uuid[])"

# In one order, so that two workers that want the same states wait for each other and not for ever.
LOCK_STATES = """
    select handler, state_key, body from state
    join unnest(%(handler)b::text[], %(state_key)b::text[]) as wanted (handler, state_key) using (handler, state_key)
    order by handler, state_key for update of state
"""

ADD_STATES = """
    insert into state (handler, state_key, body)
    select * from unnest(%(handler)b::text[], %(state_key)b::text[], %(body)b::text[])
    on conflict (handler, state_key) do nothing
"""

REPLACE_STATES = """
    update state set body = kept.body, changed_at = clock_timestamp()
    from unnest(%(handler)b::text[], %(state_key)b::text[], %(body)b::text[]) as kept (handler, state_key, body)
    where state.handler = kept.handler and state.state_key = kept.state_key
"""

QUEUE = """
    insert into outbox (row_id, topic, key, value, header_names, header_values)
    select row_id, topic, key, value, header_names::text[], header_values::bytea[]
    from unnest(%(row_id)b::uuid[], %(topic)b::text[], %(key)b::bytea[], %(value)b::bytea[], %(header_names)b::text[],
                %(header_values)b::text[]) as queued (row_id, topic, key, value, header_names, header_values)
    on conflict (row_id) do nothing
    returning row_id
"""

ADD_DOCUMENTS = """
    insert into document (sha256, event_id) select * from unnest(%(sha256)b::text[], %(event_id)b::uuid[])
    on conflict do nothing
"""

ADD_HANDOVERS = """
    insert into handover (sink, event_id) select * from unnest(%(sink)b::text[], %(event_id)b::uuid[])
    on conflict do nothing
"""

ADD_INGESTED = """
    insert into ingested (source, item_id, event_id)
    select %(source)s, %(item_id)s, event_id from unnest(%(event_id)b::uuid[]) as became (event_id)
    on conflict do nothing
"""

NOTE_ANSWERS = """
    update inbox set answer = given.answer, answer_status = given.status, answered_at = given.at
    from unnest(%(request)b::uuid[], %(answer)b::uuid[], %(status)b::text[], %(at)b::timestamptz[])
         as given (request, answer, status, at)
    where event_id = given.request
"""

QUARANTINE = """
    insert into quarantine (id, topic, partition, "offset", reason, detail, key, value, header_names, header_values)
    select id, topic, partition, "offset", reason, detail, key, value, header_names::text[], header_values::bytea[]
    from unnest(%(id)b::uuid[], %(topic)b::text[], %(partition)b::integer[], %(offset)b::bigint[], %(reason)b::text[],
                %(detail)b::text[], %(key)b::bytea[], %(value)b::bytea[], %(header_names)b::text[],
                %(header_values)b::text[])
         as kept (id, topic, partition, "offset", reason, detail, key, value, header_names, header_values)
    on conflict (id) do nothing
    returning id
"""

# This lock does not stand against itself, and stands against that of OWN_PARKING, which stands against itself, too.
SHARE_PARKING = "lock table parked in row exclusive mode"

OWN_PARKING = "lock table parked in share row exclusive mode"

PARKED = """
    with recursive touched as (
        select event_id, subject from parked
        where event_id = any(%(ids)b::uuid[]) or waits_for = any(%(ids)b::uuid[]) or subject = any(%(subjects)b::text[])
        union
        select parked.event_id, parked.subject
        from touched join parked on parked.waits_for = touched.event_id or parked.subject = touched.subject
    )
    select * from parked where event_id in (select event_id from touched) order by number
"""

OVERDUE = """
    select * from parked as late
    where parked_at < %(before)s and not exists (select from parked where event_id = late.waits_for)
    order by number limit %(limit)s
"""

PARK = """
    insert into parked (event_id, waits_for, subject, sequence, topic, partition, "offset", timestamp_ms, key, value,
                        header_names, header_values, parked_at)
    select event_id, waits_for, subject, sequence, topic, partition, "offset", timestamp_ms, key, value,
           header_names::text[], header_values::bytea[], parked_at
    from unnest(%(event_id)b::uuid[], %(waits_for)b::uuid[], %(subject)b::text[], %(sequence)b::bigint[],
                %(topic)b::text[], %(partition)b::integer[], %(offset)b::bigint[], %(timestamp_ms)b::bigint[],
                %(key)b::bytea[], %(value)b::bytea[], %(header_names)b::text[], %(header_values)b::text[],
                %(parked_at)b::timestamptz[])
         as waiting (event_id, waits_for, subject, sequence, topic, partition, "offset", timestamp_ms, key, value,
                     header_names, header_values, parked_at)
    on conflict (event_id) do update set waits_for = excluded.waits_for
"""

UNPARK = "delete from parked where event_id = any(%(ids)b::uuid[])"
