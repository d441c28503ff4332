"""What systemd says of the unit; a script stands in for systemctl, for tests do not run under systemd."""

from pathlib import Path

import pytest

from sed.doctor.unit import KEYS, judged, look

RUNNING = dict(zip(KEYS, ("loaded", "active", "running", "enabled", "success", "0"), strict=True))


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({}, "ok", "earwitness.service: active (running), started at boot"),
        ({"LoadState": "not-found", "ActiveState": "inactive"}, "ok", "not installed"),
        ({"ActiveState": "failed", "SubState": "failed", "Result": "exit-code"}, "failed", "exit-code; journalctl -u"),
        ({"ActiveState": "inactive", "SubState": "dead"}, "warning", "inactive (dead); systemctl enable --now"),
        ({"NRestarts": "7"}, "warning", "7 restarts after failures; journalctl -u earwitness.service -p warning"),
        ({"UnitFileState": "disabled"}, "warning", "not started at boot; systemctl enable"),
    ],
)
def test_what_its_properties_mean(change: dict[str, str], status: str, said: str) -> None:
    finding = judged(RUNNING | change)
    assert finding.status == status
    assert said in finding.line


def test_without_systemd(tmp_path: Path) -> None:
    (finding,) = look(tmp_path / "none")
    assert (finding.status, finding.found) == ("ok", "systemd does not run here: nothing to look at")


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        ("\n".join(f"echo {key}={value}" for key, value in RUNNING.items()), "ok", "active (running)"),
        (
            "echo 'Failed to connect to bus' >&2; exit 1",
            "warning",
            "systemctl does not answer (Failed to connect to bus)",
        ),
    ],
)
def test_systemctl_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, status: str, said: str
) -> None:
    program = tmp_path / "systemctl"
    program.write_text(f"#!/bin/sh\n[ \"$1 $2\" = 'show earwitness.service' ] || exit 9\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (finding,) = look(tmp_path)
    assert finding.status == status
    assert said in finding.found
