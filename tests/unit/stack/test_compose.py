"""`docker-compose.yml` and the units under `deploy/` say what the code says."""

from __future__ import annotations

import configparser
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from lienthong.settings import AgencySettings, ProvisionSettings
from lienthong.stack import StackPlan
from lienthong.stack.kafka import server_properties
from lienthong.stack.versions import KAFKA_VERSION, POSTGRES_MAJOR, REGISTRY_VERSION

ROOT = Path(__file__).parents[3]
POM = {"m": "http://maven.apache.org/POM/4.0.0"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, anchors and merges resolved."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return found


def _pom_versions(name: str) -> dict[str, str]:
    root = ET.parse(ROOT / "deploy" / "maven" / f"{name}.xml").getroot()  # noqa: S314 -- our own file
    rows = root.findall("m:dependencies/m:dependency", POM)
    return {row.findtext("m:artifactId", "", POM): row.findtext("m:version", "", POM) for row in rows}


def test_it_is_valid_by_the_specification(compose: dict[str, Any]) -> None:
    """The Compose specification's own schema accepts it."""
    schema = json.loads((Path(__file__).parent / "compose_spec" / "compose-spec.json").read_text(encoding="utf-8"))

    validator = jsonschema.Draft7Validator(schema)

    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(compose)] == []


def test_images_are_the_versions_of_the_embedded_servers(compose: dict[str, Any]) -> None:
    """One set of versions for both ways to run."""
    images = {name: compose["services"][name]["image"] for name in ("kafka", "registry", "postgres")}

    assert images == {
        "kafka": f"apache/kafka:{KAFKA_VERSION}",
        "registry": f"apicurio/apicurio-registry:{REGISTRY_VERSION}",
        "postgres": f"postgres:{POSTGRES_MAJOR}",
    }


def test_poms_name_the_same_versions() -> None:
    """What Maven fetches is what the constants say."""
    kafka, registry = _pom_versions("kafka"), _pom_versions("registry")

    assert (kafka["kafka_2.13"], kafka["kafka-tools"]) == (KAFKA_VERSION, KAFKA_VERSION)
    assert registry == {"apicurio-registry-app": REGISTRY_VERSION}
    sums = (ROOT / "deploy" / "maven" / "kafka.sha256").read_text(encoding="ascii")
    assert f"  kafka_2.13-{KAFKA_VERSION}.jar\n" in sums


def test_ports_are_published_on_loopback_and_are_the_default_ones(compose: dict[str, Any]) -> None:
    """A client's settings do not change between the two ways to run."""
    plan = StackPlan(data=Path("d"), cache=Path("c"))
    published = {
        name: port.rsplit(":", 1)[0]
        for name, service in compose["services"].items()
        for port in service.get("ports", [])
    }

    assert all(address.startswith("127.0.0.1:") for address in published.values())
    assert published["kafka"] == f"127.0.0.1:{plan.kafka_port}"
    assert published["registry"] == f"127.0.0.1:{plan.registry_port}"


def test_kafka_has_the_settings_of_the_embedded_one(compose: dict[str, Any]) -> None:
    """Every setting that is not an address or a folder is equal."""
    environment = compose["services"]["kafka"]["environment"]
    here = server_properties(StackPlan(data=Path("d"), cache=Path("c")))
    addresses = {"controller.quorum.voters", "log.dirs", "listeners", "advertised.listeners"}
    addresses |= {"listener.security.protocol.map", "ssl.keystore.location", "ssl.truststore.location"}
    # There is one more listener for clients, on the machine itself; it must be as closed as the other.
    for_host = {key.replace("clients", "host"): value for key, value in here.items() if ".clients." in key}

    names = {key: f"KAFKA_{key.replace('-', '___').replace('.', '_').upper()}" for key in here | for_host}

    assert {key: value for key, value in (here | for_host).items() if key not in addresses} == {
        key: environment.get(name, "").replace("$$", "$") for key, name in names.items() if key not in addresses
    }
    assert set(environment) == set(names.values())
    assert "PLAINTEXT" not in str(environment)


