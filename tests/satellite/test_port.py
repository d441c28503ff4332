"""Satellites and a box over real sockets: nothing lost, nothing twice, breaks bridged, strangers kept out."""

import logging
import os
import re
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import zmq

from sed.choir import Choir, Voice
from sed.curve import Keys
from sed.doorkeeper import Admission
from sed.journal import Journal
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.ring import RingBuffer
from sed.satellite.wire import Audio, Bye, Hello, Place, Refused, from_box
from sed.service import Listener
from sed.signals import Block, Floats
from tests.broker import eventually
from tests.satellite.box import Box, Satellite, joined, talking
from tests.satellite.test_wire import WRONG
from tests.toy import RATE, bursts, write_toy

NOISE = np.random.default_rng(1).uniform(-0.5, 0.5, 8 * RATE).astype(np.float32)
WAIT = 120.0
"""Seconds; machines are busy."""


def close(got: Floats, sent: Floats) -> None:
    """The same but for 16 bits."""
    assert len(got) == len(sent)
    np.testing.assert_allclose(got, sent, atol=1.0 / 32_768)


def arrived(box: Box, samples: int, before: Sequence[Block] = ()) -> list[Block]:
    """What has come, once it is so many samples with those `before`."""
    blocks = list(before)

    def there() -> bool:
        blocks.extend(box.heard())
        return sum(len(block.samples) for block in blocks) >= samples

    eventually(there, WAIT)
    return blocks


def test_what_a_satellite_says_is_heard_once_and_in_order() -> None:
    with talking("gate") as (box, satellite):
        satellite.say(NOISE)
        blocks = arrived(box, len(NOISE))
        satellite.end()
        close(joined(blocks), NOISE)
        assert [block.start for block in blocks] == np.cumsum([0, *(len(b.samples) for b in blocks)])[:-1].tolist()
        assert (box.ring.lost, satellite.sender.left) == (0, 0)
        assert box.inlet.clock.seconds(RATE) == pytest.approx(satellite.mouth.clock.utc(RATE).timestamp(), abs=0.002)
        eventually(lambda: box.inlet.reason == "its satellite has ended")


def test_a_loss_before_the_wire_is_the_same_loss_behind_it() -> None:
    with talking("gate") as (box, satellite):
        satellite.say(NOISE[:RATE])
        satellite.mouth.ring.skip(5_000)
        satellite.say(NOISE[RATE : 2 * RATE])
        blocks = arrived(box, 2 * RATE)
        assert box.ring.lost == 5_000
        assert blocks[-1].end == 2 * RATE + 5_000
        satellite.mouth.ring.skip(100)  # a microphone that is unplugged: no sound follows
        eventually(lambda: box.heard() and box.ring.lost == 5_100, WAIT)
        assert joined(box.heard()).size == 0


def test_how_the_satellites_source_is_can_be_seen_at_the_box() -> None:
    with talking("gate") as (box, satellite):
        eventually(lambda: box.inlet.state == "hearing", WAIT)
        satellite.mouth.state, satellite.mouth.reason = "lost", "the device has gone"
        eventually(lambda: box.inlet.state == "lost", WAIT)
        assert box.inlet.reason == "its satellite: the device has gone"


def test_a_box_that_comes_back_gets_what_it_missed() -> None:
    with Box("gate") as box, Satellite(box.address) as satellite:
        satellite.say(NOISE[: 2 * RATE])
        blocks = arrived(box, 2 * RATE)
        box.__exit__()  # an orderly end: what was heard is acknowledged
        first = len(joined(blocks)) + len(joined(box.heard()))
        assert first == 2 * RATE
        satellite.say(NOISE[2 * RATE : 6 * RATE])
        time.sleep(0.5)
        with Box("gate", address=box.address) as again:
            satellite.say(NOISE[6 * RATE :])
            after = arrived(again, len(NOISE) - first)
            close(joined(after), NOISE[first:])
            assert again.ring.lost == 0
            satellite.end()
            assert satellite.sender.left == 0


