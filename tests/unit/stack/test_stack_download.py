"""Fetching the servers, with a Maven that is a few lines of shell."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from lienthong.stack import SilentProgress, download
from lienthong.stack.versions import KAFKA_VERSION, REGISTRY_VERSION
from streams.errors import ConfigurationError, TransientError

PARSE_OUTPUT = 'for a in "$@"; do case "$a" in -DoutputDirectory=*) out="${a#*=}";; esac; done; mkdir -p "$out"\n'


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH whose `mvn` a test writes, and poms of its own."""
    poms = tmp_path / "poms"
    poms.mkdir()
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(download, "maven_folder", lambda: poms)
    return programs / "mvn"


def _write(program: Path, body: str) -> None:
    program.write_text("#!/bin/sh\n" + PARSE_OUTPUT + body)
    program.chmod(0o755)


def _sums(poms: Path, name: str, content: bytes, file_name: str) -> None:
    (poms / f"{name}.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  {file_name}\n")


def test_jars_are_fetched_once(tmp_path: Path, maven: Path) -> None:
    """The second call finds them and does not even look for Maven."""
    _sums(tmp_path / "poms", "kafka", b"jar", "kafka.jar")
    _write(maven, 'echo "Downloading from here: https://x/y/kafka.jar"; printf jar > "$out/kafka.jar"\n')
    cache = tmp_path / "cache"

    first = download.fetch_kafka(cache, progress=SilentProgress())
    maven.unlink()
    second = download.fetch_kafka(cache, progress=SilentProgress())

    assert first == second == cache / f"kafka-{KAFKA_VERSION}"
    assert [first / "kafka.jar"] == list(first.iterdir())


def test_the_registry_is_unpacked(tmp_path: Path, maven: Path) -> None:
    """The archive is opened and thrown away."""
    archive = tmp_path / "registry.tar.gz"
    (tmp_path / "quarkus-run.jar").write_bytes(b"jar")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "quarkus-run.jar", "quarkus-run.jar")
    _sums(tmp_path / "poms", "registry", archive.read_bytes(), archive.name)
    _write(maven, f'cp {archive} "$out"\n')

    found = download.fetch_registry(tmp_path / "cache", progress=SilentProgress())

    assert found.name == f"registry-{REGISTRY_VERSION}"
    assert [found / "quarkus-run.jar"] == list(found.iterdir())


def test_another_file_than_the_listed_one_is_refused(tmp_path: Path, maven: Path) -> None:
    """Nothing is installed, and the next call starts anew."""
    _sums(tmp_path / "poms", "kafka", b"jar", "kafka.jar")
    _write(maven, 'printf changed > "$out/kafka.jar"\n')

    with pytest.raises(ConfigurationError, match=r"other files than kafka\.sha256 lists \(first: kafka\.jar\)"):
        download.fetch_kafka(tmp_path / "cache", progress=SilentProgress())

    assert not (tmp_path / "cache" / f"kafka-{KAFKA_VERSION}").exists()


def test_an_interrupted_download_is_cleared_away(tmp_path: Path, maven: Path) -> None:
    """What a killed download left is not mixed with the new one."""
    left = tmp_path / "cache" / f"{download.TEMPORARY_PREFIX}kafka-{KAFKA_VERSION}"
    left.mkdir(parents=True)
    (left / "half.jar").write_bytes(b"")
    _sums(tmp_path / "poms", "kafka", b"jar", "kafka.jar")
    _write(maven, 'printf jar > "$out/kafka.jar"\n')

    found = download.fetch_kafka(tmp_path / "cache", progress=SilentProgress())

    assert [found / "kafka.jar"] == list(found.iterdir())


def test_no_maven_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ConfigurationError, match=r"Maven is needed once.*apt install maven"):
        download.fetch_kafka(tmp_path / "cache", progress=SilentProgress())


def test_a_failing_maven_is_worth_another_try(tmp_path: Path, maven: Path) -> None:
    """Its own first error is passed on; a full disk is told apart."""
    _write(maven, 'echo "[INFO] x"; echo "[ERROR] Could not transfer artifact"; exit 1\n')
    with pytest.raises(TransientError, match="Maven could not download kafka: Could not transfer artifact"):
        download.fetch_kafka(tmp_path / "cache", progress=SilentProgress())

    _write(maven, 'echo "[ERROR] No space left on device"; exit 1\n')
    with pytest.raises(ConfigurationError, match="disk was full"):
        download.fetch_kafka(tmp_path / "cache", progress=SilentProgress())
