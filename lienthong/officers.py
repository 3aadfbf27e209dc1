"""Officers: their keys, made here; private ones stay in the agency's folder, public ones go to the directory."""

from __future__ import annotations

import base64
from collections.abc import Sequence
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


def add_officer(data: Path, name: str, *, role: str | None, on: date) -> tuple[Officer, bool]:
    """
    Make an officer's key and enter the officer in the directory; one who has a key keeps it.

    A key that was lost is replaced: the old entry stays, so that what was signed with it still verifies.

    Args:
        data: the installation's folder.
        name: `AGENCY/OFFICER`.
        role: None takes the one that the directory names, or officer for a new desk.
        on: the day from which the key holds.

    Returns:
        The officer, and whether the key is new.

    Raises:
        InputError: the name or the role is none, the agency is unknown, or the directory names another role.
    """
    code, whole = officer_name(name)
    known = [each for each in LiveDirectory(data)().agency(code).officers if each.name == whole]
    role = _role(name, role, known)
    path = _key_path(data, whole)
    private = _load(path) if path.is_file() else None
    if private is not None and known and known[-1].public_key == private.public_key().public_bytes_raw():
        return known[-1], False
    if private is None:
        private = Ed25519PrivateKey.generate()
        make_private_folder(agency_folder(data, code))
        make_private_folder(path.parent)
        write_private(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    public = private.public_key().public_bytes_raw()
    folder = overlay_folder(data) / code
    make_private_folder(overlay_folder(data))
    make_private_folder(folder)
    # One file a key, in the order in which they were made.
    entry = folder / f"{_desk(whole)}.{len(list(folder.glob(f'{_desk(whole)}.*.toml'))) + 1:03d}.toml"
    key = base64.b64encode(public).decode()
    write_private(entry, f'name = "{whole}"\nrole = "{role}"\nvalid_from = {on.isoformat()}\npublic_key = "{key}"\n')
    return LiveDirectory(data)().officer(whole, on=on, key_id=public.hex()[:16]), True


def _role(name: str, role: str | None, known: Sequence[Officer]) -> str:
    if role is not None and role not in ROLES:
        raise InputError(f"'{role}' is no role: choose one of {', '.join(ROLES)}.")
    if known and role not in (None, known[-1].role):
        raise InputError(
            f"The directory names {name} {known[-1].role}, not {role}: change it there, or leave --role away."
        )
    return known[-1].role if known else role or "officer"


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
