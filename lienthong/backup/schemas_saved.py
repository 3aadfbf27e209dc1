"""
Save the registry's schemas and put them back with the same ids, by the registry's own export (Apicurio).

Records carry the ids for ever, so they are compared after the import.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx

from streams.errors import ConfigurationError, TransientError
from streams.registry import RegistryAddress

__all__ = ["put_schemas_back", "registry_ids", "save_schemas"]

_FILE = "registry.zip"
_CONFLUENT, _OWN = "/apis/ccompat/", "/apis/registry/v3"
_TIMEOUT_SECONDS = 60.0


def registry_ids(address: RegistryAddress) -> dict[str, dict[str, int]]:
    """Give the ids of all schemas by subject and version; TransientError when the registry is away."""
    try:
        with _client(address) as client:
            subjects = client.get(f"{address.url}/subjects").raise_for_status().json()
            return {each: _versions(client, f"{address.url}/subjects/{each}/versions") for each in sorted(subjects)}
    except httpx.HTTPError as error:
        raise _away(address.url, error) from error


def save_schemas(address: RegistryAddress, folder: Path) -> dict[str, dict[str, int]]:
    """
    Export the registry.

    Returns:
        The ids of all schemas by subject and version.

    Raises:
        ConfigurationError: the registry is none that exports.
        TransientError: it is away.
    """
    try:
        with _client(address) as client:
            answer = client.get(f"{_own(address.url)}/admin/export", params={"forBrowser": "false"})
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise _away(address.url, error) from error
    (folder / _FILE).write_bytes(answer.content)
    return registry_ids(address)


def put_schemas_back(address: RegistryAddress, ids: Mapping[str, Mapping[str, int]], folder: Path) -> None:
    """
    Import an export into an empty registry.

    Raises:
        ConfigurationError: the registry is not empty, does not import, or gives a schema another id.
        TransientError: it is away.
    """
    if there := registry_ids(address):
        raise ConfigurationError(f"The registry has schemas already, for instance {next(iter(there))}: empty it first.")
    try:
        with _client(address) as client:
            # The export has the compatibility rule, and the import refuses what is there already.
            client.delete(f"{_own(address.url)}/admin/rules").raise_for_status()
            client.post(
                f"{_own(address.url)}/admin/import",
                content=(folder / _FILE).read_bytes(),
                headers={"Content-Type": "application/zip"},
            ).raise_for_status()
    except httpx.HTTPError as error:
        raise _away(address.url, error) from error
    if registry_ids(address) != ids:
        raise ConfigurationError("The registry gives schemas other ids than records carry: restore to an empty one.")


def _client(address: RegistryAddress) -> httpx.Client:
    return httpx.Client(timeout=_TIMEOUT_SECONDS, **address.httpx())


def _versions(client: httpx.Client, url: str) -> dict[str, int]:
    versions = client.get(url).raise_for_status().json()
    return {str(each): int(client.get(f"{url}/{each}").raise_for_status().json()["id"]) for each in versions}


def _own(url: str) -> str:
    """Give the registry's own interface beside its Confluent one."""
    before, found, _ = url.partition(_CONFLUENT)
    if not found:
        raise ConfigurationError(f"The registry at {url} is no Apicurio: save and restore it by its own means.")
    return before + _OWN


def _away(url: str, error: httpx.HTTPError) -> TransientError:
    return TransientError(f"The registry at {url} does not answer as it should: {error}")
