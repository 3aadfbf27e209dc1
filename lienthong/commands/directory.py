"""`lienthong directory check`: contradictions in the directory, the law and the schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from lienthong.commands.options import Data, Json, chosen_data
from lienthong.directory import contradictions
from lienthong.output import json_line, say, table
from lienthong.printable import printable
from streams.directory_rules import Finding

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="The directory of agencies.")
    group.command("check")(check)
    group.callback()(_nothing)
    app.add_typer(group, name="directory")


def check(data: Data = None, json: Json = False) -> None:  # noqa: FBT002 -- a flag
    """
    Find contradictions in the directory, the law and the schemas; exit 1 when there is an error.

    Looks also at the officers whom this installation added. Nothing needs to run.
    """
    findings = contradictions(chosen_data(data))
    errors = sum(each.severity == "error" for each in findings)
    if json:
        for each in findings:
            json_line(_row(each))
    elif findings:
        rows = [
            (
                f"{each.severity}\n{each.code}",
                printable(str(each.place)),
                f"{printable(each.vi)}\n{printable(each.en)}",
                f"{printable(each.do_vi)}\n{printable(each.do_en)}",
            )
            for each in findings
        ]
        table(
            "Danh bạ / Directory",
            ("mức / severity", "nơi / place", "điều sai / what is wrong", "cách sửa / what to do"),
            rows,
        )
    say(f"{errors} errors, {len(findings) - errors} warnings.")
    if errors:
        raise typer.Exit(1)


def _row(found: Finding) -> Mapping[str, Any]:
    return {
        "file": found.place.file,
        "path": found.place.path or None,
        "severity": found.severity,
        "code": found.code,
        "vi": found.vi,
        "en": found.en,
        "do_vi": found.do_vi,
        "do_en": found.do_en,
    }


def _nothing() -> None:
    """The directory of agencies."""
