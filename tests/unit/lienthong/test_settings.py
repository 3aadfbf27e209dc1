"""Settings: the environment goes before the file, and a wrong value is named, never shown."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from lienthong.settings import AgencySettings, StackSettings, agency_settings, default_data, stack_plan
from streams.errors import ConfigurationError, InputError

ROOT = Path(__file__).parents[3]
WHOLE = """
[kafka]
bootstrap = "localhost:19092"
username = "lt_tax"
password = "kafka-secret"

[registry]
url = "http://localhost:18081/apis/ccompat/v7"

[postgres]
dsn = "postgresql://lt_tax_hanam:pg-secret@/lienthong"
"""

Write = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Write the tax office's settings, and give the data folder."""

    def write(text: str) -> Path:
        path = tmp_path / "agencies" / "tax-hanam" / "settings.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def refusal(data: Path) -> str:
    """Say why settings are refused."""
    with pytest.raises(ConfigurationError) as caught:
        agency_settings(data, "tax-hanam")
    return str(caught.value)


def test_a_file_is_read(written: Write) -> None:
    """With what it leaves out at its default."""
    settings = agency_settings(written(WHOLE), "tax-hanam")

    assert (settings.kafka.bootstrap, settings.metrics_port, settings.postal) == ("localhost:19092", 0, None)
    assert (settings.kafka.address.password, settings.kafka.address.protocol) == ("kafka-secret", "SASL_PLAINTEXT")


def test_the_environment_goes_before_the_file(written: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Value by value: what the environment does not say the file says; an empty variable says nothing."""
    monkeypatch.setenv("LIENTHONG_KAFKA__BOOTSTRAP", "kafka.province.example:9092")
    monkeypatch.setenv("LIENTHONG_METRICS_PORT", "9100")
    monkeypatch.setenv("LIENTHONG_REGISTRY__URL", "")

    settings = agency_settings(written(WHOLE), "tax-hanam")

    assert (settings.kafka.bootstrap, settings.kafka.username) == ("kafka.province.example:9092", "lt_tax")
    assert (settings.metrics_port, settings.registry.url) == (9100, "http://localhost:18081/apis/ccompat/v7")


def test_the_environment_suffices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agency's own machine may have no file at all."""
    for name, value in (("KAFKA__BOOTSTRAP", "k:1"), ("REGISTRY__URL", "http://r"), ("POSTGRES__DSN", "postgresql://")):
        monkeypatch.setenv(f"LIENTHONG_{name}", value)

    assert agency_settings(tmp_path, "tax-hanam").kafka.bootstrap == "k:1"


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (WHOLE.replace("bootstrap", "bootstraps"), "kafka.bootstrap"),
        (f"metrics_port = 70000\n{WHOLE}", "metrics_port"),
        (f"metrics_port = true\n{WHOLE.replace('url', 'uri')}", "registry.url"),
        (f"session_timeout_seconds = 1\n{WHOLE}", "session_timeout_seconds"),
        (WHOLE.replace('"kafka-secret"', '["kafka-secret"]'), "kafka.password"),
        (WHOLE.replace('dsn = "', 'other = "x"\ndsn = "'), "postgres.other"),
        (WHOLE.replace("[postgres]", "[postgre]"), "postgres"),
        (f"{WHOLE}\n[postal]\noutgoing = 3\n", "postal.scans"),
    ],
)
def test_a_wrong_value_is_named_and_no_secret_is_shown(written: Write, wrong: str, key: str) -> None:
    """The message has the file, the key and what was expected; a value could be a password."""
    message = refusal(written(wrong))

    assert f"{key}:" in message
    assert "settings.toml" in message
    assert "secret" not in message


def test_a_wrong_value_of_the_environment_is_named_too(written: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it stood in the file."""
    monkeypatch.setenv("LIENTHONG_METRICS_PORT", "many")

    assert "metrics_port:" in refusal(written(WHOLE))


def test_a_group_that_is_no_table_is_a_wrong_value(written: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that names a whole group is no traceback, and what stands in it is not shown."""
    monkeypatch.setenv("LIENTHONG_KAFKA", "not a secret table")

    message = refusal(written(WHOLE))

    assert "kafka" in message.lower()
    assert "secret" not in message


def test_a_file_that_is_no_toml_is_named(written: Write) -> None:
    """With the line, and without its content."""
    message = refusal(written('[kafka\npassword = "kafka-secret"'))

    assert "settings.toml is no TOML" in message
    assert "kafka-secret" not in message


def test_where_nothing_is_installed_it_says_what_to_do(tmp_path: Path) -> None:
    """The first command that a newcomer types should help."""
    with pytest.raises(InputError, match="lienthong up"):
        agency_settings(tmp_path, "tax-hanam")
    with pytest.raises(InputError, match="no agency code"):
        agency_settings(tmp_path, "../tax")


def test_secrets_print_stars(written: Write) -> None:
    """In logs and tracebacks alike."""
    settings = agency_settings(written(WHOLE), "tax-hanam")

    for shown in (repr(settings), str(settings), repr(settings.kafka.address)):
        assert "secret" not in shown


def test_ports_of_the_servers_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the file and, before it, in the environment; a port that is none is named."""
    (tmp_path / "stack.toml").write_text("kafka_port = 29092\nregistry_port = 28081\n", encoding="utf-8")
    monkeypatch.setenv("LIENTHONG_STACK__REGISTRY_PORT", "38081")

    plan = stack_plan(tmp_path)
    assert (plan.data, plan.kafka_port, plan.registry_port) == (tmp_path, 29092, 38081)

    monkeypatch.setenv("LIENTHONG_STACK__REGISTRY_PORT", "0")
    with pytest.raises(ConfigurationError, match="registry_port:"):
        stack_plan(tmp_path)


def test_the_data_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given by LIENTHONG_DATA, else `.lienthong` here; a tilde is the home folder."""
    monkeypatch.chdir(tmp_path)
    assert default_data() == tmp_path / ".lienthong"

    monkeypatch.setenv("LIENTHONG_DATA", "~/province")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_data() == tmp_path / "province"


def variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Name the environment variable of every setting."""
    for name, field in model.model_fields.items():
        groups = [each for each in (field.annotation, *typing.get_args(field.annotation)) if isinstance(each, type)]
        group = next((each for each in groups if issubclass(each, BaseModel)), None)
        if group is None:
            yield f"{prefix}{name.upper()}"
        else:
            yield from variables(group, f"{prefix}{name.upper()}__")


def test_every_setting_is_documented() -> None:
    """By the name of its environment variable, in docs/operations.md."""
    document = ROOT / "docs" / "operations.md"
    if not document.is_file():
        pytest.skip("docs/operations.md is not written yet")
    text = document.read_text(encoding="utf-8")

    names = [*variables(AgencySettings, "LIENTHONG_"), *variables(StackSettings, "LIENTHONG_STACK__"), "LIENTHONG_DATA"]

    assert "LIENTHONG_KAFKA__BOOTSTRAP" in names
    assert [name for name in names if name not in text] == []


def test_every_password_has_a_type_that_hides_it() -> None:
    """Whatever is named like a secret is one."""
    telling = ("PASSWORD", "SECRET", "DSN", "USER")
    for model in (group for group in BaseModel.__subclasses__() if group.__module__ == "lienthong.settings"):
        for name, field in model.model_fields.items():
            if name.upper().endswith(telling):
                assert SecretStr in (field.annotation, *typing.get_args(field.annotation)), name
