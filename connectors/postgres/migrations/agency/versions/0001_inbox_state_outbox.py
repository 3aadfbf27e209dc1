"""An agency's inbox, its handlers' state, its outbox, and what its connectors did."""

from alembic import op

revision = "0001"
down_revision = None

# The schema is chosen by search_path, so that each agency has its own copy of these tables.
# A state is JSON kept as text: jsonb would sort its keys anew and refuse a zero character in a text.
TABLES = """
create table inbox (
    event_id uuid primary key,
    event_type text not null,
    source text not null,
    subject_kind text not null,
    subject_value text not null,
    correlation uuid not null,
    cause uuid,
    event_time timestamptz not null,
    admitted_at timestamptz,
    sequence bigint,
    received_at timestamptz not null default clock_timestamp(),
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    key bytea,
    value bytea not null,
    header_names text[] not null,
    header_values bytea[] not null,
    removed text[] not null,
    answer_due timestamptz,
    notes text[] not null default '{}',
    answer uuid,
    answer_status text,
    answered_at timestamptz
);
create index on inbox (event_type, received_at);
create index on inbox (answer_due) where answer_due is not null and answer is null;

create table state (
    handler text not null,
    state_key text not null,
    body text not null,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (handler, state_key)
);

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

create table handover (
    sequence bigint generated always as identity primary key,
    sink text not null,
    event_id uuid not null references inbox,
    settled_at timestamptz,
    error text,
    unique (sink, event_id)
);
create index on handover (sink, sequence) where settled_at is null;

create table relay (
    single boolean primary key default true check (single)
);
insert into relay default values;

create table parked (
    number bigint generated always as identity primary key,
    event_id uuid not null unique,
    waits_for uuid not null,
    subject text not null,
    sequence bigint,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    timestamp_ms bigint not null,
    key bytea,
    value bytea,
    header_names text[] not null,
    header_values bytea[] not null,
    parked_at timestamptz not null
);
create index on parked (waits_for);
create index on parked (subject);
create index on parked (parked_at);

create table ingested (
    source text not null,
    item_id text not null,
    event_id uuid not null,
    ingested_at timestamptz not null default clock_timestamp(),
    primary key (source, item_id, event_id)
);

create table document (
    sha256 text not null,
    event_id uuid not null,
    primary key (sha256, event_id)
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
create index on quarantine_act (value_sha256);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
