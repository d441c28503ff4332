"""Who may open sound cards: on a computer, in a container, in a unit; the kernel's files are laid out in a folder."""

import os
from pathlib import Path

import pytest

from sed.doctor import access
from sed.doctor.access import look, users_of_inputs
from sed.doctor.finding import Finding


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No audio server, and not inside of anything."""
    for name in ("PULSE_SERVER", "container"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def only(root: Path) -> Finding:
    (finding,) = look(root)
    return finding


def test_a_card_that_we_may_open(tmp_path: Path) -> None:
    write(tmp_path / "dev/snd/pcmC1D0c")
    write(tmp_path / "dev/snd/pcmC0D0p")  # playback
    finding = only(tmp_path)
    assert finding.status == "ok"
    assert finding.found.endswith("may open 1 of 1 inputs in /dev/snd")


@pytest.mark.parametrize(
    ("inside", "advice"),
    [
        ("", "sudo usermod -aG audio $USER, then log in again"),
        ("run/.containerenv", "start the container with --device /dev/snd --group-add audio"),
        ("proc/self/cgroup", "in the unit: SupplementaryGroups=audio and DeviceAllow=char-alsa rw"),
    ],
)
def test_a_card_that_we_may_not_open(tmp_path: Path, inside: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "dev/snd/pcmC1D0c")
    if inside:
        write(tmp_path / inside, "0::/system.slice/earwitness.service\n")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may open everything
    finding = only(tmp_path)
    assert finding.status == "failed"
    assert "may not open pcmC1D0c in /dev/snd" in finding.found
    assert finding.advice.startswith(advice)


@pytest.mark.parametrize(
    ("inside", "found", "advice"),
    [
        ("", "there is no input in /dev/snd", "plug a microphone in"),
        (".dockerenv", "of this container", "--device /dev/snd"),
        ("proc/self/cgroup", "of this service", "no PrivateDevices"),
    ],
)
def test_no_card_at_all(tmp_path: Path, inside: str, found: str, advice: str) -> None:
    if inside:
        write(tmp_path / inside, "0::/system.slice/earwitness.service\n")
    finding = only(tmp_path)
    assert finding.status == "failed"
    assert found in finding.found
    assert advice in finding.advice


def test_a_session_is_no_service(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/user.slice/user-1000.slice/session-1.scope\n")
    assert not access.service(tmp_path)


def test_an_audio_server_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = write(tmp_path / "run/pulse/native")
    assert only(tmp_path).found.endswith(f"reaches sound through the audio server at {socket}")
    monkeypatch.setenv("PULSE_SERVER", "tcp:desk")
    assert only(tmp_path).found.endswith("at tcp:desk")


def test_who_has_an_input_open(tmp_path: Path) -> None:
    write(tmp_path / "proc/asound/card0/pcm0c/sub0/status", "state: RUNNING\nowner_pid   : 812\ntrigger_time: 1.2\n")
    write(tmp_path / "proc/asound/card1/pcm0c/sub0/status", "closed\n")
    write(tmp_path / "proc/asound/card2/pcm0c/sub0/status", f"state: RUNNING\nowner_pid   : {os.getpid()}\n")
    write(tmp_path / "proc/asound/card3/pcm0c/sub0/status", "state: RUNNING\nowner_pid   : 9\n")
    write(tmp_path / "proc/812/comm", "earwitness\n")
    assert users_of_inputs(tmp_path) == ["earwitness (process 812)", "another program (process 9)"]
