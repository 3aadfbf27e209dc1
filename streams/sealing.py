"""
Personal values: sealed under a key of their subject, which is held outside Kafka.

AES-256-GCM-SIV (RFC 8452). The nonce is taken from the event's id and the field's name, so that making the same event
again gives the same bytes; the mode stays safe if ever two values meet under one nonce. Whoever erases the key erases
the value from a log that cannot be edited.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from streams.errors import UndecodableError
from streams.subject import SubjectRef

__all__ = ["KeyService", "Personal", "Reveal", "SubjectKey", "open_sealed", "reveal_personal", "seal"]


@dataclass(frozen=True, slots=True)
class Personal:
    """
    A personal value before it is sealed; it never leaves the process like this.

    Args:
        subject: whose it is; the value is sealed under this subject's key.
        text: the value.
    """

    subject: SubjectRef
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """
    A key of one subject.

    Args:
        key_id: its name, in the clear in every sealed value.
        secret: 32 bytes.
    """

    key_id: str
    secret: bytes = field(repr=False)


Reveal = Callable[["Personal | Mapping[str, Any] | None"], str | None]
"""Opens a personal value: a sealed record, a value not yet sealed, or None; gives None when the key was not granted."""


class KeyService(Protocol):
    """Holds the keys of subjects. The caller's agency is known from its login, never from an argument."""

    async def key_for(self, subject: SubjectRef) -> SubjectKey:
        """
        Give the caller's agency its key for a subject, made at the first call.

        Raises:
            TransientError: the service is away.
        """

    async def keys(self, key_ids: frozenset[str]) -> Mapping[str, SubjectKey]:
        """
        Give those of the named keys that were granted to the caller's agency and are not erased.

        Raises:
            TransientError: the service is away.
        """


def seal(personal: Personal, key: SubjectKey, *, event_id: UUID, field_name: str) -> dict[str, str | bytes]:
    """Seal a value for one field of one event; gives the fields of the Avro record `Sealed`."""
    nonce = hashlib.sha256(f"{event_id}|{field_name}".encode()).digest()[:12]
    ciphertext = AESGCMSIV(key.secret).encrypt(nonce, personal.text.encode(), None)
    return {"key_id": key.key_id, "nonce": nonce, "ciphertext": ciphertext}


def open_sealed(sealed: Mapping[str, Any], key: SubjectKey) -> str:
    """
    Open a sealed value.

    Raises:
        UndecodableError: the key is another one, or the bytes were changed.
    """
    try:
        return AESGCMSIV(key.secret).decrypt(sealed["nonce"], sealed["ciphertext"], None).decode()
    except (InvalidTag, ValueError) as error:
        raise UndecodableError("A sealed field does not open with its key.", code="sealed_field") from error


def reveal_personal(value: Personal | Mapping[str, Any] | None) -> str | None:
    """Reveal values that are not sealed yet, and nothing else: what a connector uses before publishing."""
    return value.text if isinstance(value, Personal) else None