def test_what_the_box_has_read_is_not_sent_again_and_nothing_is_lost_without_a_last_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The line breaks off; the box is the same one, and passes over what it has."""
    with talking("gate") as (box, satellite):
        satellite.say(NOISE[: 2 * RATE])
        blocks = arrived(box, RATE)
        monkeypatch.setattr("sed.satellite.sender.DEAD_SECONDS", -1.0)  # it does not hear the box any more
        time.sleep(0.3)
        monkeypatch.undo()
        satellite.say(NOISE[2 * RATE :])
        blocks = arrived(box, len(NOISE), blocks)
        close(joined(blocks), NOISE)
        assert box.ring.lost == 0


def test_more_than_a_satellite_can_keep_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sed.satellite.sender.OUTBOX_SECONDS", 2.0)
    box = Box("gate")
    with Satellite(box.address) as satellite:
        satellite.say(NOISE)
        eventually(lambda: satellite.mouth.ring.waiting < RATE, WAIT)
        time.sleep(0.2)
        with box:
            blocks = arrived(box, 2 * RATE - 16_384)
            satellite.end()
            blocks += box.heard()
            got = joined(blocks)
            close(got, NOISE[len(NOISE) - len(got) :])
            assert satellite.sender.left == len(NOISE) - len(got)


def test_a_satellite_that_starts_anew_keeps_its_times_right() -> None:
    with Box("gate") as box:
        with Satellite(box.address, behind=1.5) as first:
            first.say(NOISE[:RATE])
            arrived(box, RATE)
            first.end()
        began = box.inlet.clock.seconds(0)
        with Satellite(box.address) as second:
            second.say(NOISE[RATE : 2 * RATE])
            blocks = arrived(box, RATE)
            starts = [block.start for block in blocks if len(block.samples)]
            expected = second.mouth.clock.utc(0).timestamp()
            assert box.inlet.clock.seconds(starts[0]) == pytest.approx(expected, abs=0.002)
            assert began == pytest.approx(first.mouth.clock.utc(0).timestamp(), abs=0.002)
            assert starts[0] / RATE == pytest.approx(expected - (began or 0.0), abs=0.01)
            assert box.ring.lost > 0


def test_a_clock_that_is_plainly_wrong_is_corrected_and_told(caplog: pytest.LogCaptureFixture) -> None:
    with Box("gate") as box, Satellite(box.address, behind=-7_200.0) as satellite:
        object.__setattr__(satellite.sender, "_source", ahead := Ahead(satellite.mouth, 7_200.0))
        satellite.say(NOISE[:RATE])
        arrived(box, RATE)
        assert ahead.asked
        assert box.inlet.clock.seconds(0) == pytest.approx(time.time(), abs=WAIT)
    warnings = [record.message for record in caplog.records if "satellite's clock" in record.message]
    assert len(warnings) == 1
    (ahead_of_ours,) = re.findall(r"is (\d+\.\d) s ahead of ours", warnings[0])
    assert float(ahead_of_ours) == pytest.approx(7_200.0, abs=WAIT)


class Ahead:
    """A source on a computer whose wall clock is wrong by so many seconds, as its sample clock tells."""

    def __init__(self, mouth: object, seconds: float) -> None:
        from sed.clock import SampleClock

        self.asked = False
        self._mouth = mouth
        self.clock = SampleClock(RATE)
        self.clock.observe(0, 0.0, 10_000.0, time.time() + seconds)
        self.clock._wall.step = -seconds  # what the wall clock is off by, seen from the sound

    def __getattr__(self, name: str) -> object:
        self.asked = True
        return getattr(self._mouth, name)


def words(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.message for record in caplog.records)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_two_satellites_with_one_name(told: pytest.LogCaptureFixture) -> None:
    with talking("gate") as (box, satellite):
        eventually(lambda: box.inlet.state == "hearing", WAIT)
        with Satellite(box.address, "gate"):
            eventually(lambda: "refused: another satellite named 'gate' is here" in words(told), WAIT)
        satellite.say(NOISE[:RATE])
        blocks = arrived(box, RATE)
        close(joined(blocks), NOISE[:RATE])


def test_a_satellite_that_nobody_expects(told: pytest.LogCaptureFixture) -> None:
    with Box("gate") as box, Satellite(box.address, "roof"):
        eventually(lambda: "no [[source]] here is for a satellite named 'roof'" in words(told), WAIT)
    assert box.inlet.reason == ""


def test_nobody_there(told: pytest.LogCaptureFixture) -> None:
    with Satellite(Box("gate").address):
        eventually(lambda: "nobody listens there; calls again" in words(told), WAIT)


BOX, GATE, ROOF = Keys.new("box"), Keys.new("gate"), Keys.new("roof")


def test_with_keys_only_who_is_allowed_comes_in_and_only_as_itself(told: pytest.LogCaptureFixture) -> None:
    with Box("gate", admission=Admission(BOX, (GATE.public, ROOF.public))) as box:
        with Satellite(box.address, "gate", (ROOF, BOX.public)):
            eventually(lambda: "your key is that of 'roof', not of 'gate'" in words(told), WAIT)
        with Satellite(box.address, "gate", (Keys.new("gate"), BOX.public)):
            eventually(lambda: "the box does not know our key" in words(told), WAIT)
        with Satellite(box.address, "gate", (GATE, ROOF.public)):
            eventually(lambda: "the box has another key than --server-key says" in words(told), WAIT)
        with Satellite(box.address, "gate"):
            eventually(lambda: "the box wants keys: give --key and --server-key" in words(told), WAIT)
        assert box.ring.end == 0
        with Satellite(box.address, "gate", (GATE, BOX.public)) as satellite:
            satellite.say(NOISE[:RATE])
            blocks = arrived(box, RATE)
            close(joined(blocks), NOISE[:RATE])


def test_an_address_in_use_is_told_and_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, ExitStack() as opened:
        box = opened.enter_context(Box("gate", address=f"tcp://127.0.0.1:{taken.getsockname()[1]}"))
        eventually(lambda: "address already in use" in box.inlet.reason, WAIT)
        assert box.inlet.state == "lost"
        taken.close()
        with Satellite(box.address) as satellite:
            satellite.say(NOISE[:RATE])
            arrived(box, RATE)


class Caller:
    """A client that says what it likes."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", address: str) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(address)

    def say(self, *frames: bytes) -> None:
        self.socket.send_multipart(frames)

    def answer(self) -> object:
        assert self.socket.poll(round(WAIT * 1000))
        return from_box(self.socket.recv())


