"""Where scan files go in the end, and the reasons beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from connectors.postal import Flag, ScanFolder
from streams.connector import SourceItem
from streams.errors import TransientError
from streams.names import AgencyCode
from streams.subject import SubjectRef, pseudonym

OPERATOR = AgencyCode("post-hanam")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEADER = "number,event_code,office,place,seen_at,remark"
GOOD = "EE471108151VN,EMG,480000,Bưu cục Phủ Lý,2026-11-23T20:05+07:00,"
BAD = "EE471108152VN,EMG,480000,Bưu cục Phủ Lý,2026-11-23T20:05+07:00,"
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


def names(folder: Path) -> set[str]:
    """List a folder's files, with those of the folders in it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def test_a_good_file_goes_to_done_without_a_reason(tmp_path: Path) -> None:
    """Settled, it is given no more; settling again, also after a restart, changes nothing."""
    drop(tmp_path, HEADER, GOOD)
    scans = source(tmp_path)
    [item] = await settled(scans)

    await scans.settle(item)
    await scans.settle(item)
    await source(tmp_path).settle(item)

    assert names(tmp_path) == {"done/scan.csv"}
    assert list(await settled(scans)) == []


async def test_a_partly_good_file_goes_to_done_with_the_refused_rows(tmp_path: Path) -> None:
    """The reason names row and column in both languages and quotes no number."""
    drop(tmp_path, HEADER, GOOD, BAD, "EE471108151VN,XXX,,,tomorrow,")
    scans = source(tmp_path)
    [item] = await settled(scans)

    await scans.settle(item)

    assert len(item.drafts) == 1
    assert [refusal.position for refusal in item.refusals] == [
        "dòng 3, cột number / row 3, column number",
        "dòng 4, cột event_code / row 4, column event_code",
        "dòng 4, cột seen_at / row 4, column seen_at",
    ]
    assert names(tmp_path) == {"done/scan.csv", "done/scan.csv.reason.txt"}
    text = (tmp_path / "done" / "scan.csv.reason.txt").read_text(encoding="utf-8-sig")
    assert "check digit" in text
    assert "Số kiểm tra" in text
    assert "471108152" not in text


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("bad.csv", f"{HEADER}\n{BAD}\n".encode(), "check digit"),
        ("empty.csv", b"", "no row"),
        ("header.csv", HEADER.encode(), "no row"),
        ("columns.csv", b"number,place\n1,2\n", "event_code, seen_at"),
        ("twice.csv", f"{HEADER},number\n{GOOD},1\n".encode(), "twice"),
        ("utf16.csv", f"{HEADER}\n{GOOD}\n".encode("utf-16"), "UTF-8"),
        ("large.csv", b"x" * 10_001, "larger"),
        ("book.xlsx", b"PK\x03\x04", "workbook"),
        ("object.json", b"{}", "JSON list"),
        ("text.json", b"[", "JSON list"),
        ("deep.json", b"[" * 9_000, "JSON list"),
        ("keys.json", b'[{"number": "1", "Number": "2"}]', "JSON list"),
        ("nan.json", b"[NaN]", "JSON list"),
        ("list.json", b"[[1]]", "no object"),
        ("float.json", b'[{"number": 1.5}]', "as a text"),
        ("surrogate.json", rb'[{"number": "\ud800", "event_code": "EMG", "seen_at": "x"}]', "no text"),
        ("long.json", json.dumps([{"number": "1" * 81}]).encode(), "more than 80"),
    ],
)
async def test_a_file_without_a_good_row_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: bytes, word: str
) -> None:
    """Nothing raises, and the clerk learns what to correct."""
    (tmp_path / name).write_bytes(content)
    scans = source(tmp_path)
    [item] = await settled(scans)

    await scans.settle(item)

    assert item.drafts == ()
    assert names(tmp_path) == {f"refused/{name}", f"refused/{name}.reason.txt"}
    assert word in (tmp_path / "refused" / f"{name}.reason.txt").read_text(encoding="utf-8-sig")


async def test_a_crash_between_reason_and_move_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is still there, is given again, and ends where it would have."""
    drop(tmp_path, HEADER, GOOD, BAD)
    scans = source(tmp_path)
    [item] = await settled(scans)
    rename = Path.rename

    def killed_at_the_move(path: Path, target: Path) -> Path:
        if path.name == "scan.csv":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed_at_the_move)
        with pytest.raises(KeyboardInterrupt):
            await scans.settle(item)
    assert names(tmp_path) == {"scan.csv", "done/scan.csv.reason.txt"}

    [again] = await settled(source(tmp_path))
    await scans.settle(again)

    assert item == again
    assert names(tmp_path) == {"done/scan.csv", "done/scan.csv.reason.txt"}


async def test_another_file_of_the_same_name_is_not_mistaken_for_the_settled_one(tmp_path: Path) -> None:
    """What came meanwhile stays, is given in its turn, and both are kept in the end."""
    drop(tmp_path, HEADER, GOOD)
    scans = source(tmp_path)
    [first] = await settled(scans)
    await scans.settle(first)
    drop(tmp_path, HEADER, GOOD.replace("EMG", "EMI"))

    await scans.settle(first)
    assert names(tmp_path) == {"scan.csv", "done/scan.csv"}
    [second] = await settled(scans)
    await scans.settle(second)

    assert names(tmp_path) == {"done/scan.csv", f"done/scan.{second.item_id[:32]}.csv"}


async def test_names_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    """Links, folders, pipes, hidden and half-copied files are left alone; a long name is shortened."""
    folder = tmp_path / "scans"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text(f"{HEADER}\n{GOOD}\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    drop(folder, HEADER, GOOD, name=".hidden.csv")
    drop(folder, HEADER, GOOD, name="scan.csv.part")
    drop(folder, HEADER, BAD, name="x" * 251 + ".csv")
    scans = source(folder)
    [item] = await settled(scans)

    await scans.settle(item)
    await scans.settle(SourceItem(item_id=item.item_id, name="../secret.csv", drafts=()))

    assert (tmp_path / "secret.csv").exists()
    refused = f"{item.item_id[:32]}.csv"
    assert {refused, f"{refused}.reason.txt"} == names(folder / "refused")


async def test_a_file_that_cannot_be_moved_is_given_again(tmp_path: Path) -> None:
    """Something stands where the folder should be: nothing is lost meanwhile."""
    drop(tmp_path, HEADER, GOOD)
    (tmp_path / "done").write_text("in the way")
    scans = source(tmp_path)
    [item] = await settled(scans)

    with pytest.raises(TransientError):
        await scans.settle(item)

    assert [item] == list(await scans.poll())
