"""
The keys of subjects, in a schema of their own that no login role can read.

Agencies reach it by functions that know the caller from its login (`session_user`), never from an argument. A key
belongs to one subject and one sealing agency; another agency gets it only with a delivery that it opens.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "create schema keyring",
    "create table keyring.member (role name primary key, agency text not null unique)",
    """
    create table keyring.subject_key (
        key_id text primary key default gen_random_uuid()::text,
        agency text not null,
        kind text not null,
        scheme text not null,
        value text not null,
        secret bytea not null check (length(secret) = 32),
        made_at timestamptz not null default clock_timestamp(),
        unique (agency, kind, scheme, value)
    )
    """,
    """
    create table keyring.key_grant (
        key_id text not null references keyring.subject_key on delete cascade,
        agency text not null,
        granted_at timestamptz not null default clock_timestamp(),
        primary key (key_id, agency)
    )
    """,
    """
    create function keyring.caller() returns text language sql stable security definer set search_path = '' as
    $$ select agency from keyring.member where role = session_user $$
    """,
    """
    create function keyring.key_for(kind text, scheme text, value text, proposed bytea)
    returns table (key_id text, secret bytea) language plpgsql security definer set search_path = '' as $$
    begin
        if keyring.caller() is null then
            raise insufficient_privilege using message = 'this role is no member of the bus';
        end if;
        insert into keyring.subject_key as k (agency, kind, scheme, value, secret)
            values (keyring.caller(), key_for.kind, key_for.scheme, key_for.value, proposed)
            on conflict do nothing;
        return query select k.key_id, k.secret from keyring.subject_key k
            where k.agency = keyring.caller() and k.kind = key_for.kind
              and k.scheme = key_for.scheme and k.value = key_for.value;
    end $$
    """,
    """
    create function keyring.keys(key_ids text[])
    returns table (key_id text, secret bytea) language sql stable security definer set search_path = '' as $$
        select k.key_id, k.secret from keyring.subject_key k
        where k.key_id = any(key_ids)
          and (k.agency = keyring.caller()
               or exists (select from keyring.key_grant g where g.key_id = k.key_id and g.agency = keyring.caller()))
    $$
    """,
    """
    create function keyring.grant_keys(key_ids text[], agency text)
    returns void language sql security definer set search_path = '' as $$
        insert into keyring.key_grant (key_id, agency)
            select k.key_id, grant_keys.agency from keyring.subject_key k where k.key_id = any(key_ids)
            on conflict do nothing
    $$
    """,
    "revoke all on all functions in schema keyring from public",
)


def upgrade() -> None:
    """Make the schema and its functions."""
    for statement in STATEMENTS:
        op.execute(statement)
