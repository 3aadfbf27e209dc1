"""Virtual environments of contenders whose packages do not fit beside ours: made once by pip, kept in the cache."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["python_for"]


def python_for(script: Path, cache: Path) -> Path:
    """
    Say which Python runs a contender.

    Args:
        script: the contender; a file of the same name with `.txt` names its packages with their versions.
        cache: where environments are kept, one for each content of such a file.
    """
    requirements = script.with_suffix(".txt")
    if not requirements.exists():
        return Path(sys.executable)
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache / "benchmarks" / f"{script.stem}-{digest}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        print(f"making an environment for {script.stem}", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        words = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*words, "--requirement", str(requirements)], check=True)
        ready.touch()
    return python
