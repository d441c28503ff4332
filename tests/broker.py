"""A real Mosquitto on a free port of the loopback, for tests: started, stopped and started again at will."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from sed.config import MqttConfig

PATIENCE_SECONDS = 120.0
"""Machines are busy: what is waited for comes much sooner, or never."""

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Broker:
    """One broker process; a `with` starts it.

    Unless it is `persistent`, a restarted one knows nothing any more. `access` is the text of an access list, `tls`
    names authority, certificate and key, `extra` is lines of mosquitto.conf.
    """

    def __init__(
        self,
        folder: Path,
        users: Mapping[str, str] | None = None,
        access: str | None = None,
        tls: Mapping[str, Path] | None = None,
        extra: str = "",
        persistent: bool = False,
    ) -> None:
        if MOSQUITTO is None:
            pytest.skip("mosquitto is not installed")
        self.port = free_port()
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "mosquitto.log"
        self.access = folder / "access"
        lines = [f"listener {self.port} 127.0.0.1", f"log_dest file {self._log}", "set_tcp_nodelay true", extra]
        if persistent:
            lines += ["persistence true", f"persistence_location {folder}/", "max_queued_messages 10000"]
        if os.geteuid() == 0:
            lines.append("user root")  # else it drops to a user who cannot read the files below
        lines.append(f"allow_anonymous {'false' if users else 'true'}")
        if users:
            lines.append(f"password_file {_password_file(folder, users)}")
        if access is not None:
            self.access.touch(0o600)
            self.access.write_text(access)
            lines.append(f"acl_file {self.access}")
        if tls:
            lines += [f"cafile {tls['ca']}", f"certfile {tls['certificate']}", f"keyfile {tls['key']}"]
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join(lines) + "\n")

    def mqtt(self, user: str = "", **settings: Any) -> MqttConfig:
        """How to reach it."""
        scheme = "mqtts" if self._tls else "mqtt"
        return MqttConfig(url=f"{scheme}://{user}{'@' if user else ''}127.0.0.1:{self.port}", **settings)

    @property
    def pid(self) -> int:
        """Of the process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Run, and return when it takes connections."""
        self._process = subprocess.Popen([str(MOSQUITTO), "-c", str(self._config)], stderr=subprocess.DEVNULL)
        eventually(self._listens)

    def stop(self) -> None:
        """End it as systemd would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it hang: connections stay, answers do not come."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def reload(self) -> None:
        """Let it read its access list again."""
        if self._process:
            self._process.send_signal(signal.SIGHUP)

    def publish(self, topic: str, *payloads: bytes, retain: bool = False) -> None:
        """Messages without line breaks from a sender of another make, QoS 1; returns when the broker has them."""
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-q", "1"]
        kind = ["-l"] if any(payloads) else ["-n"]
        subprocess.run([*command, *kind, *["-r"] * retain], input=b"".join(p + b"\n" for p in payloads), check=True)

    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def __enter__(self) -> Self:
        try:
            self.start()
        except AssertionError:
            self.kill()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
            return True
        return False

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None


@dataclass(frozen=True)
class Heard:
    """A message as Mosquitto's own client heard it."""

    topic: str
    payload: str
    qos: int
    retain: bool

    def json(self) -> Any:
        return json.loads(self.payload)


class Listener:
    """`mosquitto_sub` on all topics: a receiver of another make, its retain flags as they were published.

    A `lasting` one has a session that outlives restarts of a persistent broker; `options` are for a broker that does
    not let everyone in.
    """

    def __init__(
        self, broker: Broker, folder: Path, topic: str = "#", lasting: bool = False, options: Sequence[str | Path] = ()
    ) -> None:
        self._path = folder / f"heard-{broker.port}-{time.monotonic_ns()}.jsonl"
        client = ["-V", "mqttv311", "-c", "-i", "listener"] if lasting else ["-V", "mqttv5", "--retain-as-published"]
        where = ["-h", "127.0.0.1", "-p", str(broker.port), "-t", topic, "-q", "1", "-F", "%j", "-d", *client]
        self._out = self._path.open("wb")
        command = ["stdbuf", "-oL", "mosquitto_sub", *where, *options]  # a line at a time
        self._process = subprocess.Popen(command, stdout=self._out, stderr=subprocess.DEVNULL)

    def heard(self, topic: str = "") -> list[Heard]:
        """What was heard so far on topics that end so."""
        whole, _, _ = self._path.read_text().rpartition("\n")  # the last line may still be being written
        found = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        heard = [Heard(m["topic"], m["payload"], m["qos"], bool(m["retain"])) for m in found]
        return [message for message in heard if message.topic.endswith(topic)]

    def subscribed(self) -> int:
        """How often a broker has taken it in: it comes back by itself to one that was restarted."""
        return self._path.read_text().count("SUBACK")

    def __enter__(self) -> Self:
        try:
            eventually(self.subscribed)
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_SECONDS)
        self._out.close()


def eventually(check: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until `check` holds; fails when it does not in time. What it looks at may not be there yet."""
    until = time.monotonic() + seconds
    while not _holds(check):
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.005)


def _holds(check: Callable[[], object]) -> bool:
    try:
        return bool(check())
    except (LookupError, FileNotFoundError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def certificates(folder: Path) -> dict[str, Path]:
    """A small authority, and a certificate of its for 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    names = {name: folder / f"{name}.pem" for name in ("ca", "ca_key", "certificate", "key", "request")}
    subject = "subjectAltName=IP:127.0.0.1"
    key: list[str | Path] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj"]
    ca: list[str | Path] = [
        "-x509",
        "-days",
        "2",
        *key,
        "/CN=earwitness test",
        "-keyout",
        names["ca_key"],
        "-out",
        names["ca"],
    ]
    request: list[str | Path] = [
        *key,
        "/CN=127.0.0.1",
        "-addext",
        subject,
        "-keyout",
        names["key"],
        "-out",
        names["request"],
    ]
    signed: list[str | Path] = [
        "-req",
        "-in",
        names["request"],
        "-CA",
        names["ca"],
        "-CAkey",
        names["ca_key"],
        "-CAcreateserial",
    ]
    _openssl("req", *ca)
    _openssl("req", *request)
    _openssl("x509", *signed, "-days", "2", "-copy_extensions", "copy", "-out", names["certificate"])
    return names


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _password_file(folder: Path, users: Mapping[str, str]) -> Path:
    path = folder / "passwords"
    path.touch(0o600)
    for user, password in users.items():
        subprocess.run(["mosquitto_passwd", "-b", str(path), user, password], check=True, capture_output=True)
    return path
