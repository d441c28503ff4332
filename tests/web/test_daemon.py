"""The API of the real daemon, asked as a browser and as a script ask it."""

import base64
import csv
import io
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.process import Process
from sed.web.hub import CLIENTS
from tests.broker import eventually, free_port
from tests.daemon import SOON, START_SECONDS, Run
from tests.toy import RATE
from tests.web.box import PATIENCE_SECONDS, Box, answers, box, calling, configured, write_sounds

NOBODY = "01JD0000000000000000000000"
TOKEN = "correct-horse-battery"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def guarded_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """With a token, and without any sound that may be kept."""
    (folder := tmp_path_factory.mktemp("guarded")).joinpath("token").write_text(f"{TOKEN}\n")
    with box(folder, "[privacy]\naudio = false", http='token_file = "token"') as opened:
        yield opened


def test_sources(open_box: Box) -> None:
    eventually(lambda: open_box.client.get("/sources").json()["sources"][0]["state"] == "hearing", START_SECONDS)
    told = open_box.client.get("/sources").json()
    assert (told["node"], told["flowing"], told["needs_login"]) == ("gate", True, False)
    assert told["model"] == {"name": "toy", "version": "1", "labels": ["tone"]}
    assert told["broker"]["connected"] is False
    assert told["broker"]["place"].startswith("127.0.0.1:")
    (source,) = told["sources"]
    assert {key: source[key] for key in ("name", "reason", "dropped_samples")} == {
        "name": "yard",
        "reason": "",
        "dropped_samples": 0,
    }
    assert datetime.fromisoformat(source["since"]) < datetime.fromisoformat(told["time"])
    assert told["sound"]["row_seconds"] == 0.04


def test_rules(open_box: Box) -> None:
    told = open_box.client.get("/rules").json()
    assert told["sources"]["yard"]["tone"] | {"on": 0.5, "off": 0.4, "alert": True} == told["sources"]["yard"]["tone"]


def test_health_readiness_and_metrics(open_box: Box) -> None:
    assert open_box.client.get("/healthz").json() == {"status": "ok"}
    eventually(lambda: open_box.client.get("/readyz").json() == {"ready": True, "reasons": []}, START_SECONDS)
    found = open_box.client.get("/metrics")
    names = {family.name for family in text_string_to_metric_families(found.text)}
    assert {"earwitness_events", "earwitness_sound_flowing", "process_cpu_seconds"} <= names


def test_what_comes_live(open_box: Box) -> None:
    bands, columns, rows, levels, states = 64, 0, 0, list[float](), 0
    told = dict[str, dict[str, object]]()
    for name, content in open_box.stream():
        told.setdefault(name, content)
        states += name == "state"
        if name == "sound":
            columns += len(base64.b64decode(content.get("mel", ""))) // bands
            rows += len(base64.b64decode(content.get("scores", "")))  # of one label
            levels.append(content.get("level_dbfs", -120.0))
        if columns >= 150:
            break
    assert states >= 2
    assert rows == pytest.approx(columns / 4, abs=25)
    assert max(levels) == pytest.approx(-20.0, abs=1.0)  # of bursts
    assert min(levels) < -90.0
    assert told["event"]["schema"] == "earwitness.event/1"
    assert told["state"]["sources"][0]["name"] == "yard"  # type: ignore[index]


