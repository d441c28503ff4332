"""What can be opened, and why the rest cannot."""

from pathlib import Path

import pytest

from sed.source.devices import inputs, unreachable
from sed.source.portaudio import portaudio
from tests.microphone import VirtualMicrophone

CARDS = """\
00-00: ALC3246 Analog : ALC3246 Analog : playback 1 : capture 1
00-03: HDMI 0 : HDMI 0 : playback 1
01-00: USB Audio : USB Audio : capture 1
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer with two cards that capture, the nodes of one of them, and no audio server."""
    (tmp_path / "proc/asound").mkdir(parents=True)
    (tmp_path / "proc/asound/pcm").write_text(CARDS)
    (tmp_path / "dev/snd").mkdir(parents=True)
    (tmp_path / "dev/snd/pcmC1D0c").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    return tmp_path


def test_a_device_is_tried_out(tmp_path: Path) -> None:
    with VirtualMicrophone(tmp_path) as yard:
        yard.plug()
        portaudio().look_again("")
        found = {each.name: each for each in inputs(portaudio())}
    assert found["yard"].host_api == "ALSA"
    assert found["yard"].channels >= 1
    assert {16_000, 44_100, 48_000} <= set(found["yard"].rates)
    assert found["yard"].trouble == ""


def test_a_device_that_has_gone_tells_its_trouble(tmp_path: Path) -> None:
    with VirtualMicrophone(tmp_path) as yard:
        yard.plug()
        portaudio().look_again("")
        yard.kill()
        (found,) = (each for each in inputs(portaudio()) if each.name == "yard")
    assert found.rates == ()
    assert found.trouble != ""


def test_cards_that_are_not_listed_say_why(root: Path) -> None:
    assert unreachable([], root) == [
        "ALC3246 Analog (hw:0,0): there is no pcmC0D0c in /dev/snd; give the container or service access to it",
        "USB Audio (hw:1,0): does not open; another program, or an audio server, may be using it",
        f"audio server: none runs for this user (no {root}/pulse/native)",
    ]


def test_cards_that_are_listed_are_reached(root: Path) -> None:
    assert unreachable(["ALC3246: Analog (hw:0,0)", "USB Audio: - (hw:1,0)", "pulse"], root) == []


def test_a_user_outside_the_group_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root, who runs this, may open anything
    lines = unreachable(["(hw:0,0)", "pulse"], root)
    assert lines == ["USB Audio (hw:1,0): this user may not open pcmC1D0c; add it to the group audio"]


def test_a_server_that_does_not_answer(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/somewhere")
    (line,) = unreachable(["(hw:0,0)", "(hw:1,0)"], root)
    assert (
        line
        == "audio server: unix:/somewhere is not reached; see that it runs, and that libasound2-plugins is installed"
    )


def test_a_computer_without_sound(tmp_path: Path) -> None:
    assert "sound cards: the kernel knows of none (no /proc/asound/pcm)" in unreachable([], tmp_path)
