"""Streams in the network, from a real RTSP server and a real HTTP server, and through what goes wrong with them."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sed.config import SourceConfig
from sed.ring import RingBuffer
from sed.source import network as network_module
from sed.source import stream as stream_module
from sed.source.network import Network
from sed.source.opened import Nothing
from tests.broker import eventually, free_port
from tests.daemon import SOON, START_SECONDS, Run
from tests.microphone import PERIOD, Listening, Shorts
from tests.network import (
    NOISE,
    PATIENCE,
    TONE,
    black_hole,
    hurry,
    opened,
    pitch,
    wait_for,
    wait_for_sound,
)
from tests.radio import Radio, encoded, stamped
from tests.rtsp import RATE, Camera, late
from tests.toy import bursts, metadata, write_toy

quick = pytest.fixture(autouse=True)(hurry)


@pytest.fixture(scope="module")
def ramp_camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camera]:
    """One that no test stops."""
    with Camera(tmp_path_factory.mktemp("camera")) as running:
        yield running


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    with Camera(tmp_path) as running:
        yield running


def assert_true_times(network: Network, listening: Listening, camera: Camera) -> None:
    """The ramp tells when its samples sounded."""
    block = [block for block in listening.blocks if len(block.samples)][-1]
    captured = network.clock.captured(block.start)
    assert captured is not None
    told = captured - time.clock_gettime(time.CLOCK_BOOTTIME) + time.monotonic() - camera.begun
    assert abs(late(float(block.samples[0]), told)) < 0.15


def test_a_camera_is_heard_bit_by_bit_with_its_times(ramp_camera: Camera) -> None:
    with opened(ramp_camera.url()) as (network, listening):
        wait_for(network, "hearing")
        wait_for_sound(listening, 1.0)
        assert_true_times(network, listening, ramp_camera)
        assert (network.reason, network.opened) == ("", 1)
    steps = np.diff(listening.samples() * 32768)
    np.testing.assert_array_equal(np.unique(steps % PERIOD), [1.0])
    assert listening.lost == 0


@pytest.mark.parametrize("path", ["/opus", "/telephone", "/both"])
def test_what_cameras_send(path: str, tmp_path: Path) -> None:
    """Opus at 48 kHz in stereo, mu-law at 8 kHz, and a picture beside it that nobody asks for."""
    with (
        Camera(tmp_path, (TONE[:RATE] * 32_767).astype(np.int16)) as camera,
        opened(camera.url(path)) as (_, listening),
    ):
        wait_for_sound(listening, 1.5)
    sound = listening.samples()[RATE // 2 : RATE // 2 + RATE]
    assert pitch(sound) == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    assert listening.lost == 0


def test_channel_mix_and_gain(tmp_path: Path) -> None:
    stereo: Shorts = np.tile(np.array([3000, -1000], np.int16), (RATE, 1))
    with (
        Camera(tmp_path, stereo, channels=2) as camera,
        opened(camera.url()) as (_, left),
        opened(camera.url(), channel=1, gain_db=-20.0) as (_, right),
        opened(camera.url(), channel="mix") as (_, mix),
        opened(camera.url(), channel=7) as (wrong, _),
    ):
        for listening in (left, right, mix):
            wait_for_sound(listening, 0.3)
        wait_for(wrong, "lost", "it has no channel 7: it has 2, from 0")
    for listening, wanted in ((left, 3000), (right, -100), (mix, 1000)):
        assert listening.samples()[-1] * 32768 == pytest.approx(wanted, abs=0.01)


def test_a_server_that_is_killed_and_started_again(camera: Camera) -> None:
    with opened(camera.url()) as (network, listening):
        wait_for_sound(listening, 0.5)
        camera.kill()
        wait_for(network, "lost", "nothing answers at this port (connection refused)")
        eventually(lambda: listening.lost > 0)  # told before sound comes again
        camera.start()
        wait_for(network, "hearing")
        wait_for_sound(listening, 0.5)
        assert_true_times(network, listening, camera)
        assert (network.opened, network.losses.gaps) == (2, 1)
    assert listening.heard + listening.lost == listening.blocks[-1].end


def test_a_server_that_hangs_for_a_moment(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "READ_SECONDS", 60.0)
    with opened(camera.url()) as (network, listening):
        wait_for_sound(listening, 0.5)
        camera.freeze()
        wait_for(network, "lost", "no sound has come for 0.6 s")
        time.sleep(1.0)
        camera.thaw()
        wait_for(network, "hearing")
        eventually(lambda: listening.lost > RATE, PATIENCE)
        wait_for_sound(listening, 0.5)
        assert_true_times(network, listening, camera)
        assert network.opened == 1  # the connection was kept
    assert listening.heard + listening.lost == listening.blocks[-1].end


def test_a_server_that_hangs_is_given_up_and_found_again(camera: Camera) -> None:
    with opened(camera.url()) as (network, listening):
        wait_for_sound(listening, 0.5)
        camera.freeze()
        wait_for(network, "lost", "no sound has come for too long; the connection was given up")
        eventually(lambda: listening.lost > 0)
        camera.thaw()
        wait_for(network, "hearing")
        wait_for_sound(listening, 0.5)
        assert_true_times(network, listening, camera)
        assert network.opened == 2


def test_a_camera_without_sound_and_a_path_that_is_wrong(ramp_camera: Camera) -> None:
    with opened(ramp_camera.url("/picture")) as (silent, _), opened(ramp_camera.url("/nope")) as (wrong, _):
        wait_for(silent, "lost", "it has no sound; switch the sound on at the camera")
        wait_for(wrong, "lost", "the server knows no stream of that name (404)")


def test_a_wrong_password_is_not_tried_again_soon_and_a_right_one_is_let_in(tmp_path: Path) -> None:
    (tmp_path / "right").write_text("ge/he@im\n")
    (tmp_path / "wrong").write_text("geraten\n")
    with Camera(tmp_path, user="me", password="ge/he@im") as camera:
        url = camera.url(user="me")
        with (
            opened(url, password_file=tmp_path / "right") as (right, _),
            opened(url, password_file=tmp_path / "wrong") as (wrong, _),
            opened(camera.url(user="me:ge%2Fhe%40im")) as (inline, _),
        ):
            wait_for(right, "hearing")
            wait_for(inline, "hearing")
            shown = f"rtsp://127.0.0.1:{camera.port}/..."
            wait_for(wrong, "lost", f"{shown}: the server refuses the user or password")


def test_refusals_are_waited_out_and_nothing_shows_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every reason that a stream ever gives is one of ours, with the host and nothing else of the URL."""
    pauses: list[float] = []

    def pause(self: Network, seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(0.05)

    monkeypatch.setattr(Network, "_pause", pause)
    with Radio({}, user="me:richtig") as radio:
        for password, least, most in (("geheim", 150.0, 450.0), ("richtig", 0.0, 0.5)):
            with opened(radio.url("/x?password=geheim", user=f"me:{password}")) as (network, _):
                wait_for(network, "lost", f"http://127.0.0.1:{radio.port}/...: the server ")
                assert password not in network.reason + repr(network)
            assert all(least <= pause <= most for pause in pauses)
            pauses.clear()


@pytest.mark.parametrize("kind", ["rtsp", "https"])
def test_a_black_hole_is_given_up_and_does_not_stop_its_neighbour(kind: str, ramp_camera: Camera) -> None:
    with black_hole() as port, opened(f"{kind}://127.0.0.1:{port}/x") as (hole, _):
        assert hole.reason == f"connecting to {kind}://127.0.0.1:{port}/..."
        with opened(ramp_camera.url()) as (_, listening):
            wait_for(hole, "lost", "no sound has come for too long; the connection was given up")
            wait_for_sound(listening, 0.2)
            assert listening.lost == 0
        begun = time.monotonic()
        hole.stop()
        assert time.monotonic() - begun < 0.5 * stream_module.OPEN_SECONDS
        hole.join(PATIENCE)
        assert not hole.is_alive()


def test_what_nobody_foresaw_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    crashes: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda crash: crashes.append(str(crash.exc_value)))
    monkeypatch.setattr(Network, "_listen", lambda self: 1 // 0)
    ring = RingBuffer(RATE)
    network = Network(SourceConfig(name="yard", url="rtsp://me:geheim@camera/x"), ring, RATE)
    network.start()
    assert list(ring.blocks(320)) == []
    network.join()
    assert (network.state, network.reason) == (
        "stopped",
        "rtsp://camera/...: it broke off in a way that nobody foresaw",
    )
    assert len(crashes) == 1


def test_a_host_that_nobody_knows() -> None:
    with opened("rtsp://camera.invalid/x") as (network, _):
        wait_for(network, "lost", "rtsp://camera.invalid/...: no host of that name is found")


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_attempts_leave_no_handle() -> None:
    with opened(f"http://127.0.0.1:{free_port()}/") as (network, _):
        wait_for(network, "lost", "refused")
        before = handles()
        time.sleep(1.0)  # a few attempts
        eventually(lambda: handles() <= before + 1)


def test_what_comes_at_once_was_captured_before() -> None:
    """A station begins with what it has kept: the last of that is now, and the first is older."""
    with Radio({"/live.mkv": (stamped(np.tile(NOISE, 5), RATE), 10.0)}, burst=3.0) as radio:
        asked = time.clock_gettime(time.CLOCK_BOOTTIME)
        with opened(radio.url("/live.mkv")) as (network, listening):
            eventually(lambda: listening.heard)
            got = time.clock_gettime(time.CLOCK_BOOTTIME)
            wait_for_sound(listening, 3.2)
            first = network.clock.captured(0)
            assert first is not None
            assert asked - 3.5 < first < got - 2.5
    assert listening.lost == 0


def test_a_recording_that_is_served_at_once_is_not_lost_but_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "AHEAD_SECONDS", 2.0)
    sound = np.tile(NOISE, 8)
    radio = Radio({"/whole.flac": (encoded(sound, RATE, "FLAC"), 0.0)})
    begun = time.monotonic()
    with radio, opened(radio.url("/whole.flac")) as (network, listening):
        wait_for(network, "hearing")
        wait_for_sound(listening, 1.0)
        time.sleep(0.5)
        assert listening.heard < (time.monotonic() - begun + 3.0) * RATE
        assert network.state == "hearing"
    np.testing.assert_allclose(listening.samples(), sound[: listening.heard], atol=2**-15)


