"""The webhook sink, against a real HTTP server on this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.webhook import IDEMPOTENCY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookSink, verify
from streams.errors import ConfigurationError, PermanentError, TransientError
from streams.event import Event
from streams.names import AgencyCode, EventType
from streams.sealing import Reveal, reveal_personal
from streams.subject import pseudonym

SECRET = b"a secret of the two sides"
NOW = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)


@dataclass
class Receiver:
    """A server that answers every post with one status, and what reached it."""

    port: int = 0
    status: int = 204
    location: str = ""
    wait_seconds: float = 0.0
    got: list[tuple[Message, bytes]] = field(default_factory=list)


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((self.headers, body))
            time.sleep(receiver.wait_seconds)
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Keep quiet about callers that hang up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a running receiver."""
    with serving() as running:
        yield running


def event(number: int = 1) -> Event:
    """Make an event; the body is its id."""
    return Event(
        id=UUID(int=number),
        type=EventType("shipment.flagged"),
        source=AgencyCode("market-hanam"),
        subject=pseudonym("parcel", "postal-number", str(number)),
        time=NOW,
        data={},
        correlation=UUID(int=number),
    )


def body_of(one: Event, _: Reveal) -> bytes:
    """Make a small JSON body."""
    return f'{{"event_id": "{one.id}", "vi": "cảnh báo"}}'.encode()


def sink(url: str, allowed_host: str, **more: Any) -> WebhookSink:
    """Make a sink with what every test shares."""
    made: dict[str, Any] = {"secret": SECRET, "timeout_seconds": 5.0, "clock": lambda: NOW, **more}
    return WebhookSink(
        url,
        name="postal-webhook",
        event_types=frozenset({EventType("shipment.flagged")}),
        render=body_of,
        allowed_host=allowed_host,
        **made,
    )


def local(receiver: Receiver, **more: Any) -> WebhookSink:
    """Make a sink for a receiver."""
    return sink(f"http://127.0.0.1:{receiver.port}/flags?v=1", f"127.0.0.1:{receiver.port}", **more)


async def test_events_arrive_in_order_signed_and_with_their_id(receiver: Receiver) -> None:
    """The receiver can check the sender, recognise a repeat and refuse an old post."""
    await local(receiver).write([event(1), event(2)], reveal=reveal_personal)

    assert [str(UUID(int=1)), str(UUID(int=2))] == [headers[IDEMPOTENCY_HEADER] for headers, _ in receiver.got]
    headers, body = receiver.got[0]
    assert body == body_of(event(1), reveal_personal)
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert int(NOW.timestamp()) == int(headers[TIMESTAMP_HEADER])
    stamp, signature = headers[TIMESTAMP_HEADER], headers[SIGNATURE_HEADER]
    assert verify(SECRET, timestamp=stamp, body=body, signature=signature)
    assert not verify(SECRET, timestamp=stamp, body=body + b" ", signature=signature)
    assert not verify(SECRET, timestamp=f"{stamp}1", body=body, signature=signature)
    assert not verify(SECRET + b"!", timestamp=stamp, body=body, signature=signature)
    assert not verify(SECRET, timestamp=stamp, body=body, signature="v1=ầ")


async def test_a_repeat_is_equal(receiver: Receiver) -> None:
    """After a crash the same event is posted again, with the same id and body."""
    await local(receiver).write([event()], reveal=reveal_personal)
    await local(receiver).write([event()], reveal=reveal_personal)

    first, second = receiver.got
    assert first[1] == second[1]
    assert first[0][IDEMPOTENCY_HEADER] == second[0][IDEMPOTENCY_HEADER]


@pytest.mark.parametrize("status", [500, 502, 503, 408, 425, 429])
async def test_a_server_that_is_not_well_is_transient(receiver: Receiver, status: int) -> None:
    """The rest of the batch is not posted, so that the order stays."""
    receiver.status = status

    with pytest.raises(TransientError):
        await local(receiver).write([event(1), event(2)], reveal=reveal_personal)

    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
async def test_a_refusal_is_permanent(receiver: Receiver, status: int) -> None:
    """Trying again changes nothing."""
    receiver.status = status

    with pytest.raises(PermanentError) as caught:
        await local(receiver).write([event()], reveal=reveal_personal)

    assert caught.value.code == "webhook_refused"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(receiver: Receiver, status: int) -> None:
    """Not even to the same host."""
    receiver.status = status
    receiver.location = f"http://127.0.0.1:{receiver.port}/elsewhere"

    with pytest.raises(PermanentError) as caught:
        await local(receiver).write([event()], reveal=reveal_personal)

    assert caught.value.code == "webhook_redirect"
    assert len(receiver.got) == 1


async def test_a_slow_server_is_transient(receiver: Receiver) -> None:
    """The timeout is for the whole post."""
    receiver.wait_seconds = 0.3

    with pytest.raises(TransientError):
        await local(receiver, timeout_seconds=0.05).write([event()], reveal=reveal_personal)


