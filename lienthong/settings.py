"""
Settings: the one place that reads the environment.

An installation has a data folder with `stack.toml` (ports) and, for each agency that runs from it, a folder
`agencies/<code>/` with `settings.toml`. Every value can be given by the environment instead: `LIENTHONG_` and the name
in upper case, groups joined by two underscores, as in `LIENTHONG_KAFKA__BOOTSTRAP`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from lienthong.stack import StackPlan, default_cache
from lienthong.stack.private_files import make_private_folder, write_private
from streams.errors import ConfigurationError, InputError
from streams.kafka import KafkaAddress
from streams.names import AgencyCode, agency_code
from streams.registry import RegistryAddress

__all__ = [
    "AgencySettings",
    "DocumentSettings",
    "KafkaSettings",
    "PostalSettings",
    "PostgresSettings",
    "ProvisionSettings",
    "RegistrySettings",
    "StackSettings",
    "agency_folder",
    "agency_settings",
    "default_data",
    "remember_stack",
    "stack_plan",
]

Port = Annotated[int, Field(gt=0, lt=65536)]


class _FromEnvironment(BaseSettings):
    """The environment goes before what the installation's file says, which is given as arguments."""

    model_config = SettingsConfigDict(
        env_prefix="LIENTHONG_", env_nested_delimiter="__", extra="ignore", frozen=True, env_ignore_empty=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 -- the library calls it with these
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the sources, the strongest first."""
        return env_settings, init_settings


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Group):
    """
    The Kafka cluster. `bootstrap` is HOST:PORT, several by commas; with `ca_file` the connection is TLS, with
    `username` and `password` it logs in by SCRAM-SHA-512, with `key_file` (a private key and its certificate) by that.
    """

    bootstrap: str
    username: str | None = None
    password: SecretStr | None = None
    ca_file: str | None = None
    key_file: str | None = None

    @property
    def address(self) -> KafkaAddress:
        """The same as the clients want it."""
        password = self.password.get_secret_value() if self.password else None
        return KafkaAddress(
            bootstrap=self.bootstrap,
            username=self.username,
            password=password,
            ca_file=self.ca_file,
            key_file=self.key_file,
        )


class RegistrySettings(_Group):
    """The schema registry: `url` with the path of its Confluent interface; `user` is NAME:PASSWORD."""

    url: str
    user: SecretStr | None = None
    ca_file: str | None = None

    @property
    def address(self) -> RegistryAddress:
        """The same as the clients want it."""
        return RegistryAddress(self.url, self.user.get_secret_value() if self.user else None, self.ca_file)


class PostgresSettings(_Group):
    """PostgreSQL: `dsn` of the agency's role; `keyring_dsn` where the key service is another server."""

    dsn: SecretStr
    keyring_dsn: SecretStr | None = None


class DocumentSettings(_Group):
    """The document store: its folder and the file of the key under which documents are sealed."""

    folder: Path
    key_file: Path


class PostalSettings(_Group):
    """
    A postal operator's own systems. Flags go to `outgoing`, scan files come in `scans`. With `webhook_url` flags are
    posted there too; its host must be `webhook_host`, and `webhook_secret` signs each post.
    """

    outgoing: Path
    scans: Path
    webhook_url: str | None = None
    webhook_host: str | None = None
    webhook_secret: SecretStr | None = None


class AgencySettings(_FromEnvironment):
    """
    All that one agency's worker and its officers' commands need.

    A worker answers `/livez`, `/readyz` and `/metrics` at `metrics_host` and `metrics_port`, 0 for a free port, which
    `lienthong status` shows. After `session_timeout_seconds` without a sign of life Kafka gives a worker's partitions
    to another one. The bus lets an event wait `cause_wait_seconds` for its cause,
    and an agency a copy for the one that it must come after.
    """

    kafka: KafkaSettings
    registry: RegistrySettings
    postgres: PostgresSettings
    documents: DocumentSettings | None = None
    postal: PostalSettings | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, lt=65536)] = 0
    session_timeout_seconds: Annotated[float, Field(ge=6, le=300)] = 10.0
    cause_wait_seconds: Annotated[float, Field(ge=1, le=604_800)] = 3600.0


