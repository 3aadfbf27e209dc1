"""The registry's users and what each may do."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from lienthong.stack import RegistryRight, StackPlan, ensure_readers, registry_as
from lienthong.stack.registry_users import registry_users, user_properties


def _plan(folder: Path) -> StackPlan:
    return StackPlan(data=folder / "data", cache=folder)


def test_agencies_read_and_each_right_has_a_user_of_its_own(tmp_path: Path) -> None:
    """Only hashes go to the registry."""
    plan = _plan(tmp_path)
    ensure_readers(plan, ["tax-hanam", "bus"])

    users = registry_users(plan)
    found = user_properties(users)

    roles = {name: found[f"quarkus.security.users.embedded.roles.{name}"] for name in users}
    assert {name for name, role in roles.items() if role == "sr-readonly"} == {"tax-hanam", "bus"}
    assert roles.keys() - {"tax-hanam", "bus"} == set(RegistryRight)
    assert len({role.split(",")[1] for name, role in roles.items() if "," in role}) == len(RegistryRight)
    for name, user in users.items():
        hashed = hashlib.sha256(f"{name}:Quarkus:{user.password}".encode()).hexdigest()
        assert found[f"quarkus.security.users.embedded.users.{name}"] == hashed
        assert user.password not in str(found)
        assert user.password not in repr(user)


def test_a_reader_who_is_gone_is_gone_and_passwords_stay(tmp_path: Path) -> None:
    """A second call with the same names changes nothing."""
    plan = _plan(tmp_path)
    assert ensure_readers(plan, ["tax-hanam", "police-hanam"])
    before = registry_as(plan, "tax-hanam")
    assert not ensure_readers(plan, ["police-hanam", "tax-hanam"])

    assert ensure_readers(plan, ["tax-hanam"])

    assert registry_as(plan, "tax-hanam") == before
    assert registry_users(plan).keys() == {"tax-hanam", *RegistryRight}
    assert stat.S_IMODE((plan.registry_folder / "users.json").stat().st_mode) == 0o600


def test_every_path_is_closed_by_default(tmp_path: Path) -> None:
    """Whatever has no rule of its own may be read by those who logged in, and changed by nobody."""
    found = user_properties(registry_users(_plan(tmp_path)))
    prefix = "quarkus.http.auth.permission"
    gates = {key.split(".")[4] for key in found if key.startswith(prefix)}

    rules = {
        (found[f"{prefix}.{gate}.paths"], method): found[f"{prefix}.{gate}.policy"]
        for gate in gates
        for method in found[f"{prefix}.{gate}.methods"].split(",")
    }
    assert {method: policy for (path, method), policy in rules.items() if path == "/*"} == dict.fromkeys(
        ("GET", "HEAD", "OPTIONS"), "authenticated"
    )
    changing = {key for key, policy in rules.items() if key[1] not in {"GET", "HEAD", "OPTIONS"}}
    assert {rules[key] for key in changing} == {"authenticated", *RegistryRight}
    assert {key[1] for key in changing if rules[key] == "authenticated"} == {"POST"}  # look-ups and checks
