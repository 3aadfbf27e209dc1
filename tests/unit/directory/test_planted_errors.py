"""Every contradiction that `lienthong directory check` knows is planted once, and found where it was planted."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from contracts import Edit, add, copied, cut, found_in, swap, top

import schemas
from streams import directory_rules
from streams.directory_rules import Finding, Place, require_sound
from streams.errors import ConfigurationError

BOARD, POLICE, POST = "directory/bcd389-hanam.toml", "directory/police-hanam.toml", "directory/post-hanam.toml"
MARKET, BANK = "directory/qltt-hanam.toml", "directory/sbv-hanam.toml"
INFORMATION, TAX = "directory/stttt-hanam.toml", "directory/tax-hanam.toml"
ACTS, PURPOSES = "law/acts.toml", "law/purposes.toml"

KEY = base64.b64encode(bytes(32)).decode()
OFFICER = 'name = "qltt-hanam/inspector"\n'
SECOND_OFFICER = 'name = "qltt-hanam/supervisor"\n'
PLACES = 'codes = ["35"]\n'
CONTACT = '[[contacts]]\ndesk = "{}"\nvalid_from = 2023-07-01\n'
ENDS = "\nvalid_to = 2025-06-30"
FIRST = "valid_from = 2023-07-01"

PLANTED: dict[str, list[tuple[str, Edit, str, str]]] = {
    "not_toml": [(TAX, swap('"tax-hanam"', "tax-hanam"), TAX, "")],
    "unknown_key": [(BANK, top("rank = 3"), BANK, "rank")],
    "missing_key": [(POLICE, swap('kind = "police"\n', ""), POLICE, "kind")],
    "wrong_value": [(MARKET, swap('"supervisor"', '"king"'), MARKET, "officers[1].role")],
    "key_wrong": [
        (
            MARKET,
            swap(OFFICER, f'{OFFICER}public_key = "{base64.b64encode(bytes(31)).decode()}"\n'),
            MARKET,
            "officers[0]",
        )
    ],
    "name_missing": [
        (POST, swap('"Hà Nam Post"', '" "'), POST, "names.en"),
        (POST, swap('vi = "Bưu điện tỉnh Hà Nam"\n', ""), POST, "names.vi"),
        (PURPOSES, swap('vi = "Quản lý thuế"\n', ""), PURPOSES, "purpose[7].vi"),
        (ACTS, swap('title_en = "Decision 319/QĐ-TTg of 29 March 2023"\n', ""), ACTS, "act[1].title_en"),
    ],
    "article_missing": [
        (POLICE, swap('article = "ke-hoach-1679-2023/IV.4"\n', ""), POLICE, "receive[0].article"),
    ],
    "retention_not_positive": [
        (BOARD, swap("inbox_days = 90", "inbox_days = 0"), BOARD, "inbox_days"),
        (BOARD, swap("quarantine_days = 365", "quarantine_days = -1"), BOARD, "quarantine_days"),
    ],
    "file_name": [(TAX, swap('code = "tax-hanam"', 'code = "tax-hanoi"'), TAX, "code")],
    "code_taken": [(TAX, swap('code = "tax-hanam"', 'code = "bus"'), TAX, "code")],
    "kind_unknown": [(TAX, swap('"tax_office"', '"tax"'), TAX, "kind")],
    "jurisdiction_gap": [
        (BANK, swap(f"{PLACES}{FIRST}", f"{PLACES}valid_from = 2023-08-01"), BANK, "jurisdiction"),
        (BANK, swap(f"{PLACES}{FIRST}", f"{PLACES}{FIRST}{ENDS}"), BANK, "jurisdiction"),
    ],
    "jurisdiction_overlap": [
        (BANK, add('[[jurisdiction]]\ncodes = ["36"]\nvalid_from = 2025-07-01'), BANK, "jurisdiction[1]")
    ],
    "successor_unknown": [
        (POST, top('successor = { code = "nobody", valid_from = 2025-07-01 }'), POST, "successor.code")
    ],
    "successor_itself": [
        (POST, top('successor = { code = "post-hanam", valid_from = 2025-07-01 }'), POST, "successor.code")
    ],
    "successor_days": [
        (POST, top('successor = { code = "tax-hanam", valid_from = 2025-07-01 }'), POST, "successor.valid_from"),
        (
            POST,
            top('valid_to = 2025-06-29\nsuccessor = { code = "tax-hanam", valid_from = 2025-07-01 }'),
            POST,
            "successor.valid_from",
        ),
    ],
    "successor_absent": [
        (POST, top('successor = { code = "tax-hanam", valid_from = 2023-06-30 }'), POST, "successor.valid_from")
    ],
    "contact_desk": [
        (POST, add(CONTACT.format("post-hanam/front-desk") + 'phone = "+842263800000"'), POST, "contacts[0].desk")
    ],
    "contact_empty": [(POST, add(CONTACT.format("post-hanam/dispatch-desk")), POST, "contacts[0]")],
    "retention_too_long": [
        (ACTS, swap('number = "IV.9"\n', 'number = "IV.9"\nkeep_days_max = 200\n'), TAX, "quarantine_days"),
        (ACTS, swap('number = "IV.9"\n', 'number = "IV.9"\nkeep_days_max = 89\n'), TAX, "inbox_days"),
    ],
    "bus_operators": [(POST, top("operates_bus = true"), POST, "operates_bus")],
    "no_bus_operator": [(BOARD, swap("operates_bus = true\n", ""), "directory", "")],
    "days_reversed": [
        (
            POST,
            swap(f'"shipment.sighted"\n{FIRST}', f'"shipment.sighted"\n{FIRST}\nvalid_to = 2023-06-30'),
            POST,
            "publish[0]",
        ),
        (ACTS, swap("valid_from = 2023-03-29", "valid_from = 2023-03-29\nvalid_to = 2023-03-28"), ACTS, "act[1]"),
    ],
    "outside_agency": [
        (POST, swap(f"{PLACES}{FIRST}", f"{PLACES}valid_from = 2023-06-30"), POST, "jurisdiction[0]"),
        (
            POST,
            swap('"shipment.sighted"\nvalid_from = 2023', '"shipment.sighted"\nvalid_from = 2022'),
            POST,
            "publish[0]",
        ),
        (POST, swap('role = "officer"\nvalid_from = 2023', 'role = "officer"\nvalid_from = 2022'), POST, "officers[0]"),
        (BANK, top("valid_to = 2024-06-30"), BANK, "receive[0]"),
        (
            BANK,
            lambda text: swap("valid_from = 2024-07-01", "valid_from = 2024-07-01\nvalid_to = 2026-06-30")(
                top("valid_to = 2025-12-31")(text)
            ),
            BANK,
            "receive[0]",
        ),
    ],
    "officer_agency": [(MARKET, swap(OFFICER, 'name = "tax-hanam/inspector"\n'), MARKET, "officers[0].name")],
    "officer_twice": [
        (MARKET, add(f'[[officers]]\n{OFFICER}role = "officer"\nvalid_from = 2025-01-01'), MARKET, "officers[2]")
    ],
    "key_shared": [
        (
            MARKET,
            lambda text: swap(OFFICER, f'{OFFICER}public_key = "{KEY}"\n')(
                swap(SECOND_OFFICER, f'{SECOND_OFFICER}public_key = "{KEY}"\n')(text)
            ),
            MARKET,
            "officers[1].public_key",
        )
    ],
    "type_unknown": [
        (TAX, swap('"einvoice.anomaly_detected"', '"einvoice.anomaly"'), TAX, "publish[1].type"),
        (INFORMATION, swap('"seller.suspected"', '"seller.suspect"'), INFORMATION, "receive[0].type"),
    ],
    "publishes_audit": [(TAX, add(f'[[publish]]\ntype = "audit.recorded"\n{FIRST}'), TAX, "publish[2].type")],
    "grants_overlap": [
        (TAX, add('[[publish]]\ntype = "einvoice.received"\nvalid_from = 2026-01-01'), TAX, "publish[2]"),
        (
            INFORMATION,
            lambda text: text + text[text.index("[[receive]]") :].replace("2023-07-01", "2026-01-01"),
            INFORMATION,
            "receive[1]",
        ),
    ],
    "field_unknown": [(INFORMATION, swap('"reasons"', '"reason"'), INFORMATION, "receive[0].fields")],
    "field_fixed": [(INFORMATION, swap('"reasons"', '"reasons", "seller"'), INFORMATION, "receive[0].fields")],
    "purpose_unknown": [
        (INFORMATION, swap('"consumer-warning"', '"curiosity"'), INFORMATION, "receive[0].purpose"),
        (PURPOSES, swap('"payment-block"', '"payment-stop"'), BANK, "receive[0].purpose"),
    ],
    "act_unknown": [(BANK, swap("nd-52-2024/", "nd-52-2023/"), BANK, "receive[0].article")],
    "article_unknown": [
        (BANK, swap("nd-52-2024/11.1", "nd-52-2024/12"), BANK, "receive[0].article"),
        (ACTS, swap('number = "IV.5"', 'number = "IV.55"'), POST, "receive[0].article"),
    ],
    "basis_not_yet": [
        (BANK, swap("valid_from = 2024-07-01", FIRST), BANK, "receive[0].article"),
        (ACTS, swap('number = "IV.5"\n', 'number = "IV.5"\nvalid_from = 2024-01-01\n'), POST, "receive[0].article"),
    ],
    "basis_ended": [
        (
            ACTS,
            swap("valid_from = 2024-07-01", "valid_from = 2024-07-01\nvalid_to = 2025-12-31"),
            BANK,
            "receive[0].article",
        ),
        (ACTS, swap('number = "IV.5"\n', 'number = "IV.5"\nvalid_to = 2025-12-31\n'), POST, "receive[0].article"),
    ],
    "answer_type": [
        (
            POST,
            swap('answer = { type = "shipment.sighted"', 'answer = { type = "warning.prepared"'),
            POST,
            "receive[0].answer.type",
        )
    ],
    "answer_not_publishable": [
        (POST, swap(f'"shipment.sighted"\n{FIRST}', f'"shipment.sighted"\n{FIRST}{ENDS}'), POST, "receive[0].answer"),
        (POST, cut("publish", "shipment.sighted"), POST, "receive[0].answer"),
    ],
    "answer_unheard": [(MARKET, cut("receive", "shipment.sighted"), POST, "receive[0].answer")],
    "nobody_publishes": [(INFORMATION, cut("publish", "warning.prepared"), BOARD, "receive[6].type")],
    "unpublished_days": [
        (
            INFORMATION,
            swap(f'"warning.prepared"\n{FIRST}', f'"warning.prepared"\n{FIRST}{ENDS}'),
            BOARD,
            "receive[6].type",
        )
    ],
    "nobody_receives": [(BOARD, cut("receive", "warning.prepared"), INFORMATION, "publish[0].type")],
    "nobody_uses": [
        (
            TAX,
            lambda text: cut("publish", "einvoice.received")(cut("receive", "einvoice.received")(text)),
            "events/einvoice/received.v1.avsc",
            "",
        )
    ],
    "act_unanswered": [
        (BANK, lambda text: re.sub(r"\nanswer = .*", "", text), "events/payment_block/requested.v1.avsc", "")
    ],
    "stateless": [
        (INFORMATION, add('answer = { type = "warning.prepared", within_hours = 1 }'), INFORMATION, "receive[0]"),
        (INFORMATION, swap('"seller.suspected"', '"warning.prepared"'), INFORMATION, "receive[0]"),
    ],
    "handler_idle": [(TAX, cut("receive", "einvoice.received"), TAX, "receive")],
    "law_twice": [
        (ACTS, swap('id = "qd-319-2023"', 'id = "nd-52-2024"'), ACTS, "act[2].id"),
        (ACTS, swap('number = "11.1.b"', 'number = "11.1"'), ACTS, "act[2].articles[1].number"),
        (PURPOSES, swap('"payment-block"', '"tax-administration"'), PURPOSES, "purpose[7].code"),
    ],
    "article_outside": [
        (ACTS, swap('number = "11.1"\n', 'number = "11.1"\nvalid_from = 2024-06-30\n'), ACTS, "act[2].articles[0]"),
        (ACTS, swap('number = "11.1"\n', 'number = "11.1"\nvalid_to = 2024-06-30\n'), ACTS, "act[2].articles[0]"),
    ],
    "assumption_missing": [
        (ACTS, swap('checked = "secondary"\nassumption = true\n', 'checked = "secondary"\n'), ACTS, "act[0]"),
        (ACTS, swap('checked = "official"\n', 'checked = "secondary"\n'), ACTS, "act[0].articles[0]"),
    ],
}
"""For each code: which file is changed how, and the file and path (or its beginning) of what must be found."""

EACH = [(code, *plant) for code, plants in PLANTED.items() for plant in plants]


def planted(found: list[Finding], code: str) -> list[Place]:
    """Give the places of the findings of a code."""
    return [each.place for each in found if each.code == code]


@pytest.mark.parametrize(
    ("code", "file", "edit", "where", "path"), EACH, ids=[f"{each[0]} {n}" for n, each in enumerate(EACH)]
)
def test_what_was_planted_is_found_where_it_is(  # noqa: PLR0917 -- one column of the table each
    code: str, file: str, edit: Edit, where: str, path: str, tmp_path: Path
) -> None:
    """With a sentence in both languages, and what to do."""
    found = found_in(copied(tmp_path, [(file, edit)]))

    assert any(place.file == where and place.path.startswith(path) for place in planted(found, code)), found
    for each in found:
        assert all(text.endswith((".", "?")) for text in (each.vi, each.en, each.do_vi, each.do_en)), each
        assert each.vi != each.en


CODES = frozenset(
    re.findall(
        r'(?:error|warning)\(\s*"(\w+)"|"(basis_\w+)"',
        "".join(path.read_text(encoding="utf-8") for path in Path(directory_rules.__file__).parent.glob("*.py")),
    )
)


def test_every_rule_is_planted() -> None:
    """A rule that nothing sets off may never have worked."""
    codes = {name for each in CODES for name in each if name} | {"unknown_key", "missing_key", "wrong_value"}

    assert codes == {*PLANTED, "successor_circle"}
    assert len(EACH) >= 20


def test_every_code_is_documented() -> None:
    """docs/operations.md lists them by what they are about."""
    page = (schemas.SHIPPED.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.split("| it finds | codes |")[1].split("\n\n")[0]

    assert set(re.findall(r"`(\w+)`", table)) == {*PLANTED, "successor_circle"}


def test_succession_in_a_circle_is_found(tmp_path: Path) -> None:
    """At each agency of the circle, and not at one that only leads into it."""
    contract = copied(
        tmp_path,
        [
            (POST, top('successor = { code = "tax-hanam", valid_from = 2025-07-01 }')),
            (TAX, top('successor = { code = "sbv-hanam", valid_from = 2025-07-01 }')),
            (BANK, top('successor = { code = "tax-hanam", valid_from = 2025-07-01 }')),
        ],
    )

    assert {place.file for place in planted(found_in(contract), "successor_circle")} == {TAX, BANK}


def test_a_successor_that_takes_over_is_no_contradiction(tmp_path: Path) -> None:
    """Open ends of an agency's entries are as long as the agency."""
    text = (schemas.SHIPPED / POST).read_text(encoding="utf-8")
    newer = text.replace("post-hanam", "post-ninhbinh").replace("2023-07-01", "2025-07-01").replace('"35"', '"37"')
    contract = copied(
        tmp_path,
        [
            (POST, top('valid_to = 2025-06-30\nsuccessor = { code = "post-ninhbinh", valid_from = 2025-07-01 }')),
            ("directory/post-ninhbinh.toml", lambda _: newer),
        ],
    )

    assert found_in(contract) == []


