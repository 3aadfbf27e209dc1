"""The bus's ledger of events and deliveries, its outbox, the audit log and the quarantine."""

from alembic import op

revision = "0001"
down_revision = None

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
    value_sha256 bytea not null
);
create index on event (correlation, admitted_at);
create index on event (cause);
create index on event (event_type, admitted_at);

create table delivery (
    event_id uuid not null references event,
    agency text not null,
    removed text[] not null,
    purpose text not null,
    legal_article text not null,
    answer_type text,
    answer_due timestamptz,
    row_id uuid,
    delivered_at timestamptz,
    answer uuid,
    answer_status text,
    answered_at timestamptz,
    primary key (event_id, agency)
);
create index on delivery (row_id);
create index on delivery (answer_due) where answer_type is not null and answer is null;

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
    recipient text,
    removed text[] not null,
    legal_article text,
    reason_code text,
    details jsonb
);
create index on audit (event_id);

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
create index on quarantine_act (value_sha256)
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
