"""Who is let in: names, tokens, sessions, and pages of others."""

import time
from pathlib import Path

import pytest

from sed.config import HttpConfig
from sed.web.access import COOKIE, SESSION_SECONDS, Access, is_same_site

TOKEN = "correct-horse-battery"
LOOPBACK = HttpConfig(hosts=("ear.example",))
NETWORK = HttpConfig.model_construct(address="0.0.0.0", token_file=Path("x"), hosts=())  # noqa: S104 - nobody listens


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8095", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("localhost.:8095", True),
        ("[::1]:8095", True),
        ("[::1]", True),
        ("ear.example", True),
        ("ear.example:443", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost:8095.evil.example", False),
        ("::1", False),
        (":8095", False),
        ("", False),
    ],
)
def test_names(host: str, known: bool) -> None:
    assert Access(LOOPBACK, None).knows(host) is known


def test_in_the_network_any_name_will_do_for_those_with_the_token() -> None:
    assert Access(NETWORK, TOKEN).knows("gate.lan:8095")
    assert not Access(NETWORK, TOKEN).knows("")


@pytest.mark.parametrize(
    ("headers", "how"),
    [
        ({}, None),
        ({"authorization": f"Bearer {TOKEN}"}, "token"),
        ({"authorization": f"bearer  {TOKEN} "}, "token"),
        ({"authorization": f"Basic {TOKEN}"}, None),
        ({"authorization": "Bearer "}, None),
        ({"authorization": f"Bearer {TOKEN}x"}, None),
        ({"authorization": "Bearer \xfc\xdf"}, None),
        ({"cookie": f"{COOKIE}={TOKEN}"}, None),
        ({"cookie": f"{COOKIE}=9999999999.{'0' * 64}"}, None),
        ({"cookie": f"{COOKIE}=."}, None),
        ({"cookie": "\x00=\xff;;;="}, None),
    ],
)
def test_tokens(headers: dict[str, str], how: str | None) -> None:
    assert Access(LOOPBACK, TOKEN).admits(headers) == how


def test_without_a_token_everybody_here_may_ask() -> None:
    assert Access(LOOPBACK, None).admits({}) == "open"
    assert not Access(LOOPBACK, None).is_token("")
    assert not Access(LOOPBACK, None).is_token("None")


def test_a_session_outlives_a_restart_but_neither_its_time_nor_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = {"cookie": f"other=1; {COOKIE}={Access(LOOPBACK, TOKEN).session()}"}
    assert Access(LOOPBACK, TOKEN).admits(cookie) == "session"
    assert Access(LOOPBACK, "another-long-token").admits(cookie) is None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + SESSION_SECONDS + 2)
    assert Access(LOOPBACK, TOKEN).admits(cookie) is None


def test_a_session_cannot_be_prolonged() -> None:
    until, _, mac = Access(LOOPBACK, TOKEN).session().partition(".")
    assert Access(LOOPBACK, TOKEN).admits({"cookie": f"{COOKIE}={int(until) + 1}.{mac}"}) is None


@pytest.mark.parametrize("how", ["open", "token", "session"])
def test_other_pages(how: str) -> None:
    def same(**headers: str) -> bool:
        told = {key.replace("_", "-"): value for key, value in headers.items()}
        return is_same_site({"host": "gate:8095"} | told, how)  # type: ignore[arg-type]

    assert same(sec_fetch_site="same-origin")
    assert same(origin="http://gate:8095")
    assert same(origin="http://evil.example", sec_fetch_site="same-origin")  # a proxy in between changed the name
    assert not same(sec_fetch_site="cross-site", origin="http://gate:8095")
    assert not same(origin="http://gate:8096")
    assert not same(origin="http://gate")
    assert not same(origin="null")
    assert same() is (how != "session")  # no browser
