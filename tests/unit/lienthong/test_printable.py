"""Foreign bytes on a terminal."""

from __future__ import annotations

import pytest

from lienthong.output import table
from lienthong.printable import hexadecimal, printable


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("Hà Nam", "Hà Nam"),
        (b"\x1b[31m", "\\x1b[31m"),
        ("a\r\nb\0", "a\\r\\nb\\x00"),
        ("\u202egnp", "\\u202egnp"),
        (b"\xff\xfe", "\\xff\\xfe"),
    ],
)
def test_what_a_terminal_would_obey_is_written_as_an_escape(value: bytes | str | None, shown: str) -> None:
    """Control characters, directions of writing, bytes that are no text; Vietnamese stays legible."""
    assert shown == printable(value)


def test_only_so_many_bytes_are_shown() -> None:
    """32 on a line."""
    assert hexadecimal(bytes(100), limit_bytes=33) == ["00 " * 31 + "00", "00"]
    assert hexadecimal(b"", limit_bytes=33) == []


def test_brackets_in_a_table_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A value cannot dress itself up."""
    table("Items", ("reason",), [["[red]not_granted[/red]"]])

    assert "[red]not_granted[/red]" in capsys.readouterr().out
