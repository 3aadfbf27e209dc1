"""
Fetch Kafka and the registry by Maven into the cache, once.

Maven reads the machine's own settings, mirrors and proxies. What it brings is compared with the SHA-256 sums in
`deploy/maven` before anything is run. Two starts at once are safe: one downloads, the other waits; a folder appears
under its final name only when it is whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from lienthong.stack.java import find_java
from lienthong.stack.private_files import locked, make_private_folder, require_free_space
from lienthong.stack.progress import Progress
from lienthong.stack.versions import KAFKA_VERSION, REGISTRY_VERSION
from streams.errors import ConfigurationError, TransientError

__all__ = ["fetch_kafka", "fetch_registry", "maven_folder"]

TEMPORARY_PREFIX = ".incomplete-"


def maven_folder() -> Path:
    """
    The folder of the pom files.

    Raises:
        ConfigurationError: the package was installed without its checkout.
    """
    folder = Path(__file__).resolve().parents[2] / "deploy" / "maven"
    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder} is missing, so the servers cannot be downloaded: run from a checkout of the project, "
            "or point the settings at servers that run elsewhere."
        )
    return folder


def fetch_kafka(cache: Path, *, progress: Progress) -> Path:
    """
    Kafka's jars; downloaded when absent.

    Args:
        cache: where downloads are kept.
        progress: told what goes on.

    Returns:
        The folder of the jars.

    Raises:
        ConfigurationError: no Maven, no room, or a file is not the one we know.
        TransientError: Maven could not fetch everything; the next call tries again.
    """
    return _fetch(cache, f"kafka-{KAFKA_VERSION}", "kafka", progress)


def fetch_registry(cache: Path, *, progress: Progress) -> Path:
    """
    The registry, unpacked; downloaded when absent. Arguments and errors are those of `fetch_kafka`.

    Returns:
        The folder with `quarkus-run.jar`.
    """
    return _fetch(cache, f"registry-{REGISTRY_VERSION}", "registry", progress)


def _fetch(cache: Path, folder_name: str, pom: str, progress: Progress) -> Path:
    final = cache / folder_name
    if final.is_dir():
        return final
    require_free_space(cache, setting="LIENTHONG_STACK__CACHE")
    make_private_folder(cache)

    def waiting() -> None:
        progress.step(pom, "waiting for another download")

    # One at a time, also the two of one start: Maven's own store does not like two writers.
    with locked(cache / ".lock", when_waiting=waiting):
        if final.is_dir():
            return final
        temporary = cache / f"{TEMPORARY_PREFIX}{folder_name}"
        # Whatever lies there was left by a download that was killed: we hold the lock.
        shutil.rmtree(temporary, ignore_errors=True)
        _run_maven(maven_folder() / f"{pom}.xml", temporary, pom, progress)
        _check_sums(temporary, maven_folder() / f"{pom}.sha256")
        for archive in temporary.glob("*.tar.gz"):
            progress.step(pom, "unpacking")
            with tarfile.open(archive) as tar:
                tar.extractall(temporary, filter="data")
            archive.unlink()
        temporary.rename(final)
    return final


def _run_maven(pom: Path, output: Path, name: str, progress: Progress) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigurationError(
            "Maven is needed once, to download the servers, and there is none: install it (Debian: apt install maven)."
        )
    progress.step(name, "downloading")
    goal = "dependency:copy-dependencies"
    command = [maven, "-B", "-C", "-f", str(pom), goal, f"-DoutputDirectory={output}", "-DincludeScope=runtime"]
    lines: list[str] = []
    with subprocess.Popen(
        command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            lines.append(line.strip())
            if "Downloading from" in line:
                progress.step(name, f"downloading {line.strip().rpartition('/')[2]}")
    if process.returncode == 0:
        return
    if any("No space left on device" in line for line in lines):
        raise ConfigurationError("The disk was full while Maven downloaded: free some space and start again.")
    reason = next((line for line in lines if line.startswith("[ERROR]")), lines[-1] if lines else "no reason given")
    raise TransientError(f"Maven could not download {name}: {reason.removeprefix('[ERROR]').strip()}")


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    if "JAVA_HOME" not in environment and shutil.which("java") is None:
        environment["JAVA_HOME"] = str(find_java().parents[1])
    return environment


def _check_sums(folder: Path, sums: Path) -> None:
    listed = (line.split() for line in sums.read_text(encoding="utf-8").splitlines())
    expected = {name: digest for digest, name in listed}
    found = {path.name: _sha256(path) for path in folder.iterdir()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise ConfigurationError(
            f"Maven brought other files than {sums.name} lists (first: {wrong[0]}): nothing was installed; look at the "
            "mirror in Maven's settings.",
            code="checksum",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
