"""Sources that open and sources that do not, through a real audio server; and what sounds are like."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.config import SourceConfig
from sed.doctor import source as doctor
from sed.doctor.finding import Finding
from sed.signals import Floats
from sed.source.portaudio import portaudio
from tests.broker import free_port
from tests.microphone import RATE, Shorts, VirtualMicrophone, zeros

TIME = np.arange(RATE) / RATE


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.3)
    monkeypatch.setattr(doctor, "PATIENCE_SECONDS", 0.2)


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[VirtualMicrophone]:
    with VirtualMicrophone(tmp_path) as virtual:
        virtual.plug()
        portaudio().look_again("")
        yield virtual


def found(url: str, **settings: object) -> list[Finding]:
    return list(doctor.look(SourceConfig.model_validate({"name": "yard", "url": url, **settings})))


def test_a_microphone_and_its_level(yard: VirtualMicrophone) -> None:
    def tone(start: int, end: int) -> Shorts:  # a tenth of full scale
        wave: Shorts = np.round(3276.8 * np.sin(np.arange(start, end) * (2 * np.pi * 440 / RATE))).astype(np.int16)
        return wave

    yard.sound = tone
    opened, level = found("mic:yard", gain_db=6.0)
    assert (opened.status, opened.found) == ("ok", "mic:yard opens, 0.3 s heard, channel 0")
    assert level.status == "ok"
    peak, mean = float(level.found.split()[1]), float(level.found.split()[4])
    assert peak == pytest.approx(-20.0 + 6.0, abs=0.3)
    assert mean == pytest.approx(-23.0 + 6.0, abs=0.3)


def test_a_microphone_that_is_muted(yard: VirtualMicrophone) -> None:
    yard.sound = zeros
    opened, level = found("mic:yard", channel="mix")
    assert opened.found.endswith("all channels mixed")
    assert (level.status, level.found) == ("failed", "nothing but zeros: muted, or the wrong input")


def test_one_that_is_not_there_and_one_that_is_too_short_of_channels(yard: VirtualMicrophone) -> None:
    (missing,) = found("mic:cellar")
    assert missing.status == "failed"
    assert "mic:cellar: no microphone 'cellar' (there are: " in missing.found
    assert missing.advice == "plug it in, or see 'earwitness devices'"
    (channel,) = found("mic:yard", channel=99)
    assert "has no channel 99" in channel.found
    assert channel.status == "failed"


def test_recordings(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 0.25 * np.sin(2 * np.pi * 1000 * TIME), RATE, subtype="FLOAT")
    opened, level = found(f"file:{tmp_path}/a.wav")
    assert opened.found == f"file:{tmp_path}/a.wav opens, 0.3 s heard, channel 0"
    assert float(level.found.split()[1]) == pytest.approx(-12.0, abs=0.1)
    (missing,) = found(f"file:{tmp_path}/b.wav")
    assert (missing.status, "no such file" in missing.found) == ("failed", True)


def test_standard_input_is_left_alone() -> None:
    (finding,) = found("-")
    assert finding.status == "ok"


def sine(peak: float, offset: float = 0.0) -> Floats:
    return (peak * np.sin(2 * np.pi * 100 * TIME) + offset).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "gain_db", "expected"),
    [
        (sine(0.1), 0.0, ["ok peak -20.0 dBFS, mean -23.0 dBFS"]),
        (sine(0.0001), 0.0, ["warning peak -80.0 dBFS, mean -83.0 dBFS: hardly anything is heard"]),
        (sine(0.0001), 20.0, ["ok peak -60.0 dBFS, mean -63.0 dBFS"]),
        (np.clip(sine(2.0), -1.0, 1.0), -20.0, ["warning clipped: 6", "ok peak -20.0 dBFS"]),
        (
            sine(0.1, offset=0.2),
            0.0,
            ["warning DC offset of 20 % of", "ok peak -10.5 dBFS, mean -23.0 dBFS"],
        ),
        (np.zeros(100, np.float32), 40.0, ["failed nothing but zeros"]),
        (np.full(100, 0.5, np.float32), 0.0, ["warning DC offset of 50 %", "ok peak -6.0 dBFS, mean -120.0 dBFS"]),
    ],
)
def test_what_sound_is_like(samples: Floats, gain_db: float, expected: list[str]) -> None:
    findings = list(doctor.judged(doctor.Sound.of(samples), gain_db))
    assert len(findings) == len(expected)
    for finding, words in zip(findings, expected, strict=True):
        assert f"{finding.status} {finding.found}".startswith(words)


def test_a_card_that_another_program_has_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "users_of_inputs", lambda: ["arecord (process 7)"])
    (finding,) = found("mic:cellar")
    assert (finding.status, "; in use: arecord (process 7)" in finding.found) == ("failed", True)
    monkeypatch.setattr(doctor, "users_of_inputs", lambda: ["earwitness (process 8)"])
    (finding,) = found("mic:cellar")
    assert (finding.status, "stop it to ask again" in finding.advice) == ("warning", True)


def test_a_stream_of_the_network_that_nobody_sends_and_no_word_of_its_password() -> None:
    (finding,) = found(f"http://gate:sesame@127.0.0.1:{free_port()}/yard.mp3")
    assert finding.status == "failed"
    assert "sesame" not in finding.line
    assert finding.found.count("http://") == 1


def test_satellites_are_not_waited_for() -> None:
    (finding,) = found("zmq+tcp://127.0.0.1:5600")
    assert finding.status == "ok"
