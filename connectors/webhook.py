"""
A sink that posts each event to one configured address, signed, and to no other.

The receiver checks `LienThong-Signature` with `verify`, refuses old timestamps, and recognises a repeat by
`Idempotency-Key`, which is the event's id.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx

from streams.connector import Sink
from streams.errors import ConfigurationError, PermanentError, TransientError
from streams.event import Event
from streams.names import EventType
from streams.sealing import Reveal

__all__ = ["IDEMPOTENCY_HEADER", "SIGNATURE_HEADER", "TIMESTAMP_HEADER", "Network", "Render", "WebhookSink", "verify"]

IDEMPOTENCY_HEADER = "Idempotency-Key"
"""Carries the event's id."""

TIMESTAMP_HEADER = "LienThong-Timestamp"
"""Carries the time of sending, in seconds since 1970."""

SIGNATURE_HEADER = "LienThong-Signature"
"""Carries `v1=` and the hexadecimal HMAC-SHA256 of timestamp, full stop and body."""

Render = Callable[[Event, Reveal], bytes]
"""Makes the JSON body of an event; equal bytes for a repeat; raises PermanentError when it cannot."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
"""Addresses of a private network."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MIN_SECRET_BYTES = 16
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}
_RETRY = frozenset({408, 425, 429})  # "not now", although they are of the 400s


