"""Who may import what."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("agents", "connectors", "lienthong", "schemas", "streams")
FILES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
PRODUCT = [path for path in FILES if not path.is_relative_to(ROOT / "streams" / "testing")]
DECISION = ROOT / "docs" / "decisions" / "0001-packages.md"
DECIDED = ("faust", "kafka", "avro", "fastavro", "prometheus_client", "structlog")


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Name every module that a file imports, wherever in it."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield from (f"{node.module}.{each.name}" for each in node.names)


def short(path: Path) -> str:
    """Name a file from the repository's root."""
    return path.relative_to(ROOT).as_posix()


def test_import_linters_contracts_hold() -> None:
    """One way: lienthong -> agents | connectors -> streams -> schemas; Faust under streams/runtime alone."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", ran.stdout)


@pytest.mark.parametrize("name", PACKAGES)
def test_our_top_level_names_are_ours(name: str) -> None:
    """`streams` and `agents` are common names: no installed package may stand before them."""
    spec = importlib.util.find_spec(name)

    assert spec is not None
    assert spec.origin == str(ROOT / name / "__init__.py")


def test_every_folder_of_ours_is_a_package() -> None:
    """A folder without `__init__.py` could be completed by a stranger's; Alembic loads its own files itself."""
    folders = {path.parent for path in FILES if "migrations" not in path.parts}

    assert [short(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("upper", ["agents", "connectors"])
def test_siblings_do_not_import_each_other(upper: str) -> None:
    """One agency kind, or one foreign system, knows nothing of another; `agents.kinds` alone lists them."""
    crossings = []
    for path in (path for path in PRODUCT if path.is_relative_to(ROOT / upper)):
        own = path.relative_to(ROOT / upper).parts[0].removesuffix(".py")
        others = {name.split(".")[1] for name in imported(path) if name.startswith(f"{upper}.")} - {own}
        if own not in {"__init__", "kinds"} and others:
            crossings.append(f"{short(path)} imports {', '.join(sorted(others))}")

    assert crossings == []


def test_the_product_never_imports_what_tests_use() -> None:
    """No import of `streams.testing`, and no setting could name it either; nor pytest, hypothesis or the tests."""
    for path in PRODUCT:
        assert not [name for name in imported(path) if name.startswith("streams.testing")], short(path)
        assert not re.search(r"""["']streams[./]testing""", path.read_text(encoding="utf-8")), short(path)
        foreign = {name.split(".")[0] for name in imported(path)} & {"pytest", "hypothesis", "tests", "unittest"}
        assert not foreign, short(path)


def decided() -> dict[str, list[str]]:
    """Read where each package may be imported from the table `| package | where | what for |`."""
    if not DECISION.is_file():
        pytest.skip(f"{short(DECISION)} is not written yet")
    rows = re.findall(r"^\|([^|\n]+)\|([^|\n]+)\|([^|\n]+)\|\s*$", DECISION.read_text(encoding="utf-8"), re.MULTILINE)
    places: dict[str, list[str]] = {}
    for package, where, purpose in rows:
        assert purpose.strip(), package
        for name in re.findall(r"`([^`]+)`", package) or [package.strip()]:
            places.setdefault(name.replace("-", "_"), []).extend(re.findall(r"`([^`]+)`", where) or where.split(","))
    return places


def stands_in(path: str, places: list[str]) -> bool:
    """Say whether a file is one of the modules, or in one of the packages, that a decision names."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return any(module == each.strip() or module.startswith(f"{each.strip()}.") for each in places)


@pytest.mark.parametrize("package", DECIDED)
def test_a_package_is_imported_for_what_it_was_chosen(package: str) -> None:
    """Each of the stack's packages is really used, and only where its decision record says."""
    users = [short(path) for path in PRODUCT if package in {name.split(".")[0] for name in imported(path)}]
    assert users

    places = decided().get(package)
    assert places, f"{package} has no row in {short(DECISION)}"
    assert [path for path in users if not stands_in(path, places)] == []


def test_a_place_is_a_module_or_a_package() -> None:
    """And not what only begins alike."""
    assert all(stands_in("streams/codec.py", [each]) for each in ("streams.codec", " streams"))
    assert stands_in("streams/runtime/__init__.py", ["streams.runtime"])
    assert not stands_in("streams/codec.py", ["streams.code", "stream", "codec", "lienthong"])
