"""The bus grants a key only where the sender of the event that names it may open it."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "drop function keyring.grant_keys(text[], text)",
    """
    create function keyring.grant_keys(key_ids text[], agency text, sender text)
    returns void language sql security definer set search_path = '' as $$
        insert into keyring.key_grant (key_id, agency)
            select k.key_id, grant_keys.agency from keyring.subject_key k
            where k.key_id = any(key_ids)
              and (k.agency = sender
                   or exists (select from keyring.key_grant g where g.key_id = k.key_id and g.agency = sender))
            on conflict do nothing
    $$
    """,
    "revoke all on function keyring.grant_keys(text[], text, text) from public",
)


def upgrade() -> None:
    """Replace the function."""
    for statement in STATEMENTS:
        op.execute(statement)
