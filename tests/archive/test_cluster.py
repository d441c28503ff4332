"""Scans on a Ray cluster of two nodes, whose workers and nodes are killed, and on one of this machine's own."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import soundfile

from sed.archive.cluster import RayCluster
from sed.archive.engine import Job, Recording
from sed.errors import EarwitnessError, UsageError
from tests.archive.gate import Gate
from tests.archive.nodes import MARK, Nodes, environment, marked
from tests.archive.scanned import toy_order
from tests.broker import eventually, free_port
from tests.toy import RATE, bursts, write_toy

SECONDS = 120.0
"""For what takes a few on a machine with nothing else to do."""

RAYS = ("raylet", "ray.init", "core_worker", "WARNING", "Traceback", "DeprecationWarning")
"""What would show that Ray, or Python, had a say in what the user reads."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with Nodes() as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Ten short recordings, some of them broken, and a model."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for n in range(10):
        sound = bursts((0.5, 1.0 + 0.1 * n), seconds=2.0 + 0.1 * n, seed=n)
        soundfile.write(folder / f"2026032{n}_120000.wav", sound, RATE)
    (folder / "20260327_120000.wav").write_bytes(b"no sound")
    write_toy(tmp_path / "toy.onnx")
    return folder


class Scan:
    """`earwitness scan` as a process, in the folder of an archive."""

    def __init__(self, archive: Path, out: str, *options: object, given: Mapping[str, str]) -> None:
        self.out = archive.parent / out
        command = [
            sys.executable,
            "-W",
            "error",
            "-m",
            "sed",
            "scan",
            "--out",
            self.out,
            "-m",
            "../toy.onnx",
            "--no-summary",
        ]
        self.process = subprocess.Popen(
            [*map(str, command), *map(str, options)], cwd=archive, env=given, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> "Scan":
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        self.process.communicate()

    def ended(self) -> tuple[int, str]:
        """Its exit code, and what it said."""
        said, _ = self.process.communicate(timeout=2 * SECONDS)
        return self.process.returncode, said

    def table(self, name: str) -> list[dict[str, Any]]:
        """The rows, less what differs from time to time."""
        parts = sorted((self.out / name).glob("*.parquet"))
        rows = [row for part in parts for row in pq.ParquetFile(part).read().to_pylist()]
        return sorted(
            ({**row, "seconds_taken": None} for row in rows), key=lambda row: (row["file"], row.get("onset", 0))
        )

    def states(self) -> dict[str, str]:
        """Of each file; fails where one is there twice."""
        rows = self.table("files")
        assert len({row["file"] for row in rows}) == len(rows)
        return {row["file"]: row["status"] for row in rows}


def scanned(archive: Path, out: str, *options: object, given: Mapping[str, str]) -> tuple[Scan, int, str]:
    with Scan(archive, out, *options, given=given) as scan:
        return scan, *scan.ended()


def test_workers_that_are_killed(nodes: Nodes, archive: Path) -> None:
    """Once costs nothing; a recording that costs three workers is given up; all else is as from local workers."""
    (archive.parent / "list.csv").write_text("path\nelsewhere.wav\n")
    sources = (".", "--manifest", "../list.csv", "--time-limit", 600)
    here, _, _ = scanned(archive, "here", *sources, "--workers", 1, given=environment())
    with ExitStack() as stack:
        once, always = (stack.enter_context(Gate(archive / name)) for name in ("once.wav", "always.wav"))
        options = ("once.wav", "always.wav", *sources, "--ray", nodes.address)
        there = stack.enter_context(Scan(archive, "there", *options, given=nodes.environment))
        eventually(once.held, SECONDS)
        once.open_to(archive / "20260320_120000.wav")
        _kill(once)
        for _ in range(3):
            eventually(always.held, SECONDS)
            _kill(always)
        code, said = there.ended()
    assert code == 1, said
    assert not [word for word in RAYS if word in said]
    gates = {"once.wav": "done", "./once.wav": "done", "always.wav": "crashed"}  # one is in the folder, too
    assert there.states() == here.states() | gates
    rows = {row["file"]: row for row in there.table("files")}
    assert rows["always.wav"]["error"] == "its worker died 3 times"
    name = socket.gethostname()
    unseen = f"no such file or folder on {name}; workers need it under the same path, or as a URL"
    assert [row["error"] for file, row in rows.items() if file.endswith("elsewhere.wav")] == [unseen]
    assert [_less_place(row) for row in there.table("files") if row["file"] not in gates] == here.table("files")
    assert [row for row in there.table("events") if row["file"] not in gates] == here.table("events") != []


def _less_place(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"error": row["error"] and row["error"].partition(" on ")[0]}


def _kill(gate: Gate) -> None:
    for pid in (held := gate.held()):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not held & gate.held(), SECONDS)


