"""Officers: their keys, made here; private ones stay in the agency's folder, public ones go to the directory."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from lienthong.directory import LiveDirectory, overlay_folder
from lienthong.settings import agency_folder
from lienthong.stack.private_files import make_private_folder, write_private
from streams.directory import Officer
from streams.errors import ForbiddenError, InputError
from streams.names import OfficerName, officer_name
from streams.signing import OfficerKey

__all__ = ["add_officer", "officer_key"]

ROLES = ("officer", "supervisor", "auditor", "operator")


def add_officer(data: Path, name: str, *, role: str, on: date) -> tuple[Officer, bool]:
    """
    Make an officer's key and enter the officer in the directory; one who has a key keeps it.

    Returns:
        The officer, and whether the key is new.

    Raises:
        InputError: the name or the role is none, or the agency is unknown.
    """
    code, whole = officer_name(name)
    LiveDirectory(data)().agency(code)
    if role not in ROLES:
        raise InputError(f"'{role}' is no role: choose one of {', '.join(ROLES)}.")
    entry = overlay_folder(data) / code / f"{_desk(whole)}.toml"
    path = _key_path(data, whole)
    if path.is_file() and entry.is_file():
        return LiveDirectory(data)().officer(whole, on=on), False
    make_private_folder(agency_folder(data, code))
    make_private_folder(path.parent)
    private = _load(path) if path.is_file() else Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    write_private(path, pem)
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    make_private_folder(overlay_folder(data))
    make_private_folder(entry.parent)
    write_private(entry, f'name = "{whole}"\nrole = "{role}"\nvalid_from = {on.isoformat()}\npublic_key = "{public}"\n')
    return LiveDirectory(data)().officer(whole, on=on), True


def officer_key(data: Path, name: str) -> OfficerKey:
    """
    Load an officer's private key.

    Raises:
        InputError: the name is none.
        ForbiddenError: this installation has no key of that officer.
    """
    _, whole = officer_name(name)
    path = _key_path(data, whole)
    if not path.is_file():
        raise ForbiddenError(f"There is no key for {name} here: make one with `lienthong officer add {name}`.")
    return OfficerKey(name=whole, private=_load(path))


def _load(path: Path) -> Ed25519PrivateKey:
    refusal = f"{path} is no Ed25519 key: remove it and add the officer again."
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(refusal) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError(refusal)
    return private


def _key_path(data: Path, name: OfficerName) -> Path:
    code, _ = officer_name(name)
    return agency_folder(data, code) / "officers" / f"{_desk(name)}.pem"


def _desk(name: OfficerName) -> str:
    return name.split("/", maxsplit=1)[1]
