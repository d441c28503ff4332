"""Recordings that people send: all that can be read is listened to, all else refused, and detection goes on."""

import io
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
import soundfile

from benchmarks.process import Process
from tests.broker import eventually
from tests.daemon import START_SECONDS
from tests.toy import RATE, bursts
from tests.web.box import Box, calling


def encoded(form: str = "WAV", subtype: str | None = None, rate: int = RATE, channels: int = 1) -> bytes:
    """Two seconds, half of a second of which is loud."""
    sound = bursts((1.0, 1.5), seconds=2.0, rate=rate)
    soundfile.write(target := io.BytesIO(), np.stack([sound] * channels, axis=1), rate, subtype, format=form)
    return target.getvalue()


def silence(minutes: float) -> bytes:
    """FLAC of nothing: some kB a minute, if anybody unpacks it."""
    soundfile.write(target := io.BytesIO(), np.zeros(round(minutes * 60 * 8_000), np.int16), 8_000, format="FLAC")
    return target.getvalue()


def promising(seconds: int) -> bytes:
    """A WAV of eight bits that has one second, and says it has so many."""
    size = seconds * 8_000
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8_000, 8_000, 1, 8)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size) + bytes(8_000)


def sent(open_box: Box, content: bytes | Iterator[bytes]) -> httpx.Response:
    return open_box.client.post("/classify", content=content)


@pytest.mark.parametrize(
    ("form", "subtype", "rate"),
    [("WAV", "PCM_16", RATE), ("FLAC", "PCM_24", 44_100), ("OGG", "VORBIS", 48_000), ("MP3", None, 44_100)],
)
def test_whatever_can_be_read(open_box: Box, form: str, subtype: str | None, rate: int) -> None:
    found = sent(open_box, encoded(form, subtype, rate, channels=2)).json()
    assert found["model"] == "toy"
    assert found["seconds"] == pytest.approx(2.0, abs=0.1)
    (event,) = found["events"]
    assert (event["onset"], event["offset"]) == (pytest.approx(1.0, abs=0.15), pytest.approx(1.5, abs=0.15))
    assert event["level_dbfs"] == pytest.approx(-20.0, abs=6.0)  # what lay above 8 kHz is gone
    assert found["labels"] == {"tone": event["score"]}
    assert (event["flag_for_review"], found["flag_for_review"]) == (False, False)


def test_a_form_and_a_name_that_is_a_path(open_box: Box) -> None:
    raw = sent(open_box, encoded()).json()
    for name in ("a.wav", "../../../etc/cron.d/x", "/etc/passwd", "nul\0.wav", "..", "ü" * 300):
        assert open_box.client.post("/classify", files={"file": (name, encoded())}).json() == raw


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (b"", 422, "holds no sound (0 bytes)"),
        (b"hello", 422, "not a recording that can be read (unknown format, or the header is cut short)"),
        (encoded()[:30_000], 422, "the data ends early"),
        (promising(100 * 3_600), 422, "the data ends early"),
        (silence(11), 413, "need 10 minutes at most"),
        (encoded(channels=40), 422, "need 16 channels at most, the header says 40"),
        (encoded("WAV", rate=1_000), 422, "need 8000 to 192000 samples a second"),
    ],
    ids=["empty", "text", "cut short", "100 hours", "bomb", "40 channels", "1 kHz"],
)
def test_what_is_refused(open_box: Box, content: bytes, status: int, detail: str) -> None:
    refused = sent(open_box, content)
    assert refused.status_code == status, refused.text
    assert refused.json()["detail"].startswith(detail)


def test_what_is_announced_too_large_is_not_read(open_box: Box) -> None:
    with socket.create_connection(("127.0.0.1", open_box.port), timeout=30.0) as raw:
        raw.sendall(b"POST /classify HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2000000000\r\n\r\n")
        assert raw.makefile("rb").readline().startswith(b"HTTP/1.1 413 ")


def test_what_turns_out_too_large_is_given_up(open_box: Box) -> None:
    assert sent(open_box, iter([bytes(1_000_000)] * 25)).status_code == 413


def test_what_breaks_off_leaves_nothing(open_box: Box) -> None:
    process = Process(open_box.run.process.pid)
    sent(open_box, encoded())
    before = process.handles
    for head in (b"content-length: 1000000\r\n", b"transfer-encoding: chunked\r\n"):
        with socket.create_connection(("127.0.0.1", open_box.port)) as raw:
            raw.sendall(b"POST /classify HTTP/1.1\r\nhost: localhost\r\n" + head + b"\r\n")
    eventually(lambda: process.handles <= before, START_SECONDS)
    assert sent(open_box, encoded()).status_code == 200


def test_a_form_that_is_none(open_box: Box) -> None:
    form = {"content-type": "multipart/form-data; boundary=x"}
    assert open_box.client.post("/classify", content=b"hello", headers=form).status_code in (400, 422)
    assert open_box.client.post("/classify", content=b"--x--", headers={**form}).status_code in (400, 422)
    no_boundary = {"content-type": "multipart/form-data"}
    assert open_box.client.post("/classify", content=b"hello", headers=no_boundary).status_code == 400
    assert open_box.client.post("/classify", data={"a": "b"}, files={}).status_code == 422


def test_fifty_at_once_and_the_detection_goes_on(open_box: Box) -> None:
    sound = encoded("WAV", "PCM_16")

    def send(_: int) -> int:
        with calling(open_box.port) as client:
            return client.post("/classify", content=sound).status_code

    with ThreadPoolExecutor(50) as crowd:
        statuses = list(crowd.map(send, range(50)))
    assert set(statuses) <= {200, 429}
    assert statuses.count(200) >= 1
    ended = len(open_box.run.events("end"))
    eventually(lambda: len(open_box.run.events("end")) > ended, START_SECONDS)
    assert open_box.client.get("/sources").json()["sources"][0]["dropped_samples"] == 0
    assert {event["lost_samples"] for event in open_box.run.events()} == {0}
    assert "Traceback" not in open_box.run.log()
