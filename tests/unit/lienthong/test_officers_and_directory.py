"""Officers' keys, and the directory as it is now."""

from __future__ import annotations

import stat
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lienthong.directory import LiveDirectory, overlay_folder
from lienthong.officers import add_officer, officer_key
from lienthong.output import as_json, json_line
from streams.errors import ConfigurationError, ForbiddenError, InputError

NAME = "police-hanam/investigator"
TODAY = date(2026, 11, 20)


def test_an_officer_gets_a_key_once(tmp_path: Path) -> None:
    """The directory knows the public half of the private key; adding again changes neither."""
    officer, new = add_officer(tmp_path, NAME, role="officer", on=TODAY)
    again, renewed = add_officer(tmp_path, NAME, role="officer", on=TODAY)

    assert (new, renewed, officer) == (True, False, again)
    key = officer_key(tmp_path, NAME)
    assert (NAME, officer.key_id) == (key.name, key.key_id)
    assert officer.public_key is not None
    Ed25519PublicKey.from_public_bytes(officer.public_key).verify(key.private.sign(b"x"), b"x")


def test_a_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    """File 0600, folders 0700; the directory entry has only the public half."""
    add_officer(tmp_path, NAME, role="officer", on=TODAY)

    [path] = tmp_path.rglob("*.pem")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    [entry] = overlay_folder(tmp_path).rglob("*.toml")
    assert "PRIVATE" not in entry.read_text(encoding="utf-8")


def test_a_lost_entry_is_made_again_with_the_same_key(tmp_path: Path) -> None:
    """What was signed before still verifies."""
    before, _ = add_officer(tmp_path, NAME, role="officer", on=TODAY)
    for entry in overlay_folder(tmp_path).rglob("*.toml"):
        entry.unlink()

    after, _ = add_officer(tmp_path, NAME, role="officer", on=TODAY)

    assert before.public_key == after.public_key


@pytest.mark.parametrize(
    ("name", "role"), [("nobody/x", "officer"), ("police-hanam", "officer"), (NAME, "king"), ("../x/y", "officer")]
)
def test_what_is_no_officer_is_refused(tmp_path: Path, name: str, role: str) -> None:
    """And nothing is written."""
    with pytest.raises(InputError):
        add_officer(tmp_path, name, role=role, on=TODAY)

    assert list(tmp_path.rglob("*")) == []


def test_without_a_key_nobody_acts(tmp_path: Path) -> None:
    """The message says how a key is made."""
    with pytest.raises(ForbiddenError, match="lienthong officer add"):
        officer_key(tmp_path, NAME)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A sentence, not a traceback, for a file that is no Ed25519 key."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    add_officer(tmp_path, NAME, role="officer", on=TODAY)
    [path] = tmp_path.rglob("*.pem")
    other = generate_private_key(SECP256R1())
    for content in (other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), b"no key", b""):
        path.write_bytes(content)
        with pytest.raises(InputError, match="no Ed25519 key"):
            officer_key(tmp_path, NAME)
    assert isinstance(Ed25519PrivateKey.generate(), Ed25519PrivateKey)


def test_the_directory_sees_a_new_officer_without_a_restart(tmp_path: Path) -> None:
    """And is not read again while nothing changes."""
    directory = LiveDirectory(tmp_path)
    before = directory()
    assert directory() is before

    add_officer(tmp_path, NAME, role="officer", on=TODAY)

    assert directory().officer(NAME, on=TODAY).public_key is not None
    assert before.officer(NAME, on=TODAY).public_key is None


def test_a_wrong_entry_is_named_at_once(tmp_path: Path) -> None:
    """Rather than forgotten until somebody's signature is refused."""
    path = overlay_folder(tmp_path) / "police-hanam" / "x.toml"
    path.parent.mkdir(parents=True)
    path.write_text("name = 1", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"x\.toml"):
        LiveDirectory(tmp_path)


def test_values_are_printed_as_the_shapes_say(capsys: pytest.CaptureFixture[str]) -> None:
    """Decimals are strings, times ISO 8601 in UTC, absent is null, bytes hexadecimal; one object a line."""
    at = datetime(2026, 11, 20, 5, 0, 0, 250000, tzinfo=UTC)
    json_line({"a": Decimal("1.50"), "at": at, "on": TODAY, "id": UUID(int=1), "n": None, "b": b"\x00", "t": ("ví", 1)})

    assert capsys.readouterr().out == (
        '{"a": "1.50", "at": "2026-11-20T05:00:00.250Z", "on": "2026-11-20", '
        '"id": "00000000-0000-0000-0000-000000000001", "n": null, "b": "00", "t": ["ví", 1]}\n'
    )
    assert as_json({"deep": [{"x": frozenset({Decimal(1)})}]}) == {"deep": [{"x": ["1"]}]}


def test_the_role_is_the_directorys(tmp_path: Path) -> None:
    """Making a key turns no supervisor into an officer, and no auditor into somebody who may act."""
    supervisor, _ = add_officer(tmp_path, "sbv-hanam/supervisor", role=None, on=TODAY)

    assert supervisor.role == "supervisor"
    with pytest.raises(InputError, match="auditor, not officer"):
        add_officer(tmp_path, "bcd389-hanam/auditor", role="officer", on=TODAY)
