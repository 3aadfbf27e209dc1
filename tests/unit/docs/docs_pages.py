"""The project's pages, read for the tests of this folder: fenced blocks, links, tables, headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")))

_FENCE = re.compile(r"^```(?P<language>\S*)[ ]*(?P<label>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language, what stands after it, and its text."""

    language: str
    label: str
    text: str


def fences(page: Path) -> list[Fence]:
    """Give a page's fenced blocks, in order."""
    return [Fence(**found.groupdict()) for found in _FENCE.finditer(page.read_text(encoding="utf-8"))]


def example(page: Path, label: str) -> str:
    """Give the text of the one block of that label."""
    (found,) = [each.text for each in fences(page) if each.label == label]
    return found


def prose(page: Path) -> str:
    """Give a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def rows(page: Path, header: str) -> Iterator[Sequence[str]]:
    """Give the cells of each row under every table of that header."""
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line == header:
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    break
                yield [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip("|"))]


def anchors(page: Path) -> set[str]:
    """Give the anchors that a page's headings make, as GitHub does."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
