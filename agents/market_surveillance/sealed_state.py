"""Sealed records and parcels as JSON values, so that they can wait in a handler's state and leave it unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "MAX_NUMBER_BYTES",
    "MAX_SEALED_BYTES",
    "parcel_from_state",
    "parcel_to_state",
    "sealed_from_state",
    "sealed_to_state",
]

MAX_SEALED_BYTES = 2048
"""A longer ciphertext is no name, tax code or account number and is not kept."""

MAX_NUMBER_BYTES = 128
"""A longer ciphertext is no parcel number and is not kept."""


def sealed_to_state(sealed: Any, *, max_bytes: int = MAX_SEALED_BYTES) -> dict[str, str] | None:
    """
    Turn a `Sealed` record into JSON text fields, bytes as hexadecimal; None for anything else.

    Args:
        sealed: the record as it came.
        max_bytes: a longer ciphertext gives None, so that a state stays bounded.
    """
    if not isinstance(sealed, Mapping) or len(sealed["ciphertext"]) > max_bytes:
        return None
    return {
        "key_id": sealed["key_id"],
        "nonce": bytes(sealed["nonce"]).hex(),
        "ciphertext": bytes(sealed["ciphertext"]).hex(),
    }


def sealed_from_state(kept: Mapping[str, str] | None) -> dict[str, str | bytes] | None:
    r"""
    Give back the `Sealed` record that `sealed_to_state` was given.

    >>> record = {"key_id": "k", "nonce": b"\x00" * 12, "ciphertext": b"\xff\x01"}
    >>> sealed_from_state(sealed_to_state(record)) == record
    True
    """
    if kept is None:
        return None
    return {
        "key_id": kept["key_id"],
        "nonce": bytes.fromhex(kept["nonce"]),
        "ciphertext": bytes.fromhex(kept["ciphertext"]),
    }


def parcel_to_state(parcel: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a `ParcelRef` into JSON values."""
    return {
        "parcel": dict(parcel["parcel"]),
        "number": sealed_to_state(parcel.get("number"), max_bytes=MAX_NUMBER_BYTES),
        "carrier": parcel.get("carrier"),
    }


def parcel_from_state(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Give back the `ParcelRef` that `parcel_to_state` was given."""
    return {
        "parcel": dict(kept["parcel"]),
        "number": sealed_from_state(kept["number"]),
        "carrier": kept["carrier"],
    }
