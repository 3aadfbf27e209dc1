"""What every `streams.sealing.KeyService` promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from contract_events import SELLER, TAX

from streams.names import AgencyCode
from streams.sealing import KeyService
from streams.subject import pseudonym

Grant = Callable[[frozenset[str], AgencyCode], Awaitable[None]]
"""Lets an agency open keys, as the bus does."""

OTHER = pseudonym("seller", "vn-mst", "0100109106")


class KeyServiceSuite:
    """The suite; a subclass gives `owner`, the login of `TAX` as `recipient`, another as `stranger`, and `grant`."""

    async def test_an_agency_has_one_key_for_each_subject(self, owner: KeyService) -> None:
        """Asking again gives the same key; another subject has another one; secrets have 32 bytes."""
        key, other = await owner.key_for(SELLER), await owner.key_for(OTHER)

        assert key == await owner.key_for(SELLER)
        assert key.key_id != other.key_id
        assert key.secret != other.secret
        assert len(key.secret) == 32

    async def test_two_agencies_never_share_a_key(self, owner: KeyService, recipient: KeyService) -> None:
        """The same subject is sealed by each agency under a key of its own."""
        one, two = await owner.key_for(SELLER), await recipient.key_for(SELLER)

        assert one.key_id != two.key_id
        assert one.secret != two.secret

    async def test_the_owner_may_open_its_own_keys(self, owner: KeyService) -> None:
        """Without any grant."""
        key = await owner.key_for(SELLER)

        assert await owner.keys(frozenset({key.key_id})) == {key.key_id: key}

    async def test_nobody_else_may_open_a_key_that_was_not_granted(
        self, owner: KeyService, recipient: KeyService, stranger: KeyService, grant: Grant
    ) -> None:
        """A key that was granted to one agency stays closed to another, and a second key of the same owner too."""
        key, other = await owner.key_for(SELLER), await owner.key_for(OTHER)
        asked = frozenset({key.key_id, other.key_id})
        assert await recipient.keys(asked) == {}

        await grant(frozenset({key.key_id}), TAX)

        assert await recipient.keys(asked) == {key.key_id: key}
        assert await stranger.keys(asked) == {}

    async def test_a_grant_may_be_given_again(self, owner: KeyService, recipient: KeyService, grant: Grant) -> None:
        """A repeat changes nothing; ids that name no key are left out."""
        key = await owner.key_for(SELLER)

        for _ in range(2):
            await grant(frozenset({key.key_id, "no-such-key"}), TAX)

        assert await recipient.keys(frozenset({key.key_id, "no-such-key"})) == {key.key_id: key}

    async def test_ids_that_name_no_key_give_none(self, owner: KeyService) -> None:
        """Whatever stands in a forged sealed field: an empty text, one with a NUL, no id at all."""
        assert await owner.keys(frozenset({"", "nul\x00inside", "x" * 10_000})) == {}
        assert await owner.keys(frozenset()) == {}
