"""The bus grants keys, many at once, only where the sender of the event that names one may open it."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "drop function keyring.grant_keys(text[], text)",
    """
    create function keyring.grant_keys(key_ids text[], agencies text[], senders text[])
    returns table (key_id text, agency text) language sql security definer set search_path = '' as $$
        insert into keyring.key_grant (key_id, agency)
            select distinct k.key_id, w.agency
            from unnest(key_ids, agencies, senders) as w (key_id, agency, sender)
            join keyring.subject_key k on k.key_id = w.key_id
            where k.agency = w.sender
               or exists (select from keyring.key_grant g where g.key_id = k.key_id and g.agency = w.sender)
            on conflict do nothing;
        select g.key_id, g.agency from unnest(key_ids, agencies) as w (key_id, agency)
            join keyring.key_grant g on g.key_id = w.key_id and g.agency = w.agency
    $$
    """,
    "revoke all on function keyring.grant_keys(text[], text[], text[]) from public",
)


def upgrade() -> None:
    """Replace the function."""
    for statement in STATEMENTS:
        op.execute(statement)
