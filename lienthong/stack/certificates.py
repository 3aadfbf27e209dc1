"""
The stack's own certificate authority, and a certificate for each server and for the administrator.

ECDSA on P-256 (FIPS 186-5), X.509 by RFC 5280. A file `NAME.pem` holds the private key (PKCS#8), its certificate and
the authority's, in this order, which is how Kafka, the registry, librdkafka and Python all read it; mode 0600. Clients
need `ca.pem` alone. What is about to end is made anew at the next start.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lienthong.stack.private_files import make_private_folder, write_private
from streams.errors import ConfigurationError

__all__ = ["ADMINISTRATOR", "AUTHORITY", "ORGANISATION", "certificate_file", "ensure_certificates"]

ORGANISATION = "Lien Thong"
ADMINISTRATOR = "admin"
"""The certificate of whoever runs the stack: Kafka's super user."""

AUTHORITY = "ca"

_AUTHORITY_DAYS = 3650
_DAYS = 397
_RENEW_BEFORE = timedelta(days=30)
_EARLY = timedelta(minutes=5)  # of a clock that is a little behind
_PEM = serialization.Encoding.PEM


def certificate_file(folder: Path, name: str) -> Path:
    """Give the file of a name; that of `AUTHORITY` holds its certificate alone."""
    return folder / f"{name}.pem"


def ensure_certificates(folder: Path, *names: str, hosts: Mapping[str, str] | None = None) -> list[str]:
    """
    Make what is missing or near its end.

    Args:
        folder: made with mode 0700 when absent.
        names: of servers, each of which also is a client of its fellows, or `ADMINISTRATOR`.
        hosts: how clients call a server beside `localhost` and its name, where that is another.

    Returns:
        The names whose file is new.

    Raises:
        ConfigurationError: a file there is none of ours; the message names it.
    """
    make_private_folder(folder)
    authority = _Authority.in_folder(folder)
    made = [name for name in names if not authority.lasts(certificate_file(folder, name))]
    for name in made:
        authority.issue(certificate_file(folder, name), name, host=(hosts or {}).get(name, name))
    return made


class _Authority:
    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key, self._certificate = key, certificate

    @classmethod
    def in_folder(cls, folder: Path) -> _Authority:
        """Read it, or make it where it is absent or near its end; then nothing that it issued before counts."""
        file, key_file = certificate_file(folder, AUTHORITY), folder / f"{AUTHORITY}.key"
        if file.is_file() and key_file.is_file():
            certificate = _certificates(file)[0]
            key = _private_key(key_file)
            if certificate.not_valid_after_utc - _RENEW_BEFORE > datetime.now(UTC):
                return cls(key, certificate)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
                x509.NameAttribute(NameOID.COMMON_NAME, "authority"),
            ]
        )
        certificate = (
            _begun(name, name, key, days=_AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_private(key_file, _key_text(key))
        write_private(file, certificate.public_bytes(_PEM).decode())
        return cls(key, certificate)

    def lasts(self, file: Path) -> bool:
        """Say whether a file holds a certificate of ours that goes on for long enough."""
        if not file.is_file():
            return False
        own, *chain = _certificates(file)
        ours = bool(chain) and chain[0] == self._certificate
        return ours and own.not_valid_after_utc - _RENEW_BEFORE > datetime.now(UTC)

    def issue(self, file: Path, name: str, *, host: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        called = [x509.DNSName(each) for each in dict.fromkeys(("localhost", name, host))]
        places = [*called, x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            _begun(subject, self._certificate.subject, key, days=_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.SubjectAlternativeName(places), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain = certificate.public_bytes(_PEM) + self._certificate.public_bytes(_PEM)
        write_private(file, _key_text(key) + chain.decode())


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    encoded = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return encoded.decode()


def _certificates(file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except ValueError as error:
        raise ConfigurationError(
            f"{file} holds no certificate: remove it, and the next start makes it anew."
        ) from error


def _private_key(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except ValueError as error:
        raise ConfigurationError(f"{file} holds no private key: restore it from a backup of the keys.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError(f"{file} holds another kind of key than P-256: restore it from a backup of the keys.")
    return key
