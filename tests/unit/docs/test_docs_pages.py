"""Tables in the pages say what the code says."""

from __future__ import annotations

import ast
import re
import runpy
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from docs_pages import DOCS, ROOT, rows
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from agents import KINDS
from lienthong import settings
from lienthong.commands import health, ledger, quarantine
from lienthong.stack import ServiceStatus
from streams.catalogue import load_catalogue
from streams.headers import event_headers

PACKAGES = ("agents", "connectors", "lienthong", "schemas", "streams")
REQUIRED = ("faust", "kafka", "avro", "fastavro", "prometheus_client", "structlog")


def test_events_page_is_not_stale() -> None:
    """It is what its script makes; else run `.venv/bin/python docs/make_events.py`."""
    script = runpy.run_path(str(DOCS / "make_events.py"))

    assert script["render"]() == script["PAGE"].read_text(encoding="utf-8")


def test_packages_are_imported_where_the_decision_says_and_nowhere_else() -> None:
    """Decision 0001's table and the imports of product code are the same."""
    said = {
        name: {place.strip() for place in where.split(",")}
        for name, where, _ in rows(DOCS / "decisions" / "0001-packages.md", "| package | where | what for |")
    }
    imported = _imports()

    outside = {
        name: sorted(module for module in modules if not any(_within(module, place) for place in said.get(name, ())))
        for name, modules in imported.items()
    }
    idle = {
        name: sorted(place for place in places if not any(_within(each, place) for each in imported.get(name, ())))
        for name, places in said.items()
    }

    assert {name: modules for name, modules in outside.items() if modules} == {}
    assert {name: places for name, places in idle.items() if places} == {}
    assert set(REQUIRED) <= set(said)


def test_every_setting_is_documented_with_its_default() -> None:
    """docs/operations.md has one row for each, under its environment's name."""
    documented = {
        name.strip("`"): (key.strip("`"), default.strip("`"))
        for name, key, default, _ in rows(DOCS / "operations.md", "| environment | file | default | meaning |")
    }
    known = _settings()

    assert set(documented) == set(known)
    for name, (key, default) in known.items():
        if default is not None:
            assert (name, documented[name]) == (name, (key, default))


def test_handlers_are_listed_as_they_are() -> None:
    """docs/architecture.md names each handler, how its kind works, what it consumes, and whether it keeps state."""
    header = "| kind | work | handler | consumes | keeps state by | publishes |"
    listed = {
        (kind, work, name.strip("`"), consumes.strip("`"), state != "nothing")
        for kind, work, name, consumes, state, _ in rows(DOCS / "architecture.md", header)
    }

    assert listed == {
        (kind, spec.work.value, each.name, each.event_type, each.state_key is not None)
        for kind, spec in KINDS.items()
        for each in spec.handlers
    }
    assert "stateless" in {spec.work.value for spec in KINDS.values()}


def test_every_header_is_in_the_protocol() -> None:
    """Headers that the code can write are those of docs/protocol.md."""
    documented = {
        row[0].strip("`")
        for header in ("| header | form | when | example |", "| header | form | meaning | example |")
        for row in rows(DOCS / "protocol.md", header)
    }
    source = ast.parse(Path(sys.modules[event_headers.__module__].__file__ or "").read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant) and isinstance(node.value, str)}

    assert documented == {text for text in texts if text.startswith("ce_") and text != "ce_"} | {"content-type"}


