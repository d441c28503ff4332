"""What an HTTP server may send: sound in many formats, titles, programmes that change, and what is no sound at all."""

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from sed.source.stream import LOUDEST, _floats
from tests.broker import certificates, eventually
from tests.network import MUSIC, NOISE, PATIENCE, TONE, hurry, opened, pitch, wait_for, wait_for_sound
from tests.radio import Radio, encoded, stamped
from tests.rtsp import RATE

quick = pytest.fixture(autouse=True)(hurry)


@pytest.mark.parametrize("kind", ["flac", "mp3", "ogg"])
def test_a_radio_station_is_heard(kind: str) -> None:
    """MP3 comes with titles between its bytes, as from Icecast."""
    radio = Radio({f"/live.{kind}": (encoded(MUSIC, RATE, kind.upper()), 3.0)}, burst=2.5)
    with radio, opened(radio.url(f"/live.{kind}")) as (network, listening):
        wait_for(network, "hearing")
        wait_for_sound(listening, 1.5)
    heard = listening.samples()
    if kind == "flac":
        np.testing.assert_allclose(heard, MUSIC[: len(heard)], atol=2**-15)
    assert pitch(heard[4000:20_000]) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("data", "seconds", "reason"),
    [
        (np.random.default_rng(1).bytes(300_000), 0.0, "http://127.0.0.1:"),
        (np.random.default_rng(1).bytes(40_000), 4.0, "the connection was given up"),
        (b"<html><body>Please log in</body></html>" * 100, 0.0, "http://127.0.0.1:"),
        (b"", 0.0, "http://127.0.0.1:"),
    ],
)
def test_what_is_no_sound(data: bytes, seconds: float, reason: str) -> None:
    with Radio({"/x": (data, seconds)}) as radio, opened(radio.url("/x")) as (network, listening):
        wait_for(network, "lost", reason)
        eventually(lambda: "connecting" not in network.reason, PATIENCE)
        wait_for(network, "lost", reason)
        assert listening.heard == 0


def test_sound_that_turns_into_noise_bytes_and_back() -> None:
    """A broken camera: nothing of it reaches the detector as not-a-number, and nobody crashes."""
    good = encoded(TONE[:RATE], RATE, "MP3")
    data = good + np.random.default_rng(2).bytes(len(good) // 2) + good
    with Radio({"/x.mp3": (data, 2.0)}, burst=0.5) as radio, opened(radio.url("/x.mp3")) as (_, listening):
        wait_for_sound(listening, 1.2)
    assert np.isfinite(listening.samples()).all()


@pytest.mark.parametrize("pause", [0.8, 0.0])
def test_a_time_stamp_that_jumps_is_believed_if_the_sound_was_away_as_long(pause: float) -> None:
    data = stamped(NOISE, RATE, (RATE, 0.8))
    radio = Radio({"/x.mkv": (data, 2.0)}, pauses={"/x.mkv": (len(data) // 2, pause)})
    with radio, opened(radio.url("/x.mkv")) as (network, listening):
        wait_for_sound(listening, 1.5)
    assert listening.lost / RATE == pytest.approx(pause, abs=0.001)
    assert network.losses.gaps == (pause > 0)


def test_a_rate_that_changes_in_the_middle() -> None:
    fast = (0.5 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / (2 * RATE))).astype(np.float32)
    data = encoded(TONE[: 2 * RATE], RATE, "MP3") + encoded(fast, 2 * RATE, "MP3")
    with Radio({"/x.mp3": (data, 4.0)}, burst=3.0) as radio, opened(radio.url("/x.mp3")) as (network, listening):
        wait_for_sound(listening, 3.5)
        assert network.opened == 1
    heard = listening.samples()
    for second in (0.5, 2.5):
        assert pitch(heard[round(second * RATE) : round((second + 1.0) * RATE)]) == pytest.approx(440, abs=2)
    assert listening.lost == 0


def test_a_next_programme_in_ogg() -> None:
    data = encoded(MUSIC, RATE, "OGG") + encoded(MUSIC, RATE, "OGG")
    with Radio({"/x.ogg": (data, 6.0)}, burst=4.0) as radio, opened(radio.url("/x.ogg")) as (network, listening):
        wait_for_sound(listening, 4.5)
        assert network.opened == 1
    assert pitch(listening.samples()[3 * RATE + 4000 : 4 * RATE + 4000]) == pytest.approx(440, abs=2)


def test_a_certificate_is_checked(tmp_path: Path) -> None:
    files = certificates(tmp_path)
    radio = Radio({"/x.mkv": (stamped(NOISE, RATE), 2.0)}, tls=files)
    url = radio.url("/x.mkv")
    with radio, opened(url, ca_file=files["ca"]) as (trusted, _), opened(url) as (doubted, _):
        wait_for(trusted, "hearing")
        wait_for(doubted, "lost", "or its certificate is not trusted (see ca_file)")


FULL = np.array([[-1.0, 0.5], [0.25, 0.0]])  # (n, channels)


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("s16", FULL * 2**15),
        ("s16p", FULL * 2**15),
        ("s32", FULL * 2**31),
        ("u8", FULL * 2**7 + 2**7),
        ("flt", FULL),
        ("fltp", FULL),
        ("dblp", FULL),
    ],
)
def test_every_way_to_store_samples(kind: str, stored: np.ndarray) -> None:
    kinds = {"s16": np.int16, "s32": np.int32, "u8": np.uint8, "flt": np.float32, "dbl": np.float64}
    packed = stored.astype(kinds[kind.removesuffix("p")])
    array = packed.T.copy() if kind.endswith("p") else packed.reshape(1, -1)
    floats = _floats(av.AudioFrame.from_ndarray(array, format=kind, layout="stereo"))
    assert floats.dtype == np.float32
    np.testing.assert_array_equal(floats, FULL)


@pytest.mark.parametrize(("kind", "dtype"), [("flt", np.float32), ("dblp", np.float64)])
def test_what_is_no_number_becomes_one(kind: str, dtype: type) -> None:
    """One of these in the model's memory would make it deaf for ever."""
    array: npt.NDArray[np.floating] = np.array(
        [[np.nan, np.inf, -np.inf, 1e300 if kind == "dblp" else 1e30, 0.5]], dtype
    )
    floats = _floats(av.AudioFrame.from_ndarray(array, format=kind, layout="mono"))
    np.testing.assert_array_equal(floats[:, 0], [0.0, LOUDEST, -LOUDEST, LOUDEST, 0.5])
