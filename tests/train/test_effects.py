"""What rooms, distance and microphones do: lengths, levels and onsets are kept."""

import numpy as np
import pytest

from sed.train import effects

RATE = 16_000
CLICK = np.eye(1, 8000, 1000, dtype=np.float32)[0]


def rng() -> np.random.Generator:
    return np.random.default_rng(4)


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_speed_changes_length_and_pitch_alike(factor: float) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    fast = effects.speed(tone, factor)
    assert len(fast) == pytest.approx(RATE / factor, abs=2)
    peak = np.argmax(np.abs(np.fft.rfft(fast))) * RATE / len(fast)
    assert peak == pytest.approx(1000 * factor, abs=2)


def test_drift_keeps_the_length_and_starts_higher_than_it_ends() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(4 * RATE) / RATE).astype(np.float32)
    drifted = effects.drift(tone, rng())
    assert len(drifted) == len(tone)
    crossings = [np.count_nonzero(np.diff(np.sign(part))) for part in (drifted[:RATE], drifted[-RATE:])]
    assert crossings[0] > crossings[1]


def test_a_room_adds_a_tail_but_does_not_move_the_onset() -> None:
    for room in effects.rooms(8, RATE, rng()):
        assert room[0] == 1.0
        heard = effects.colour(CLICK, rng(), RATE, room)
        assert len(heard) == len(CLICK) + len(room) - 1
        assert np.abs(heard[:980]).max() < 0.05 * np.abs(heard).max()


def test_tone_is_a_gain_for_each_bin() -> None:
    gain = effects.tone(RATE, rng(), 257)
    assert gain.shape == (257,)
    assert (gain > 0).all()


def test_a_muffled_sound_keeps_its_lows() -> None:
    time = np.arange(RATE) / RATE
    low, high = (np.sin(2 * np.pi * hz * time).astype(np.float32) for hz in (300, 6000))
    for seed in range(6):
        kept, lost = (effects.muffle(tone, np.random.default_rng(seed), RATE) for tone in (low, high))
        assert np.std(kept) == pytest.approx(np.std(low), rel=0.05)
        assert np.std(lost) < 0.6 * np.std(high)


def test_fades_begin_and_end_at_nothing() -> None:
    faded = effects.fade(np.ones(100, np.float32), 10, 20)
    assert faded[0] == faded[-1] == 0.0
    assert (faded[10:80] == 1.0).all()
    assert len(effects.fade(np.zeros(0, np.float32), 10, 20)) == 0


def test_hiss_has_rms_one() -> None:
    generator = rng()
    for _ in range(6):
        assert np.sqrt(np.mean(np.square(effects.hiss(RATE, generator)))) == pytest.approx(1.0, abs=0.05)
