"""Files: what each is, what its invoices say, and that nothing raises."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.einvoice import EinvoiceFile, expand, file_report, read_content, read_file
from streams.errors import InputError
from streams.sealing import Personal
from streams.subject import pseudonym

Write = Callable[..., str]
NOW = datetime(2026, 3, 3, tzinfo=UTC)


def read(xml: str) -> EinvoiceFile:
    """Read XML as a file."""
    return read_content(xml.encode(), path=Path("a.xml"), received_at=NOW)


def data_of(xml: str) -> dict[str, object]:
    """Give the fields of the only event of a file."""
    (draft,) = read(xml).drafts
    return dict(draft.data)


def test_an_invoice_in_an_envelope_becomes_one_event(invoice_xml: Write, message_xml: Write) -> None:
    """Envelope, key, parties, lines and totals arrive in the event's fields."""
    file = read(message_xml(invoice_xml(), more="<TGGui>2026-03-02T08:00:00</TGGui>"))

    (draft,) = file.drafts
    seller = pseudonym("seller", "vn-mst", "0100233488")
    assert (file.root, file.kind, file.message_id, file.refers_to) == ("TDiep", "203", "V0100233488ABC", "TCT123")
    assert (file.outcome, file.reason, file.notes) == (None, None, ())
    assert seller == draft.subject
    assert draft.data["invoice"] == {
        "seller": seller.as_data(),
        "form": "1",
        "series": "C26TAA",
        "number": "7",
        "issued_on": date(2026, 3, 2),
    }
    assert draft.data["sent_at"] == datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert draft.data["received_at"] == NOW
    assert draft.data["seller_tax_code"] == Personal(subject=seller, text="0100233488")
    assert draft.data["seller_account"] == Personal(subject=seller, text="000111222333")
    assert draft.data["buyer"] == pseudonym("buyer", "vn-mst", "0109205608").as_data()
    assert draft.data["net_amount"] == Decimal("1000000.000000")
    assert draft.data["lines"][0]["description"] == "Nồi cơm điện"
    assert draft.data["tax_rates"] == [{"rate": "10%", "net_amount": Decimal(1000000), "tax_amount": Decimal(100000)}]
    assert file.document is not None
    assert draft.data["document"] == file.document.as_data()


@pytest.mark.parametrize("totals", ["inside", "beside", "after"])
def test_totals_are_found_wherever_they_stand(invoice_xml: Write, totals: str) -> None:
    """TToan stands inside NDHDon, beside it, or beside DLHDon."""
    data = data_of(invoice_xml(totals=totals))

    assert data["total_amount"] == Decimal(1100000)
    assert data["total_in_words"] == "Một triệu một trăm nghìn đồng"


@pytest.mark.parametrize("place", ["general", "free", "after"])
def test_the_tax_authoritys_code_is_found_at_any_depth(invoice_xml: Write, place: str) -> None:
    """MCCQT stands in more than one place."""
    assert data_of(invoice_xml(**{place: "<MCCQT Id='x'>00AB</MCCQT>"}))["tax_authority_code"] == "00AB"


def test_names_count_without_their_namespace(invoice_xml: Write) -> None:
    """Real files have no namespace, and some have invented ones."""
    plain, spaced = invoice_xml(), invoice_xml().replace("<HDon>", "<HDon xmlns='urn:hoadon'>")

    assert read(plain).drafts[0].event_id == read(spaced).drafts[0].event_id


def test_the_nested_rates_of_some_programs_are_read(invoice_xml: Write) -> None:
    """An LTSuat within an LTSuat is one rate."""
    nested = invoice_xml().replace("<LTSuat>", "<LTSuat><LTSuat>").replace("</LTSuat>", "</LTSuat></LTSuat>")

    assert data_of(nested)["tax_rates"] == data_of(invoice_xml())["tax_rates"]


def test_a_seller_without_a_tax_code_is_a_subject_of_the_document(invoice_xml: Write) -> None:
    """Strangers are never joined by having no code."""
    first = read(invoice_xml(seller="<Ten>Cửa hàng A</Ten>")).drafts[0]
    second = read(invoice_xml(seller="<Ten>Cửa hàng B</Ten><MST>-</MST>")).drafts[0]

    assert first.subject.scheme == second.subject.scheme == "einvoice-document"
    assert first.subject.value != second.subject.value
    assert first.data["seller_tax_code"] is None
    assert first.data["seller_name"] == Personal(subject=first.subject, text="Cửa hàng A")


