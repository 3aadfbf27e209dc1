"""
Pseudonyms: what an event is about, without saying who it is.

`SubjectRef` travels in the clear, so its value is a UUIDv5 over the identifier; the identifier itself travels only
sealed. Two agencies that see the same tax code make the same pseudonym, which is what joins their events.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

from streams.frozen import quickly_made
from streams.names import EVENT_NAMESPACE

__all__ = ["SubjectRef", "pseudonym"]

_SEPARATORS = re.compile(r"[\s.\-_/]+")


@quickly_made
@dataclass(frozen=True, slots=True)
class SubjectRef:
    """
    A pseudonym, as the Avro record of the same name.

    Args:
        kind: seller, buyer, account, customer, parcel, ...
        scheme: the identifier's scheme, for instance `vn-mst`.
        value: UUIDv5 text.
    """

    kind: str
    scheme: str
    value: str

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> SubjectRef:
        """Read the decoded Avro record."""
        return cls(kind=data["kind"], scheme=data["scheme"], value=data["value"])

    def as_data(self) -> dict[str, str]:
        """Give the Avro record's fields."""
        return {"kind": self.kind, "scheme": self.scheme, "value": self.value}

    @property
    def key(self) -> str:
        """
        The Kafka record key, so that one subject's events keep their order.

        >>> pseudonym("seller", "vn-mst", "0100233488").key == pseudonym("seller", "vn-mst", "0100 233 488").key
        True
        """
        return f"{self.kind}:{self.value}"


def pseudonym(kind: str, scheme: str, identifier: str) -> SubjectRef:
    """
    Make the pseudonym of an identifier.

    The kind is no part of it: one tax code has one pseudonym, as a seller and as a buyer. The identifier is folded
    first: NFC, upper case, without spaces, dots, hyphens, underscores and slashes.

    >>> pseudonym("seller", "vn-mst", "0100233488-001").scheme
    'vn-mst'
    """
    folded = _SEPARATORS.sub("", unicodedata.normalize("NFC", identifier)).upper()
    return SubjectRef(kind=kind, scheme=scheme, value=str(uuid5(EVENT_NAMESPACE, f"{scheme}|{folded}")))
