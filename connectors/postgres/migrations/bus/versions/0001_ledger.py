"""The bus's ledger of events and deliveries, what waits, its outbox, the audit log and the quarantine."""

from alembic import op

revision = "0001"
down_revision = None

# delivery has no foreign key to event: both are written for hundreds of events at once, in one transaction, and a check
# row by row would cost more than the rows.
#
# A copy is delivered when Kafka confirmed all that the record led to which handed it over: the event's own, or that of
# the event which released it. handed_over says which one.
TABLES = """
create table event (
    event_id uuid primary key,
    event_type text not null,
    source text not null,
    officer text,
    subject_kind text not null,
    subject_value text not null,
    correlation uuid not null,
    cause uuid,
    depth integer not null,
    event_time timestamptz not null,
    admitted_at timestamptz not null,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    value_sha256 bytea not null,
    released_by uuid
);
create index on event (correlation);
create index on event (event_type, admitted_at);

create table delivery (
    event_id uuid not null,
    agency text not null,
    removed text[] not null,
    purpose text not null,
    legal_article text not null,
    answer_type text,
    answer_due timestamptz,
    sequence bigint not null,
    after boolean not null,
    answer uuid,
    answer_status text,
    answered_at timestamptz,
    primary key (event_id, agency)
);
create index on delivery (answer_due) where answer_type is not null and answer is null;

create view handed_over as
    select e.event_id, coalesce(r.topic, e.topic) as topic, coalesce(r.partition, e.partition) as partition,
           coalesce(r."offset", e."offset") as "offset"
    from event e left join event r on r.event_id = e.released_by;

create table numbering (
    agency text not null,
    subject text not null,
    last bigint not null,
    primary key (agency, subject)
) with (fillfactor = 70);

create table parked (
    number bigint generated always as identity,
    event_id uuid primary key,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    timestamp_ms bigint not null,
    key bytea,
    value bytea,
    header_names text[] not null,
    header_values bytea[] not null,
    value_sha256 bytea not null,
    waits_for uuid not null,
    behind boolean not null,
    parked_at timestamptz not null default clock_timestamp(),
    released_by uuid
);
create index on parked (waits_for) where released_by is null;
create index on parked (topic, partition) where released_by is null;
create index on parked (parked_at) where released_by is null and not behind;
create index on parked (released_by) where released_by is not null;

create table confirmed (
    topic text not null,
    partition integer not null,
    below bigint not null,
    confirmed_at timestamptz not null,
    primary key (topic, partition, below)
);

create table relay (
    single boolean primary key default true check (single)
);
insert into relay default values;

create table outbox (
    sequence bigint generated always as identity primary key,
    row_id uuid not null unique,
    topic text not null,
    key bytea,
    value bytea,
    header_names text[] not null,
    header_values bytea[] not null,
    queued_at timestamptz not null default clock_timestamp(),
    published_at timestamptz
);
create index on outbox (sequence) where published_at is null;

create table audit (
    sequence bigint generated always as identity primary key,
    action text not null,
    recorded_at timestamptz not null,
    event_id uuid,
    event_type text,
    agency text,
    officer text,
    recipients text[] not null default '{}',
    reason_code text,
    details jsonb
);

create table quarantine (
    id uuid primary key,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    reason text not null,
    detail text not null,
    key bytea,
    value bytea,
    header_names text[] not null,
    header_values bytea[] not null,
    kept_at timestamptz not null default clock_timestamp()
);
create index on quarantine (topic, partition, "offset");

create table quarantine_act (
    quarantine_id uuid primary key references quarantine,
    action text not null check (action in ('redriven', 'dropped')),
    at timestamptz not null,
    officer text not null,
    key_id text not null,
    because text not null,
    signature bytea not null,
    value_sha256 bytea not null,
    noted_at timestamptz not null default clock_timestamp()
);
create index on quarantine_act (value_sha256)
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