def test_whatever_is_said_the_box_goes_on(told: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(7)
    with talking("gate") as (box, satellite), zmq.Context() as context:
        caller = Caller(context, box.address)
        with caller.socket:
            nonsense = [each for each in WRONG.values() if len(each) < 60_000]  # what is longer is not even taken
            nonsense += [rng.bytes(n) for n in rng.integers(0, 900, 500)]
            for message in nonsense:
                caller.say(message)
            caller.say(b"A", b"two frames")
            caller.say(Audio(0, 0, NOISE[:10]).encode())
            satellite.say(NOISE[:RATE])
            blocks = arrived(box, RATE)
            close(joined(blocks), NOISE[:RATE])
            (port,) = box.ports._ports.values()
            eventually(lambda: port.malformed >= len(nonsense) - 10, WAIT)
    assert words(told).count("a wrong message was dropped") == 1


def test_a_message_beyond_all_bounds_ends_the_connection_and_nothing_else() -> None:
    with talking("gate") as (box, satellite), zmq.Context() as context:
        caller = Caller(context, box.address)
        with caller.socket:
            caller.say(os.urandom(10_000_000))
            satellite.say(NOISE[:RATE])
            blocks = arrived(box, RATE)
            close(joined(blocks), NOISE[:RATE])
            (port,) = box.ports._ports.values()
            assert port.malformed == 0  # ZeroMQ did not even take it


def test_a_stranger_cannot_speak_for_another() -> None:
    with Box("gate") as box, zmq.Context() as context:
        caller = Caller(context, box.address)
        with caller.socket:
            caller.say(Audio(0, 0, NOISE[:640]).encode())
            answer = caller.answer()
            assert isinstance(answer, Refused)
            assert "say hello" in answer.reason
            caller.say(Hello(b"session.", 48_000, "gate").encode())
            assert caller.answer() == Refused(
                "you send 48000 samples a second, this box wants 16000: give --rate 16000"
            )
            caller.say(Hello(b"session.", 16_000, "gate").encode())
            answer = caller.answer()
            assert isinstance(answer, Place)
            assert (answer.next, answer.welcome) == (0, True)
            caller.say(Audio(1_000, 10**15, NOISE[:640]).encode())
            caller.say(Audio(1_100, 10**15, NOISE[:640]).encode())  # 540 of them twice
            blocks = arrived(box, 740)
            assert (len(joined(blocks)), box.inlet.duplicates) == (740, 540)
            caller.say(Bye().encode())
            eventually(lambda: box.inlet.reason == "its satellite has ended", WAIT)


def test_one_that_falls_silent_is_lost_and_what_sounded_is_over_when_it_stays_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sed.satellite.inlet.BRIDGED_SECONDS", 2.0)
    with Box("gate") as box, zmq.Context() as context:
        caller = Caller(context, box.address)
        with caller.socket:
            caller.say(Hello(b"session.", 16_000, "gate").encode())
            caller.answer()
            caller.say(Audio(0, 10**15, NOISE[:640]).encode())
            arrived(box, 640)
            eventually(lambda: box.inlet.reason == "no word from its satellite for 1 s", WAIT)
            eventually(lambda: box.ring.end == 641, WAIT)
            assert [len(block.samples) for block in box.heard()] == [0]  # which ends what sounds
            caller.say(Audio(640, 10**15, NOISE[:640]).encode())  # it goes on as if nothing had been
            blocks = arrived(box, 639)
            assert (blocks[-1].end, box.ring.lost) == (1_280, 1)


def test_sixteen_satellites_one_thread_no_loss(tmp_path: Path) -> None:
    """All at many times real time, through the choir, into one journal."""
    names = [f"s{n}" for n in range(16)]
    model = OnnxModel(write_toy(tmp_path / "toy.onnx"))
    rules = {"tone": Rule(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)}
    sounds = {name: bursts((0.3, 0.5 + 0.03 * n), (2.0, 2.5), seconds=4.0, seed=n) for n, name in enumerate(names)}
    choir = Choir()
    with Journal(tmp_path / "journal.db") as journal, Box(*names) as box:
        ears = {name: Ear(name, box, choir, model, rules, journal) for name in names}
        satellites = {name: Satellite(box.address, name) for name in names}
        for satellite in satellites.values():
            satellite.__enter__()
        for name, satellite in satellites.items():
            satellite.say(sounds[name])
        for satellite in satellites.values():
            satellite.end()
        for name, satellite in satellites.items():
            # one sample is what says that the sound is over
            assert (satellite.sender.left, box.rings[name].overwritten) == (0, 0)
            assert ears[name].listener.heard - len(sounds[name]) in (0, 1)
        box.__exit__()
        for ear in ears.values():
            ear.voice.join(WAIT)
            assert ear.ends == [None]
        for name in names:
            told = [row.message for row in journal.rows() if row.message["source"] == name]
            assert [message["phase"] for message in told] == ["start", "end", "start", "end"]
            assert {message["lost_samples"] for message in told} == {0}


class Ear:
    """What listens to an inlet."""

    def __init__(
        self, name: str, box: Box, choir: Choir, model: OnnxModel, rules: dict[str, Rule], journal: Journal
    ) -> None:
        self.ends: list[str | None] = []
        ring: RingBuffer = box.rings[name]
        self.listener = Listener("box", name, model.another(), rules, ring, journal)
        self.voice = Voice(choir, self.listener, ring, box.inlets[name].clock, self.ends.append)
        self.voice.start()
