"""The folder of scans, as a source: nothing lost, nothing twice, everything told."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
import pytest

from connectors.postal import Flag, ScanFolder
from connectors.postal.scan_file import ScanFile, read_scan_file
from streams.catalogue import load_catalogue
from streams.connector import SourceItem
from streams.errors import TransientError
from streams.event import stated_id
from streams.names import AgencyCode, EventType
from streams.sealing import Personal, SubjectKey, seal
from streams.subject import SubjectRef, pseudonym

OPERATOR = AgencyCode("post-hanam")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
SEEN_AT = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
HEADER = "number,event_code,office,place,seen_at,remark"
GOOD = "EE471108151VN,EMG,480000,Bưu cục Phủ Lý,2026-11-23T20:05+07:00,"
PARCEL = pseudonym("parcel", "postal-number", "EE471108151VN")
FLAG = Flag(event_id=UUID(int=1), correlation=UUID(int=2))


async def find_flag(parcel: SubjectRef) -> Flag | None:
    """Know of one flagged parcel."""
    return FLAG if parcel == PARCEL else None


def source(folder: Path, *, max_bytes: int = 10_000, max_rows: int = 100) -> ScanFolder:
    """Make a source as the worker does at its start."""
    return ScanFolder(
        folder, flags=find_flag, operator=OPERATOR, max_bytes=max_bytes, max_rows=max_rows, clock=lambda: NOW
    )


async def settled(scans: ScanFolder) -> Sequence[SourceItem]:
    """Poll twice, for a file is settled when two polls saw it alike."""
    await scans.poll()
    return await scans.poll()


def drop(folder: Path, *lines: str, name: str = "scan.csv") -> Path:
    """Drop a file of these lines."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


async def test_a_good_row_becomes_a_sighting_that_answers_its_flag(tmp_path: Path) -> None:
    """Every column arrives, the number under the parcel's key, the flag as the cause."""
    drop(tmp_path, HEADER, GOOD)

    [item] = await settled(source(tmp_path))

    [draft] = item.drafts
    assert item.refusals == ()
    assert {
        "parcel": PARCEL.as_data(),
        "number": Personal(subject=PARCEL, text="EE471108151VN"),
        "flag_id": FLAG.event_id,
        "event_code": "EMG",
        "office": "480000",
        "place": "Bưu cục Phủ Lý",
        "seen_at": SEEN_AT,
        "remark": None,
    } == draft.data
    assert ("shipment.sighted", PARCEL, FLAG.event_id, FLAG.correlation) == (
        draft.type,
        draft.subject,
        draft.cause,
        draft.correlation,
    )
    assert draft.event_id == stated_id(
        EventType("shipment.sighted"), OPERATOR, PARCEL.value, "EMG", SEEN_AT.isoformat()
    )


async def test_a_sighting_encodes_by_its_schema(tmp_path: Path) -> None:
    """Sealed, the fields are those of the schema and come back equal."""
    drop(tmp_path, HEADER, GOOD)
    [item] = await settled(source(tmp_path))
    [draft] = item.drafts
    spec = load_catalogue()[draft.type]
    sealed = seal(draft.data["number"], SubjectKey("k", bytes(32)), event_id=UUID(int=3), field_name="number")
    written = io.BytesIO()

    fastavro.schemaless_writer(written, spec.parsed, {**draft.data, "number": sealed}, strict=True)

    written.seek(0)
    assert {**draft.data, "number": sealed} == fastavro.schemaless_reader(written, spec.parsed)


async def test_a_parcel_without_a_flag_is_sighted_without_a_cause(tmp_path: Path) -> None:
    """Nobody asked, so it answers nothing."""
    drop(tmp_path, HEADER, "SPXVN063015366786,EMI,,,23/11/2026 20:05,")

    [item] = await settled(source(tmp_path))

    [draft] = item.drafts
    assert (draft.cause, draft.correlation, draft.data["flag_id"]) == (None, None, None)


async def test_a_file_is_left_alone_while_it_grows(tmp_path: Path) -> None:
    """It is given when two polls in a row saw it alike, never half."""
    scans = source(tmp_path)
    path = drop(tmp_path, HEADER)
    assert list(await scans.poll()) == []
    with path.open("a", encoding="utf-8") as file:
        file.write(GOOD)
    assert list(await scans.poll()) == []

    [item] = await scans.poll()

    assert len(item.drafts) == 1


async def test_what_was_not_settled_is_given_again_also_after_a_restart(tmp_path: Path) -> None:
    """The same item id, the same event ids, from this instance and from the next."""
    drop(tmp_path, HEADER, GOOD)
    scans = source(tmp_path)

    first = await settled(scans)
    again = await scans.poll()
    restarted = await settled(source(tmp_path))

    assert first == again == restarted
    assert len(first) == 1


async def test_files_come_oldest_first(tmp_path: Path) -> None:
    """The order is by time of change, not by name."""
    for name, age in (("a.csv", 1), ("b.csv", 3), ("c.csv", 2)):
        os.utime(drop(tmp_path, HEADER, GOOD, name=name), (1_000_000 - age, 1_000_000 - age))

    items = await settled(source(tmp_path))

    assert [item.name for item in items] == ["b.csv", "c.csv", "a.csv"]


async def test_a_missing_folder_is_transient(tmp_path: Path) -> None:
    """It may be a share that is not mounted."""
    with pytest.raises(TransientError):
        await source(tmp_path / "share").poll()


@pytest.mark.parametrize("others", [0, 1])
async def test_a_file_that_cannot_be_read_hinders_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """The others are given; alone, it is a transient error, so that somebody hears of it."""

    def fail(path: Path, **limits: Any) -> ScanFile | None:
        if path.name == "broken.csv":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read_scan_file(path, **limits)

    monkeypatch.setattr("connectors.postal.scans.read_scan_file", fail)
    drop(tmp_path, HEADER, GOOD, name="broken.csv")
    for number in range(others):
        drop(tmp_path, HEADER, GOOD, name=f"good{number}.csv")

    if others:
        assert [item.name for item in await settled(source(tmp_path))] == ["good0.csv"]
    else:
        with pytest.raises(TransientError):
            await settled(source(tmp_path))


async def test_a_file_that_went_away_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator took it back between the listing and the reading."""
    path = drop(tmp_path, HEADER, GOOD)
    scans = source(tmp_path)
    await scans.poll()
    monkeypatch.setattr(ScanFolder, "_read", _take_back(path, ScanFolder._read))

    assert list(await scans.poll()) == []


def _take_back(path: Path, read: Any) -> Any:
    def taken(scans: ScanFolder, name: str) -> Any:
        path.unlink()
        return read(scans, name)

    return taken


async def test_a_lookup_that_is_away_loses_nothing(tmp_path: Path) -> None:
    """The file waits until the flags can be looked up."""

    async def away(_: SubjectRef) -> Flag | None:
        raise TransientError("The database is away.")

    drop(tmp_path, HEADER, GOOD)
    scans = ScanFolder(tmp_path, flags=away, operator=OPERATOR, clock=lambda: NOW)

    with pytest.raises(TransientError):
        await settled(scans)

    assert len(await settled(source(tmp_path))) == 1
