"""What an agency whose kind is stateless cannot have, refused before anything runs; and where it keeps quarantine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streams.agency_store import AgencyStore
from streams.agent import AgentSpec, Work
from streams.directory import Agency
from streams.errors import ConfigurationError
from streams.record import QuarantineItem
from streams.republish import Keep

__all__ = ["check_stateless", "keeping"]


def check_stateless(spec: AgentSpec, agency: Agency) -> None:
    """
    Refuse a directory entry that asks of a stateless kind what needs an inbox; other kinds may have all.

    An answer is owed by an inbox item, and a copy that no handler takes would leave no trace at all.

    Raises:
        ConfigurationError: the entry owes answers, or receives a type that none of its kind's handlers consumes.
    """
    if spec.work is not Work.STATELESS:
        return
    consumed = {each.event_type for each in spec.handlers}
    for grant in agency.receive:
        if grant.answer is not None:
            raise ConfigurationError(
                f"{agency.code} is of the stateless kind {spec.kind} and cannot owe answers to {grant.type}: "
                "take `answer` out of its entry."
            )
        if grant.type not in consumed:
            raise ConfigurationError(
                f"{agency.code} is of the stateless kind {spec.kind}, which has no handler for {grant.type}: "
                "take the grant out of its entry."
            )


def keeping(store: AgencyStore, *, queued: Callable[[], None] = lambda: None) -> Keep:
    """
    Keep quarantined records in an agency's own store, as those of a stateful agency are.

    Args:
        store: the agency's; `quarantine` of it queues them for the quarantine topic, too.
        queued: called when its outbox has something to publish.
    """

    async def keep(items: Sequence[QuarantineItem]) -> None:
        async with store.transaction() as transaction:
            await transaction.quarantine(items)
        queued()

    return keep
