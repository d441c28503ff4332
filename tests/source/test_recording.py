"""Files and pipes as sources: their pace, their times, their states, their end."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.config import SourceConfig
from sed.ring import RingBuffer
from sed.signals import Floats
from sed.source import recording
from sed.source.opened import Nothing, open_source
from sed.source.recording import Recording
from tests.broker import eventually

RATE = 16_000
NOISE = np.random.default_rng(6).normal(0.0, 0.1, RATE).astype(np.float32)


def opened(url: str, **settings: object) -> tuple[Recording, RingBuffer]:
    ring = RingBuffer(10 * RATE)
    source = open_source(SourceConfig.model_validate({"name": "yard", "url": url, **settings}), ring, RATE)
    assert isinstance(source, Recording)
    return source, ring


def heard(ring: RingBuffer) -> Floats:
    return np.concatenate([block.samples for block in ring.blocks(320)])


def wav(path: Path, samples: Floats = NOISE) -> str:
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return f"file:{path}"


def test_a_file_is_played_at_a_microphones_pace_with_the_times_of_its_playing(tmp_path: Path) -> None:
    source, ring = opened(wav(tmp_path / "a.wav"), gain_db=6.0)
    assert (source.state, source.reason) == ("lost", "not opened yet")
    before = datetime.now(UTC)
    source.start()
    eventually(lambda: source.state == "hearing")
    assert source.reason == ""
    np.testing.assert_allclose(heard(ring), NOISE * 1.995262, rtol=1e-5)
    source.join()
    after = datetime.now(UTC)
    assert (source.state, source.reason) == ("stopped", "")
    assert before <= source.clock.utc(0) < source.clock.utc(RATE) <= after
    assert (source.clock.utc(RATE) - source.clock.utc(0)).total_seconds() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "no such file or folder"), (b"<html>", "not a recording"), (b"", "holds no sound")]
)
def test_a_file_that_cannot_be_played_says_why(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "a.wav").write_bytes(content)
    source, ring = opened(f"file:{tmp_path / 'a.wav'}")
    source.start()
    assert list(ring.blocks(320)) == []
    source.join()
    assert source.state == "stopped"
    assert reason in source.reason


@pytest.mark.parametrize("early", [True, False])
def test_stopping_closes_the_ring_soon(tmp_path: Path, early: bool) -> None:
    source, ring = opened(wav(tmp_path / "a.wav", np.tile(NOISE, 30)))
    if early:
        source.stop()
    source.start()
    if not early:
        eventually(lambda: ring.waiting > 0)
        source.stop()
    begin = time.monotonic()
    assert len(list(ring.blocks(320))) <= 20
    assert time.monotonic() - begin < 20.0  # and not thirty
    source.join()
    assert (source.state, source.reason) == ("stopped", "")


def test_zeros_for_long_are_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "SILENT_SECONDS", 0.3)
    sound = np.concatenate([NOISE, np.zeros(24_000, np.float32), NOISE])  # each long enough to be seen
    source, _ = opened(wav(tmp_path / "a.wav", sound))
    source.start()
    states = []
    while source.is_alive():
        states.append((source.state, source.reason))
        time.sleep(0.01)
    told = [state for n, state in enumerate(states) if n == 0 or states[n - 1] != state]
    wanted = [("hearing", ""), ("silent", "nothing but zeros for 0.3 s"), ("hearing", "")]
    assert [state for state in told if state[0] in ("hearing", "silent")] == wanted


@contextmanager
def standard_input() -> Iterator[int]:
    """A pipe in the place of standard input; gives the end to write to."""
    kept, (reading, writing) = os.dup(0), os.pipe()
    os.dup2(reading, 0)
    try:
        yield writing
    finally:
        os.dup2(kept, 0)
        for each in (kept, reading, writing):
            os.close(each)


def test_a_pipe_that_dries_up_is_lost_until_sound_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "LOST_SECONDS", 0.4)
    sound = (NOISE * 32_767).astype("<i2").tobytes()
    header = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x80>\0\0\0}\0\0\x02\0\x10\0data\xff\xff\xff\xff"
    with standard_input() as pipe:
        source, ring = opened("-")
        source.start()
        os.write(pipe, header + sound[:12_800])
        eventually(lambda: ring.waiting == 6400)
        dried = datetime.now(UTC)
        eventually(lambda: (source.state, source.reason) == ("lost", "no sound has come for 0.4 s"))
        resumed = datetime.now(UTC)
        os.write(pipe, sound[:12_800])
        eventually(lambda: source.state == "hearing")
        eventually(lambda: ring.waiting == 12_800)
        source.stop()
        os.write(pipe, sound[:1280])
        source.join(60.0)
    assert (source.state, source.reason) == ("stopped", "")
    assert dried - resumed < timedelta(seconds=-0.3)
    assert source.clock.utc(6399) <= dried
    assert source.clock.utc(12_800) >= resumed  # the time that passed in between is no sound


def test_a_source_that_this_machine_cannot_have_ends_at_once_with_the_reason() -> None:
    ring = RingBuffer(RATE)
    source = Nothing(ring, RATE, "no PortAudio here")
    source.start()
    assert list(ring.blocks(320)) == []
    source.stop()
    source.join()
    assert (source.state, source.reason, source.clock.sample_rate) == ("stopped", "no PortAudio here", RATE)
