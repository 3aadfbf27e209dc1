"""docs/adding.md is followed to the letter in a copy of the tree, and what it adds works there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from docs_pages import DOCS, ROOT, Fence, fences, prose

PAGE = DOCS / "adding.md"
COPIED = ("agents", "connectors", "lienthong", "schemas", "streams")

CHECK = """
import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from agents import KINDS
from lienthong import settings, worker
from streams.catalogue import load_catalogue
from streams.directory import load_directory
from streams.directory_rules import check_directory
from streams.event import Draft, stated_id
from streams.subject import pseudonym
from streams.testing import MemoryBus
from streams.topics import topic_plan

assert check_directory(load_catalogue(), KINDS) == []
assert Path(settings.__file__).is_relative_to(Path.cwd()), settings.__file__
catalogue, directory = load_catalogue(), load_directory()
topics = {each.name for each in topic_plan(catalogue, directory)}
assert {"lt.seller.cleared", "lt.inbox.courier-hanam", "lt.quarantine.consumer-hanam"} <= topics

bus = MemoryBus(catalogue, directory, kinds=KINDS)
seller, parcel = pseudonym("seller", "vn-mst", "0100233488"), pseudonym("parcel", "postal-number", "EV1")
reason = {"code": "r", "message_vi": "v", "message_en": "e", "weight": 5, "evidence": []}
nothing = {name: None for spec in catalogue.types.values() for name in spec.removable}


def draft(event_type, subject, **fields):
    kept = {name: value for name, value in nothing.items() if name in catalogue[event_type].fields}
    return Draft(type=event_type, subject=subject, data=kept | fields, event_id=stated_id(event_type, subject.value))


async def travel():
    flagged = draft("shipment.flagged", parcel, parcel=parcel.as_data(), carrier="x", reasons=[reason])
    cleared = draft("seller.cleared", seller, seller=seller.as_data(), reason="r", cleared_by="qltt-hanam/inspector")
    suspected = draft("seller.suspected", seller, seller=seller.as_data(), reasons=[reason], score=15)
    for each in (flagged, cleared, suspected):
        await bus.publish("qltt-hanam", each)
    await bus.settle()
    return flagged, cleared, suspected


async def received(agency, event_id):
    for record in bus.kafka.records("lt.inbox." + agency, offset=0):
        event = await bus.reader.read(record)
        if event.id == event_id:
            return event
    return None


async def main():
    flagged, cleared, suspected = await travel()
    copy = await received("courier-hanam", flagged.event_id)
    assert copy is not None and copy.removed == ("reasons",) and copy.answer_due is not None, copy
    copy = await received("tax-hanam", cleared.event_id)
    assert copy is not None and copy.removed == ("cleared_by",) and copy.data["reason"] == "r", copy
    assert await received("police-hanam", cleared.event_id) is None
    copy = await received("consumer-hanam", suspected.event_id)
    assert copy is not None and copy.removed == ("score",), copy
    note = KINDS["consumer_office"].handlers[0].handle(copy, None).note
    assert note.endswith("1 reasons for a warning."), note

    folder = Path.cwd() / "alerts"
    folder.mkdir()
    chosen = SimpleNamespace(postal=None, alerts=settings.AlertSettings(folder=folder))
    (sink,), _ = worker.connectors_of(SimpleNamespace(settings=chosen, agency="police-hanam"))
    for _ in range(2):
        await sink.write([copy], reveal=lambda value: None)
    assert [each.name for each in folder.iterdir()] == [f"{copy.id}.json"]


asyncio.run(main())
assert "alerts" in settings.AgencySettings.model_fields
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the tree with everything added that the page adds."""
    folder = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "docker-compose.yml", folder)
    for fence in _steps():
        path = folder / fence.label
        if fence.language == "diff":
            path.write_text(_changed(path.read_text(encoding="utf-8"), fence), encoding="utf-8")
        else:
            assert not path.exists()
            path.write_text(fence.text, encoding="utf-8")
    return folder


def test_what_the_page_adds_works(tree: Path) -> None:
    """New agencies receive, the new type travels redacted, the new connector writes once."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}

    ran = subprocess.run(
        [sys.executable, "-c", CHECK], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_compose_file_has_the_new_worker(tree: Path) -> None:
    """As a service of its own, made as the others are."""
    services = yaml.safe_load((tree / "docker-compose.yml").read_text(encoding="utf-8"))["services"]

    assert services["courier-hanam"] == services["bcd389-hanam"] | {"command": ["worker", "courier-hanam"]}


def test_no_addition_takes_more_than_three_files() -> None:
    """Counted by heading, as the page promises."""
    sections = Counter[str]()
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading = section.split("\n", maxsplit=1)[0]
        sections[heading] = len({fence.label for fence in _steps() if f"{fence.label}\n{fence.text}" in section})

    assert sections == {
        "An agency of a kind that exists": 2,
        "An agency of a new kind": 3,
        "An event type": 3,
        "A connector": 3,
    }
    assert "at most three files" in prose(PAGE)


def _steps() -> list[Fence]:
    return [fence for fence in fences(PAGE) if fence.label]


def _changed(text: str, fence: Fence) -> str:
    """Apply a difference whose old lines stand in the text exactly once."""
    lines = fence.text.splitlines()
    old = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
    new = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
    assert text.count(old) == 1, f"docs/adding.md is stale: {fence.label} does not hold, once,\n{old}"
    return text.replace(old, new)
