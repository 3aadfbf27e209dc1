"""
Officers' signatures: people act through signed commands.

Ed25519 (RFC 8032) over a pre-authentication encoding of what is claimed (the idea of DSSE): the kind of statement,
then each part with its length, so that no part can run into the next. The value signed is the one on the type's topic;
how a redacted copy still verifies comes with need-to-know.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from streams.directory import Directory, Officer
from streams.errors import ForbiddenError
from streams.event import Event
from streams.headers import WRITTEN_BY_THE_BUS, event_headers
from streams.names import OfficerName, officer_name

__all__ = ["OfficerKey", "may_act", "sign", "statement", "verify_officer", "verify_statement"]

_KIND = b"lienthong.event.v1"
_NOT_SIGNED = WRITTEN_BY_THE_BUS | {"ce_signature"}
"""What the bus writes on an inbox copy, and the signature itself."""

_ACTING_ROLES = frozenset({"officer", "supervisor"})


@dataclass(frozen=True, slots=True)
class OfficerKey:
    """
    An officer's private key, as `lienthong officer add` made it.

    Args:
        name: `AGENCY/OFFICER`.
        private: the key.
    """

    name: OfficerName
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def key_id(self) -> str:
        """The public key in hexadecimal, shortened to 16 digits."""
        return self.private.public_key().public_bytes_raw().hex()[:16]


def statement(*parts: bytes) -> bytes:
    """Put the parts of a statement together, each after its length, so that none can run into the next."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def sign(event: Event, value: bytes, key: OfficerKey) -> Event:
    """
    Give the event the officer's name and signature.

    Args:
        event: with everything else in place.
        value: its encoded value, as it will stand on the topic.
        key: the acting officer's.
    """
    named = replace(event, officer=key.name, key_id=key.key_id)
    return replace(named, signature=key.private.sign(_statement(named, value)))


def verify_officer(event: Event, value: bytes, directory: Directory, *, on: date) -> None:
    """
    Check that an officer of the sending agency signed an event.

    Raises:
        ForbiddenError: with code `officer_unsigned`, `officer_unknown`, `officer_role` or `officer_signature`.
    """
    if event.officer is None or event.signature is None:
        raise ForbiddenError(f"An officer of {event.source} must sign a {event.type}.", code="officer_unsigned")
    if officer_name(event.officer)[0] != event.source:
        raise ForbiddenError(f"{event.officer} does not act for {event.source}.", code="officer_unknown")
    try:
        officer = directory.officer(event.officer, on=on, key_id=event.key_id)
    except ForbiddenError as error:
        raise ForbiddenError(str(error), code="officer_unknown") from error
    if not may_act(officer):
        raise ForbiddenError(f"{event.officer} is {officer.role} and may not act.", code="officer_role")
    verify_statement(_statement(event, value), event.signature, officer)


def may_act(officer: Officer) -> bool:
    """Say whether an officer's role lets the officer sign events; auditors look, operators run the system."""
    return officer.role in _ACTING_ROLES


def verify_statement(signed: bytes, signature: bytes, officer: Officer) -> None:
    """
    Check a signature over a statement with one of an officer's keys.

    Raises:
        ForbiddenError: with code `officer_unknown` or `officer_signature`.
    """
    if officer.public_key is None:
        raise ForbiddenError(f"{officer.name} has no key in the directory.", code="officer_unknown")
    try:
        Ed25519PublicKey.from_public_bytes(officer.public_key).verify(signature, signed)
    except InvalidSignature as error:
        raise ForbiddenError(f"The signature of {officer.name} does not verify.", code="officer_signature") from error


def _statement(event: Event, value: bytes) -> bytes:
    """Write down what is signed: the kind, each attribute of the envelope as its header has it, the value's digest."""
    attributes = [name.encode() + b"=" + text for name, text in event_headers(event) if name not in _NOT_SIGNED]
    return statement(_KIND, *attributes, hashlib.sha256(value).digest())