async def test_no_server_is_transient() -> None:
    """A closed port is tried again later."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

        with pytest.raises(TransientError):
            await sink(f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}").write([event()], reveal=reveal_personal)


async def test_every_address_of_a_name_is_tried(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with an IPv6 and an IPv4 address is reached where only one of them listens."""

    async def both(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", ("::1", 0, 0, 0)), (0, 0, 0, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both, raising=False)

    await sink(f"http://localhost:{receiver.port}/", f"localhost:{receiver.port}").write(
        [event()], reveal=reveal_personal
    )

    assert len(receiver.got) == 1


async def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One public address does not excuse the other."""

    async def mixed(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", ("1.1.1.1", 0)), (0, 0, 0, "", ("169.254.169.254", 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", mixed, raising=False)

    with pytest.raises(PermanentError):
        await sink("https://post.example/", "post.example").write([event()], reveal=reveal_personal)


async def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only settings say where events go."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    await local(receiver).write([event()], reveal=reveal_personal)

    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("url", "allowed_host"),
    [
        ("https://other.example/", "post.example"),
        ("https://post.example:8443/", "post.example"),
        ("https://post.example/", "post.example:8443"),
        ("https://post.example.evil.example/", "post.example"),
        ("https://post.example@evil.example/", "post.example"),
        ("https://user:word@post.example/", "post.example"),
        ("https://evil.example#@post.example/", "post.example"),
        ("https://evil.example\\@post.example/", "post.example"),
        ("https://post.example/#part", "post.example"),
        ("http://post.example/", "post.example"),
        ("http://10.0.0.1/", "10.0.0.1"),
        ("http://2130706433/", "2130706433"),
        ("http://[::ffff:127.0.0.1]/", "[::ffff:127.0.0.1]"),
        ("http://127.0.0.1.nip.example/", "127.0.0.1.nip.example"),
        ("file:///etc/passwd", ""),
        ("ftp://post.example/", "post.example"),
        ("gopher://post.example/", "post.example"),
        ("//post.example/", "post.example"),
        ("post.example", "post.example"),
        ("", ""),
        ("https:///path", ""),
        ("https://post.example:99999/", "post.example"),
        ("https://post.example/", "post.example/path"),
        ("https://post.example/", "*.example"),
    ],
)
def test_only_the_allowed_host_is_taken(url: str, allowed_host: str) -> None:
    """The program does not start with an address that is not exactly the allowed one."""
    with pytest.raises(ConfigurationError):
        sink(url, allowed_host)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "10.0.0.1", "127.0.0.2", "2130706433", "0x7f.1", "0", "[::ffff:127.0.0.1]", "[fe80::1]"]
)
async def test_an_address_inside_is_not_reached_unless_stated(host: str) -> None:
    """An allowed name that leads inside, in whatever spelling, is refused before any connection."""
    with pytest.raises(PermanentError) as caught:
        await sink(f"https://{host}/", host).write([event()], reveal=reveal_personal)

    assert caught.value.code == "webhook_address"


def test_a_stated_private_network_may_be_reached() -> None:
    """Agencies' own networks are private."""
    made = sink("https://10.1.2.3/", "10.1.2.3", private_networks=(ipaddress.ip_network("10.1.0.0/16"),))

    assert made._may_reach(ipaddress.ip_address("10.1.2.3"))
    assert not made._may_reach(ipaddress.ip_address("10.2.2.3"))
    assert made._may_reach(ipaddress.ip_address("1.1.1.1"))


def test_a_short_secret_is_refused() -> None:
    """A guessable secret signs nothing."""
    with pytest.raises(ConfigurationError):
        sink("https://post.example/", "post.example", secret=b"short")


def certificate(folder: Path, name: str) -> Path:
    """Make a self-signed certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(("name", "arrives"), [("localhost", True), ("post.example", False)])
async def test_over_https_the_certificate_must_name_the_host(tmp_path: Path, name: str, *, arrives: bool) -> None:
    """Although the connection goes to an address, the certificate is checked against the name."""
    path = certificate(tmp_path, name)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    with serving(tls) as receiver:
        made = sink(f"https://localhost:{receiver.port}/", f"localhost:{receiver.port}", authorities=path)

        if arrives:
            await made.write([event()], reveal=reveal_personal)
        else:
            with pytest.raises(TransientError):
                await made.write([event()], reveal=reveal_personal)

    assert arrives == bool(receiver.got)


def test_unreadable_authorities_are_refused(tmp_path: Path) -> None:
    """The program does not start without those it was told to trust."""
    with pytest.raises(ConfigurationError):
        sink("https://post.example/", "post.example", authorities=tmp_path / "none.pem")


def test_the_sink_names_itself_and_its_types() -> None:
    """The runtime finds out what to give it."""
    made = sink("https://post.example/", "POST.example:443")

    assert ("postal-webhook", {"shipment.flagged"}) == (made.name, set(made.event_types))
