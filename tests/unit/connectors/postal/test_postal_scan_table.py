"""Scan files as tables and rows."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.postal import Flag, ScanFolder
from connectors.postal.scan_row import Scan, read_scan, read_time
from connectors.postal.scan_table import COLUMNS, Row, read_csv, read_json
from streams.connector import RowRefusal, SourceItem
from streams.names import AgencyCode
from streams.subject import SubjectRef

BAD_INPUT = Path(__file__).parents[5] / "shared" / "data" / "badinput"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEADER = "number,event_code,office,place,seen_at,remark"
GOOD = 'EE471108151VN,emg,480000,"Phủ Lý, Hà Nam",2026-11-23 20:05,Đã quét'
SCAN = Scan(
    number="EE471108151VN",
    event_code="EMG",
    seen_at=datetime(2026, 11, 23, 13, 5, tzinfo=UTC),
    office="480000",
    place="Phủ Lý, Hà Nam",
    remark="Đã quét",
)


def scans(rows: Iterable[Row | RowRefusal]) -> list[Scan | list[RowRefusal]]:
    """Read every row."""
    return [[row] if isinstance(row, RowRefusal) else read_scan(row, latest=NOW) for row in rows]


async def no_flag(_: SubjectRef) -> Flag | None:
    """Know of no flag."""
    return None


def polled(data: bytes, suffix: str) -> SourceItem:
    """Give what a source makes of a file with this content."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"scan{suffix}").write_bytes(data)
        source = ScanFolder(Path(folder), flags=no_flag, operator=AgencyCode("post-hanam"), clock=lambda: NOW)

        async def poll_and_settle() -> SourceItem:
            await source.poll()
            [item] = await source.poll()
            await source.settle(item)
            return item

        item = asyncio.run(poll_and_settle())
        assert not (Path(folder) / f"scan{suffix}").exists()
        return item


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n\n"], ids=["plain", "mark", "blank lines"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_csv_is_read_as_spreadsheets_write_it(start: bytes, end: str, separator: str) -> None:
    """With or without a mark, with either separator and line end, quoted text and blank lines."""
    row = GOOD.replace('"Phủ Lý, Hà Nam"', "@").replace(",", separator).replace("@", '"Phủ Lý, Hà Nam"')
    lines = [HEADER.upper().replace(",", separator), row, separator * 5, ""]

    assert scans(read_csv(start + end.join(lines).encode(), max_rows=10)) == [SCAN]


def test_json_is_a_list_of_objects() -> None:
    """Texts, whole numbers and null are values; other keys are left out."""
    element = {
        "Number": "EE471108151VN",
        "event_code": "EMG",
        "office": 480000,
        "place": "Phủ Lý, Hà Nam",
        "seen_at": "2026-11-23T13:05:00Z",
        "remark": "Đã quét",
        "weight": {"grams": 300},
    }

    assert scans(read_json(json.dumps([element]).encode(), max_rows=10)) == [SCAN]


@pytest.mark.parametrize("read", [read_csv, read_json])
def test_rows_beyond_the_limit_are_refused_once(read: Any) -> None:
    """The rows before them are taken."""
    element = {"number": "EE471108151VN", "event_code": "EMG", "seen_at": "2026-11-23 20:05"}
    data = json.dumps([element] * 5) if read is read_json else "\n".join([HEADER, *[GOOD] * 5])

    results = scans(read(data.encode(), max_rows=3))

    assert [isinstance(result, Scan) for result in results] == [True, True, True, False]


def test_an_open_quote_keeps_the_rows_before_it() -> None:
    """What follows is refused as a whole, with the row where it began to break."""
    table = f'{HEADER}\n{GOOD}\nEE471108151VN,"EMG\n{GOOD}'

    results = scans(read_csv(table.encode(), max_rows=10))

    assert results[0] == SCAN
    assert isinstance(results[1], list)
    assert "row 3" in results[1][0].position
    assert len(results) == 2


