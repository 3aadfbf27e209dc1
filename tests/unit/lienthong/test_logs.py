"""The log: one line an event, whatever is in it, and nothing of what an event carries."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.logs import describe_error, log_to_stderr, one_line
from streams.errors import TransientError
from streams.record_log import NOTE

SECRET = "Nguyễn Văn A 0123456789"  # noqa: S105 -- it stands for a field of an event
NAUGHTY = [
    "\r\nINFO forged line",
    '", "event": "forged", "x": "',
    '"}\n{"event": "forged"}',
    "\x1b[2K\x1b[1A\x1b[31mred",
    "\x00\x08\x7f\x85\x9b31m",
    "\u202egnp.exe \u2066x\u2069",
    "a\u2028b\u2029c\x0bd\x0ce\x1cf\x1dg\x1eh",
    "\ud800 half, \udfff other half",
    "\U000e0041\U000e007f\ufeff\u200b",
    "%s %d %(name)s {0} ${HOME} `id`",
    "NaN Infinity null undefined true",
    "x" * 100_000,
]


class Written:
    """Standard error as a file in UTF-8, which halves of characters do not get into."""

    def __init__(self) -> None:
        self.stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self) -> str:
        """What was written so far."""
        buffer = self.stream.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The same, as whoever collects logs reads it: by line ends of any kind."""
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """Logs of a worker; everything is put back afterwards."""
    root, kafka = logging.getLogger(), logging.getLogger("kafka.cluster")
    before = structlog.get_config(), root.handlers[:], root.level, kafka.level
    written = Written()
    for where, name, value in (
        (sys, "stderr", written.stream),
        (sys, "excepthook", sys.excepthook),
        (threading, "excepthook", threading.excepthook),
    ):
        monkeypatch.setattr(where, name, value)
    root.handlers.clear()  # pytest's own, which would be closed
    log_to_stderr(agency="tax-hanam")
    yield written
    logging.captureWarnings(capture=False)
    structlog.configure(**before[0])
    root.handlers[:], root.level, kafka.level = before[1:]


@pytest.mark.parametrize("text", NAUGHTY, ids=range(len(NAUGHTY)))
def test_whatever_is_logged_is_one_line(log: Written, text: str) -> None:
    """Ours and the libraries', as an event, as a field, as an argument, in an error."""
    structlog.get_logger("ours").warning(text, field=text)
    logging.getLogger("theirs").warning("%s", text)
    logging.getLogger("theirs").warning(text, exc_info=TransientError(text))

    found = log.lines

    assert len(found) == 3
    assert found[0]["event"] == found[0]["field"]
    assert {each["event"] for each in found} == {text if len(text) < 9000 else f"{text[:2000]}…"}
    assert {each["agency"] for each in found} == {"tax-hanam"}
    assert all({"level", "logger", "timestamp"} <= each.keys() for each in found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(text=st.text(st.characters(codec=None), max_size=200))
def test_any_text_is_one_line_of_plain_characters(text: str) -> None:
    """It reads back as it was; no character in it steers a terminal or turns the text round."""
    line = one_line({"event": text})

    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert json.loads(line) == {"event": text}


def test_vietnamese_stays_readable(log: Written) -> None:
    """Only what steers or deceives is escaped."""
    structlog.get_logger().error("chờ", nơi="Hà Nam")

    assert '"nơi": "Hà Nam"' in log.text


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), AssertionError(SECRET), UnicodeError(SECRET)])
def test_an_errors_words_do_not_get_into_the_log_where_they_may_quote(log: Written, error: Exception) -> None:
    """Neither by us nor by a library that prints the error it was given; type and place say where to look."""
    try:
        raise error
    except type(error) as caught:
        structlog.get_logger().error("worker failed", exc_info=caught)
        logging.getLogger("mode").exception("Crashed reason=%r", caught)  # noqa: TRY401 -- as mode does

    written = log.text
    ours, theirs = map(json.loads, written.splitlines())
    assert SECRET not in json.loads(json.dumps(written))
    assert "0123456789" not in written
    assert ours["exception"][0]["type"] == f"builtins.{type(error).__name__}"
    assert ours["exception"][0]["message"] is None
    assert __file__ in ours["exception"][0]["frames"][0]
    assert type(error).__name__ in theirs["event"]


def test_words_of_our_own_errors_and_their_causes_are_told() -> None:
    """Each with its type, the cause after it, those of a group, too; also which record it was."""
    cause = ConnectionRefusedError("no route")
    error = TransientError("PostgreSQL is away")
    error.__cause__ = cause
    error.add_note(f"{NOTE}offset=1")
    error.add_note(SECRET)
    group = ExceptionGroup("two", [error, ValueError(SECRET)])

    told = describe_error((type(group), group, None))

    assert [(each["type"], each["message"]) for each in told] == [
        ("builtins.ExceptionGroup", None),
        ("streams.errors.TransientError", "PostgreSQL is away"),
        ("builtins.ValueError", None),
        ("builtins.ConnectionRefusedError", "no route"),
    ]
    assert told[1]["notes"] == [f"{NOTE}offset=1"]


def test_an_error_that_was_raised_from_none_hides_what_was_before() -> None:
    """As whoever wrote it wanted."""
    error = TransientError("after")
    error.__context__ = RuntimeError("before")
    error.__suppress_context__ = True

    told = describe_error((type(error), error, None))

    assert [each["message"] for each in told] == ["after"]


def test_warnings_and_uncaught_errors_are_lines_too(log: Written) -> None:
    """What ends a thread or the process is in the log as everything else is."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old\nways", DeprecationWarning, stacklevel=1)
    error = RuntimeError("nobody caught it")
    sys.excepthook(RuntimeError, error, None)
    threading.excepthook(threading.ExceptHookArgs([RuntimeError, error, None, None]))

    warning, *uncaught = log.lines

    assert "old\nways" in warning["event"]
    assert [(each["event"], each["level"]) for each in uncaught] == [("uncaught error", "critical")] * 2
    assert uncaught[0]["exception"][0]["message"] == "nobody caught it"
