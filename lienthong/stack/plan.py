"""
Where a stack lives: its folders, its ports and the addresses that follow from them.

Layout of the data folder:

    run/        one JSON file per process, locks, control files
    logs/       what each process printed
    tls/        the stack's own authority and its certificates
    kafka/      server.properties, the cluster id and the log
    registry/   application.properties and the database file
    postgres/   data/ and socket/
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import platformdirs

from lienthong.stack.certificates import ADMINISTRATOR, AUTHORITY, certificate_file
from lienthong.stack.loopback import free_ports
from streams.kafka import KafkaAddress

__all__ = ["StackPlan", "default_cache"]

SOCKET_MAX_BYTES = 90
"""Longest folder for a Unix socket: the system allows 107 bytes with the socket's own name in it."""


def default_cache() -> Path:
    """The folder that downloaded servers go to when no other is set: the user's cache folder for `lienthong`."""
    return Path(platformdirs.user_cache_dir("lienthong"))


@dataclass(frozen=True, kw_only=True)
class StackPlan:
    """
    Everything that tells one stack from another.

    Args:
        data: the stack's own folder, made with mode 0700 when absent. A relative path is made absolute.
        cache: downloaded servers, shared by all stacks of a user.
        kafka_port: clients of Kafka, on loopback.
        kafka_broker_port: Kafka's nodes among themselves and the administrator, on loopback.
        kafka_controller_port: Kafka's own quorum, on loopback.
        registry_port: clients of the schema registry, on loopback.
    """

    data: Path
    cache: Path
    kafka_port: int = 19092
    kafka_controller_port: int = 19093
    kafka_broker_port: int = 19094
    registry_port: int = 18081

    def __post_init__(self) -> None:
        """Make both folders absolute: the servers run in folders of their own."""
        object.__setattr__(self, "data", self.data.expanduser().absolute())
        object.__setattr__(self, "cache", self.cache.expanduser().absolute())

    @classmethod
    def on_free_ports(cls, data: Path, cache: Path) -> StackPlan:
        """A plan on ports that are free now, for tests and benchmarks that run beside another stack."""
        ports = free_ports(4)
        return cls(
            data=data,
            cache=cache,
            kafka_port=ports[0],
            kafka_controller_port=ports[1],
            kafka_broker_port=ports[2],
            registry_port=ports[3],
        )

    @property
    def kafka_bootstrap(self) -> str:
        """Kafka's address for clients: host and port."""
        return f"localhost:{self.kafka_port}"

    @property
    def tls(self) -> Path:
        """The stack's own certificate authority and what it issued."""
        return self.data / "tls"

    @property
    def ca_file(self) -> str:
        """The authority's certificate: all that a client needs to know the servers."""
        return str(certificate_file(self.tls, AUTHORITY))

    @property
    def kafka_admin(self) -> KafkaAddress:
        """Kafka as its administrator: by certificate, on the listener of the nodes."""
        key_file = str(certificate_file(self.tls, ADMINISTRATOR))
        return KafkaAddress(bootstrap=f"localhost:{self.kafka_broker_port}", ca_file=self.ca_file, key_file=key_file)

    @property
    def registry_url(self) -> str:
        """The registry's Confluent API."""
        return f"https://localhost:{self.registry_port}/apis/ccompat/v7"

    @property
    def postgres_socket(self) -> Path:
        """
        The folder of PostgreSQL's Unix socket.

        It lies in the data folder. Where that path is too long for a socket, it is a short private folder that the
        first start made and wrote down in `run/`.
        """
        own = self.data / "postgres" / "socket"
        try:
            return Path(self.postgres_socket_record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return own

    @property
    def postgres_socket_record(self) -> Path:
        """The file that names a socket folder outside the data folder."""
        return self.run / "postgres-socket"

    @property
    def run(self) -> Path:
        """Records of processes, locks and control files."""
        return self.data / "run"

    @property
    def logs(self) -> Path:
        """What each process printed."""
        return self.data / "logs"

    @property
    def kafka_folder(self) -> Path:
        """Kafka's configuration and its log."""
        return self.data / "kafka"

    @property
    def registry_folder(self) -> Path:
        """The registry's configuration and its database file."""
        return self.data / "registry"

    @property
    def postgres_folder(self) -> Path:
        """PostgreSQL's data and its socket; belongs to the operating system user it runs as."""
        return self.data / "postgres"