def test_an_identity_number_is_a_sellers_tax_code_since_july_2025(invoice_xml: Write) -> None:
    """The map of the invoice's own day decides."""
    seller = "<Ten>Hộ Thử</Ten><CCCDan>001099000001</CCCDan>"

    new, old = read(invoice_xml(seller=seller)), read(invoice_xml(seller=seller, date="2024-03-02"))

    assert new.drafts[0].subject == pseudonym("seller", "vn-mst", "001099000001")
    assert old.drafts[0].subject.scheme == "einvoice-document"


@pytest.mark.parametrize(
    ("buyer", "scheme"),
    [
        ("<MST>0109205608</MST>", "vn-mst"),
        ("<MST>001099000001</MST>", "vn-cccd"),
        ("<CCCDan>001099000001</CCCDan>", "vn-cccd"),
        ("<HVTNMHang>Khách Lẻ</HVTNMHang>", None),
        ("", None),
    ],
)
def test_a_buyer_has_a_pseudonym_where_a_number_names_him(invoice_xml: Write, buyer: str, scheme: str | None) -> None:
    """A person's number makes the same pseudonym wherever it stands; a name alone makes none."""
    found = data_of(invoice_xml(buyer=buyer, date="2024-05-01"))["buyer"]

    assert scheme == (found["scheme"] if isinstance(found, dict) else None)


def test_unreadable_values_are_left_out_with_a_note(invoice_xml: Write) -> None:
    """A comma, a bad day and a too long text each cost one field, not the file."""
    file = read(
        invoice_xml(quantity="1,5", price="0.33333333", date="31/02/2026", line=f"<THHDVu>{'x' * 4_001}</THHDVu>")
    )

    (draft,) = file.drafts
    line = draft.data["lines"][0]
    assert (line["quantity"], line["description"], draft.data["invoice"]["issued_on"]) == (None, None, None)
    assert line["unit_price"] == Decimal("0.333333")
    assert list(file.notes) == [
        "invoice 1: NLap '31/02/2026' is no day of the calendar; left out.",
        "invoice 1, line 1: THHDVu has 4001 characters, more than 4000; left out.",
        "invoice 1, line 1: SLuong '1,5' is no number written with digits and a decimal point; left out.",
        "invoice 1, line 1: DGia '0.33333333' was rounded to six decimals.",
    ]


def test_a_repeated_value_is_noted_and_the_first_taken(invoice_xml: Write) -> None:
    """An invoice with two numbers does not say which is right."""
    file = read(invoice_xml(general="<SHDon>8</SHDon><TChat>x</TChat>").replace("<TChat>1<", "<TChat>hàng<"))

    assert file.invoices[0].number == "7"
    assert file.invoices[0].lines[0].kind is None
    assert list(file.notes) == [
        "invoice 1: SHDon is there more than once; the first was taken.",
        "invoice 1, line 1: TChat 'hàng' is no code from 0 to 99.",
    ]


def test_notes_stay_few(invoice_xml: Write) -> None:
    """A hostile file cannot fill a log."""
    line = "<HHDVu><SLuong>1,5</SLuong></HHDVu>"

    file = read(invoice_xml().replace("</DSHHDVu>", line * 70 + "</DSHHDVu>"))

    assert len(file.notes) == 51
    assert file.notes[-1] == "20 more notes were left out."


def test_parcels_and_the_shop_come_from_the_free_fields(invoice_xml: Write) -> None:
    """Names in any spelling; several numbers in one value; the carrier of the same list."""
    data = data_of(
        invoice_xml(
            free="<TTin><TTruong>MaVanDon</TTruong><DLieu>EE123456785VN; ee 123 456 785 vn ,GHN0001</DLieu></TTin>"
            "<TTin><TTruong>Đơn vị vận chuyển</TTruong><DLieu>Bưu điện Mẫu</DLieu></TTin>"
            "<TTin><TTruong>Gian hàng</TTruong><DLieu>Shop Mẹ Bé</DLieu></TTin>"
            "<TTin><TTruong>Tracking number</TTruong><DLieu>không có</DLieu></TTin>"
            "<TTin><TTruong>Fkey</TTruong><DLieu>A1</DLieu></TTin>",
        )
    )

    parcel = pseudonym("parcel", "postal-number", "EE123456785VN")
    other = pseudonym("parcel", "postal-number", "GHN0001")
    assert data["shop"].text == "Shop Mẹ Bé"
    assert data["parcels"] == [
        {
            "parcel": parcel.as_data(),
            "number": Personal(subject=parcel, text="EE123456785VN"),
            "carrier": "Bưu điện Mẫu",
        },
        {"parcel": other.as_data(), "number": Personal(subject=other, text="GHN0001"), "carrier": "Bưu điện Mẫu"},
    ]


