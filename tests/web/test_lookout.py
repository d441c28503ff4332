"""The server inside a process: it comes, follows the configuration, goes within half a second and leaves nothing."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from sed.config import Config, HttpConfig
from sed.errors import ConfigError, SinkError
from sed.journal import Journal, SourceState
from sed.web import hangup, lookout
from sed.web.lookout import Web, served
from sed.web.view import View
from tests.broker import eventually, free_port
from tests.toy import metadata, write_toy
from tests.web.box import answers, calling

META = metadata()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as opened:
        yield opened


def view(journal: Journal) -> View:
    return View(
        META, list, lambda: True, journal, lambda _: META.rules, lambda: None, lambda _: None, lambda: ()
    )  # fmt: skip


@pytest.fixture
def web(journal: Journal) -> Iterator[Web]:
    with contextlib.closing(Web(view(journal))) as opened:
        yield opened


def config(folder: Path, port: int, **http: object) -> Config:
    model = write_toy(folder / "toy.onnx", META)
    document = {"model": str(model), "journal": {"path": folder / "journal.db"}, "source": [{"name": "yard"}]}
    return Config.model_validate({**document, "http": {"port": port, **http}}, context={"folder": folder})


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def within(most: int) -> bool:
    return handles() <= most


def test_it_leaves_neither_threads_nor_handles_and_the_port_is_free(tmp_path: Path, web: Web) -> None:
    wanted = config(tmp_path, port := free_port())
    httpx.Client(trust_env=False).close()  # loads what is loaded once
    most, threads = 0, set(threading.enumerate())
    for _ in range(3):
        web.update(wanted)
        with calling(port) as client:
            eventually(lambda: answers(client))
            assert client.get("/events").json() == {"events": [], "next": None}
            assert client.post("/classify", content=b"x").status_code == 422
            with client.stream("GET", "/stream") as live:
                next(live.iter_raw())
                with socket.create_connection(("127.0.0.1", port)) as silent:
                    silent.sendall(b"GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    web.close()
        eventually(lambda: set(threading.enumerate()) <= threads)
        most = most or handles()  # what the first one loads is loaded once
        eventually(partial(within, most))
    socket.create_server(("127.0.0.1", port)).close()


def test_who_does_nothing_is_hung_up_on(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hangup, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(hangup, "WRITE_SECONDS", 0.5)
    web.update(config(tmp_path, port := free_port()))
    with calling(port) as client:
        eventually(lambda: answers(client))
    page = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
    for half in (
        b"",
        b"GET / HT",
        b"POST /classify HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=30.0) as slow, contextlib.suppress(ConnectionError):
            slow.sendall(half)
            while slow.recv(65_536):
                pass
    eventually(lambda: handles_of(port) == 0)
    with socket.create_connection(("127.0.0.1", port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        with contextlib.suppress(ConnectionError):
            for _ in range(5_000):
                deaf.sendall(page)
        eventually(lambda: handles_of(port) == 0)


def handles_of(port: int) -> int:
    """Connections that the server has open."""
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in table)


def test_closed_before_it_is_loaded(tmp_path: Path, web: Web) -> None:
    web.update(config(tmp_path, port := free_port()))
    web.close()
    socket.create_server(("127.0.0.1", port)).close()


def test_another_token_ends_the_sessions_of_the_one_before(tmp_path: Path, web: Web) -> None:
    port = free_port()
    (tmp_path / "token").write_text("correct-horse-battery")
    web.update(config(tmp_path, port, token_file="token"))
    with calling(port) as browser:
        eventually(lambda: answers(browser))
        browser.get("/?token=correct-horse-battery")
        assert browser.get("/sources").status_code == 200
        (tmp_path / "token").write_text("another-horse-battery")
        web.update(config(tmp_path, port, token_file="token"))
        eventually(lambda: answers(browser))
        assert browser.get("/sources").status_code == 401


def test_not_ready_says_why(tmp_path: Path, journal: Journal, web: Web) -> None:
    web.update(config(tmp_path, port := free_port()))
    with calling(port) as client:
        eventually(lambda: answers(client))
        unready = client.get("/readyz")
        assert (unready.status_code, unready.json()["reasons"]) == (503, ["source yard: lost"])
        journal.report(SourceState("yard", "hearing", -30.0, 7, "toy"))
        assert client.get("/readyz").status_code == 200
        assert client.get("/sources").json()["sources"][0]["dropped_samples"] == 7


def test_the_first_configuration_may_fail_and_a_later_one_only_logs(
    tmp_path: Path, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = config(tmp_path, taken.getsockname()[1])
        with pytest.raises(SinkError, match=r"http: 127\.0\.0\.1 port \d+: address already in use; set another"):
            web.update(wanted)
        web.update(wanted)
    assert "reload: http: 127.0.0.1" in caplog.text


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(ConfigError) as refused:
        served(config(tmp_path, 8095))
    assert str(refused.value) == "http: needs uvicorn; pip install 'earwitness[web]'"
    assert served(Config()) is None


def test_without_a_page_nothing_of_it_is_loaded() -> None:
    code = "import sys, sed.daemon; print(sorted({'fastapi', 'starlette', 'uvicorn', 'anyio'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_address_of_another_computer(tmp_path: Path, journal: Journal) -> None:
    (tmp_path / "token").write_text("correct-horse-battery")
    foreign = config(tmp_path, free_port(), address="192.0.2.1", token_file="token")
    assert foreign.http is not None
    with pytest.raises(SinkError, match=r"http: 192\.0\.2\.1 port \d+: cannot assign requested address; set another"):
        Web(view(journal)).update(foreign)


def test_settings_are_equal_when_nothing_changed(tmp_path: Path) -> None:
    one, other = config(tmp_path, 1).http, config(tmp_path, 1).http
    assert one == other
    assert one != HttpConfig(port=2)
