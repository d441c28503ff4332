"""Ports that are free, and ports that are not, on the loopback."""

import os
import socket
from pathlib import Path

import pytest

from sed.config import Config
from sed.doctor.finding import Finding
from sed.doctor.ports import listening, look
from sed.journal import Journal
from tests.broker import free_port


def config(folder: Path, **tables: object) -> Config:
    return Config.model_validate({"journal": {"path": folder / "journal.db"}, **tables})


def found(folder: Path, **tables: object) -> list[Finding]:
    return list(look(config(folder, **tables)))


def test_nothing_listens_unless_it_is_told_to(tmp_path: Path) -> None:
    assert listening(config(tmp_path)) == {}
    (finding,) = found(tmp_path)
    assert (finding.status, finding.found) == ("ok", "nothing listens")


def test_all_that_can_listen_each_port_once(tmp_path: Path) -> None:
    sources = [{"name": name, "url": f"zmq+tcp://127.0.0.1:5600/{name}"} for name in ("a", "b")]
    told = config(tmp_path, metrics={"port": 9999}, zmq={"publish": "tcp://127.0.0.1:5556"}, http={}, source=sources)
    assert listening(told) == {
        ("127.0.0.1", 9999): "metrics", ("127.0.0.1", 5556): "zmq.publish", ("127.0.0.1", 5600): "source a",
        ("127.0.0.1", 8095): "http",
    }  # fmt: skip


def test_free_ports(tmp_path: Path) -> None:
    port = free_port()
    (here,) = found(tmp_path, metrics={"port": port})
    assert (here.status, here.found) == ("ok", f"metrics: 127.0.0.1:{port} is free")


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (taken,) = found(tmp_path, metrics={"port": port})
        assert (taken.status, taken.found) == ("failed", f"metrics: 127.0.0.1:{port} is in use")
        with Journal(tmp_path / "journal.db"):
            (ours,) = found(tmp_path, metrics={"port": port})
        assert ours.status == "ok"
        assert f"process {os.getpid()}" in ours.found


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_an_address_of_another_computer(tmp_path: Path, address: str) -> None:
    (finding,) = found(tmp_path, metrics={"port": free_port(), "address": address})
    assert (finding.status, finding.advice) == ("failed", "set an address of this computer, and a port from 1024 on")