def test_a_stream_that_ends_is_opened_again() -> None:
    begun = time.monotonic()
    with Radio({"/short.flac": (encoded(NOISE[:RATE], RATE, "FLAC"), 0.3)}) as radio:
        with opened(radio.url("/short.flac")) as (network, listening):
            eventually(lambda: network.opened >= 3, PATIENCE)
        assert 3 <= len(radio.requests) <= 2 + (time.monotonic() - begun) / 0.3  # and no storm
    assert listening.lost > 0


def test_zeros_are_silence() -> None:
    data = stamped(np.concatenate((NOISE[:RATE], np.zeros(2 * RATE, np.float32))), RATE)
    with Radio({"/x.mkv": (data, 3.0)}, burst=1.2) as radio, opened(radio.url("/x.mkv")) as (network, _):
        wait_for(network, "silent", "nothing but zeros for 0.5 s: is its microphone switched off?")


def test_without_pyav_a_source_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from sed.config import SourceConfig\n"
        "from sed.ring import RingBuffer\n"
        "from sed.source.opened import open_source\n"
        "source = open_source(SourceConfig(url='rtsp://me:geheim@camera/x'), RingBuffer(9), 16000)\n"
        "print(type(source).__name__, source.state, source.reason)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{Nothing.__name__} stopped network streams need PyAV (")
    assert done.stdout.endswith("install it with: pip install 'earwitness[rtsp]'\n")


