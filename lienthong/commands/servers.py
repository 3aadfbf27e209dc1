"""`lienthong up`, `down`, `status`, `prepare`, `provision`, `hold`, `release`."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong import installation
from lienthong.commands.options import Data, Json, chosen_data
from lienthong.output import json_line, say, table
from lienthong.provision import provision
from lienthong.stack import ServiceStatus, progress_on
from lienthong.supervisor import hold, release
from streams.names import agency_code

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(prepare)
    app.command("provision")(provision_servers)
    app.command("hold")(hold_worker)
    app.command("release")(release_worker)


def up(
    data: Data = None,
    servers: Annotated[bool, typer.Option("--servers", help="Start the servers only.")] = False,  # noqa: FBT002 -- a flag
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Start Kafka, the schema registry and PostgreSQL, provision them, and run the bus and the agencies' workers."""
    folder = chosen_data(data)
    with progress_on() as progress:
        installation.bring_up(folder, progress=progress, servers_only=servers)
    _show(installation.status(folder), json=json)


def down(data: Data = None, json: Json = False) -> None:  # noqa: FBT002 -- a flag
    """Stop the workers and the servers that `up` started, and nothing else."""
    _show(installation.take_down(chosen_data(data)), json=json)


def status(data: Data = None, json: Json = False) -> None:  # noqa: FBT002 -- a flag
    """Say what each server and each worker is doing; exit 1 when one that should run does not."""
    services = installation.status(chosen_data(data))
    _show(services, json=json)
    if any(each.state != "running" for each in services):
        raise typer.Exit(1)


def prepare(
    data: Data = None,
    kafka_host: Annotated[str, typer.Option(help="How clients call Kafka.")] = "localhost",
    registry_host: Annotated[str, typer.Option(help="How clients call the registry.")] = "localhost",
) -> None:
    """Make certificates and the registry's users, where not `up` but something else starts Kafka and the registry."""
    installation.prepare_servers(chosen_data(data), kafka_host=kafka_host, registry_host=registry_host)


def provision_servers(data: Data = None) -> None:
    """Bring topics, schemas, rights, roles and tables up to date, here or on the servers of the environment."""
    with progress_on() as progress:
        made = provision(installation.servers_of(chosen_data(data)), progress=progress)
    say(
        f"Newly made: {len(made.topics)} topics, {len(made.schemas)} schemas, "
        f"{len(made.database_schemas)} database schemas. Changes of users, rights and quotas: {len(made.access)}."
    )


def hold_worker(agency: str, data: Data = None) -> None:
    """Hold an agency's worker down until `release`; what is meant for it waits on Kafka."""
    hold(chosen_data(data), agency_code(agency))


def release_worker(agency: str, data: Data = None) -> None:
    """Let a held worker run again."""
    release(chosen_data(data), agency_code(agency))


def _show(services: list[ServiceStatus], *, json: bool) -> None:
    rows = [each.as_json() for each in services]
    if json:
        for row in rows:
            json_line(row)
        return
    columns = ("service", "state", "address", "pid", "since", "detail")
    table("Services", columns, [[row[column] for column in columns] for row in rows])