def test_every_agency_of_the_directory_has_a_worker(compose: dict[str, Any]) -> None:
    """An agency that is added to the directory is added here."""
    agencies = {path.stem for path in (ROOT / "schemas" / "directory").glob("*.toml")}

    workers = {name: service["command"] for name, service in compose["services"].items() if "build" in service}

    prepare = ["prepare", "--kafka-host", "kafka", "--registry-host", "registry"]
    assert workers == {"prepare": prepare, "provision": ["provision"]} | {
        name: ["worker", name] for name in {"bus", *agencies}
    }


def test_workers_wait_for_the_provisioning_and_know_no_password(compose: dict[str, Any]) -> None:
    """Only the provisioning has the superuser's password."""
    for name, service in compose["services"].items():
        if "build" in service and name not in {"prepare", "provision"}:
            assert service["depends_on"] == {"provision": {"condition": "service_completed_successfully"}}
            assert "PASSWORD" not in json.dumps(service)
    assert "${LIENTHONG_POSTGRES_PASSWORD:?" in json.dumps(compose["services"]["provision"])


def _variables(model: type[BaseModel], prefix: str) -> set[str]:
    """The environment variables that set a group of settings and the groups in it."""
    found = set()
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        inner = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        groups = [kind for kind in inner if issubclass(kind, BaseModel)]
        found |= {variable}.union(*(_variables(group, f"{variable}__") for group in groups))
    return found


def test_every_variable_is_a_setting(compose: dict[str, Any]) -> None:
    """A typo in a name would be ignored in silence."""
    known = _variables(AgencySettings, "LIENTHONG_") | _variables(ProvisionSettings, "LIENTHONG_") | {"LIENTHONG_DATA"}

    used = {
        name
        for service in compose["services"].values()
        for name in service.get("environment", {})
        if name.startswith("LIENTHONG_")
    }

    assert used
    assert not used - known


def test_units_run_commands_that_exist_and_restart_as_the_supervisor_does() -> None:
    """Paths, commands and back-off agree between the units."""
    commands = set()
    for path in sorted((ROOT / "deploy" / "systemd").glob("*.service")):
        unit = configparser.RawConfigParser(strict=False)
        unit.read(path, encoding="utf-8")
        text = path.read_text(encoding="utf-8")
        commands |= set(re.findall(r"^Exec\w+=/opt/lienthong/\.venv/bin/lienthong (.+)$", text, re.MULTILINE))
        assert unit["Service"]["User"] == "lienthong"
        if unit["Service"]["Type"] == "exec":
            assert (unit["Service"]["Restart"], unit["Service"]["RestartMaxDelaySec"]) == ("always", "30s")

    assert commands == {"up --servers", "provision", "down", "worker bus", "worker %i"}


def test_the_image_installs_by_hash_and_runs_as_nobody_special() -> None:
    """Every package comes from the lock; the process is not root."""
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")

    assert "--require-hashes --requirement /tmp/run.txt" in text
    assert re.search(r"^USER lienthong$", text, re.MULTILINE)
    assert text.count("FROM python:3.11-slim") == 2


def test_workers_are_well_when_they_are_ready(compose: dict[str, Any]) -> None:
    """Each is asked at the port that its own environment sets; the provisioning ends and is asked nothing."""
    for name, service in compose["services"].items():
        if "build" in service and name not in {"prepare", "provision"}:
            port = service["environment"]["LIENTHONG_METRICS_PORT"]
            assert f"http://127.0.0.1:{port}/readyz" in service["healthcheck"]["test"][-1]
    for name in ("prepare", "provision"):
        assert compose["services"][name]["healthcheck"] == {"disable": True}


def test_the_units_wait_until_a_worker_is_ready() -> None:
    """And take it for started also when a server is away, for then the worker waits."""
    for path in sorted((ROOT / "deploy" / "systemd").glob("lienthong-[bw]*.service")):
        lines = path.read_text(encoding="utf-8").splitlines()
        [worker] = [line.removeprefix("ExecStart=") for line in lines if line.startswith("ExecStart=")]
        [check] = [line.removeprefix("ExecStartPost=-") for line in lines if line.startswith("ExecStartPost=-")]
        assert check.startswith(worker.replace(" worker ", " health ") + " --wait ")
