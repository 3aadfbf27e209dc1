"""
The registry's users: who they are, what each may do, and their passwords.

Agencies read. Adding a version, changing the compatibility level and deleting are rights of three users; a fourth
saves and puts back the whole. The registry's own roles cannot tell the first three apart, so its web server does, by
method and path, and refuses everything that is not listed. Passwords are kept in `registry/users.json`, mode 0600; the
registry itself is told hashes, when it starts.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lienthong.stack.plan import StackPlan
from lienthong.stack.private_files import make_private_folder, write_private
from streams.registry import RegistryAddress

__all__ = ["RegistryRight", "ensure_readers", "registry_as", "registry_users", "user_properties"]


class RegistryRight(StrEnum):
    """What one user of the registry may do beside reading; the value is the user's name, too."""

    REGISTER = "registrar"
    COMPATIBILITY = "steward"
    DELETE = "remover"
    SAVE_AND_RESTORE = "keeper"


_REALM = "Quarkus"  # what the registry's own hashes name
_USERS = "quarkus.security.users.embedded"
_PERMISSION = "quarkus.http.auth.permission"
_POLICY = "quarkus.http.auth.policy"
_CONFLUENT = "/apis/ccompat/v7"
_READER_ROLE = "sr-readonly"
_ROLES = {
    RegistryRight.REGISTER: "sr-developer",
    RegistryRight.COMPATIBILITY: "sr-admin",
    RegistryRight.DELETE: "sr-developer",
    RegistryRight.SAVE_AND_RESTORE: "sr-admin",
}
_OWN = "/apis/registry/v3"
_ANYBODY, _NOBODY = "authenticated", "deny"
_READ = {"GET,HEAD,OPTIONS": _ANYBODY}
_GATES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    # name: a path, and who may what there. The longest path that fits counts alone; a method not named is refused.
    "all": ("/*", _READ),
    "subject": (f"{_CONFLUENT}/subjects/*", {**_READ, "POST": _ANYBODY, "DELETE": RegistryRight.DELETE}),
    "versions": (f"{_CONFLUENT}/subjects/*/versions", {**_READ, "POST": RegistryRight.REGISTER}),
    "version": (f"{_CONFLUENT}/subjects/*/versions/*", {**_READ, "DELETE": RegistryRight.DELETE}),
    "check": (f"{_CONFLUENT}/compatibility/*", {**_READ, "POST": _ANYBODY}),
    "config": (f"{_CONFLUENT}/config/*", {**_READ, "PUT,DELETE": RegistryRight.COMPATIBILITY}),
    "admin": (f"{_OWN}/admin/*", {"GET,HEAD,OPTIONS": _NOBODY}),
    "save": (f"{_OWN}/admin/export", {"GET": RegistryRight.SAVE_AND_RESTORE}),
    "restore": (f"{_OWN}/admin/import", {"POST": RegistryRight.SAVE_AND_RESTORE}),
    "empty": (f"{_OWN}/admin/rules", {"DELETE": RegistryRight.SAVE_AND_RESTORE}),
}


@dataclass(frozen=True, slots=True)
class _User:
    right: RegistryRight | None
    password: str = field(repr=False)


def registry_users(plan: StackPlan) -> Mapping[str, _User]:
    """Give the users by name; those with a right are made at the first call."""
    path = _file(plan)
    if path.is_file():
        known = json.loads(path.read_text(encoding="utf-8"))
        return {name: _user(name, password) for name, password in known.items()}
    users = {right.value: _user(right, _new_password()) for right in RegistryRight}
    _write(plan, users)
    return users


def ensure_readers(plan: StackPlan, names: Iterable[str]) -> bool:
    """
    Let exactly these read, beside the users with a right.

    Returns:
        Whether anything changed; then a registry that runs must be started again.
    """
    known = registry_users(plan)
    wanted = {name: user for name, user in known.items() if user.right}
    for name in sorted(names):
        wanted[name] = known.get(name) or _user(name, _new_password())
    if wanted == known:
        return False
    _write(plan, wanted)
    return True


def registry_as(plan: StackPlan, name: str) -> RegistryAddress:
    """Give the registry as one of its users: a `RegistryRight`, an agency or the bus; KeyError for anybody else."""
    password = registry_users(plan)[name].password
    return RegistryAddress(url=plan.registry_url, user=f"{name}:{password}", ca_file=plan.ca_file)


def user_properties(users: Mapping[str, _User]) -> dict[str, str]:
    """
    Write the users and what each may do as the registry's settings.

    The hash is that of HTTP's digest authentication (RFC 7616) with SHA-256; passwords are long and random.
    """
    found = {
        "quarkus.http.auth.basic": "true",
        "apicurio.auth.role-based-authorization": "true",
        f"{_USERS}.plain-text": "false",
        f"{_USERS}.realm-name": _REALM,
        f"{_USERS}.algorithm": "digest-sha-256",
    }
    for name, user in users.items():
        found[f"{_USERS}.users.{name}"] = hashlib.sha256(f"{name}:{_REALM}:{user.password}".encode()).hexdigest()
        found[f"{_USERS}.roles.{name}"] = f"{_ROLES[user.right]},{user.right}" if user.right else _READER_ROLE
    for right in RegistryRight:
        found[f"{_POLICY}.{right}.roles-allowed"] = right
    for name, (path, rules) in _GATES.items():
        for number, (methods, policy) in enumerate(rules.items()):
            gate = {"methods": methods, "paths": path, "policy": policy}
            found |= {f"{_PERMISSION}.{name}-{number}.{key}": value for key, value in gate.items()}
    return found


def _user(name: str, password: str) -> _User:
    return _User(RegistryRight(name) if name in set(RegistryRight) else None, password)


def _new_password() -> str:
    return secrets.token_urlsafe(24)


def _file(plan: StackPlan) -> Path:
    return plan.registry_folder / "users.json"


def _write(plan: StackPlan, users: Mapping[str, _User]) -> None:
    make_private_folder(plan.data)
    make_private_folder(plan.registry_folder)
    write_private(_file(plan), json.dumps({name: each.password for name, each in users.items()}, indent=1))
