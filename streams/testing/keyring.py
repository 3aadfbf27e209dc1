"""The key service in memory: `streams.sealing.KeyService`, one login for each agency."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid5

from streams.errors import TransientError
from streams.names import EVENT_NAMESPACE, AgencyCode
from streams.sealing import SubjectKey
from streams.subject import SubjectRef

__all__ = ["MemoryKeyring", "MemoryKeyringLogin"]


@dataclass
class MemoryKeyring:
    """
    All keys, with their owners and grants. Secrets follow from owner and subject, so that a test repeats itself.

    Args:
        owned: each key with the agency that seals under it, by key id.
        granted: which other agency may open which key.
        away: while it is true, every login raises TransientError.
    """

    owned: dict[str, tuple[AgencyCode, SubjectKey]] = field(default_factory=dict)
    granted: set[tuple[str, AgencyCode]] = field(default_factory=set)
    away: bool = False

    def login(self, agency: AgencyCode) -> MemoryKeyringLogin:
        """Give the service as one agency sees it."""
        return MemoryKeyringLogin(self, agency)

    def grant(self, key_ids: frozenset[str], agency: AgencyCode, *, sender: AgencyCode) -> None:
        """Let an agency open keys; ids that name none, and keys that the sender may not open, are left out."""
        known = {key_id for key_id in key_ids if key_id in self.owned}
        held = {key_id for key_id in known if self.owned[key_id][0] == sender or (key_id, sender) in self.granted}
        self.granted |= {(key_id, agency) for key_id in held}


@dataclass(frozen=True)
class MemoryKeyringLogin:
    """
    The service as one agency sees it.

    Args:
        keyring: all keys.
        agency: whose login it is.
    """

    keyring: MemoryKeyring
    agency: AgencyCode

    async def key_for(self, subject: SubjectRef) -> SubjectKey:
        """Give the agency its key for a subject, made at the first call."""
        self._require()
        name = f"{self.agency}|{subject.kind}|{subject.scheme}|{subject.value}"
        key = SubjectKey(
            key_id=str(uuid5(EVENT_NAMESPACE, f"key|{name}")), secret=hashlib.sha256(name.encode()).digest()
        )
        return self.keyring.owned.setdefault(key.key_id, (self.agency, key))[1]

    async def keys(self, key_ids: frozenset[str]) -> Mapping[str, SubjectKey]:
        """Give those of the named keys that the agency owns or was granted."""
        self._require()
        held = {key_id: self.keyring.owned[key_id] for key_id in key_ids if key_id in self.keyring.owned}
        return {
            key_id: key
            for key_id, (owner, key) in held.items()
            if owner == self.agency or (key_id, self.agency) in self.keyring.granted
        }

    def _require(self) -> None:
        if self.keyring.away:
            raise TransientError("The key service in memory is away, as the test wants it.")