def test_too_many_parcels_are_cut_with_a_note(invoice_xml: Write) -> None:
    """One invoice cannot make an endless event."""
    numbers = ",".join(f"GHN{number:05}" for number in range(201))
    file = read(invoice_xml(free=f"<TTin><TTruong>Mã vận đơn</TTruong><DLieu>{numbers}</DLieu></TTin>"))

    assert len(file.drafts[0].data["parcels"]) == 200
    assert file.notes == ("invoice 1: it names 201 parcels; the first 200 were taken.",)


def test_one_invoice_in_two_spellings_is_one_event(invoice_xml: Write, message_xml: Write) -> None:
    """Padding, the form's digit in the series, decimals' zeros and the envelope do not make another invoice."""
    expected = read(invoice_xml()).drafts[0].event_id

    for same in (
        invoice_xml(number="00000007"),
        invoice_xml(series="1C26TAA"),
        invoice_xml(series="1C26TAA", form=""),
        invoice_xml(net="1000000.000", amount="1000000"),
        invoice_xml(seller="<Ten>Tên khác</Ten><MST>0100 233 488</MST>").replace("0100 233 488", "0100233488"),
        message_xml(invoice_xml()),
    ):
        assert expected == read(same).drafts[0].event_id


def test_another_amount_day_or_buyer_is_another_event(invoice_xml: Write) -> None:
    """The rule that compares them needs both."""
    changed = [
        invoice_xml(),
        invoice_xml(total="1200000"),
        invoice_xml(date="2026-03-01"),
        invoice_xml(buyer=""),
        invoice_xml(number="8"),
        invoice_xml(after="<MCCQT>00AB</MCCQT>"),
    ]

    assert len(changed) == len({read(xml).drafts[0].event_id for xml in changed})


def test_without_a_whole_key_the_document_names_the_event(invoice_xml: Write) -> None:
    """The same file again is the same event; another file is another."""
    nameless = invoice_xml(number="")

    assert read(nameless).drafts[0].event_id == read(nameless).drafts[0].event_id
    assert read(nameless).drafts[0].event_id != read(nameless + "\n").drafts[0].event_id


def test_a_bundle_gives_every_invoice_once(invoice_xml: Write, message_xml: Write) -> None:
    """Several invoices stand in one DLieu; one that stands twice is published once."""
    file = read(message_xml(invoice_xml() + f"<Goi>{invoice_xml(number='8')}</Goi>" + invoice_xml()))

    assert [invoice.number for invoice in file.invoices] == ["7", "8", "7"]
    assert [draft.data["invoice"]["number"] for draft in file.drafts] == ["7", "8"]
    assert file.notes == ("invoice 3: it stands in the file already; it is published once.",)


def test_an_invoice_inside_an_invoice_or_a_signature_is_not_taken(invoice_xml: Write, message_xml: Write) -> None:
    """What wraps or hides an invoice gains nothing by it."""
    hidden = invoice_xml(number="9")
    file = read(message_xml(invoice_xml(after=hidden) + f"<Signature><Object>{hidden}</Object></Signature>"))

    assert [invoice.number for invoice in file.invoices] == ["7"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("<DLHDon Id", "<DLHDon/><DLHDon Id", "DLHDon"),
        ("<NDHDon>", "<NDHDon/><NDHDon>", "NDHDon"),
        ("<NBan><Ten>", "<NBan><MST>0109205608</MST></NBan><NBan><Ten>", "NBan"),
    ],
)
def test_an_invoice_that_reads_two_ways_is_refused(invoice_xml: Write, old: str, new: str, named: str) -> None:
    """Of two contents only one may be signed; nobody guesses which."""
    file = read(invoice_xml().replace(old, new))

    assert (file.outcome, file.drafts) == ("refused", ())
    assert f"Invoice 1 of the file was refused: {named} stand in it more than once" in (file.reason or "")


def test_an_empty_code_of_the_tax_authority_is_none(invoice_xml: Write) -> None:
    """The search goes on to the next place."""
    xml = invoice_xml(general="<MCCQT/>", free="<TTin><TTruong>Mã vận đơn</TTruong><DLieu>GHN0001;;</DLieu></TTin>")

    assert data_of(xml)["tax_authority_code"] is None
    assert data_of(xml.replace("</DLHDon>", "</DLHDon><MCCQT>00AB</MCCQT>"))["tax_authority_code"] == "00AB"


def test_an_invoice_too_large_for_one_event_is_refused_and_the_others_go_on(
    invoice_xml: Write, message_xml: Write
) -> None:
    """The reason names the invoice."""
    line = f"<HHDVu><THHDVu>{'Hàng ' * 700}</THHDVu></HHDVu>"
    large = invoice_xml().replace("</DSHHDVu>", line * 200 + "</DSHHDVu>")

    alone, bundle = read(large), read(message_xml(large + invoice_xml(number="8")))

    assert (alone.outcome, alone.drafts) == ("refused", ())
    assert (bundle.outcome, len(bundle.drafts)) == (None, 1)
    assert bundle.reason == (
        "Invoice 1 of the file was refused: it is larger than one event may be (700000 bytes): ask for it in parts."
    )


