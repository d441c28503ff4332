"""Clips as they come out of a real detector and a real ring: sample by sample what was heard around the event."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sed.clips.lookout import Clips
from sed.config import Config
from sed.journal import Journal
from sed.message import Clock, Message, event_schema
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.ring import RingBuffer
from sed.service import Listener
from tests.broker import eventually
from tests.toy import RATE, bursts, metadata, write_toy

Shorts = npt.NDArray[np.int16]
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
CLOCK = Clock(BEGAN, RATE)
RULE = Rule(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)


@dataclass
class Yard:
    """One source with its ring, detector and clips; `play` feeds it."""

    folder: Path
    rules: dict[str, Rule]

    def __post_init__(self) -> None:
        labels = tuple(self.rules)
        write_toy(self.folder / "toy.onnx", metadata(labels), labels=len(labels))
        self.clips = Clips()
        self.ring = RingBuffer(10 * RATE)
        self.at = 0

    def want(self, privacy: bool = True, **keys: Any) -> None:
        """Take over this `[clips]` table."""
        keys = {"enabled": True, "path": self.folder / "clips", "pre": 0.5, "post": 0.5} | keys
        config = Config.model_validate({"clips": keys} if privacy else {"privacy": {"audio": False}})
        self.clips.update(config)

    def play(self, sound: Shorts, sizes: list[int], before: Callable[[int], object] = lambda at: None) -> list[Message]:
        """All of a sound, in pieces of these sizes and then of 100 ms; `before` each is told how far it is."""
        sizes = list(sizes)

        def feed() -> None:
            before(self.at)
            size = sizes.pop(0) if sizes else RATE // 10
            self.ring.write((sound[self.at : self.at + size] / np.float32(32_768)).astype(np.float32))
            self.at += size
            if self.at >= len(sound):
                self.ring.close()

        feed()
        with Journal(self.folder / "journal.db") as journal:
            first, model = journal.last, OnnxModel(self.folder / "toy.onnx")
            Listener("gate", "yard", model, self.rules, self.ring, journal, [self.clips.observe]).listen(CLOCK, feed)
            return [row.message for row in journal.rows(first)]

    def close(self) -> None:
        self.clips._writer.close(30.0)

    def clip(self, message: Message) -> Shorts:
        samples, rate = soundfile.read(self.folder / "clips" / str(message["clip"]), dtype="int16")
        assert rate == RATE
        return np.asarray(samples)

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "clips").iterdir())


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = Yard(tmp_path, {"tone": RULE})
    yield made
    made.close()


def sixteen(*spans: tuple[float, float], seconds: float) -> Shorts:
    """Bursts of noise, as a sound card with 16 bits hands them over."""
    return np.rint(bursts(*spans, seconds=seconds) * 32_767).astype(np.int16)


def sample(moment: object) -> int:
    """The sample of a message's time: rows are whole milliseconds long."""
    return round((datetime.fromisoformat(str(moment)) - BEGAN).total_seconds() * RATE)


def around(sound: Shorts, end: Message, pre: float = 0.5, post: float = 0.5) -> Shorts:
    return sound[max(0, sample(end["onset"]) - round(pre * RATE)) : sample(end["offset"]) + round(post * RATE)]


def of(messages: list[Message], phase: str) -> list[Message]:
    return [message for message in messages if message["phase"] == phase]


