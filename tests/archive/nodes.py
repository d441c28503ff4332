"""A Ray cluster of two nodes on this machine, as a process of its own: `python -m tests.archive.nodes`.

It says its address; a line `remove` on its standard input takes the second node away, the end of the input all of it.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

MARK = "EARWITNESS_TEST_CLUSTER"
"""A variable that all processes of a cluster inherit, so that those left over are found."""

GONE_SECONDS = 60.0

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_worker_niceness": "0",
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",  # a node that has gone is missed after some seconds, not half a minute
}


def environment(**more: str) -> dict[str, str]:
    """Ours, without what others have told Ray."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return own | {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "200"} | more


def marked(mark: str) -> list[int]:
    """The processes that have this mark."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"{MARK}={mark}\0".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has gone, or is not ours
            continue
    return found


class Nodes:
    """Two nodes with one CPU each; a `with` starts them, ends them, and fails if one of their processes lives on."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="ew-", dir="/tmp")
        self._mark = secrets.token_hex(8)
        own = {MARK: self._mark, "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_TMPDIR": self._folder}
        self.environment: Mapping[str, str] = environment(**SETTINGS, **own)

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=self.environment, text=True, start_new_session=True,
        )  # fmt: skip
        self.address = self._answer()
        return self

    def remove_second(self) -> None:
        """Kill one node and all its workers, as a power cut would."""
        assert self._process.stdin is not None
        self._process.stdin.write("remove\n")
        self._process.stdin.flush()
        assert self._answer() == "removed"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("nodes: "):
                return line.removeprefix("nodes: ").strip()
        raise AssertionError(f"the cluster ended with {self._process.wait()}")

    def __exit__(self, *exc: object) -> None:
        with self._process:  # closes its input, which ends it
            pass
        until = time.monotonic() + GONE_SECONDS
        while (left := marked(self._mark)) and time.monotonic() < until:
            time.sleep(0.1)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)
        assert not left


def main() -> None:
    """Serve two nodes until the input ends."""
    from ray.cluster_utils import Cluster

    small: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100_000_000, "node_ip_address": "127.0.0.2"}
    cluster = Cluster(initialize_head=True, head_node_args=small | {"include_dashboard": False})
    second = cluster.add_node(**small)
    cluster.wait_for_nodes()
    print(f"nodes: {cluster.address}", flush=True)
    for _ in sys.stdin:
        cluster.remove_node(second, allow_graceful=False)
        print("nodes: removed", flush=True)
    cluster.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
