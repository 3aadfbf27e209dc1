"""The outgoing folder and its documents."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.postal import OutgoingFolder
from connectors.postal.flag_document import ADVICE_EN, ADVICE_VI, flag_csv, flag_json
from streams.errors import PermanentError, TransientError
from streams.event import Event
from streams.names import AgencyCode, EventType
from streams.sealing import Personal, reveal_personal
from streams.subject import pseudonym

EVENT_ID = UUID("5f0c2a52-7d0e-5b0a-9c55-2f0d8f6f3c11")


def flagged(*, event_id: UUID = EVENT_ID, number: str | None = "EE471108151VN", carrier: str | None = None) -> Event:
    """Make a flag; without a number it is one whose key was not granted."""
    parcel = pseudonym("parcel", "postal-number", number or "")
    data: dict[str, Any] = {
        "parcel": parcel.as_data(),
        "number": Personal(subject=parcel, text=number) if number else {"key_id": "k", "nonce": b"", "ciphertext": b""},
        "carrier": carrier,
        "seller": None,
        "reasons": [{"code": "tax_code", "message_vi": "…"}, {"code": "no_origin", "message_vi": "…"}],
        "valid_until": datetime(2026, 12, 1, 5, 30, tzinfo=UTC),
    }
    return Event(
        id=event_id,
        type=EventType("shipment.flagged"),
        source=AgencyCode("market-hanam"),
        subject=parcel,
        time=datetime(2026, 11, 23, tzinfo=UTC),
        data=data,
        correlation=event_id,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_each_flag_becomes_a_json_and_a_csv_file(tmp_path: Path) -> None:
    """Both name the parcel, the reasons and the end, and say that it is no order."""
    sink = OutgoingFolder(tmp_path)

    await sink.write([flagged(carrier="Bưu điện Phủ Lý")], reveal=reveal_personal)

    made = contents(tmp_path)
    assert {f"{EVENT_ID}.json", f"{EVENT_ID}.csv"} == set(made)
    expected = {
        "event_id": str(EVENT_ID),
        "number": "EE471108151VN",
        "carrier": "Bưu điện Phủ Lý",
        "valid_until": "2026-12-01T05:30:00Z",
    }
    assert {
        **expected,
        "reasons": ["tax_code", "no_origin"],
        "advice": {"vi": ADVICE_VI, "en": ADVICE_EN},
    } == json.loads(made[f"{EVENT_ID}.json"])
    text = made[f"{EVENT_ID}.csv"].decode("utf-8")
    assert text.startswith("\ufeff")
    assert [{**expected, "reasons": "tax_code no_origin", "advice_vi": ADVICE_VI, "advice_en": ADVICE_EN}] == list(
        csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    )
    assert "orders no one to hold" in ADVICE_EN
    assert "không phải lệnh" in ADVICE_VI


async def test_written_twice_the_bytes_are_equal(tmp_path: Path) -> None:
    """A repeat after a crash, by another instance too, changes nothing."""
    batch = [flagged(), flagged(event_id=uuid4())]
    await OutgoingFolder(tmp_path).write(batch, reveal=reveal_personal)
    first = contents(tmp_path)

    await OutgoingFolder(tmp_path).write(batch, reveal=reveal_personal)

    assert len(first) == 4
    assert first == contents(tmp_path)


async def test_a_number_that_cannot_be_opened_is_permanent_and_hinders_no_other(tmp_path: Path) -> None:
    """The others of the batch are written all the same."""
    batch = [flagged(number=None), flagged(event_id=uuid4())]

    with pytest.raises(PermanentError) as caught:
        await OutgoingFolder(tmp_path).write(batch, reveal=reveal_personal)

    assert caught.value.code == "number_not_opened"
    assert {f"{batch[1].id}.json", f"{batch[1].id}.csv"} == set(contents(tmp_path))


def test_a_removed_number_is_permanent() -> None:
    """On a copy whose number was taken out there is nothing to tell."""
    event = flagged()
    bare = Event(
        id=event.id,
        type=event.type,
        source=event.source,
        subject=event.subject,
        time=event.time,
        data={"parcel": event.subject.as_data()},
        correlation=event.id,
    )

    for make in (flag_json, flag_csv):
        with pytest.raises(PermanentError):
            make(bare, reveal_personal)


async def test_a_missing_folder_is_waited_for(tmp_path: Path) -> None:
    """A share that is not mounted is never replaced by a folder of our own."""
    with pytest.raises(TransientError):
        await OutgoingFolder(tmp_path / "share").write([flagged()], reveal=reveal_personal)

    assert not (tmp_path / "share").exists()


async def test_a_full_disk_is_transient_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No half-written file is seen by the operator's system."""

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(TransientError):
            await OutgoingFolder(tmp_path).write([flagged()], reveal=reveal_personal)

    assert contents(tmp_path) == {}


@settings(max_examples=50)
@given(start=st.sampled_from("=+-@\t\r\n"), rest=st.text(max_size=30))
def test_no_cell_is_a_formula(start: str, rest: str) -> None:
    """Whatever a source wrote as the carrier, a spreadsheet sees text."""
    text = flag_csv(flagged(carrier=start + rest), reveal_personal).decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 2
    assert len(rows[0]) == len(rows[1]) == 7
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in rows[1])


def test_the_sink_names_itself_and_its_type(tmp_path: Path) -> None:
    """The runtime finds out what to give it."""
    sink = OutgoingFolder(tmp_path)

    assert ("postal-outgoing", {"shipment.flagged"}) == (sink.name, set(sink.event_types))
