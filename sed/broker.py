"""A private MQTT broker: Mosquitto on a free loopback port, gone when it is closed."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from sed.errors import SinkError, UsageError

START_SECONDS = 5.0
STOP_SECONDS = 3.0


class PrivateBroker:
    """Mosquitto for this process alone: nothing on the disk, nobody from outside."""

    def __enter__(self) -> Self:
        """Start it. Raises UsageError if Mosquitto is not installed, SinkError if it does not come up."""
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if program is None:
            raise UsageError("mosquitto is not installed; 'sudo apt-get install mosquitto', then try again")
        self.port = _free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="earwitness-broker-")
        config = Path(self._folder.name) / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
        )
        self._process = subprocess.Popen(
            [program, "-c", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C on the terminal is for us, who end it when all is told
        )
        self._wait_until_it_listens()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """Where to reach it."""
        return f"mqtt://127.0.0.1:{self.port}"

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self._process.kill()
        _, said = self._process.communicate()
        self._folder.cleanup()
        reason = said.strip().splitlines()[-1:] or ["no reason told"]
        raise SinkError(f"mosquitto did not start on port {self.port}: {reason[0]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
