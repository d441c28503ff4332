"""The demo as `make demo` runs it: a real Mosquitto, a second client, and the street at its own speed."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import soundfile

from sed.errors import UsageError
from sed.shipped import DEFAULT_MODEL, example_path, model_path

ENVIRONMENT = os.environ | {"NO_COLOR": "1", "COLUMNS": "100"}
pytestmark = pytest.mark.skipif(
    shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin") is None, reason="mosquitto is not installed"
)


def answer(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60.0) as response:  # noqa: S310 - our own page
        body: bytes = response.read()
    return body


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Whatever happens, nobody waits for it for ever."""
    try:
        yield
    finally:
        process.kill()


def test_the_street_is_heard_and_the_page_shows_it() -> None:
    command = [sys.executable, "-m", "sed", "demo", "--page"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("http://"):
                break
        address = lines[-1].split()[0]
        page = answer(address).decode()
        events = json.loads(answer(f"{address}events"))["events"]
        clip = answer(f"{address}clips/{events[-1]['id']}.flac")
        process.send_signal(signal.SIGINT)
        assert process.wait(60.0) == 0
        assert process.stderr.read() == ""
    *_, last, _ = lines
    heard, true = int(last.split()[0]), int(last.split()[2])
    assert (heard, true) == (7, 7), "\n".join(lines)
    alerts = [line for line in lines if "after its onset" in line]
    assert len(alerts) >= 7
    for line in alerts:  # generous: the figures are the benchmark's business
        assert float(line.split("told ")[1].split()[0]) < 20.0
    assert "earwitness" in page
    assert [event["source"] for event in events] == ["street"] * len(alerts)
    samples, rate = soundfile.read(io.BytesIO(clip))
    assert (rate, len(samples) / rate) == (16_000, pytest.approx(2.0 + events[-1]["duration"] + 3.0, abs=0.5))


def test_what_is_shipped_is_found_and_what_is_not_is_named() -> None:
    assert model_path(DEFAULT_MODEL).is_file()
    assert model_path(str(model_path(DEFAULT_MODEL))).is_file()
    assert example_path("make_street.py").is_file()
    with pytest.raises(UsageError, match=rf"no shipped model of that name \(shipped: .*{DEFAULT_MODEL}"):
        model_path("earwitness-99")
    with pytest.raises(UsageError, match="examples/none: not found"):
        example_path("none")
