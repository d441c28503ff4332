"""Many streams at once: the same as one by one, whatever comes when, whatever is lost; a fault is its own."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sed.choir import BROKEN, Choir, Voice
from sed.frontend import LogMel, push_all
from sed.journal import Journal
from sed.level import LevelMeter
from sed.message import Clock
from sed.metadata import Rule
from sed.model import OnnxModel, step_all
from sed.observer import Observer, Origin
from sed.pipeline import Detector
from sed.postprocess import Tracker
from sed.ring import RingBuffer
from sed.service import Listener
from sed.shipped import DEFAULT_MODEL, model_path
from sed.signals import Block, Event, Floats
from tests.broker import eventually
from tests.toy import RATE, bursts, write_toy

RULE = Rule(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)
CLOCK = Clock(datetime(2026, 1, 1, tzinfo=UTC), RATE)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return OnnxModel(write_toy(tmp_path_factory.mktemp("model") / "toy.onnx"))


SOUNDS = [bursts((0.2 * n, 0.2 * n + 0.5), (1.5, 1.6 + 0.1 * n), seconds=2.2, seed=n) for n in range(4)]

TURNS = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5_000), st.sampled_from([0, 0, 0, 1, 700])), max_size=6),
    max_size=12,
)
"""For each turn: a stream, how many samples it brings, and how many it lost before; a stream sings once a turn."""


def streams(turns: list[list[tuple[int, int, int]]]) -> Iterator[dict[int, Block]]:
    """The blocks of each turn, by stream."""
    at, lost = [0] * len(SOUNDS), [0] * len(SOUNDS)
    for turn in turns:
        blocks: dict[int, Block] = {}
        for n, size, gap in turn:
            if n not in blocks:
                at[n], lost[n] = at[n] + gap, lost[n] + gap
                blocks[n] = Block(at[n], SOUNDS[n][at[n] : at[n] + size])
                at[n] = blocks[n].end
        yield blocks


def detector(model: OnnxModel, frontend: LogMel) -> Detector:
    labels = model.metadata.labels
    return Detector(frontend, model, Tracker(labels, dict.fromkeys(labels, RULE), RATE), LevelMeter(RATE))


def told(events: list[Event]) -> list[tuple[object, ...]]:
    return [(e.label, e.phase, e.onset, e.offset, e.detected, e.lost_samples, round(e.level_dbfs, 3)) for e in events]


def compare(model: OnnxModel, turns: list[list[tuple[int, int, int]]]) -> None:
    """Scores within 1e-5 and the same events, together and one by one."""
    models = [[model.another() for _ in SOUNDS] for _ in range(2)]
    mels = [[LogMel(model.metadata.frontend) for _ in SOUNDS] for _ in range(2)]
    together, alone = ([detector(m, f) for m, f in zip(*each, strict=True)] for each in zip(models, mels, strict=True))
    for blocks in filter(None, streams(turns)):
        events = {n: together[n].meet(block) for n, block in blocks.items()}
        frames = push_all([mels[0][n] for n in blocks], list(blocks.values()))
        scores = step_all([models[0][n] for n in blocks], frames)
        for (n, block), made, scored in zip(blocks.items(), frames, scores, strict=True):
            expected = alone[n].meet(block)
            own = mels[1][n].push(block)
            np.testing.assert_allclose(made.values, own.values, atol=1e-4)
            own_scores = models[1][n].step(own)
            np.testing.assert_allclose(scored.values, own_scores.values, atol=1e-5)
            assert (made.start, scored.start) == (own.start, own_scores.start)
            assert told(events[n] + together[n].tell(scored)) == told(expected + alone[n].tell(own_scores))
    for one, other in zip(together, alone, strict=True):
        assert told(one.close()) == told(other.close())


@given(turns=TURNS)
@hypothesis_settings(max_examples=60)
def test_together_is_as_one_by_one(toy: OnnxModel, turns: list[list[tuple[int, int, int]]]) -> None:
    compare(toy, turns)


def test_the_shipped_model_too() -> None:
    rng = np.random.default_rng(5)
    turns = [[(n, int(rng.integers(0, 2_000)), int(rng.integers(0, 2)) * 90) for n in range(4)] for _ in range(40)]
    compare(OnnxModel(model_path(DEFAULT_MODEL)), turns)


def test_more_streams_than_are_transformed_in_one_go(toy: OnnxModel) -> None:
    sounds = [bursts((0.1, 0.2), seconds=0.5, seed=n) for n in range(21)]
    frames = push_all([LogMel(toy.metadata.frontend) for _ in sounds], [Block(0, sound) for sound in sounds])
    for sound, made in zip(sounds, frames, strict=True):
        np.testing.assert_allclose(made.values, LogMel(toy.metadata.frontend).push(Block(0, sound)).values, atol=1e-4)


class Singer:
    """A voice with its ring and its end."""

    def __init__(self, name: str, choir: Choir, model: OnnxModel, journal: Journal, observer: Observer | None) -> None:
        self.ring, self.ends = RingBuffer(10 * RATE), list[str | None]()
        observe = [lambda origin: observer] if observer is not None else []
        rules = dict.fromkeys(model.metadata.labels, RULE)
        self.listener = Listener("box", name, model.another(), rules, self.ring, journal, observe)
        self.voice = Voice(choir, self.listener, self.ring, CLOCK, self.ends.append)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as opened:
        yield opened


def phases(journal: Journal, source: str) -> list[object]:
    return [row.message["phase"] for row in journal.rows() if row.message["source"] == source]


def test_a_choir_ends_when_all_its_voices_have(toy: OnnxModel, journal: Journal) -> None:
    choir = Choir()
    singers = [Singer(f"s{n}", choir, toy, journal, None) for n in range(3)]
    for singer in singers:
        singer.voice.start()
    for n, singer in enumerate(singers):
        singer.ring.write(SOUNDS[n])
        singer.ring.close()
        singer.voice.join(10.0)
        assert not singer.voice.is_alive()
        assert singer.ends == [None]
        assert singer.listener.heard == len(SOUNDS[n])
        assert phases(journal, f"s{n}") == ["start", "end", "start", "end"]
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "choir"])
    late = Singer("late", choir, toy, journal, None)
    late.voice.start()
    late.ring.close()
    late.voice.join(10.0)
    assert late.ends == [None]


class Watching(Observer):
    """Keeps what it was shown."""

    def __init__(self) -> None:
        self.rows: list[Floats] = []
        self.samples = self.messages = self.closed = 0

    def scores(self, scores: object) -> None:
        self.rows.append(scores.values)  # type: ignore[attr-defined]

    def block(self, block: Block) -> None:
        self.samples += len(block.samples)

    def told(self, message: object) -> None:
        self.messages += 1

    def close(self) -> None:
        self.closed += 1


def test_observers_see_all_of_it(toy: OnnxModel, journal: Journal) -> None:
    choir, watching = Choir(), Watching()
    singer = Singer("gate", choir, toy, journal, watching)
    singer.ring.write(SOUNDS[0])
    singer.ring.close()
    singer.voice.start()
    singer.voice.join(10.0)
    assert (watching.samples, watching.messages, watching.closed) == (len(SOUNDS[0]), 4, 1)
    model = toy.another()
    frames = LogMel(model.metadata.frontend).push(Block(0, SOUNDS[0]))
    own = np.concatenate([model.step(frames).values, model.flush().values])
    np.testing.assert_allclose(np.concatenate(watching.rows), own, atol=1e-5)


class Brittle(Observer):
    """Breaks at the first block."""

    def __init__(self, origin: Origin | None = None) -> None:
        pass

    def block(self, block: Block) -> None:
        raise ZeroDivisionError("unforeseen")


def test_a_fault_in_one_voice_is_its_own(toy: OnnxModel, journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    choir = Choir()
    broken, whole = (Singer(name, choir, toy, journal, each) for name, each in [("b", Brittle()), ("w", None)])
    for singer in (broken, whole):
        singer.voice.start()
        singer.ring.write(SOUNDS[1])
    broken.voice.join(10.0)
    assert broken.ends == [BROKEN]
    assert whole.voice.is_alive()
    whole.ring.close()
    whole.voice.join(10.0)
    assert whole.ends == [None]
    assert phases(journal, "w") == ["start", "end", "start", "end"]
    assert [record.message for record in caplog.records] == ["choir: ZeroDivisionError: unforeseen"]


def test_what_breaks_for_all_is_the_end_of_all(
    toy: OnnxModel, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda crash: crashes.append(str(crash.exc_value)))
    choir = Choir()
    singers = [Singer(f"s{n}", choir, toy, journal, None) for n in range(2)]
    singers[0].listener.model.session = None  # nobody foresaw that
    for singer in singers:
        singer.voice.start()
    for singer in singers:
        singer.ring.write(SOUNDS[0])
    for singer in singers:
        singer.voice.join(10.0)
        assert singer.ends == [BROKEN]
    assert len(crashes) == 1
