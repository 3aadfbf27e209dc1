"""
A written decision as a small PDF of one page, made by hand: objects, offsets, nothing else.

The built-in fonts of PDF have no Vietnamese letters, so its text stands without marks. It names roles, not people.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["DECISION_NUMBER", "write_decision"]

DECISION_NUMBER = "15/QD-CSDT"
"""Number of the sample decision, invented."""

_LINES = (
    "CO QUAN CANH SAT DIEU TRA - CONG AN TINH HA NAM (VAN BAN MAU)",
    f"So: {DECISION_NUMBER}",
    "",
    "QUYET DINH",
    "Ve viec ngan chan thanh toan qua tai khoan",
    "",
    "Can cu Nghi dinh 52/2024/ND-CP, dieu 11, khoan 1;",
    "Dieu 1. Yeu cau ngan hang ngan chan thanh toan qua tai khoan neu trong yeu cau kem theo.",
    "Dieu 2. Ngan hang tra loi ket qua thuc hien qua he thong lien thong.",
    "",
    "THU TRUONG CO QUAN DIEU TRA",
    "",
    "Sample decision of the investigation agency: invented, names roles only.",
)


def write_decision(folder: Path) -> Path:
    """
    Write the decision as `decision.pdf`; always the same bytes.

    Args:
        folder: made when it is missing.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "decision.pdf"
    path.write_bytes(_pdf(_LINES))
    return path


def _pdf(lines: tuple[str, ...]) -> bytes:
    shown = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines)
    stream = f"BT /F1 11 Tf 18 TL 60 780 Td\n{shown}ET".encode("ascii")
    resources = b"<< /Font << /F1 5 0 R >> >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %b >>" % resources,
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count, start = len(objects) + 1, len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    return bytes(body)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
