"""Where every sample goes: channel, gain, rate, losses and times, with simulated callbacks."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sed.clock import SampleClock
from sed.ring import RingBuffer
from sed.signals import Floats
from sed.source import capture as capture_module
from sed.source.capture import Capture, Chunk, Losses
from sed.values import Channel

RATE = 16_000
UP, WALL = 100_000.0, 1_800_000_000.0


class Card:
    """Calls back every 10 ms, up to `jitter` seconds late; what is lost is not counted by its frames."""

    def __init__(self, capture: Capture, rate: int = RATE, jitter: float = 0.0, seed: int = 0) -> None:
        self._capture, self._rate, self._jitter = capture, rate, jitter
        self._random = np.random.default_rng(seed)
        self._frames = 0
        self.seconds = 0.0  # since the start, in truth

    def play(self, samples: Floats, overflow: bool = False, late: float = 0.0) -> None:
        """Hand over (n, channels); the first block says whether something was dropped before it."""
        size = self._rate // 100
        for start in range(0, len(samples), size):
            block = samples[start : start + size]
            self.seconds += len(block) / self._rate
            now = self.seconds + late + self._random.uniform(0.0, self._jitter)
            self._capture.bring(Chunk(self._frames, block, 0.0, UP + now, WALL + now, overflow and start == 0))
            self._frames += len(block)


def noise(seconds: float, rate: int = RATE, channels: int = 1) -> Floats:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (round(seconds * rate), channels)).astype(np.float32)


def opened(
    ring: RingBuffer,
    clock: SampleClock,
    rate: int = RATE,
    channel: Channel = 0,
    gain: float = 0.0,
    losses: Losses | None = None,
) -> Capture:
    return Capture(ring, clock, rate, channel, gain, losses or Losses())


def heard(ring: RingBuffer) -> Floats:
    ring.close()
    return np.concatenate([block.samples for block in ring.blocks(1)])


@pytest.mark.parametrize(("channel", "gain_db"), [(0, 0.0), (1, 0.0), (1, -20.0), ("mix", 6.0)])
def test_channel_and_gain(channel: Channel, gain_db: float) -> None:
    ring, sound = RingBuffer(RATE), noise(0.5, channels=2)
    Card(opened(ring, SampleClock(RATE), channel=channel, gain=gain_db)).play(sound)
    wanted = sound.mean(axis=1) if channel == "mix" else sound[:, channel]
    np.testing.assert_allclose(heard(ring), wanted * 10 ** (gain_db / 20), rtol=1e-6)
    assert ring.lost == 0


@settings(max_examples=25)
@given(
    lost=st.floats(0.25, 20.0),
    flagged=st.booleans(),
    jitter=st.floats(0.0, 0.05),
    rate=st.sampled_from([16_000, 44_100]),
    seed=st.integers(0, 99),
)
def test_a_loss_is_counted_and_later_sound_has_its_time(
    lost: float, flagged: bool, jitter: float, rate: int, seed: int
) -> None:
    """A sound card that drops samples does not say how many; PortAudio may not even say that it did."""
    ring, clock, losses = RingBuffer(10 * RATE), SampleClock(RATE), Losses()
    capture = opened(ring, clock, rate, losses=losses)
    card = Card(capture, rate, jitter, seed)
    card.play(noise(3.0, rate))
    card.seconds += lost
    card.play(noise(3.0, rate), overflow=flagged)
    captured = clock.captured(ring.end)
    capture.close(broken=False)
    assert captured is not None
    held_back = 0.05 if rate != RATE else 0.0  # by the resampler
    assert -held_back - 0.001 <= captured - UP - card.seconds <= 0.020
    samples = heard(ring)
    assert ring.lost / RATE == pytest.approx(lost, abs=jitter + 0.01)
    assert len(samples) / RATE == pytest.approx(6.0, abs=0.001)
    assert losses == Losses(overflows=int(flagged), gaps=1)


def test_what_only_comes_late_is_no_loss() -> None:
    """The process was stopped for five seconds, and the audio server kept its sound."""
    ring, clock, losses = RingBuffer(20 * RATE), SampleClock(RATE), Losses()
    capture = opened(ring, clock, losses=losses)
    card = Card(capture)
    card.play(noise(3.0))
    for step in range(10):  # five seconds of sound in half a second
        card.play(noise(0.5), late=5.0 - 0.5 * (step + 1))
    card.play(noise(3.0))
    captured = clock.captured(ring.end)
    assert captured == pytest.approx(UP + 11.0, abs=1e-3)
    assert (len(heard(ring)), ring.lost, losses.gaps) == (11 * RATE, 0, 0)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_click_has_its_time_at_every_rate(rate: int) -> None:
    ring, clock = RingBuffer(10 * RATE), SampleClock(RATE)
    sound = np.zeros((4 * rate, 1), np.float32)
    sound[3 * rate] = 1.0
    capture = opened(ring, clock, rate)
    Card(capture, rate).play(sound)
    capture.close(broken=False)
    samples = heard(ring)
    assert len(samples) == pytest.approx(4 * RATE, abs=1)
    captured = clock.captured(int(np.argmax(samples)))
    assert captured == pytest.approx(UP + 3.0, abs=1e-4)


@settings(max_examples=25)
@given(rates=st.lists(st.sampled_from([8_000, 16_000, 22_050, 44_100]), min_size=2, max_size=5))
def test_a_rate_that_changes_loses_nothing(rates: list[int]) -> None:
    """As in network streams: each second is heard, and the last click has its time."""
    ring, clock = RingBuffer(10 * RATE), SampleClock(RATE)
    capture = opened(ring, clock, rates[0])
    first = 0
    for second, rate in enumerate(rates):
        capture.retune(rate)
        sound = np.zeros((rate, 1), np.float32)
        sound[rate // 2] = second == len(rates) - 1
        for start in range(0, rate, rate // 50):
            piece = sound[start : start + rate // 50]
            moment = second + (start + len(piece)) / rate
            capture.bring(Chunk(first, piece, len(piece) / rate, UP + moment, WALL + moment, False))
            first += len(piece)
    capture.close(broken=False)
    samples = heard(ring)
    assert len(samples) / RATE == pytest.approx(len(rates), abs=0.001)
    captured = clock.captured(int(np.argmax(samples)))
    assert captured == pytest.approx(UP + len(rates) - 0.5, abs=1e-3)
    assert ring.lost == 0


@pytest.mark.parametrize(("late", "lost"), [(0.1, 0.3), (0.5, 0.0)])
def test_how_late_is_too_late(late: float, lost: float) -> None:
    ring, clock = RingBuffer(10 * RATE), SampleClock(RATE)
    card = Card(Capture(ring, clock, RATE, 0, 0.0, Losses(), late))
    card.play(noise(2.0))
    card.play(noise(2.0), late=0.3)
    heard(ring)
    assert ring.lost / RATE == pytest.approx(lost, abs=0.001)


def test_what_a_device_tells_of_its_delay_is_believed_within_reason() -> None:
    """Seen of PulseAudio after a pause: seconds, where there were none."""
    ring, clock = RingBuffer(RATE), SampleClock(RATE)
    capture = opened(ring, clock)
    capture.longest_age = 0.05
    capture.bring(Chunk(0, noise(0.01), 2.2, UP + 1.0, WALL, False))
    assert clock.captured(0) == pytest.approx(UP + 0.95)


def test_a_queue_that_is_full_drops_the_new_and_they_are_counted_to_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_module, "QUEUE", 5)
    ring, losses = RingBuffer(RATE), Losses()
    capture = opened(ring, SampleClock(RATE), losses=losses)
    times, status = SimpleNamespace(currentTime=0.0, inputBufferAdcTime=0.0), SimpleNamespace(input_overflow=False)

    def call() -> None:
        capture.callback(noise(0.01), 160, times, status)

    for _ in range(12):
        call()
    while capture.take(0.0) is not None:
        pass
    call()
    assert capture.take(0.0) is not None
    assert len(heard(ring)) == 6 * 160
    assert ring.lost == 7 * 160
    assert losses.gaps == 1


def test_a_broken_stream_tells_of_its_loss_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ring, clock = RingBuffer(RATE), SampleClock(RATE)
    capture = opened(ring, clock)
    Card(capture).play(noise(0.1))
    monkeypatch.setattr("time.clock_gettime", lambda clock: UP + 2.1)
    capture.close(broken=True)
    reader = ring.blocks(320)
    assert [(block.start, len(block.samples)) for block in (next(reader), next(reader))] == [(0, 1600), (33_600, 0)]


@pytest.mark.parametrize("lost", [0, 1_600])
def test_what_leads_up_to_a_whole_row_is_left_out(lost: int) -> None:
    """The numbers of samples stay true: what is left out behind a loss is a part of it."""
    ring, clock = RingBuffer(20 * RATE, lead=288), SampleClock(RATE)
    card = Card(opened(ring, clock))
    sound = noise(4.0)
    card.play(sound[: 2 * RATE])
    if lost:
        card.seconds += lost / RATE
        card.play(sound[2 * RATE :], overflow=True)
    ring.close()
    blocks = list(ring.blocks(1))
    np.testing.assert_array_equal(blocks[0].samples, sound[288 : 2 * RATE, 0])
    assert blocks[0].start == 0
    if lost:
        np.testing.assert_array_equal(blocks[1].samples, sound[2 * RATE + 288 :, 0])
        assert blocks[1].start == blocks[0].end + lost + 288
        at = (clock.utc(blocks[1].start) - clock.utc(0)).total_seconds()
        assert at == pytest.approx((2 * RATE + lost) / RATE, abs=0.011)  # a callback is 10 ms
    assert ring.lost == (lost + 288 if lost else 0)