def test_live_columns_are_those_of_the_frontend_in_their_place(open_box: Box) -> None:
    """Burst or not is seen in them, and the strip goes on where the last one ended."""
    told = [content for (name, content), _ in zip(open_box.stream("?source=yard"), range(20), strict=False)]
    strips = [content for content in told if "mel" in content]
    starts = [datetime.fromisoformat(strip["mel_at"]).timestamp() for strip in strips]
    counts = [len(base64.b64decode(strip["mel"])) // 64 for strip in strips]
    for start, count, following in zip(starts, counts, starts[1:], strict=False):
        assert following - start == pytest.approx(count * 0.01, abs=0.002)
    values = np.frombuffer(b"".join(base64.b64decode(strip["mel"]) for strip in strips), np.uint8).reshape(-1, 64)
    decibels = -100.0 + 0.6 * values.mean(axis=1)
    assert decibels.max() - decibels.min() > 60.0


def test_nothing_of_a_source_that_is_not_there(open_box: Box) -> None:
    told = [name for (name, _), _ in zip(open_box.stream("?source=street"), range(2), strict=False)]
    assert told == ["state"] * 2


def test_events_pages_filters_and_csv(open_box: Box) -> None:
    eventually(lambda: len(open_box.run.events("end")) >= 3, START_SECONDS)
    listed = open_box.client.get("/events", params={"label": "tone", "source": "yard", "limit": 2}).json()
    assert [event["label"] for event in listed["events"]] == ["tone", "tone"]
    assert listed["events"][0]["onset"] > listed["events"][1]["onset"]
    more = open_box.client.get("/events", params={"limit": 2, "after": listed["next"]}).json()
    assert more["events"][0]["onset"] < listed["events"][1]["onset"]
    one = open_box.client.get(f"/events/{more['events'][0]['id']}").json()
    assert one == more["events"][0]
    assert open_box.client.get("/events", params={"source": "street"}).json() == {"events": [], "next": None}
    before = open_box.client.get("/events", params={"until": one["onset"]}).json()
    assert all(event["onset"] < one["onset"] for event in before["events"])
    for sheet in (
        open_box.client.get("/events", headers={"accept": "text/csv"}),
        open_box.client.get("/events?format=csv"),
    ):
        assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(sheet.text)))
        assert {row["label"] for row in rows} == {"tone"}
        assert one["id"] in {row["id"] for row in rows}
    counts = open_box.client.get("/counts?every=86400").json()["counts"]
    assert sum(slot["count"] for slot in counts) >= 3


@pytest.mark.parametrize(
    ("query", "status"),
    [("limit=0", 422), ("after=nonsense", 422), ("since=2026-01-01T00:00:00", 422), ("verdict=maybe", 422)],
)
def test_a_wrong_question_is_answered_in_words(open_box: Box, query: str, status: int) -> None:
    refused = open_box.client.get(f"/events?{query}")
    assert refused.status_code == status
    assert refused.json()["detail"]


def test_a_verdict_is_kept_told_and_taken_back(open_box: Box) -> None:
    event = open_box.heard()[0]["id"]
    place = f"/events/{event}/verdict"
    with closing(open_box.stream()) as live:  # type: ignore[type-var]  # a generator
        next(live)
        given = open_box.client.post(place, json={"verdict": "other", "label": "car_horn", "comment": "a bus"}).json()
        assert given["verdict"] | {"verdict": "other", "label": "car_horn", "comment": "a bus"} == given["verdict"]
        told = next(content for name, content in live if name == "verdict")
    assert told == {"id": event, "verdict": given["verdict"]}
    assert [each["id"] for each in open_box.client.get("/events?verdict=other").json()["events"]] == [event]
    rows = list(csv.DictReader(io.StringIO(open_box.client.get("/events?verdict=given&format=csv").text)))
    assert [(row["verdict"], row["verdict_label"]) for row in rows] == [("other", "car_horn")]
    assert open_box.client.post(place, json={"verdict": None}).json()["verdict"] is None
    assert open_box.client.get("/events?verdict=given").json()["events"] == []


@pytest.mark.parametrize(
    ("judgement", "status"),
    [
        ({"verdict": "maybe"}, 422),
        ({"verdict": "other"}, 422),
        ({"verdict": "right", "label": "siren"}, 422),
        ({"verdict": None, "comment": "no"}, 422),
        ({"verdict": "right", "by": "me"}, 422),
        ({}, 422),
    ],
)
def test_a_verdict_that_cannot_be_meant(open_box: Box, judgement: dict[str, str], status: int) -> None:
    event = open_box.heard()[0]["id"]
    assert open_box.client.post(f"/events/{event}/verdict", json=judgement).status_code == status


def test_events_that_are_not_there(open_box: Box) -> None:
    assert open_box.client.get(f"/events/{NOBODY}").status_code == 404
    assert open_box.client.post(f"/events/{NOBODY}/verdict", json={"verdict": "right"}).status_code == 404
    assert open_box.client.get(f"/clips/{NOBODY}.flac").status_code == 404
    assert open_box.client.get("/events/1").status_code == 422


