"""What a person sees while servers start."""

from __future__ import annotations

import io

from lienthong.stack import PlainProgress, RichProgress, progress_on


def test_plain_lines_are_not_repeated() -> None:
    """A log shows each step once."""
    stream = io.StringIO()
    with PlainProgress(stream) as progress:
        progress.step("kafka", "starting")
        progress.step("kafka", "starting")
        progress.done("kafka")

    lines = stream.getvalue().splitlines()
    assert lines[0] == "kafka: starting"
    assert len(lines) == 2
    assert lines[1].startswith("kafka: ready (")


def test_a_terminal_gets_moving_lines() -> None:
    """On a terminal the rich display is chosen, elsewhere the plain one."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    progress = progress_on(stream)
    with progress:
        progress.step("registry", "downloading x.jar")
        progress.done("registry")

    assert isinstance(progress, RichProgress)
    assert isinstance(progress_on(io.StringIO()), PlainProgress)
    assert "registry" in stream.getvalue()
