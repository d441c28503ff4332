"""Simulated rooms: reflections where geometry puts them, decay as Eyring says, onsets kept, made once."""

from pathlib import Path

import numpy as np
import pytest

from sed.signals import Floats
from sed.train.rooms import Place, place, response, simulated

RATE = 16_000
SPEED = 343.0  # metres a second, within half a per cent of the library's
WALLS = ("east", "west", "north", "south", "floor", "ceiling")


def box(absorption: float, distance: float, **other: float) -> Place:
    lost = {wall: [other.get(wall, absorption)] * 6 for wall in WALLS}
    microphone = np.array([2.0, 3.0, 1.5])
    size = (12.0, 7.0, 4.0)
    return Place(size, lost, microphone + np.array([distance, 0.0, 0.0]), microphone, outdoors=bool(other))


def decay(heard: Floats) -> float:
    """Seconds to fall by 60 dB: Schroeder's backward integral, from -5 to -25 dB."""
    rest = np.cumsum(np.square(heard[::-1], dtype=np.float64))[::-1]
    level = 10.0 * np.log10(rest / rest[0] + 1e-12)
    return float(3.0 * (np.count_nonzero(level > -25.0) - np.count_nonzero(level > -5.0)) / RATE)


def direct_to_rest(heard: Floats) -> float:
    return float(10.0 * np.log10(np.sum(heard[:16] ** 2) / np.sum(heard[16:] ** 2)))


@pytest.mark.parametrize("absorption", [0.15, 0.4])
def test_a_room_decays_as_its_walls_and_volume_say(absorption: float) -> None:
    walls = 2 * (12 * 7 + 12 * 4 + 7 * 4)
    eyring = 0.161 * 12 * 7 * 4 / (-walls * np.log(1.0 - absorption))
    assert decay(response(box(absorption, 5.0), RATE, 1)) == pytest.approx(eyring, rel=0.3)


def test_under_the_open_sky_the_ground_answers_first() -> None:
    heard = response(box(0.99, 6.0, floor=0.05), RATE, 1)
    late = round((np.hypot(6.0, 2 * 1.5) - 6.0) / SPEED * RATE)
    assert int(np.argmax(np.abs(heard[10:]))) + 10 == pytest.approx(late, abs=2)
    assert np.abs(heard[late - 2 : late + 3]).max() == pytest.approx(0.975 * 6.0 / np.hypot(6.0, 3.0), rel=0.25)


def test_far_sounds_are_more_reverberant() -> None:
    near, far = (direct_to_rest(response(box(0.2, metres), RATE, 1)) for metres in (1.0, 8.0))
    assert near > far + 6.0


def test_places_hold_their_sources_at_all_distances() -> None:
    places = [place(RATE, np.random.default_rng(seed)) for seed in range(200)]
    away = np.array([one.distance for one in places])
    assert 0.4 < away.min() < 1.5
    assert 20.0 < away.max() < 31.0
    assert all(
        (point > 0).all() and (point < one.size).all() for one in places for point in (one.source, one.microphone)
    )
    assert 0.15 < np.mean([one.outdoors for one in places]) < 0.35


def test_rooms_are_made_once_and_begin_with_the_direct_sound(tmp_path: Path) -> None:
    made = simulated(4, RATE, 3, tmp_path)
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    kept = simulated(4, RATE, 3, tmp_path)
    assert file.stat().st_mtime_ns == written
    for one, same in zip(made, kept, strict=True):
        np.testing.assert_array_equal(one, same)
        assert one.dtype == np.float32
        assert one[0] == 1.0
        assert np.isfinite(one).all()
        assert len(one) <= 1.5 * RATE


def test_the_seed_decides(tmp_path: Path) -> None:
    one, same, other = (simulated(2, RATE, seed, tmp_path / str(n)) for n, seed in enumerate((3, 3, 4)))
    for a, b, c in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)