def test_a_clip_whole_and_in_parts(open_box: Box) -> None:
    event = open_box.heard()[0]["id"]
    place = f"/clips/{event}.flac"
    eventually(lambda: open_box.client.get(place).status_code == 200, START_SECONDS)
    whole = open_box.client.get(place)
    samples, rate = soundfile.read(io.BytesIO(whole.content))
    assert (whole.headers["content-type"], rate) == ("audio/flac", RATE)
    assert len(samples) / rate == pytest.approx(0.8, abs=0.3)
    part = open_box.client.get(place, headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert open_box.client.get(place, headers={"range": "bytes=9999999-"}).status_code == 416
    assert open_box.client.head(place).headers["accept-ranges"] == "bytes"


def test_a_clip_as_it_is_drawn(open_box: Box) -> None:
    event = open_box.heard()[0]["id"]
    place = f"/clips/{event}/scores"
    eventually(lambda: open_box.client.get(place).status_code == 200, START_SECONDS)
    drawn = open_box.client.get(place).json()
    columns, rows = len(base64.b64decode(drawn["mel"])) / 64, len(base64.b64decode(drawn["scores"]))
    assert columns == pytest.approx(100.0 * drawn["seconds"], abs=5)
    assert rows == pytest.approx(columns / 4, abs=2)
    assert max(base64.b64decode(drawn["scores"])) > 0.99 * 255
    assert drawn["begins"] == drawn["mel_at"]
    told = open_box.client.get(f"/events/{event}").json()
    gap = datetime.fromisoformat(told["onset"]) - datetime.fromisoformat(drawn["begins"])
    assert gap.total_seconds() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("path", ["..%2fjournal.db", "%2e%2e/journal.db", "../../etc/passwd", "x/../../journal.db"])
def test_nothing_but_clips_is_handed_out(open_box: Box, path: str) -> None:
    for place in (f"/clips/{path}", f"/{path}", f"/clips/{path}.flac"):
        with socket.create_connection(("127.0.0.1", open_box.port), timeout=30.0) as raw:
            raw.sendall(f"GET {place} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
            assert re.match(rb"HTTP/1.1 4(04|22) ", raw.makefile("rb").read())


def test_every_answer_is_guarded(open_box: Box) -> None:
    for path in ("/", "/sources", "/nothing", "/events/1"):
        headers = open_box.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_the_page_is_asked_for_again_and_costs_nothing_then(open_box: Box) -> None:
    page = open_box.client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    again = open_box.client.get("/", headers={"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8095", "localhost.evil.example", "192.168.1.7", ""])
def test_a_foreign_name_is_refused(open_box: Box, host: str) -> None:
    assert open_box.client.get("/sources", headers={"host": host}).status_code == 421


def test_another_page_cannot_change_anything(open_box: Box) -> None:
    event = open_box.heard()[0]["id"]
    own = {"origin": f"http://127.0.0.1:{open_box.port}"}
    for headers, status in (
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        (own, 200),
    ):
        given = open_box.client.post(f"/events/{event}/verdict", json={"verdict": None}, headers=headers)
        assert given.status_code == status, headers
    assert "access-control-allow-origin" not in open_box.client.get("/sources", headers=own).headers


def test_a_body_that_is_no_recording_is_small(open_box: Box) -> None:
    place = f"/events/{NOBODY}/verdict"
    assert open_box.client.post(place, content=b" " * 70_000).status_code == 413
    assert open_box.client.post(place, content=iter([b"{}"])).status_code == 411


def test_who_watches_and_never_reads_costs_little(open_box: Box) -> None:
    def ask() -> socket.socket:
        watcher = socket.create_connection(("127.0.0.1", open_box.port), PATIENCE_SECONDS)
        watcher.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        watcher.sendall(b"GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
        return watcher

    process = Process(open_box.run.process.pid)
    before = process.resident
    with ExitStack() as opened:
        silent = [opened.enter_context(ask()) for _ in range(20)]
        told = Counter(each.recv(12, socket.MSG_WAITALL) for each in silent)  # and no more is read
        assert told == {b"HTTP/1.1 200": CLIENTS, b"HTTP/1.1 503": 20 - CLIENTS}
        assert not watchable(open_box)
        time.sleep(1.5)
        assert process.resident < before + 20.0  # MB
        assert open_box.client.get("/sources").json()["sources"][0]["dropped_samples"] == 0
    eventually(lambda: watchable(open_box), START_SECONDS)


def watchable(opened: Box) -> bool:
    with opened.client.stream("GET", "/stream") as answer:
        return answer.status_code == 200


def test_clients_that_ask_nothing_hold_nobody_up(open_box: Box) -> None:
    with ExitStack() as opened:
        rude = [opened.enter_context(socket.create_connection(("127.0.0.1", open_box.port))) for _ in range(100)]
        for n, each in enumerate(rude):
            each.sendall((b"", b"\r\n\r\n", b"\xff" * 1_000, b"GET / HT")[n % 4])
        for each in rude[:50]:
            each.close()
        eventually(lambda: answers(open_box.client), START_SECONDS)
    with calling(open_box.port) as fresh:
        eventually(lambda: answers(fresh), START_SECONDS)
    assert "Traceback" not in open_box.run.log()


def test_a_reload_brings_moves_and_ends_it_and_a_port_in_use_changes_nothing(tmp_path: Path) -> None:
    write_sounds(tmp_path)
    first, second = free_port(), free_port()
    with Run(tmp_path, "-c", configured(tmp_path, None)) as run, calling(first) as one, calling(second) as other:
        eventually(lambda: run.events("start"), START_SECONDS)
        assert not answers(one)
        configured(tmp_path, first)
        run.reload()
        eventually(lambda: answers(one), START_SECONDS)
        with socket.create_server(("127.0.0.1", second)):
            configured(tmp_path, second)
            run.reload()
            assert run.said(f"error reload: http: 127.0.0.1 port {second}: address already in use; ")
            eventually(lambda: answers(one), START_SECONDS)
        run.reload()
        eventually(lambda: answers(other), START_SECONDS)
        assert not answers(one)
        configured(tmp_path, None)
        run.reload()
        assert not answers(other)
        run.send(signal.SIGTERM)
        assert run.end(SOON) == 0


def test_a_port_in_use_at_start_is_one_line(tmp_path: Path) -> None:
    write_sounds(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Run(tmp_path, "-c", configured(tmp_path, port)) as run:
            assert run.end() == 1
    assert re.fullmatch(rf"earwitness: http: 127\.0\.0\.1 port {port}: address already in use; .*\n", run.log())


def test_where_privacy_forbids_it_no_sound_is_handed_out(guarded_box: Box) -> None:
    event = guarded_box.heard("start")[0]["id"]
    for place in (f"/clips/{event}.flac", f"/clips/{event}/scores"):
        refused = guarded_box.client.get(place, headers=BEARER)
        assert refused.status_code == 403
        assert refused.json() == {"detail": "privacy.audio = false: no sound leaves this program"}
    assert guarded_box.client.get("/sources", headers=BEARER).json()["clips"] == {
        "enabled": False,
        "allowed": False,
        "post": 3.0,
    }
    sounds = (content for name, content in guarded_box.stream(headers=BEARER) if name == "sound")
    assert "mel" not in {key for content, _ in zip(sounds, range(5), strict=False) for key in content}


def test_a_token_is_asked_for(guarded_box: Box) -> None:
    ask = guarded_box.client
    assert ask.get("/sources").status_code == 401
    assert ask.get("/openapi.json").status_code == 401
    assert ask.get("/readyz").json()["reasons"] is None
    assert ask.get("/").headers["location"] == "/login"
    assert "password" in ask.get("/login").text
    assert ask.get("/sources", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert ask.get("/sources", headers=BEARER).status_code == 200
    assert ask.post("/login", data={"token": "wrong"}).status_code == 401
    assert ask.get("/?token=wrong").status_code == 401


def test_a_session_is_a_browsers(guarded_box: Box) -> None:
    assert_session(guarded_box, guarded_box.client.post("/login", data={"token": TOKEN}))
    assert_session(guarded_box, guarded_box.client.get(f"/?token={TOKEN}"))


def assert_session(opened: Box, entered: httpx.Response) -> None:
    """A browser is in, changes something only from the page itself, and leaves."""
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    browser = opened.client
    told = browser.get("/sources")
    assert (told.status_code, told.json()["needs_login"]) == (200, True)
    event = opened.heard("start")[0]["id"]
    place, own = f"/events/{event}/verdict", {"origin": f"http://127.0.0.1:{opened.port}"}
    assert browser.post(place, json={"verdict": None}).status_code == 403
    assert browser.post(place, json={"verdict": None}, headers={"origin": "http://evil.example"}).status_code == 403
    assert browser.post(place, json={"verdict": None}, headers=own).status_code == 200
    assert browser.post("/logout", headers=own).headers["location"] == "/login"
    assert browser.get("/sources").status_code == 401


def test_it_ends_soon_whoever_still_watches(guarded_box: Box) -> None:
    with (
        closing(guarded_box.stream(headers=BEARER)) as live,  # type: ignore[type-var]  # a generator
        socket.create_connection(("127.0.0.1", guarded_box.port)) as silent,
    ):
        next(live)
        silent.sendall(f"GET /stream HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n\r\n".encode())
        guarded_box.run.send(signal.SIGTERM)
        assert guarded_box.run.end(SOON) == 0
    assert "Traceback" not in guarded_box.run.log()
    assert "error" not in guarded_box.run.log()
