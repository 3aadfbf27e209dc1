"""
The schema registry: Apicurio with its Confluent API, on loopback, its schemas in a file.

TLS, and a user with a password for everybody (`registry_users`).
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import httpx

from lienthong.stack.certificates import certificate_file
from lienthong.stack.download import fetch_registry
from lienthong.stack.loopback import LOOPBACK
from lienthong.stack.plan import StackPlan
from lienthong.stack.ports import Port, accepts
from lienthong.stack.private_files import make_private_folder, write_private
from lienthong.stack.processes import Launch
from lienthong.stack.progress import Progress
from lienthong.stack.registry_users import RegistryRight, registry_as, registry_users, user_properties
from lienthong.stack.server import Server, clean_environment, fresh_temporary_folder, properties_text
from lienthong.stack.versions import REGISTRY_COMPATIBILITY
from streams.errors import TransientError
from streams.registry import RegistryAddress

__all__ = ["REGISTRY", "REGISTRY_NAME", "application_properties", "require_compatibility", "write_configuration"]

JVM = (
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
)

TIMEOUT_SECONDS = 10.0

REGISTRY_NAME = "registry"
"""Of its certificate."""


def application_properties(plan: StackPlan) -> dict[str, str]:
    """The whole configuration of the registry, as keys and values of its `application.properties`."""
    certificate = str(certificate_file(plan.tls, REGISTRY_NAME))
    return {
        "quarkus.http.host": LOOPBACK,
        "quarkus.http.ssl-port": str(plan.registry_port),
        "quarkus.http.port": "0",
        "quarkus.http.insecure-requests": "disabled",
        "quarkus.http.ssl.protocols": "TLSv1.3",
        "quarkus.http.ssl.certificate.files": certificate,
        "quarkus.http.ssl.certificate.key-files": certificate,
        # Health and metrics would be told to anybody who asks.
        "quarkus.management.host-enabled": "false",
        **user_properties(registry_users(plan)),
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "h2",
        # H2 keeps a commit in memory for half a second by default: a killed registry would forget a schema it had
        # already given an id to.
        "apicurio.datasource.url": f"jdbc:h2:file:{plan.registry_folder / 'db'};WRITE_DELAY=0",
        "apicurio.datasource.jdbc.initial-size": "2",
        "apicurio.datasource.jdbc.min-size": "2",
    }


def require_compatibility(address: RegistryAddress) -> None:
    """
    Set the level that every later schema must pass, for all subjects. Setting it twice is harmless.

    Args:
        address: the registry, as somebody who may change it.

    Raises:
        TransientError: the registry did not answer, or did not take it.
    """
    try:
        answer = httpx.put(
            f"{address.url}/config",
            json={"compatibility": REGISTRY_COMPATIBILITY},
            timeout=TIMEOUT_SECONDS,
            **address.httpx(),
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise TransientError(f"The registry at {address.url} did not take its compatibility level: {error}") from error


def _identity(plan: StackPlan) -> str:
    return f"-Dlienthong.data={plan.data}"


def _fetch(plan: StackPlan, progress: Progress) -> None:
    fetch_registry(plan.cache, progress=progress)


def write_configuration(plan: StackPlan) -> None:
    """Write the registry's configuration, with hashes of its users' passwords."""
    config = make_private_folder(make_private_folder(plan.registry_folder) / "config")
    write_private(config / "application.properties", properties_text(application_properties(plan)))


def _prepare(plan: StackPlan, java: Path, progress: Progress) -> Launch:
    installed = fetch_registry(plan.cache, progress=progress)
    folder = plan.registry_folder
    write_configuration(plan)  # the registry reads it from the folder it is started in
    return Launch(
        argv=[
            str(java),
            *JVM,
            fresh_temporary_folder(folder),
            _identity(plan),
            "-jar",
            str(installed / "quarkus-run.jar"),
        ],
        env=clean_environment(),
        cwd=folder,
        log=plan.logs / "registry.log",
    )


def _recognise(plan: StackPlan, argv: Sequence[str]) -> bool:
    return _identity(plan) in argv


def _probe(plan: StackPlan) -> None:
    if not accepts(plan.registry_port):
        raise TransientError(f"The registry does not listen on port {plan.registry_port} yet.")
    # Not the health page: it says ready up to a second before the API listens.
    try:
        address = registry_as(plan, RegistryRight.COMPATIBILITY)
        httpx.get(f"{address.url}/subjects", timeout=TIMEOUT_SECONDS, **address.httpx()).raise_for_status()
    except httpx.HTTPError as error:
        raise TransientError(f"The registry at {plan.registry_url} does not answer: {error}") from error


def _settle(plan: StackPlan) -> None:
    require_compatibility(registry_as(plan, RegistryRight.COMPATIBILITY))


REGISTRY = Server(
    name="registry",
    address=lambda plan: plan.registry_url,
    ports=lambda plan: (Port(plan.registry_port, "LIENTHONG_STACK__REGISTRY_PORT"),),
    fetch=_fetch,
    prepare=_prepare,
    recognise=_recognise,
    probe=_probe,
    settle=_settle,
    stop_signals=(signal.SIGTERM, signal.SIGKILL),
)
"""How the stack runs the schema registry."""