class ProvisionSettings(_FromEnvironment):
    """
    What `lienthong provision` makes things on when it is not the stack of `lienthong up`: all three are given, each as
    its administrator. `kafka_clients` is the cluster's address for agencies where it is another one than the
    administrator's, `registry_reader` the registry's user (NAME:PASSWORD) for whoever only reads.
    """

    kafka: KafkaSettings | None = None
    kafka_clients: str | None = None
    registry: RegistrySettings | None = None
    registry_reader: SecretStr | None = None
    postgres: PostgresSettings | None = None


class StackSettings(_FromEnvironment):
    """
    The servers that `lienthong up` starts: ports on loopback, and the cache folder for what it downloads. In the
    environment their names begin with `LIENTHONG_STACK__`, in `stack.toml` they stand at the top.
    """

    model_config = SettingsConfigDict(env_prefix="LIENTHONG_STACK__")

    cache: Path = Field(default_factory=default_cache)
    kafka_port: Port = 19092
    kafka_controller_port: Port = 19093
    kafka_broker_port: Port = 19094
    registry_port: Port = 18081


class _Data(_FromEnvironment):
    data: Path = Path(".lienthong")


def default_data() -> Path:
    """Give the data folder when no `--data` is given: LIENTHONG_DATA, else `.lienthong` in the current folder."""
    return _Data().data.expanduser().absolute()


def agency_folder(data: Path, agency: AgencyCode) -> Path:
    """Give the folder that holds one agency's settings, officers' keys and files."""
    return data / "agencies" / agency


def agency_settings(data: Path, agency: str) -> AgencySettings:
    """
    Read one agency's settings.

    Raises:
        InputError: nothing is installed for this agency; the message says what to do.
        ConfigurationError: a value is missing or wrong; the message names it.
    """
    path = agency_folder(data, agency_code(agency)) / "settings.toml"
    try:
        return AgencySettings(**_with_whole_paths(_table(path), path.parent))
    except SettingsError as error:
        raise ConfigurationError(_no_table(error)) from error
    except ValidationError as error:
        if not path.is_file():
            raise InputError(
                f"Nothing is installed for {agency} in {data}: run `lienthong up` first, or name another folder "
                "with --data."
            ) from error
        raise ConfigurationError(_explained(path, error)) from error


def _with_whole_paths(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Take the files of authorities that are named without a folder from the settings' own."""
    whole = dict(table)
    for name in ("kafka", "registry"):
        group = whole.get(name)
        if isinstance(group, dict) and isinstance(group.get("ca_file"), str):
            whole[name] = {**group, "ca_file": str(folder.absolute() / group["ca_file"])}
    return whole


def stack_plan(data: Path) -> StackPlan:
    """
    Say where an installation's servers are.

    Raises:
        ConfigurationError: a port is no port; the message names it.
    """
    path = data / "stack.toml"
    try:
        settings = StackSettings(**_table(path))
    except ValidationError as error:
        raise ConfigurationError(_explained(path, error)) from error
    return StackPlan(data=data, **settings.model_dump())


def remember_stack(plan: StackPlan) -> None:
    """Write an installation's ports down at its first start, so that later commands need no environment."""
    path = plan.data / "stack.toml"
    if path.is_file():
        return
    make_private_folder(plan.data)
    ports = {name: getattr(plan, name) for name in StackSettings.model_fields if name != "cache"}
    write_private(path, "".join(f"{name} = {port}\n" for name, port in ports.items()))


def _no_table(error: SettingsError) -> str:
    """Explain a variable that stands for a whole group; the library's message names it and shows no value."""
    return f"A variable of the environment is wrong ({error}): give single values, as in LIENTHONG_KAFKA__BOOTSTRAP."


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is no TOML: {error}") from error


def _explained(path: Path, error: ValidationError) -> str:
    """Name each wrong value by its key; a value itself is not shown, for it may be a secret."""
    wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return f"The settings in {path} (or LIENTHONG_... in the environment) are wrong: {wrong}."