def test_grants_of_one_type_may_follow_one_another(tmp_path: Path) -> None:
    """One ends on the day before the other begins."""
    first = swap(f'"einvoice.received"\n{FIRST}', f'"einvoice.received"\n{FIRST}{ENDS}')
    second = add('[[publish]]\ntype = "einvoice.received"\nvalid_from = 2025-07-01')

    assert found_in(copied(tmp_path, [(TAX, first), (TAX, second)])) == []


def test_the_sentence_about_a_grant_without_article_names_personal_fields(tmp_path: Path) -> None:
    """They are what nobody may have without a legal basis."""
    contract = copied(tmp_path, [(POLICE, swap('article = "ke-hoach-1679-2023/IV.4"\n', ""))])

    [found] = [each for each in found_in(contract) if each.code == "article_missing"]

    assert "seller_account, seller_name, seller_tax_code" in found.en
    assert "seller_account, seller_name, seller_tax_code" in found.vi
    assert "score" not in found.en


def test_a_file_that_is_no_text_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 cost one file."""
    contract = copied(tmp_path)
    (contract / POST).write_bytes(b'code = "\xff"')
    (contract / TAX).write_text("kind = 1", encoding="utf-8")

    found = found_in(contract)

    assert Place(POST) in planted(found, "not_toml")
    assert Place(TAX, "code") in planted(found, "missing_key")


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("police-hanam/investigator", 'role = "officer"', None),
        ("police-hanam/investigator", 'role = "auditor"', "officer_twice"),
        ("nobody/investigator", 'role = "officer"', "officer_agency"),
        ("police-hanam/investigator", "", "missing_key"),
        ("police-hanam/investigator", 'role = "officer"\npublic_key = "AA=="', "key_wrong"),
        ("police-hanam/new-desk", 'role = "officer"\nvalid_to = 2025-12-31', "days_reversed"),
    ],
)
def test_officers_whom_the_installation_added_are_looked_at(
    tmp_path: Path, name: str, text: str, code: str | None
) -> None:
    """An entry with a key beside the shipped one without is as it should be."""
    agency, desk = name.split("/")
    path = tmp_path / "added" / agency / f"{desk}.001.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'name = "{name}"\nvalid_from = 2026-01-01\n{text}\n', encoding="utf-8")

    found = found_in(schemas.SHIPPED, tmp_path / "added")

    assert [each.code for each in found] == ([] if code is None else [code])
    assert all(each.place.file == f"added/{agency}/{desk}.001.toml" for each in found)


def test_an_officer_in_another_agencys_folder_is_found(tmp_path: Path) -> None:
    """The folder says who added the desk."""
    path = tmp_path / "added" / "tax-hanam" / "x.001.toml"
    path.parent.mkdir(parents=True)
    path.write_text('name = "police-hanam/x"\nrole = "officer"\nvalid_from = 2026-01-01\n', encoding="utf-8")

    assert [each.code for each in found_in(schemas.SHIPPED, tmp_path / "added")] == ["officer_agency"]


def test_errors_stop_a_start_and_warnings_do_not(tmp_path: Path) -> None:
    """The message has the places, what is wrong and what to do."""
    idle = found_in(copied(tmp_path / "a", [(TAX, cut("receive", "einvoice.received"))]))
    wrong = found_in(copied(tmp_path / "b", [(INFORMATION, swap('"reasons"', '"reason"'))]))

    require_sound(idle)
    assert {each.severity for each in idle} == {"warning"}
    with pytest.raises(ConfigurationError, match=r"stttt-hanam\.toml receive\[0\]\.fields: .*no field 'reason'.*score"):
        require_sound(wrong)


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    """Twenty places are enough to begin with; the count says how many there are."""
    every = [(file, swap('"35"', '"x"')) for file in (BOARD, POLICE, POST, MARKET, BANK, TAX)]
    many = add("\n".join(f'[[purpose]]\ncode = "payment-block"\nvi = "{n}"\nen = "{n}"' for n in range(30)))

    with pytest.raises(ConfigurationError, match=r"in 3\d places[\s\S]*and 1\d more"):
        require_sound(found_in(copied(tmp_path, [*every, (PURPOSES, many)])))
