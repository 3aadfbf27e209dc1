"""What each user of the registry may do, asked of the real one, by every method on every kind of path."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from lienthong.stack import RegistryRight, StackPlan, registry_as
from streams.registry import RegistryAddress

pytestmark = pytest.mark.live

READER = "tax-hanam"
USERS = (None, READER, *(each.value for each in RegistryRight))
NO_SUCH_METHOD = 405
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
_SCHEMA = {"schema": json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]})}
_OWN = "/apis/registry/v3"
_CONFLUENT = "/apis/ccompat/v7"

ALLOWED = {
    # What may be changed, and by whom; everything else may be read by those who log in, and that is all.
    ("POST", f"{_CONFLUENT}/subjects/{{name}}/versions"): {"registrar"},
    ("POST", f"{_CONFLUENT}/subjects/{{name}}"): {READER, "registrar", "steward", "remover", "keeper"},
    ("POST", f"{_CONFLUENT}/compatibility/subjects/{{name}}/versions/latest"): {
        READER,
        "registrar",
        "steward",
        "remover",
        "keeper",
    },
    ("PUT", f"{_CONFLUENT}/config"): {"steward"},
    ("PUT", f"{_CONFLUENT}/config/{{name}}"): {"steward"},
    ("DELETE", f"{_CONFLUENT}/config"): {"steward"},
    ("DELETE", f"{_CONFLUENT}/config/{{name}}"): {"steward"},
    ("DELETE", f"{_CONFLUENT}/subjects/{{name}}"): {"remover"},
    ("DELETE", f"{_CONFLUENT}/subjects/{{name}}/versions/1"): {"remover"},
    ("GET", f"{_OWN}/admin/export"): {"keeper"},
    ("DELETE", f"{_OWN}/admin/rules"): {"keeper"},
    ("POST", f"{_OWN}/admin/import"): {"keeper"},
}
PATHS = (
    "/",
    "/apis",
    "/ui",
    "/health/ready",
    "/metrics",
    f"{_OWN}/system/info",
    f"{_OWN}/admin/roleMappings",
    f"{_OWN}/admin/snapshots",
    f"{_OWN}/admin/config/properties",
    f"{_OWN}/groups",
    f"{_OWN}/groups/default/artifacts",
    f"{_OWN}/groups/default/artifacts/{{name}}",
    f"{_OWN}/groups/default/artifacts/{{name}}/versions",
    f"{_OWN}/groups/default/artifacts/{{name}}/rules",
    "/apis/registry/v2/groups/default/artifacts",
    "/apis/ccompat/v6/subjects/{name}/versions",
    "/apis/ccompat/v8/subjects/{name}/versions",
    "/apis/iceberg/v1/config",
    f"{_CONFLUENT}/subjects",
    f"{_CONFLUENT}/mode",
    f"{_CONFLUENT}/exporters",
    *sorted({path for _, path in ALLOWED}),
)


def _as(plan: StackPlan, user: str | None) -> RegistryAddress:
    known = registry_as(plan, user or READER)
    return known if user else replace(known, user=None)


def _may(plan: StackPlan, user: str | None, method: str, path: str, name: str) -> bool | None:
    """Say whether the registry lets a user do this, found or not; None where there is no such method."""
    address = _as(plan, user)
    root = address.url.removesuffix(_CONFLUENT)
    answer = httpx.request(method, root + path.format(name=name), json=_SCHEMA, timeout=30, **address.httpx())
    return None if answer.status_code == NO_SUCH_METHOD else answer.status_code not in {401, 403}


def test_nobody_may_more_or_less_than_the_table_says(running: StackPlan) -> None:
    """Each user, each method, each kind of path: no unexpected allow, no unexpected deny."""
    name = f"rights-{uuid4().hex}"
    unexpected = []
    asked = 0
    for path, method, user in itertools.product(PATHS, METHODS, USERS):
        if (method, path) == ("DELETE", f"{_OWN}/admin/rules"):
            continue  # it would take away the compatibility level that other tests rely on
        reads = method == "GET" and not path.startswith(f"{_OWN}/admin/") and user is not None
        expected = user in ALLOWED.get((method, path), ()) or reads
        asked += 1
        if _may(running, user, method, path, name) not in {expected, None}:
            unexpected.append((method, path, user, "denied" if expected else "allowed"))

    assert asked > len(PATHS) * len(METHODS) * len(USERS) * 0.99
    assert unexpected == []


def test_a_wrong_password_and_a_plain_connection_get_nothing(running: StackPlan) -> None:
    """Not even a word about who is asked."""
    address = registry_as(running, READER)

    wrong = httpx.get(f"{address.url}/subjects", timeout=30, **replace(address, user=f"{READER}:wrong").httpx())
    assert wrong.status_code == 401
    with pytest.raises(httpx.HTTPError):
        httpx.get(address.url.replace("https://", "http://") + "/subjects", timeout=30, trust_env=False)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{address.url}/subjects", timeout=30, **replace(address, ca_file=None).httpx())
