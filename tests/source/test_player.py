"""A recording at a microphone's pace."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.ring import RingBuffer
from sed.signals import Floats
from sed.source.file import AudioFile
from sed.source.player import Player

RATE = 16_000
NOISE = np.random.default_rng(6).normal(0.0, 0.1, RATE).astype(np.float32)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.wav", NOISE, RATE, subtype="FLOAT")
    return tmp_path / "a.wav"


def played(path: Path, speed: float | None, capacity: int = 10 * RATE) -> tuple[Floats, float, RingBuffer, Player]:
    ring = RingBuffer(capacity)
    with AudioFile(path) as file:
        player = Player(file, ring, RATE, speed)
        begin = time.monotonic()
        player.start()
        samples = np.concatenate([np.zeros(0, np.float32), *(b.samples for b in ring.blocks(320))])
        seconds = time.monotonic() - begin
        player.join()
    return samples, seconds, ring, player


@pytest.mark.parametrize(
    ("speed", "length", "least", "most"),
    [(1.0, 1, 0.99, 60.0), (100.0, 60, 0.59, 30.0), (None, 60, 0.0, 30.0)],  # a machine that is busy comes late
)
def test_pace(tmp_path: Path, speed: float | None, length: int, least: float, most: float) -> None:
    soundfile.write(tmp_path / "a.wav", np.tile(NOISE, length), RATE, subtype="FLOAT")
    samples, seconds, ring, player = played(tmp_path / "a.wav", speed)
    np.testing.assert_array_equal(samples, np.tile(NOISE, length))
    assert least <= seconds <= most
    assert player.seconds == pytest.approx(length)
    assert (ring.lost, player.error) == (0, None)


def test_flat_out_waits_for_the_reader_and_loses_nothing(recording: Path) -> None:
    samples, _, ring, _ = played(recording, None, capacity=1000)
    np.testing.assert_array_equal(samples, NOISE)
    assert ring.lost == 0


def test_a_block_is_never_handed_over_before_its_last_sample_was_heard(recording: Path) -> None:
    ring = RingBuffer(RATE)
    with AudioFile(recording) as file:
        player = Player(file, ring, RATE, 2.0)
        begin = time.monotonic()
        player.start()
        for block in ring.blocks(320):
            assert time.monotonic() - begin >= block.end / RATE / 2.0 - 0.001
        player.join()


def test_stop(recording: Path) -> None:
    ring = RingBuffer(RATE)
    with AudioFile(recording) as file:
        player = Player(file, ring, RATE, 0.01)
        player.start()
        player.wait_for_start()
        begin = time.monotonic()
        player.stop()
        assert list(ring.blocks(1)) == []
        assert time.monotonic() - begin < 30.0  # and not a hundred
        player.join()


def test_a_recording_that_breaks_off_closes_the_ring_and_says_why(tmp_path: Path) -> None:
    broken = NOISE.copy()
    broken[8_000] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken, RATE, subtype="FLOAT")
    samples, _, _, player = played(tmp_path / "nan.wav", None)
    assert len(samples) == 8_000
    assert str(player.error) == f"{tmp_path / 'nan.wav'}: sample 8000 (0.500 s) is not a number"


def test_a_signal_may_stop_it_while_it_is_being_stopped(recording: Path) -> None:
    """A handler that took a lock would wait for the code it interrupted, for ever: seen once in a thousand runs."""
    code = f"""
import signal, time
from sed.ring import RingBuffer
from sed.source.file import AudioFile
from sed.source.player import Player
player = Player(AudioFile({str(recording)!r}), RingBuffer(16_000), 16_000)
signal.signal(signal.SIGALRM, lambda number, frame: player.stop())
signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
until = time.monotonic() + 1.0
while time.monotonic() < until:
    player.stop()
signal.setitimer(signal.ITIMER_REAL, 0.0)
print("stopped")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout == "stopped\n"


def test_gain_and_what_is_seen_before_the_reader_gets_it(recording: Path) -> None:
    ring, seen = RingBuffer(2 * RATE), []
    with AudioFile(recording) as file:
        player = Player(file, ring, RATE, None, gain_db=-6.0, see=lambda block: seen.append((block.end, ring.waiting)))
        player.start()
        player.join()
    (block,) = ring.blocks(2 * RATE)
    np.testing.assert_allclose(block.samples, NOISE * 0.501187, rtol=1e-5)
    assert seen == [(end, end - 320) for end in range(320, RATE + 1, 320)]
