"""`lienthong directory check`, `who-sees` and `preview` as people and programs use them, with nothing running."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import expected_rights as expected
import pytest
from click.testing import Result
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.directory import overlay_folder
from lienthong.installation import bring_up
from lienthong.provision import Servers, provision
from lienthong.stack import SilentProgress
from streams.errors import ConfigurationError, InputError
from streams.kafka import KafkaAddress
from streams.registry import RegistryAddress

DAY = "2026-11-24"
SUBJECT = {"kind": "parcel", "scheme": "postal-number", "value": "544af748-19b7-5b0e-8bf1-67a955f92812"}
SIGHTED = {
    "type": "shipment.sighted",
    "source": "post-hanam",
    "data": {"parcel": SUBJECT, "number": "EE1", "event_code": "EMD", "seen_at": "2026-11-24T09:30:00+07:00"},
}


def run(*arguments: str | Path) -> Result:
    """Run a command; an error of ours is what it ended with."""
    return CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "200"})


def lines(result: Result) -> list[dict[str, Any]]:
    """Give what it printed as JSON Lines."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def wrong_officer(data: Path) -> Path:
    """Enter an officer of an agency that there is not."""
    path = overlay_folder(data) / "nobody" / "x.001.toml"
    path.parent.mkdir(parents=True)
    path.write_text('name = "nobody/x"\nrole = "officer"\nvalid_from = 2026-01-01\n', encoding="utf-8")
    return path


def test_a_directory_without_contradictions_says_so(tmp_path: Path) -> None:
    """Nothing on standard output, exit 0."""
    result = run("directory", "check", "--json", "--data", tmp_path)

    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 errors, 0 warnings" in result.stderr


def test_a_contradiction_is_printed_in_both_languages(tmp_path: Path) -> None:
    """Exit 1; the line names file and place."""
    wrong_officer(tmp_path)

    [line] = lines(machine := run("directory", "check", "--json", "--data", tmp_path))
    people = run("directory", "check", "--data", tmp_path)

    assert (machine.exit_code, people.exit_code) == (1, 1)
    assert tuple(line.values())[:4] == ("added/nobody/x.001.toml", "name", "error", "officer_agency")
    assert all(text.split()[0] in people.stdout for text in (line["vi"], line["en"], line["do_vi"], line["do_en"]))
    assert "1 errors, 0 warnings" in people.stderr


def test_errors_stop_provisioning_and_starting(tmp_path: Path) -> None:
    """Before any server is asked, or started."""
    wrong_officer(tmp_path)
    nowhere = KafkaAddress(bootstrap="127.0.0.1:1")
    registry = RegistryAddress("https://127.0.0.1:1")
    servers = Servers(tmp_path, nowhere, nowhere, lambda _: registry, "host=/nowhere")

    with pytest.raises(ConfigurationError, match="contradicts itself in 1 places"):
        provision(servers, progress=SilentProgress())
    with pytest.raises(ConfigurationError, match="contradicts itself in 1 places"):
        bring_up(tmp_path, progress=SilentProgress())
    assert [path.name for path in tmp_path.iterdir()] == ["directory"]


@pytest.mark.parametrize("event_type", expected.event_types())
def test_who_sees_is_what_the_files_say(event_type: str) -> None:
    """Every agency and field, compared with a second reading of the directory."""
    found = lines(run("who-sees", event_type, "--as-of", DAY, "--json"))

    seen = {(each["agency"], each["field"]) for each in found if each["seen"]}
    day = date.fromisoformat(DAY)
    assert len(found) == len(expected.agencies()) * len(expected.fields(event_type))
    assert seen == {
        (code, field) for code in expected.agencies() for field in expected.fields_seen(code, event_type, day)
    }
    for each in found:
        grounds = expected.grounds(each["agency"], event_type, day)
        assert (each["purpose"], each["article"]) == (grounds or (None, None))
        assert list(each) == ["agency", "field", "seen", "purpose", "article", "from", "to"]
        assert (each["from"] is None) == (grounds is None)


def test_one_field_on_one_day() -> None:
    """The bank sees accounts from the day on which the decree was in force."""
    before, on = (
        {
            each["agency"]: (each["seen"], each["from"], each["to"])
            for each in lines(
                run("who-sees", "payment_block.requested", "--field", "account", "--as-of", day, "--json")
            )
        }["sbv-hanam"]
        for day in ("2024-06-30", "2024-07-01")
    )

    assert before == (False, None, None)
    assert on == (True, "2024-07-01", None)