def test_a_row_with_too_many_cells_is_refused() -> None:
    """A separator in unquoted text must not move cells silently."""
    [result] = scans(read_csv(f"{HEADER}\n{GOOD},more\n".encode(), max_rows=10))

    assert isinstance(result, list)
    assert "more cells" in result[0].reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T20:05+07:00", (2026, 11, 23, 13, 5)),
        ("2026-11-23T20:05:00.000+0700", (2026, 11, 23, 13, 5)),
        ("2026-11-23T13:05:00Z", (2026, 11, 23, 13, 5)),
        ("2026-11-23 20:05", (2026, 11, 23, 13, 5)),
        ("23/11/2026 20:05", (2026, 11, 23, 13, 5)),
        ("3/1/2026 06:59:00", (2026, 1, 2, 23, 59)),
    ],
)
def test_times_are_read_with_an_offset_or_as_local(text: str, expected: tuple[int, int, int, int, int]) -> None:
    """Without an offset it is Vietnamese time; days come before months."""
    year, month, day, hour, minute = expected

    assert datetime(year, month, day, hour, minute, tzinfo=UTC) == read_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "11/23/2026 20:05",
        "2026-13-01 00:00",
        "20:05",
        "0001-01-01T00:00+14:00",
        "２０２６-11-23 20:05",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    """A date alone says no time, and months do not come first."""
    assert read_time(text) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("number", "EE471108152VN"),
        ("number", ""),
        ("number", "=cmd|'/c calc'!A0"),
        ("event_code", "EMZ"),
        ("event_code", ""),
        ("seen_at", "2026-11-24 20:05"),
        ("seen_at", "1999-11-24 20:05"),
        ("place", "x" * 201),
        ("remark", "\ud800"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(column: str, value: str) -> None:
    """Only that column is blamed."""
    cells = {"number": "EE471108151VN", "event_code": "EMG", "seen_at": "2026-11-23 20:05", column: value}

    result = read_scan(Row(number=7, cells=cells), latest=NOW)

    assert isinstance(result, list)
    assert [f"dòng 7, cột {column} / row 7, column {column}"] == [refusal.position for refusal in result]


def test_invisible_and_control_characters_do_not_travel() -> None:
    """They become spaces or nothing, and text is NFC."""
    cells = {"number": "EE\u200b471108151VN", "event_code": "EMG", "seen_at": "2026-11-23 20:05"}

    result = read_scan(Row(number=2, cells={**cells, "remark": "a\x00b\u202ec\u0065\u0302 "}), latest=NOW)

    assert isinstance(result, Scan)
    assert (result.number, result.remark) == ("EE471108151VN", "a bcê")


def test_the_same_scan_twice_is_once_and_a_contradiction_is_refused() -> None:
    """A repeated row adds nothing; one that says otherwise is told to the clerk."""
    item = polled("\n".join([HEADER, GOOD, GOOD, GOOD.replace("480000", "480001")]).encode(), ".csv")

    assert len(item.drafts) == 1
    assert [refusal.position for refusal in item.refusals] == ["dòng 4 / row 4"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(COLUMNS) | st.text(), inner, max_size=4)
    ),
    max_leaves=8,
)
CELLS = st.text(max_size=12) | st.sampled_from(["EE471108151VN", "EMG", "2026-11-23 20:05", '"', ";", "\r", "\x00"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=400), suffix=st.sampled_from([".csv", ".json", ".xlsx"]))
def test_any_bytes_are_told_and_put_away(data: bytes, suffix: str) -> None:
    """Nothing raises, and what gave no draft says why."""
    item = polled(data, suffix)

    assert item.drafts or item.refusals


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.lists(CELLS, max_size=8), max_size=5), separator=st.sampled_from(",;"))
def test_any_table_is_told_and_put_away(rows: list[list[str]], separator: str) -> None:
    """Odd cells, quotes and line ends raise nothing, and every draft can be encoded."""
    text = "\n".join([HEADER.replace(",", separator), *(separator.join(row) for row in rows)])

    item = polled(text.encode("utf-8", errors="replace"), ".csv")

    assert item.drafts or item.refusals
    assert repr(item.refusals).encode()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=JSON_VALUES | st.lists(JSON_VALUES, max_size=4))
def test_any_json_is_told_and_put_away(value: Any) -> None:
    """Whatever the values are, each is taken or refused."""
    item = polled(json.dumps(value).encode(), ".json")

    assert item.drafts or item.refusals


@pytest.mark.skipif(not BAD_INPUT.exists(), reason="the bad inputs are not beside the repository")
def test_public_bad_inputs_are_refused() -> None:
    """Files made to break JSON parsers and naughty strings become refusals."""
    paths = sorted((BAD_INPUT / "JSONTestSuite" / "test_parsing").glob("*.json"))[::7]

    assert paths
    for path in paths:
        assert polled(path.read_bytes(), ".json").refusals
        assert polled(path.read_bytes(), ".csv").refusals
