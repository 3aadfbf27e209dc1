"""What is missing in the numbers of an agency's copies, and how far they were looked at."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # Not BRIN, which does not know the newest rows, the only ones that are looked for, before a vacuum.
    "create index on inbox (received_at)",
    "create table numbered (subject text primary key, last bigint not null)",
    """
    create table gap (
        subject text not null,
        number bigint not null,
        found bigint not null,
        noticed_at timestamptz not null default clock_timestamp(),
        reported boolean not null default false,
        primary key (subject, number)
    )
    """,
    "create table looked (single boolean primary key default true check (single), until timestamptz not null)",
    "insert into looked (until) values ('-infinity')",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