class WebhookSink(Sink):
    """
    Posts JSON over HTTPS, one event at a time and in order; follows no redirect, reads no answer's body, uses no proxy.

    The host's name is looked up once a post, its addresses are checked, and the connection goes to that address, so
    that a name which changes its address between check and connection wins nothing.

    Args:
        url: https; http only for a loopback host. No user, no fragment.
        name: stable, unique within the agency.
        event_types: the types it takes.
        render: makes the body.
        allowed_host: `host` or `host:port` (without a port, the scheme's own); `url` must name exactly this.
        secret: shared with the receiver, at least 16 bytes.
        timeout_seconds: for the whole post.
        private_networks: where the host may also be; else only public addresses, or loopback for a loopback host.
        authorities: a PEM file of trusted authorities; None takes the usual public ones.
        clock: gives the time, aware.

    Raises:
        ConfigurationError: the address is not allowed, the secret too short, or the authorities cannot be read.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        event_types: frozenset[EventType],
        render: Render,
        allowed_host: str,
        secret: bytes,
        timeout_seconds: float = 10.0,
        private_networks: tuple[Network, ...] = (),
        authorities: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url = _checked(url, allowed_host)
        if len(secret) < _MIN_SECRET_BYTES:
            raise ConfigurationError(f"The webhook's secret is too short: give at least {_MIN_SECRET_BYTES} bytes.")
        self._name = name
        self._event_types = event_types
        self._render = render
        self._secret = secret
        self._timeout_seconds = timeout_seconds
        self._private_networks = private_networks
        self._clock = clock
        self._tls = _tls(authorities) if self._url.scheme == "https" else None

    @property
    def name(self) -> str:
        """A stable name, unique within the agency."""
        return self._name

    @property
    def event_types(self) -> frozenset[EventType]:
        """The types it takes."""
        return self._event_types

    async def write(self, batch: Sequence[Event], *, reveal: Reveal) -> None:
        """
        Post events in order and stop at the first that does not arrive.

        Raises:
            TransientError: no answer in time, no connection, or an answer 408, 425, 429 or 5xx.
            PermanentError: a redirect (`webhook_redirect`), another 4xx (`webhook_refused`), an address that is not
                allowed (`webhook_address`), or an event without a body.
        """
        async with httpx.AsyncClient(
            verify=self._tls if self._tls is not None else False,  # over http there is no certificate
            follow_redirects=False,
            trust_env=False,
            timeout=self._timeout_seconds,
        ) as client:
            for event in batch:
                await self._post(client, event, self._render(event, reveal))

    async def _post(self, client: httpx.AsyncClient, event: Event, body: bytes) -> None:
        timestamp = str(int(self._clock().timestamp()))
        host = self._url.netloc.decode("ascii")
        headers = {
            "Host": host,
            "Content-Type": "application/json",
            "User-Agent": "lienthong",
            IDEMPOTENCY_HEADER: str(event.id),
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: _signature(self._secret, timestamp, body),
        }
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status = await self._send(client, body, headers)
        except (httpx.TransportError, TimeoutError, OSError) as error:
            raise TransientError(f"The webhook at {host} does not answer ({type(error).__name__}).") from error
        _judge(status, host)

    async def _send(self, client: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> int:
        """Post to the first address that takes the connection, and give the status."""
        addresses = await self._addresses()
        extensions = {"sni_hostname": self._url.host}  # the certificate must name the host, not its address
        for index, address in enumerate(addresses):
            target = self._url.copy_with(host=str(address))
            try:
                async with client.stream(
                    "POST", target, content=body, headers=headers, extensions=extensions
                ) as response:
                    return response.status_code
            except httpx.ConnectError:
                if index == len(addresses) - 1:
                    raise
        raise OSError("the name has no address")

    async def _addresses(self) -> list[_Address]:
        """Look the host up, and give its addresses if all of them are allowed."""
        found = await asyncio.get_running_loop().getaddrinfo(self._url.host, None, type=socket.SOCK_STREAM)
        addresses = [_plain(str(entry[4][0])) for entry in found]
        if not all(self._may_reach(address) for address in addresses):
            raise PermanentError(
                f"The webhook's host {self._url.host} has an address that is not allowed: check the name, or state "
                "its private network in the settings.",
                code="webhook_address",
            )
        return addresses

    def _may_reach(self, address: _Address) -> bool:
        if self._url.host in _LOOPBACK_NAMES:
            return address.is_loopback
        if any(address in network for network in self._private_networks):
            return True
        return address.is_global and not address.is_multicast


def verify(secret: bytes, *, timestamp: str, body: bytes, signature: str) -> bool:
    """Check a signature as a receiver does; whoever receives also refuses timestamps older than some minutes."""
    return hmac.compare_digest(_signature(secret, timestamp, body).encode(), signature.encode())


def _signature(secret: bytes, timestamp: str, body: bytes) -> str:
    return "v1=" + hmac.digest(secret, timestamp.encode() + b"." + body, "sha256").hex()


def _checked(url: str, allowed_host: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
        allowed = httpx.URL(f"{parsed.scheme}://{allowed_host}")
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigurationError("The webhook's address is no URL: write https://host/path.") from error
    if parsed.scheme != "https" and not (parsed.scheme == "http" and parsed.host in _LOOPBACK_NAMES):
        raise ConfigurationError("The webhook's address must begin with https:// (http only for 127.0.0.1).")
    if parsed.userinfo or parsed.fragment or not parsed.host:
        raise ConfigurationError("The webhook's address must have a host, no user and no fragment.")
    if (allowed.path, allowed.userinfo, allowed.query) != ("/", b"", b"") or _place(parsed) != _place(allowed):
        raise ConfigurationError(f"The webhook's host is not the allowed one: only '{allowed_host}' may be called.")
    return parsed


def _place(url: httpx.URL) -> tuple[str, int | None]:
    return url.host, url.port or _PORTS.get(url.scheme)


def _tls(authorities: Path | None) -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context() if authorities is None else ssl.create_default_context(cafile=authorities)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(f"The trusted authorities in {authorities} cannot be read.") from error


def _plain(text: str) -> _Address:
    """Read an address; one of IPv4 that is written as IPv6 counts as what it is."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _judge(status: int, host: str) -> None:
    if httpx.codes.is_success(status):
        return
    if status in _RETRY or httpx.codes.is_server_error(status):
        raise TransientError(f"The webhook at {host} answers {status}: it will be tried again.")
    if httpx.codes.is_redirect(status):
        raise PermanentError(
            f"The webhook at {host} answers {status}, a redirect, which is never followed: set the final address.",
            code="webhook_redirect",
        )
    raise PermanentError(
        f"The webhook at {host} refuses the event with {status}: ask its operator.", code="webhook_refused"
    )