def test_pyav_is_not_imported_until_a_stream_is_made() -> None:
    code = "import sys, sed.daemon; print('av' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def configured(folder: Path, **urls: str) -> Path:
    write_toy(folder / "toy.onnx", metadata(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12))
    lines = ['node = "gate"', f'model = "{folder / "toy.onnx"}"', '[journal]\npath = "journal.db"']
    lines += [f'[[source]]\nname = "{name}"\nurl = "{url}"' for name, url in urls.items()]
    (folder / "gate.toml").write_text("\n".join(lines) + "\n")
    return folder / "gate.toml"


def test_the_daemon_hears_events_of_a_camera_beside_one_that_never_answers(tmp_path: Path) -> None:
    """And SIGTERM ends it within 2 s, although a thread of its own waits for a server; no log shows a password."""
    beats = (bursts((0.5, 1.0), seconds=1.0) * 32_767).astype(np.int16)
    with black_hole() as port, Camera(tmp_path, beats, user="me", password="geheim") as camera:
        hole = f"rtsp://me:geheim@127.0.0.1:{port}/geheim"
        config = configured(tmp_path, yard=camera.url(user="me:geheim"), hole=hole)
        begun = datetime.now(UTC) - timedelta(seconds=time.monotonic() - camera.begun)
        with Run(tmp_path, "-c", config, "--log-level", "debug") as run:
            eventually(lambda: len(run.events("end", "yard")) >= 3, START_SECONDS)
            eventually(lambda: run.said("warning source hole: lost: connecting to rtsp://127.0.0.1:"), PATIENCE)
            run.send(signal.SIGTERM)
            assert run.end(SOON) == 0
        assert "geheim" not in run.log()
    onsets = [datetime.fromisoformat(event["onset"]) for event in run.events("start", "yard")]
    phases = [(onset - begun).total_seconds() % 1.0 for onset in onsets]
    assert min(phases) == pytest.approx(0.47, abs=0.2)  # a computer that is busy may be late, at its best by little
    starts = [event["id"] for event in run.events("start")]
    assert sorted(starts) == sorted(event["id"] for event in run.events("end"))
