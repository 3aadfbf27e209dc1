"""Links and commands in the pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from docs_pages import PAGES, ROOT, anchors, prose
from typer.main import get_command

from lienthong.cli import app

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_CALL = re.compile(r"(?:^|[ `])(?:\$ )?(?:\.venv/bin/)?lienthong (?P<words>[^`\n]*)", re.MULTILINE)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    """A link names a file that is there and, after #, a heading of it."""
    broken = []
    for target in _LINK.findall(prose(page)):
        path, _, anchor = target.partition("#")
        if path.startswith("https:"):
            continue
        other = (page.parent / path).resolve() if path else page
        if not other.exists() or (anchor and anchor not in anchors(other)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_pages_name_exist(page: Path) -> None:
    """Every `lienthong ...` is a command, and every option beside it one of that command's."""
    wrong = []
    for call in _CALL.findall(page.read_text(encoding="utf-8")):
        words = call.split()
        command = get_command(app)
        while words and isinstance(command, typer.core.TyperGroup) and words[0].strip(",.;:)") in command.commands:
            command = command.commands[words.pop(0).strip(",.;:)")]
        known = {option for each in command.params for option in each.opts} | {"--help"}
        if (words and not command.params) or set(_OPTION.findall(" ".join(words))) - known or _unknown(command, words):
            wrong.append(call)

    assert wrong == []


def _unknown(command: object, words: list[str]) -> bool:
    """Say whether a word stands where a command of a group should."""
    return isinstance(command, typer.core.TyperGroup) and bool(words) and bool(re.fullmatch(r"[a-z-]+", words[0]))


def test_the_readme_names_both_commands_and_says_what_was_not_tried() -> None:
    """A newcomer needs two commands; what was never run is said so."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert "$ make demo\n$ make test\n" in text
    assert "**it was not\nstarted where it was written**" in text


def test_the_readme_names_every_command() -> None:
    """Nothing that a person may type is missing but what only services run, and `demo`, which make runs."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {name for found in _CALL.findall(text) for name in found.split()[:1]} - {""}

    assert set(get_command(app).commands) - {name.strip(",.;:)") for name in named} == {
        "demo",
        "prepare",
        "provision",
        "worker",
    }  # type: ignore[attr-defined] # a group has commands
