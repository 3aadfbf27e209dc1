"""Hostile bytes: what is parsed, and what is refused with which reason."""

from __future__ import annotations

import base64
import codecs

import pytest
from lxml import etree

from connectors.einvoice.reading import Limits, Refused, local_name, parse_xml, unwrap_base64, walk

SMALL = Limits(max_bytes=1_000, max_depth=4, max_elements=10, max_attributes=2)


def reason(content: bytes, *, limits: Limits = SMALL) -> str:
    """Give the reason why bytes were refused."""
    refused = parse_xml(content, limits=limits)
    assert isinstance(refused, Refused), "it was taken"
    return refused.reason


def text_of(content: bytes) -> str | None:
    """Give the root element's text."""
    root = parse_xml(content)
    assert not isinstance(root, Refused), root
    return root.text


@pytest.mark.parametrize(
    "content",
    [
        "<Ten>Đặng Thị Ổi</Ten>".encode(),
        codecs.BOM_UTF8 + "<?xml version='1.0' encoding='utf-8'?>\r\n<Ten>Đặng Thị Ổi</Ten>".encode(),
        '\n <?xml version="1.0" encoding="UTF-8"?><Ten>Đặng Thị Ổi</Ten>'.encode(),
        codecs.BOM_UTF16_LE + "<?xml version='1.0' encoding='utf-16'?><Ten>Đặng Thị Ổi</Ten>".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "<Ten>Đặng Thị Ổi</Ten>".encode("utf-16-be"),
        "<Ten>Đặng <!-- x -->Thị<?y?> <![CDATA[Ổi]]></Ten>".encode(),
    ],
)
def test_the_same_text_comes_out_of_every_encoding(content: bytes) -> None:
    """Marks, declarations, comments and CDATA change nothing of a value."""
    assert text_of(content) == "Đặng Thị Ổi"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"\x00\x00\x00", "empty"),
        (codecs.BOM_UTF8 + b" \n", "empty"),
        (b"x" * 1_001, "more than 1000 bytes"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04....", "ZIP"),
        (b"\x1f\x8b\x08", "gzip"),
        (b'{"hdon": 1}', "does not begin with '<'"),
        (base64.b64encode(b"<HDon><DLHDon/></HDon>"), "base64"),
        ("<Ten>Đặng</Ten>".encode("cp1258", "replace") + b"\xff", "UTF-8"),
        (b"<?xml version='1.0' encoding='windows-1258'?><a/>", "windows-1258"),
        (b"<HDon><DLHDon></HDon>", "malformed"),
        (b"<HDon>&unknown;</HDon>", "malformed"),
        (b"<!DOCTYPE HDon><HDon/>", "DOCTYPE"),
        (b"<?xml version='1.0'?><!-- a --><?b c?> <!DOCTYPE HDon [<!ENTITY a 'b'>]><HDon>&a;</HDon>", "DOCTYPE"),
        (codecs.BOM_UTF16_LE + "<!DOCTYPE HDon><HDon/>".encode("utf-16-le"), "DOCTYPE"),
        (b"<!-- never closed", "malformed"),
        (b"<a>" * 5 + b"</a>" * 5, "deeper than 4"),
        (b"<a>" * 30 + b"</a>" * 30, "more than 10 elements"),
        (b"<a>" + b"<b/>" * 10 + b"</a>", "more than 10 elements"),
        (b"<a b='1' c='2' d='3'/>", "more than 2 attributes"),
    ],
)
def test_what_is_refused_says_why(content: bytes, expected: str) -> None:
    """Every refusal names what is wrong."""
    assert expected in reason(content)


def test_a_text_beyond_the_parsers_own_limit_is_refused() -> None:
    """What the library itself will not hold is a refusal, not a crash."""
    found = reason(b"<a>" * 300 + b"</a>" * 300, limits=Limits())

    assert "beyond what a parser may hold" in found


def test_a_document_type_in_a_comment_or_in_cdata_is_only_text() -> None:
    """A goods name may well quote it."""
    assert text_of(b"<!-- <!DOCTYPE a> --><Ten><![CDATA[<!DOCTYPE html>]]></Ten>") == "<!DOCTYPE html>"


@pytest.mark.parametrize(
    "content",
    [b"PEhEb24+PC9IRG9uPg==", b"PEhEb24+\r\nPC9IRG9uPg", b'"PEhEb24+PC9IRG9uPg=="\n', b"PEhEb24-PC9IRG9uPg"],
)
def test_base64_is_unwrapped_in_its_usual_spellings(content: bytes) -> None:
    """Line breaks, quotes, missing padding and the URL alphabet are all met."""
    assert unwrap_base64(content) == b"<HDon></HDon>"


@pytest.mark.parametrize("content", [b"", b"0100233488", b"A" * 17, b"<HDon></HDon><!-- -->", b"QUFBQUFBQUFBQUFBQUFB"])
def test_what_is_no_base64_of_xml_is_left_alone(content: bytes) -> None:
    """A tax code or other base64 is no wrapped file."""
    assert unwrap_base64(content) is None


def test_walking_leaves_signatures_out() -> None:
    """What hides inside a signature is never mapped."""
    root = etree.fromstring(b"<a><b><c/></b><Signature xmlns='urn:x'><MCCQT>1</MCCQT></Signature><d/></a>")

    assert [local_name(element) for element in walk(root)] == ["b", "c", "d"]
