"""A real PostgreSQL on a free port of the loopback, for tests: started, stopped and started again at will."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from tests.broker import eventually, free_port

START_SECONDS = 30.0
USER, PASSWORD = "fleet", "ge:h@im/%"
QUICK = ("fsync=off", "max_connections=40", "shared_buffers=32MB")
_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # Debian's; elsewhere they are on PATH
_PATH = os.pathsep.join([*map(str, reversed(_PROGRAMS)), os.environ.get("PATH", "")])


class Postgres:
    """One server with a data folder of its own; a `with` starts it, and throws the folder away at the end.

    With the settings of tests it does not wait for the disk, so a power cut would damage it; a killed process does not.
    """

    def __init__(self, settings: Sequence[str] = QUICK) -> None:
        self._settings = [word for setting in settings for word in ("-c", setting)]
        if shutil.which("initdb", path=_PATH) is None:
            pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="earwitness-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        (self._folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
            shutil.chown(self._folder / "password", "postgres")
        access = ["-A", "scram-sha-256", "-U", USER, f"--pwfile={self._folder}/password"]
        command = self._command("initdb", "-D", str(self._data), "-E", "UTF8", "--locale=C", "--no-sync", *access)
        subprocess.run(command, check=True, capture_output=True, cwd="/", env=self._environment)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": _PATH, "LC_ALL": "C"}

    def url(self, name: str) -> str:
        """As a user would write it, without the password."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def local_url(self, name: str) -> str:
        """The same through its socket in the file system."""
        return f"postgresql://{USER}@/{name}?host={self._folder}&port={self.port}"

    def connect(self, name: str = "postgres", **settings: Any) -> psycopg.Connection[Any]:
        """A connection that commits every statement, for looking on and for holding things up."""
        return psycopg.connect(self.url(name), password=PASSWORD, autocommit=True, connect_timeout=5, **settings)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The name of a new, empty one, which is dropped at the end."""
        self._databases += 1
        name = f"fleet{self._databases}"
        with self.connect() as server:
            server.execute(f"CREATE DATABASE {name}".encode())
        yield name
        with self.connect() as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def start(self) -> None:
        """Run, and return when it takes connections."""
        listen = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder)]
        command = self._command("postgres", "-D", str(self._data), *listen, *self._settings)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", env=self._environment)
        eventually(self._answers, START_SECONDS)

    def stop(self) -> None:
        """End it, and all that are connected; what is committed stays."""
        if self._process:
            self._signal(signal.SIGINT)
            self._process.wait(START_SECONDS)
            self._process = None

    def log(self) -> str:
        return (self._folder / "log").read_text()

    def __enter__(self) -> Self:
        try:
            self.start()
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self.connect():
            return True
        return False

    def _signal(self, number: signal.Signals) -> None:
        """The server itself, which may run under another process that changes its user."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, number)

    def _command(self, program: str, *arguments: str) -> list[str]:
        """The server refuses to be root."""
        path = shutil.which(program, path=_PATH) or program
        if os.geteuid() != 0:
            return [path, *arguments]
        user = pwd.getpwnam("postgres")
        change = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        return [*change, path, *arguments]
