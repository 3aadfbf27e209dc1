"""
Hostile bytes to an XML tree, or to the reason why not.

What is refused is refused before the parser sees it where that can be: too large, no XML, base64, a character set that
is not taken, a document type declaration. The parser itself loads nothing, resolves nothing and asks no network.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from streams.documents import MAX_DOCUMENT_BYTES

__all__ = ["DEFAULT_LIMITS", "Limits", "Refused", "local_name", "parse_xml", "unwrap_base64", "walk"]


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What a file may hold at most; more is refused.

    Args:
        max_bytes: of the file.
        max_depth: of nested elements. Real messages need 16, signatures included.
        max_elements: in the whole file.
        max_attributes: of one element.
    """

    max_bytes: int = MAX_DOCUMENT_BYTES
    max_depth: int = 64
    max_elements: int = 400_000
    max_attributes: int = 64


DEFAULT_LIMITS = Limits()
"""Far above every real message: 20 MiB, 64 deep, 400,000 elements, 64 attributes."""


@dataclass(frozen=True, slots=True)
class Refused:
    """
    Why bytes were not taken.

    Args:
        reason: a sentence that says what is wrong and what to do.
    """

    reason: str


_BASE64 = re.compile(rb"[A-Za-z0-9+/=_\s-]+")
_MIN_BASE64 = len("PEhEb24+PC9IRG9uPg")
_DECLARED = re.compile(r"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_DECLARATION = re.compile(r"<\?xml\s[^>]{0,300}?\?>")
_SPACE = re.compile(r"[ \t\r\n]*")
_UTF8_NAMES = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_BINARY_KINDS = {
    b"%PDF": "a PDF document; give the invoice's XML file instead",
    b"PK\x03\x04": "a ZIP archive or an Office file; unpack it first and give the XML files in it",
    b"\x1f\x8b": "gzip-compressed; unpack it first",
}


def parse_xml(content: bytes, *, limits: Limits = DEFAULT_LIMITS) -> etree._Element | Refused:
    """
    Parse bytes as XML.

    Comments and processing instructions are left out, so that none can cut a value in two.

    Args:
        content: the file as it came.
        limits: what it may hold at most.
    """
    text = _decode(content, limits)
    if isinstance(text, Refused):
        return text
    if _has_document_type(text):
        return Refused(
            "The file has a document type declaration (DOCTYPE), which e-invoices never have: it is refused."
        )
    if text.count("<") > 2 * limits.max_elements:
        return Refused(f"The file has more than {limits.max_elements} elements: split it and give the parts.")
    root = _parse(_DECLARATION.sub("", text, count=1) if text.startswith("<?xml") else text)
    return root if isinstance(root, Refused) else (_over_limits(root, limits) or root)


def unwrap_base64(content: bytes) -> bytes | None:
    """
    Give the XML that is wrapped in base64, or None when the bytes are something else.

    >>> unwrap_base64(base64.b64encode(b"<HDon><DLHDon/></HDon>"))
    b'<HDon><DLHDon/></HDon>'
    """
    body = content.removeprefix(codecs.BOM_UTF8).strip().strip(b"\"'")
    if len(body) < _MIN_BASE64 or not _BASE64.fullmatch(body):
        return None
    compact = b"".join(body.split()).translate(bytes.maketrans(b"-_", b"+/"))
    try:
        decoded = base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except binascii.Error:
        return None
    return decoded if decoded.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<") else None


def local_name(element: etree._Element) -> str:
    """Give an element's name without its namespace: real files have none, and some have invented ones."""
    return str(element.tag).rpartition("}")[2]


def walk(element: etree._Element) -> Iterator[etree._Element]:
    """Give an element's descendants in document order, without what stands inside signatures."""
    stack = list(reversed(element))
    while stack:
        found = stack.pop()
        if local_name(found) != "Signature":
            yield found
            stack.extend(reversed(found))


def _decode(content: bytes, limits: Limits) -> str | Refused:
    """Turn the file's bytes into text: UTF-8, or UTF-16 with its mark."""
    if len(content) > limits.max_bytes:
        return Refused(f"The file has more than {limits.max_bytes} bytes: split it and give the parts.")
    if not content.strip(b"\x00 \t\r\n" + codecs.BOM_UTF8):
        return Refused("The file is empty: ask the sender for it again.")
    for start, what in _BINARY_KINDS.items():
        if content.startswith(start):
            return Refused(f"The file is {what}.")
    if unwrap_base64(content) is not None:
        return Refused("The file is XML wrapped in base64: decode it first (base64 -d) and give the XML.")
    encoding = _UTF16_MARKS.get(content[:2], "utf-8-sig")
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return Refused("The file is not UTF-8, nor UTF-16 with a byte order mark: convert it to UTF-8.")
    return _check_declared(text.lstrip(), encoding)


def _check_declared(text: str, encoding: str) -> str | Refused:
    """Refuse a declared character set that is not the one in use, for its text would be misread."""
    declared = _DECLARED.match(text)
    if encoding == "utf-8-sig" and declared and declared[1].lower() not in _UTF8_NAMES:
        return Refused(f"The file declares the character set {declared[1]}; only UTF-8 is taken: convert it to UTF-8.")
    if not text.startswith("<"):
        return Refused("The file is no XML: it does not begin with '<'. Give the invoice's XML file.")
    return text


def _has_document_type(text: str) -> bool:
    """Tell whether a DOCTYPE stands before the root element; elsewhere it would be malformed, or a comment."""
    position = 0
    while space := _SPACE.match(text, position):
        position = space.end()
        if text.startswith("<?", position):
            mark = "?>"
        elif text.startswith("<!--", position):
            mark, position = "-->", position + 4
        else:
            break
        end = text.find(mark, position)
        if end < 0:
            return False
        position = end + len(mark)
    return text.startswith("<!DOCTYPE", position)


def _parse(text: str) -> etree._Element | Refused:
    """Parse with everything off that reaches outside the bytes."""
    parser = etree.XMLParser(
        encoding="utf-8",
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        resolve_entities=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=False,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError, ValueError) as error:
        return _refused_by_parser(error)
    if root.getroottree().docinfo.internalDTD is not None:
        return Refused(
            "The file has a document type declaration (DOCTYPE), which e-invoices never have: it is refused."
        )
    return root


def _refused_by_parser(error: Exception) -> Refused:
    """Say what the parser found, in one short line, for its message may quote the file."""
    found = (str(error).splitlines() or ["no details"])[0][:160]
    if any(sign in found for sign in ("limit exceeded", "Excessive depth")):
        return Refused(f"The file goes beyond what a parser may hold ({found}): it is refused.")
    return Refused(f"The file is malformed XML ({found}): ask the sender for it again.")


def _over_limits(root: etree._Element, limits: Limits) -> Refused | None:
    """Check depth, number of elements and attributes of a parsed tree."""
    elements = 0
    level = [root]
    for _ in range(limits.max_depth):
        elements += len(level)
        if any(len(element.attrib) > limits.max_attributes for element in level):
            return Refused(f"An element of the file has more than {limits.max_attributes} attributes: it is refused.")
        if elements > limits.max_elements:
            return Refused(f"The file has more than {limits.max_elements} elements: split it and give the parts.")
        level = [child for element in level for child in element]
        if not level:
            return None
    return Refused(f"The file's elements are nested deeper than {limits.max_depth}: it is refused.")