def test_people_read_names_purposes_and_titles() -> None:
    """In Vietnamese and English; what was not read in the official text is called an assumption."""
    result = run("who-sees", "payment_block.requested", "--as-of", DAY)

    assert result.exit_code == 0
    for text in ("Phong tỏa thanh toán", "Blocking payments", "nd-52-2024/11.1", "assumption", "24 h", "account *"):
        assert text in result.stdout
    assert "receive nothing: police-hanam, post-hanam, qltt-hanam, stttt-hanam, tax-hanam." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["seller.suspect"], "'seller.suspect' is no event type; there are: audit.recorded"),
        (["seller.suspected", "--field", "scor"], "no field 'scor'; it has: seller, score"),
        (["seller.suspected", "--as-of", "0001-01-01"], "a day from 1945 to 2200, not in 1"),
        (["seller.suspected", "--as-of", "9999-12-31"], "a day from 1945 to 2200, not in 9999"),
    ],
)
def test_what_there_is_not_is_named_with_what_there_is(arguments: list[str], sentence: str) -> None:
    """Types, fields."""
    result = run("who-sees", *arguments)

    assert isinstance(result.exception, InputError)
    assert sentence in str(result.exception)


def event_file(folder: Path, **changes: Any) -> Path:
    """Write an event's file; None takes a name out."""
    path = folder / "event.json"
    kept = {name: value for name, value in (SIGHTED | changes).items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")
    return path


def test_a_preview_says_who_receives_what(tmp_path: Path) -> None:
    """One line; exit 0."""
    result = run("preview", event_file(tmp_path), "--as-of", DAY, "--json", "--data", tmp_path)

    [line] = lines(result)
    assert (result.exit_code, line["refused"], line["on"]) == (0, [], DAY)
    recipients = {each["agency"]: (each["seen"], each["withheld"]) for each in line["recipients"]}
    assert recipients["qltt-hanam"] == (["parcel", "number", "event_code", "seen_at"], [])
    assert recipients["police-hanam"] == (["parcel", "event_code", "seen_at"], ["number"])
    assert "EE1" not in result.output


def test_a_preview_says_what_is_against_it(tmp_path: Path) -> None:
    """Exit 1, with codes and places; the table for people has the sentences."""
    path = event_file(tmp_path, source="tax-hanam", data=SIGHTED["data"] | {"seen_at": "noon"})

    machine = run("preview", path, "--as-of", DAY, "--json", "--data", tmp_path)
    people = run("preview", path, "--as-of", DAY, "--data", tmp_path)

    [line] = lines(machine)
    assert [(each["code"], each["path"]) for each in line["refused"]] == [
        ("does_not_fit", "seen_at"),
        ("not_granted", None),
    ]
    assert (machine.exit_code, people.exit_code) == (1, 1)
    assert "Danh bạ không cho phép" in people.stdout
    assert "does not let 'tax-hanam' publish" in people.stdout


def test_a_preview_for_people_says_when_answers_are_due(tmp_path: Path) -> None:
    """And that it would be admitted."""
    data = {"parcel": SUBJECT, "number": "EE1", "reasons": []}
    result = run(
        "preview",
        event_file(tmp_path, type="shipment.flagged", source="qltt-hanam", data=data),
        "--as-of",
        DAY,
        "--data",
        tmp_path,
    )

    assert (result.exit_code, "would be admitted" in result.stderr) == (0, True)
    assert "2026-11-26 17:00Z" in result.stdout


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe{", b"{}", b'"x"', b"\xef\xbb\xbf[]"])
def test_what_is_no_event_gets_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    """A file that is not there, no text, no JSON, no event: exit 2 and what to do."""
    path = tmp_path / "event.json"
    if content is not None:
        path.write_bytes(content)

    result = run("preview", path, "--data", tmp_path)

    assert isinstance(result.exception, InputError)
    assert "event.json" in str(result.exception) or "docs/events.md" in str(result.exception)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    """No event has that many bytes."""
    path = tmp_path / "event.json"
    with path.open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)

    assert "it is no event" in str(run("preview", path, "--data", tmp_path).exception)