@settings(max_examples=10)
@given(sizes=st.lists(st.integers(RATE // 10, 3 * RATE), max_size=6))
def test_a_clip_is_what_was_heard_sample_by_sample_in_any_chunking(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    yard, sound = Yard(tmp_path_factory.mktemp("yard"), {"tone": RULE}), sixteen((0.2, 0.5), (2.0, 2.4), seconds=4.0)
    yard.want()
    messages = yard.play(sound, sizes)
    yard.close()
    for message in messages:
        jsonschema.validate(message, event_schema())
    starts, ends = of(messages, "start"), of(messages, "end")
    assert [end["clip"] for end in ends] == [f"{end['id']}.flac" for end in ends]
    assert [start["clip"] for start in starts] == [end["clip"] for end in ends]
    assert len(ends) == 2
    for end in ends:
        np.testing.assert_array_equal(yard.clip(end), around(sound, end))
    assert sample(ends[0]["onset"]) < RATE // 2  # its clip begins where the sound does
    assert yard.files() == sorted(str(end["clip"]) for end in ends)
    assert [count.value for count in yard.clips.counts] == [2, 0, 0, 0]


def test_an_event_longer_than_the_ring_is_written_while_it_sounds(yard: Yard) -> None:
    sound = sixteen((1.0, 14.0), seconds=16.0)
    kinds: list[str] = []
    yard.want()

    def look(at: int) -> None:
        if at == 12 * RATE:
            eventually(lambda: any(path.stat().st_size > 50_000 for path in (yard.folder / "clips").iterdir()))
            kinds.extend(path.suffix for path in (yard.folder / "clips").iterdir())

    (end,) = of(yard.play(sound, [], look), "end")
    yard.close()
    assert kinds == [".part"]
    np.testing.assert_array_equal(yard.clip(end), around(sound, end))


def test_events_that_overlap_each_have_their_own(tmp_path: Path) -> None:
    loud = RULE.model_copy(update={"max_gap": 1.0})
    yard, sound = Yard(tmp_path, {"tone": RULE, "bell": loud}), sixteen((1.0, 1.4), (1.9, 2.5), seconds=5.0)
    yard.want(post=2.0)
    ends = of(yard.play(sound, []), "end")
    yard.close()
    assert sorted(str(end["label"]) for end in ends) == ["bell", "tone", "tone"]
    assert len({end["clip"] for end in ends}) == 3
    for end in ends:
        np.testing.assert_array_equal(yard.clip(end), around(sound, end, post=2.0))


def test_a_siren_of_minutes_does_not_fill_the_disk(yard: Yard) -> None:
    sound = sixteen((1.0, 5.0), seconds=6.0)
    yard.want(max_length=2.0)
    start, end = yard.play(sound, [])
    yard.close()
    first = sample(end["onset"]) - RATE // 2
    np.testing.assert_array_equal(yard.clip(end), sound[first : first + 2 * RATE])
    assert start["clip"] == end["clip"]
    assert end["duration"] == pytest.approx(4.0, abs=0.2)


def test_sound_that_was_lost_is_silence_in_the_clip_and_its_times_remain_true(yard: Yard) -> None:
    sound = sixteen((1.0, 1.5), (1.7, 2.2), seconds=4.0)
    yard.want(pre=0.8, post=1.0)
    gap = slice(round(1.5 * RATE), round(1.58 * RATE))  # within one clip's post-roll and the next one's pre-roll

    def lose(at: int) -> None:
        if at == gap.start:
            yard.ring.skip(gap.stop - gap.start)
            yard.at = gap.stop

    ends = of(yard.play(sound, [], lose), "end")
    yard.close()
    with_silence = sound.copy()
    with_silence[gap] = 0
    assert len(ends) == 2
    assert sample(ends[0]["offset"]) <= gap.stop <= sample(ends[1]["onset"])
    for end in ends:
        np.testing.assert_array_equal(yard.clip(end), around(with_silence, end, pre=0.8, post=1.0))


def test_after_a_long_loss_the_clip_ends_where_the_sound_does(yard: Yard) -> None:
    sound, heard = sixteen((1.0, 1.5), seconds=100.0), round(1.6 * RATE)
    yard.want(post=10.0)

    def lose(at: int) -> None:
        if at == heard:
            yard.ring.skip(90 * RATE)
            yard.at += 90 * RATE

    (end,) = of(yard.play(sound, [], lose), "end")
    yard.close()
    np.testing.assert_array_equal(yard.clip(end), sound[sample(end["onset"]) - RATE // 2 : heard])


def test_a_clip_says_itself_what_it_is(yard: Yard) -> None:
    yard.want()
    (end,) = of(yard.play(sixteen((1.0, 1.5), seconds=3.0), []), "end")
    yard.close()
    with soundfile.SoundFile(yard.folder / "clips" / str(end["clip"])) as file:
        assert (file.format, file.subtype, file.channels, file.samplerate) == ("FLAC", "PCM_16", 1, RATE)
        assert (file.title, file.date) == ("tone", end["onset"])
        told = dict(pair.split("=") for pair in file.comment.split())
    assert {key: told[key] for key in ("id", "node", "source", "label", "onset", "model")} == {
        "id": end["id"], "node": "gate", "source": "yard", "label": "tone", "onset": end["onset"], "model": "toy"
    }  # fmt: skip
    assert sample(told["begins"]) == sample(end["onset"]) - RATE // 2


@pytest.mark.parametrize("keys", [{"enabled": False}, {"labels": ["bell"]}, {"labels": []}, {"privacy": False}])
def test_what_is_not_wanted_leaves_no_trace(yard: Yard, keys: dict[str, Any]) -> None:
    yard.want(**keys)
    messages = yard.play(sixteen((1.0, 1.5), seconds=3.0), [])
    yard.close()
    assert [message["clip"] for message in messages] == [None, None]
    assert not (yard.folder / "clips").exists() or yard.files() == []


def test_only_the_labels_that_are_wanted(tmp_path: Path) -> None:
    yard = Yard(tmp_path, {"tone": RULE, "bell": RULE})
    yard.want(labels=["bell"])
    ends = of(yard.play(sixteen((1.0, 1.5), seconds=3.0), []), "end")
    yard.close()
    assert {end["label"]: end["clip"] is None for end in ends} == {"tone": True, "bell": False}


def test_privacy_ends_what_is_being_recorded_and_the_event_is_told_without_it(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    yard.want()

    def forbid(at: int) -> None:
        if at == 3 * RATE:
            eventually(lambda: len(yard.files()) == 2)  # one whole, one half
            yard.want(privacy=False)
            eventually(lambda: len(yard.files()) == 1)

    before, *_, end = yard.play(sixteen((0.6, 1.0), (2.5, 4.0), seconds=6.0), [], forbid)
    assert (end["phase"], end["clip"]) == ("end", None)
    assert yard.files() == [before["clip"]]
    assert yard.clips.path(str(before["id"])) is None  # nor is it shown
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_clip_that_cannot_be_written_costs_the_event_nothing_but_its_clip(yard: Yard) -> None:
    (yard.folder / "clips").touch()
    yard.want()
    writer = yard.clips._writer

    def wait(at: int) -> None:
        if at == round(1.3 * RATE):
            eventually(lambda: writer.lost == 1)

    start, end = yard.play(sixteen((1.0, 1.5), seconds=3.0), [], wait)
    assert (start["clip"], end["clip"]) == (f"{start['id']}.flac", None)  # at first nobody could know
    assert end["duration"] == pytest.approx(0.5, abs=0.13)


def test_another_folder_from_the_next_event_on(yard: Yard) -> None:
    yard.want()

    def move(at: int) -> None:
        if at == round(1.5 * RATE):
            yard.want(path=yard.folder / "other", pre=0.2)

    sound = sixteen((1.0, 2.0), (3.0, 3.5), seconds=5.0)
    first, second = of(yard.play(sound, [], move), "end")
    yard.close()
    np.testing.assert_array_equal(yard.clip(first), around(sound, first))
    samples, _ = soundfile.read(yard.folder / "other" / str(second["clip"]), dtype="int16")
    np.testing.assert_array_equal(samples, around(sound, second, pre=0.2))


def open_handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_thread_and_no_handle_is_left(yard: Yard) -> None:
    before, threads = open_handles(), threading.active_count()
    yard.want()
    yard.play(sixteen((1.0, 1.5), seconds=2.0), [])
    yard.close()
    assert (open_handles(), threading.active_count()) == (before, threads)
    assert len(yard.files()) == 1
