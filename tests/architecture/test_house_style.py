"""What of the house style a program can see and ruff does not."""

from __future__ import annotations

import ast
import importlib
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("agents", "connectors", "lienthong", "schemas", "streams")
PRODUCT = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
WRITTEN = sorted(
    [*PRODUCT, *(path for name in ("tests", "benchmarks", "tools") for path in (ROOT / name).rglob("*.py"))]
)
MAX_LINES = 400

MAY_CATCH_ALL = {
    "streams/runtime/worker.py": "the unknown ends the process here, without an acknowledgement",
    "streams/runtime/transport.py": "a broker's restart must not end the fetch loop; a watchdog ends it if it lasts",
    "lienthong/__main__.py": "the last place before the interpreter",
}
"""Where `except Exception` may stand, and why."""

MAY_READ_ENVIRONMENT = {
    "lienthong/settings.py": "the settings",
    "lienthong/stack/java.py": "JAVA_HOME, by which every Java is found",
    "lienthong/stack/download.py": "Maven runs in the caller's environment: its proxies and repositories",
    "lienthong/supervisor.py": "hands its own environment on to the workers that it starts",
    "lienthong/demo/play.py": "hands its own environment on to the commands that it runs",
}
"""Where `os.environ` may be used, and why."""


def short(path: Path) -> str:
    """Name a file from the repository's root."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def comments(path: Path) -> tuple[tuple[int, str], ...]:
    """Give the comments of a file, so that a text that only looks like one does not count."""
    return tuple(_comments(path))


def _comments(path: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def module_name(path: Path) -> str:
    """Name a file as it is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def listed(path: Path) -> list[str] | None:
    """Give a file's `__all__`, None when it has none."""
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and [getattr(each, "id", "") for each in node.targets] == ["__all__"]:
            return list(ast.literal_eval(node.value))
    return None


WITH_ALL = [path for path in PRODUCT if listed(path) is not None]


@pytest.mark.parametrize("path", WITH_ALL, ids=short)
def test_what_is_listed_is_there(path: Path) -> None:
    """Every name of `__all__` exists, once; the order is ruff's (RUF022)."""
    names = listed(path) or []
    module = importlib.import_module(module_name(path))

    assert [name for name in names if not hasattr(module, name)] == []
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", [path for path in WITH_ALL if path.name == "__init__.py"], ids=short)
def test_a_package_lists_exactly_what_it_gives(path: Path) -> None:
    """What `__init__.py` imports from its own modules is what it lists, and it defines nothing itself."""
    given = set()
    for node in tree(path).body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            given |= {each.asname or each.name for each in node.names}
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            given.add(node.name)

    assert {name for name in given if not name.startswith("_")} - {"Path", "Iterator"} == set(listed(path) or ())


def test_no_module_is_named_after_nothing() -> None:
    """A module is named by its concept."""
    vague = {"utils", "util", "helpers", "helper", "common", "base", "misc"}

    assert [short(path) for path in PRODUCT if path.stem in vague or path.parent.name in vague] == []


def test_no_file_is_too_long() -> None:
    """A file that grew past the limit is split by its concepts."""
    long = {short(path): path.read_text(encoding="utf-8").count("\n") for path in WRITTEN}

    assert {path: lines for path, lines in long.items() if lines > MAX_LINES} == {}


def test_only_the_edge_catches_everything() -> None:
    """Elsewhere an error is of a kind that is known. Cleaning up and raising again is no catching."""
    found = set()
    for path in PRODUCT:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler) and catches_all(node) and not raises_again(node):
                found.add(short(path))

    assert found <= set(MAY_CATCH_ALL), found - set(MAY_CATCH_ALL)


def catches_all(handler: ast.ExceptHandler) -> bool:
    """Say whether a handler takes every error."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or getattr(kind, "id", "") in {"Exception", "BaseException"} for kind in kinds)


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Say whether a handler ends by raising what it caught."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_only_settings_read_the_environment() -> None:
    """What is read elsewhere is on a list with its reason, and the list has no one who no longer does."""
    found = {short(path) for path in PRODUCT if re.search(r"\bos\.(environ|getenv)\b|import environ", source(path))}

    assert found - set(MAY_READ_ENVIRONMENT) == set()
    assert set(MAY_READ_ENVIRONMENT) - found <= {"lienthong/settings.py"}, "settings.py reads it by pydantic-settings"


def source(path: Path) -> str:
    """Give a file's text."""
    return path.read_text(encoding="utf-8")


def test_what_is_to_do_names_its_issue() -> None:
    """As in `TODO(#12)`: what has no issue is done or forgotten."""
    found = [
        f"{short(path)}:{line}"
        for path in WRITTEN
        for line, comment in comments(path)
        if re.search(r"\b(TODO|FIXME|HACK)\b(?!\(#\d+\))", comment)
    ]

    assert found == []


EXCUSES = {
    "noqa": re.compile(r"# noqa: [A-Z]+\d+(, ?[A-Z]+\d+)* -- \S.*"),
    "type: ignore": re.compile(r"# type: ignore\[[a-z-]+(, ?[a-z-]+)*\] (#|--) \S.*"),
    "pragma:": re.compile(r"# pragma: no (cover|branch) (-|--|#) \S.*"),
}


@pytest.mark.parametrize("kind", EXCUSES)
def test_every_excuse_names_its_rule_and_its_reason(kind: str) -> None:
    """On the line itself, so that whoever reads it can judge."""
    found = [
        f"{short(path)}:{line} {comment}"
        for path in WRITTEN
        for line, comment in comments(path)
        if kind in comment and path != Path(__file__) and not EXCUSES[kind].search(comment)
    ]

    assert found == []


def test_importing_a_module_calls_nothing() -> None:
    """No statement at module level is a bare call; Alembic runs its own files."""
    calls = [
        f"{short(path)}: {ast.unparse(node.value)[:60]}"
        for path in PRODUCT
        if "migrations" not in path.parts
        for node in tree(path).body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]

    assert calls == []