def test_architecture_names_every_type_that_people_or_handlers_publish() -> None:
    """No event type is left without a publisher in docs/architecture.md."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    types = {name for name, spec in load_catalogue().types.items() if spec.kind != "audit"}

    assert {name for name in types if f"`{name}`" not in text} == set()


def test_every_dependency_has_a_line() -> None:
    """What pyproject.toml asks for is in the table, or named below it."""
    text = (DOCS / "decisions" / "0001-packages.md").read_text(encoding="utf-8").lower().replace("_", "-")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [each.split("[")[0].split("=")[0].split(">")[0] for each in project["dependencies"]]

    assert [name for name in names if name not in text] == []


def test_json_lines_are_documented() -> None:
    """Keys of what commands print stand in docs/operations.md, in their order."""
    documented = {
        command.strip("`").removeprefix("lienthong "): re.findall(r'"(\w+)"', line)
        for command, line in rows(DOCS / "operations.md", "| command | a line |")
    }
    status = ServiceStatus(service="kafka", state="stopped").as_json()

    assert documented["status"] == list(status)
    assert documented["metrics"] == list(health._MEASURED)
    assert documented["trace"] == [*ledger._TRACED, *ledger._RECIPIENT]
    assert documented["open"] == list(ledger._OPEN)
    assert documented["directory check"] == _keys("lienthong/commands/directory.py", "_row")
    assert documented["who-sees"] == _keys("lienthong/commands/rights.py", "_seen")
    assert documented["preview"] == _previewed()
    assert documented["ingest einvoice"] == _keys("connectors/einvoice/report.py", "file_report", "_invoice")
    assert documented["quarantine list"] == _keys("lienthong/commands/quarantine.py", "_row")
    assert documented["quarantine redrive`, `drop"] == list(quarantine._DONE)
    assert documented["backup`, `restore"] == _keys("lienthong/commands/backup.py", "_row")
    inner = _keys("lienthong/commands/rebuild.py", "_difference")
    assert [key for key in documented["rebuild"] if key not in inner] == _keys("lienthong/commands/rebuild.py", "_row")
    assert set(inner) <= set(documented["rebuild"])
    assert documented["inbox list"] == _keys("lienthong/commands/inbox.py", "_row")


def _keys(path: str, outer: str, inner: str | None = None) -> list[str]:
    """Give the keys of the dictionary that a function returns; `invoices` and `findings` are followed by theirs."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
    found = []
    for key in _returned(functions[outer]):
        found.append(key)
        if key == "invoices" and inner is not None:
            found += _returned(functions[inner])
        if key == "findings":
            found += ["rule", "severity", "message"]
    return found


def _previewed() -> list[str]:
    """Give the keys of a preview; `refused` and `recipients` are followed by theirs."""
    path = "lienthong/commands/rights.py"
    inner = {"refused": _keys(path, "_refused"), "recipients": _keys(path, "_recipient")}
    return [each for key in _keys(path, "_previewed") for each in (key, *inner.get(key, ()))]


def _returned(function: ast.FunctionDef) -> list[str]:
    (returned,) = [each for each in ast.walk(function) if isinstance(each, ast.Return)]
    assert isinstance(returned.value, ast.Dict)
    return [str(each.value) for each in returned.value.keys if isinstance(each, ast.Constant)]


def _imports() -> dict[str, set[str]]:
    """Give the foreign packages that product code imports, each with its modules."""
    found: dict[str, set[str]] = defaultdict(set)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for name in _imported(path):
                if name not in sys.stdlib_module_names and name not in PACKAGES:
                    found[name].add(module)
    return found


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def _within(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")


def _settings() -> dict[str, tuple[str, str | None]]:
    """Give every environment name with its key in a file and its default as the page writes it; None is unchecked."""
    found: dict[str, tuple[str, str | None]] = {"LIENTHONG_DATA": ("option `--data", None)}
    for model in vars(settings).values():
        if isinstance(model, type) and issubclass(model, BaseSettings) and model.__module__ == settings.__name__:
            found = _group(model, str(model.model_config["env_prefix"]), "") | found
    return found


def _group(model: type[BaseModel], prefix: str, key: str) -> dict[str, tuple[str, str | None]]:
    found: dict[str, tuple[str, str | None]] = {}
    for name, field in model.model_fields.items():
        inner = [each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type)]
        groups = [each for each in inner if issubclass(each, BaseModel)]
        for group in groups:
            found |= _group(group, f"{prefix}{name.upper()}__", f"{key}{name}.")
        if not groups:
            found[f"{prefix}{name.upper()}"] = (f"{key}{name}", _default(field.default))
    return found


def _default(default: object) -> str | None:
    if default is PydanticUndefined:
        return None
    return "none" if default is None else str(default)
