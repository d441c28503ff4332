"""The demo as `make demo` runs it: a real Mosquitto, a second client, and the street at its own speed."""

import os
import shutil
import subprocess
import sys

import pytest

from sed.errors import UsageError
from sed.shipped import DEFAULT_MODEL, example_path, model_path


def demo(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sed", "demo"], capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "100"} | environment,
    )  # fmt: skip


@pytest.mark.skipif(
    shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin") is None, reason="mosquitto is not installed"
)
def test_the_street_is_heard() -> None:
    done = demo()
    assert done.stderr == ""
    *_, last = done.stdout.splitlines()
    heard, true = int(last.split()[0]), int(last.split()[2])
    assert true == 7
    assert heard == true, done.stdout
    assert done.returncode == 0
    alerts = [line for line in done.stdout.splitlines() if "after its onset" in line]
    assert len(alerts) >= 7
    for line in alerts:  # generous: the figures are the benchmark's business
        assert float(line.split("told ")[1].split()[0]) < 5.0


def test_what_is_shipped_is_found_and_what_is_not_is_named() -> None:
    assert model_path(DEFAULT_MODEL).is_file()
    assert model_path(str(model_path(DEFAULT_MODEL))).is_file()
    assert example_path("make_street.py").is_file()
    with pytest.raises(UsageError, match=rf"no shipped model of that name \(shipped: .*{DEFAULT_MODEL}"):
        model_path("earwitness-99")
    with pytest.raises(UsageError, match="examples/none: not found"):
        example_path("none")
