"""The systemd unit, where there is one."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sed.doctor.finding import Finding, failed, ok, warning

UNIT = "earwitness.service"
BOOTED = Path("/run/systemd/system")
"""There if systemd runs this computer (sd_booted(3))."""

ASK_SECONDS = 10.0
KEYS = ("LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts")


def look(booted: Path = BOOTED) -> Iterator[Finding]:
    """What systemd says of the unit."""
    if not booted.is_dir() or shutil.which("systemctl") is None:
        yield ok("systemd does not run here: nothing to look at")
        return
    command = ["systemctl", "show", UNIT, f"--property={','.join(KEYS)}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ASK_SECONDS)
    said = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    if done.returncode != 0 or set(said) != set(KEYS):
        yield warning(f"systemctl does not answer ({done.stderr.strip() or 'no word'})", "try 'systemctl status'")
        return
    yield judged(said)


def judged(said: dict[str, str]) -> Finding:
    """What the unit's properties mean."""
    state = f"{UNIT}: {said['ActiveState']} ({said['SubState']})"
    restarts = int(said["NRestarts"] or 0)
    if said["LoadState"] == "not-found":
        return ok(f"{UNIT}: not installed")
    if said["ActiveState"] == "failed":
        return failed(f"{state}, {said['Result']}", f"journalctl -u {UNIT} -n 20, then systemctl restart {UNIT}")
    if said["ActiveState"] != "active":
        return warning(state, f"systemctl enable --now {UNIT}")
    if restarts:
        return warning(f"{state}, {restarts} restarts after failures", f"journalctl -u {UNIT} -p warning")
    if said["UnitFileState"] != "enabled":
        return warning(f"{state}, and not started at boot", f"systemctl enable {UNIT}")
    return ok(f"{state}, started at boot")