def test_a_scan_that_is_killed_goes_on(nodes: Nodes, archive: Path) -> None:
    with Gate(archive / "gate.wav") as gate:
        options = ("gate.wav", ".", "--time-limit", 600, "--ray", nodes.address)
        with Scan(archive, "out", *options, given=nodes.environment) as killed:
            eventually(gate.held, SECONDS)
            eventually(lambda: killed.table("files"), SECONDS)
            killed.process.kill()
        eventually(lambda: not gate.held(), SECONDS)  # its workers go with it
        before = killed.states()
        gate.open_to(archive / "20260320_120000.wav")
        scan, code, said = scanned(archive, "out", *options, given=nodes.environment)
    assert code == 1, said
    states = scan.states()
    assert before.items() <= states.items()
    assert {name for name, state in states.items() if state != "done"} == {"./20260327_120000.wav"}
    assert len(states) == 12  # gate.wav is in the folder, too
    assert sorted(row["file"] for row in scan.table("events")) == sorted(states.keys() - {"./20260327_120000.wav"})


def test_a_node_that_goes_in_mid_scan(nodes: Nodes, archive: Path) -> None:
    """The last one here: the cluster has one node after it."""
    names = {"a.wav", "b.wav", "c.wav", "d.wav"}  # a worker may have two at hand
    with ExitStack() as stack:
        gates = [stack.enter_context(Gate(archive / name)) for name in sorted(names)]
        sources = (*sorted(names), ".", "--time-limit", 600)
        scan = stack.enter_context(Scan(archive, "out", *sources, "--ray", nodes.address, given=nodes.environment))
        eventually(lambda: len(_held(gates)) == 2, SECONDS)
        for gate in gates:
            gate.open_to(archive / "20260320_120000.wav")
        nodes.remove_second()
        eventually(lambda: len(_held(gates)) == 1, SECONDS)
        for gate in gates:
            gate.let_through()
        code, said = scan.ended()
    assert code == 1, said
    states = scan.states()
    assert {name for name, state in states.items() if state != "done"} == {"./20260327_120000.wav"}
    assert len(states) == 18  # they are in the folder, too
    assert sorted(row["file"] for row in scan.table("events") if row["file"] in names) == sorted(names)


def _held(gates: Sequence[Gate]) -> set[int]:
    return set().union(*(gate.held() for gate in gates))


def test_a_cluster_of_ones_own(archive: Path) -> None:
    """Of one worker, which a recording hangs; nothing of it is left."""
    mark = f"local-{os.getpid()}"
    given = environment(**{MARK: mark, "HOME": str(archive.parent)})
    with Gate(archive / "hanging.wav"):
        options = ("hanging.wav", ".", "--time-limit", 5, "--ray", "local", "--workers", 1)
        scan, code, said = scanned(archive, "out", *options, given=given)
        eventually(lambda: not marked(mark), SECONDS)
    assert code == 1, said
    assert not [word for word in RAYS if word in said]
    (row,) = [row for row in scan.table("files") if row["status"] == "timed_out"]
    assert (row["file"], row["error"]) == ("hanging.wav", "took longer than 5 s; see --time-limit")
    assert sum(state == "done" for state in scan.states().values()) == 9
    assert not (archive.parent / ".ray").exists()


@pytest.mark.parametrize("address", ["nowhere", "host:port", ":6379", "http://host:6379"])
def test_what_is_no_address(tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"--ray {address}: need local, auto, HOST:PORT or ray://HOST:PORT")):
        _run(address, tmp_path)


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://localhost:{}"])
def test_no_cluster_at_the_address(tmp_path: Path, form: str) -> None:
    address = form.format(free_port())
    words = f"--ray {address}: no Ray cluster answers there (Connection refused); start one with 'ray start --head'"
    with pytest.raises(EarwitnessError, match=re.escape(words)) as caught:
        _run(address, tmp_path)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0"])
def test_somebody_else_at_the_address(tmp_path: Path, says: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer, args=(server, says))
        thread.start()
        try:
            with pytest.raises(EarwitnessError, match="no Ray cluster answers there"):
                _run(f"127.0.0.1:{server.getsockname()[1]}", tmp_path)
        finally:
            thread.join()


def _answer(server: socket.socket, says: bytes) -> None:
    line, _ = server.accept()
    with line:
        line.recv(100)
        line.sendall(says)


def test_without_ray_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"--ray: needs Ray; pip install 'earwitness\[cluster\]'"):
        _run("auto", tmp_path)


def test_nothing_to_do_needs_no_cluster(tmp_path: Path) -> None:
    assert list(RayCluster("nowhere").run(iter(()), toy_order(tmp_path))) == []


def _run(address: str, folder: Path) -> None:
    list(RayCluster(address).run([Job(0, (Recording("a.wav"),))], toy_order(folder)))