@pytest.mark.parametrize(
    ("data", "kind", "outcome", "reason"),
    [
        ("<TBao><DSHDon><HDon><SHDon>7</SHDon></HDon></DSHDon></TBao>", "300", "no_invoice", "notice of wrong"),
        ("", "200", "no_invoice", "should carry an invoice"),
        ("", "777", "no_invoice", "not in the table"),
        ("", None, "no_invoice", "names no message kind"),
        ("<HDon><DLHDon><TTChung/></DLHDon></HDon>", "203", "no_invoice", "should carry an invoice"),
        (base64.b64encode(b"<HDon><DLHDon/></HDon>").decode(), "203", "refused", "base64"),
    ],
)
def test_a_message_without_an_invoice_says_why(
    message_xml: Write, data: str, kind: str | None, outcome: str, reason: str
) -> None:
    """Notices that list invoices carry none."""
    file = read(message_xml(data, kind=f"<MLTDiep>{kind}</MLTDiep>" if kind else ""))

    assert (outcome, kind) == (file.outcome, file.kind)
    assert reason in (file.reason or "")
    assert (file.drafts, file.invoices) == ((), ())


@pytest.mark.parametrize(
    ("xml", "root", "outcome"),
    [
        ("<TDiep/>", "TDiep", "no_invoice"),
        ("<HDon><DLHDon/></HDon>", "HDon", "no_invoice"),
        ("<HSoThueDTu xmlns='urn:x'/>", "HSoThueDTu", "refused"),
        ("<HDon>", None, "refused"),
    ],
)
def test_other_files_are_reported(xml: str, root: str | None, outcome: str) -> None:
    """Every file has an outcome and a reason."""
    report = file_report(read(xml))

    assert (root, outcome) == (report["root"], report["outcome"])
    assert report["reason"]
    assert report["invoices"] == []


def test_the_report_has_exactly_the_promised_shape(invoice_xml: Write, message_xml: Write) -> None:
    """Decimals are strings, days ISO 8601, absent is null; findings and outcome are the caller's."""
    finding = {"rule": "amount_in_words", "severity": "high", "message": "…"}

    report = file_report(read(message_xml(invoice_xml(buyer=""))), outcome="published", findings=[finding])

    assert report == {
        "file": "a.xml",
        "root": "TDiep",
        "kind": "203",
        "message_id": "V0100233488ABC",
        "refers_to": "TCT123",
        "invoices": [
            {
                "seller_tax_code": "0100233488",
                "buyer_tax_code": None,
                "form": "1",
                "series": "C26TAA",
                "number": "7",
                "date": "2026-03-02",
                "lines": 1,
                "net": "1000000",
                "tax": "100000",
                "total": "1100000",
                "tax_authority_code": None,
            }
        ],
        "outcome": "published",
        "reason": None,
        "findings": [finding],
    }


def test_a_file_on_disk_is_read_up_to_the_limit(tmp_path: Path, invoice_xml: Write) -> None:
    """A missing file is an outcome too: it may vanish between listing and reading."""
    path = tmp_path / "hóa đơn.xml"
    path.write_text(invoice_xml(), encoding="utf-8")

    assert read_file(path, received_at=NOW).content == path.read_bytes()
    gone = read_file(tmp_path / "gone.xml", received_at=NOW)
    assert gone.outcome == "refused"
    assert "cannot be read" in (gone.reason or "")


def test_paths_mean_files(tmp_path: Path) -> None:
    """A folder means its own XML files, sorted; `recursive` goes deeper; a file is itself, whatever its name."""
    for name in ("b.xml", "a.XML", ".hidden.xml", "c.txt", "deep/d.xml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    own = expand([tmp_path], recursive=False)
    deep = expand([tmp_path, tmp_path / "c.txt", tmp_path / "b.xml"], recursive=True)

    assert [tmp_path / "a.XML", tmp_path / "b.xml"] == own
    assert [tmp_path / "a.XML", tmp_path / "b.xml", tmp_path / "deep/d.xml", tmp_path / "c.txt"] == deep


@pytest.mark.parametrize(
    ("path", "expected"),
    [("missing", "does not exist"), ("/dev/null", "neither a file nor a folder"), ("x" * 5_000, "cannot be read")],
)
def test_a_path_that_means_nothing_is_one_sentence(tmp_path: Path, path: str, expected: str) -> None:
    """The sentence says what to check."""
    with pytest.raises(InputError, match=expected):
        expand([tmp_path / path], recursive=False)
