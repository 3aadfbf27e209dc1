"""The stack's own authority and its certificates."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from lienthong.stack import certificates
from lienthong.stack.certificates import ADMINISTRATOR, AUTHORITY, certificate_file, ensure_certificates
from streams.errors import ConfigurationError


def _read(folder: Path, name: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(certificate_file(folder, name).read_bytes())


def test_a_server_is_known_by_the_authority_alone(tmp_path: Path) -> None:
    """By its own name, as localhost, and by what clients call it; not by another name or another authority."""
    ensure_certificates(tmp_path / "a", "broker-1", hosts={"broker-1": "kafka"})
    ensure_certificates(tmp_path / "b", "broker-1")
    [server, _], [authority] = _read(tmp_path / "a", "broker-1"), _read(tmp_path / "a", AUTHORITY)

    def verified(name: str, *, trusted: x509.Certificate = authority) -> bool:
        verifier = PolicyBuilder().store(Store([trusted])).build_server_verifier(x509.DNSName(name))
        try:
            return bool(verifier.verify(server, []))
        except x509.verification.VerificationError:
            return False

    assert all(verified(name) for name in ("localhost", "broker-1", "kafka"))
    assert not verified("registry")
    [other] = _read(tmp_path / "b", AUTHORITY)
    assert not verified("localhost", trusted=other)


def test_python_and_openssl_take_the_file_as_it_is(tmp_path: Path) -> None:
    """One file holds the key and the chain, and nobody else may read it."""
    ensure_certificates(tmp_path / "tls", ADMINISTRATOR)
    file = certificate_file(tmp_path / "tls", ADMINISTRATOR)

    ssl.create_default_context(cafile=certificate_file(tmp_path / "tls", AUTHORITY)).load_cert_chain(file)

    for each in (tmp_path / "tls").iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700


def test_what_lasts_is_kept_and_what_ends_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate near its end, and all of an authority that was lost."""
    assert ensure_certificates(tmp_path, "broker-1", ADMINISTRATOR) == ["broker-1", ADMINISTRATOR]
    assert ensure_certificates(tmp_path, "broker-1", ADMINISTRATOR, "registry") == ["registry"]

    monkeypatch.setattr(certificates, "_RENEW_BEFORE", timedelta(days=398))
    assert ensure_certificates(tmp_path, "broker-1") == ["broker-1"]
    monkeypatch.undo()
    certificate_file(tmp_path, AUTHORITY).unlink()
    assert ensure_certificates(tmp_path, "broker-1", "registry") == ["broker-1", "registry"]


def test_a_server_may_not_sign_and_ends_in_a_year(tmp_path: Path) -> None:
    """A stolen server key makes no other certificate."""
    ensure_certificates(tmp_path, "broker-1")
    [server, authority] = _read(tmp_path, "broker-1")

    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert server.not_valid_after_utc - datetime.now(UTC) < timedelta(days=398)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    """And nothing is overwritten."""
    ensure_certificates(tmp_path, "broker-1")
    certificate_file(tmp_path, "broker-1").write_text("something else", encoding="ascii")

    with pytest.raises(ConfigurationError, match=r"broker-1\.pem holds no certificate"):
        ensure_certificates(tmp_path, "broker-1")
