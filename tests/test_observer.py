"""Those who look on: they see all of it, in order, and what they add gets into the message."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sed.config import Config, load
from sed.daemon import Daemon
from sed.frontend import LogMel
from sed.journal import Journal
from sed.message import Clock, Message
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.observer import Observer, Origin
from sed.ring import RingBuffer
from sed.service import Listener
from sed.signals import Block, Event, Frames, Scores
from tests.toy import RATE, bursts, write_toy

RULES = {"tone": Rule(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)}
SOUND = bursts((1.0, 1.5), seconds=3.0)
CLOCK = Clock(datetime(2026, 1, 1, tzinfo=UTC), RATE)


class Witness(Observer):
    """Remembers everything."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.seen: list[Frames | Scores | Event | Block | Message | str] = []

    def frames(self, frames: Frames) -> None:
        self.seen.append(frames)

    def scores(self, scores: Scores) -> None:
        self.seen.append(scores)

    def event(self, event: Event) -> Message:
        self.seen.append(event)
        return {"clip": "a.flac"}

    def told(self, message: Message) -> None:
        self.seen.append(message)

    def block(self, block: Block) -> None:
        self.seen.append(block)

    def close(self) -> None:
        self.seen.append("closed")


class Lighthouse:
    """A lookout that keeps its witnesses."""

    def __init__(self) -> None:
        self.witnesses: list[Witness] = []
        self.log: list[str] = []

    def observe(self, origin: Origin) -> Observer:
        self.witnesses.append(Witness(origin))
        return self.witnesses[-1]

    def update(self, config: Config) -> None:
        self.log.append(f"update {config.node}")

    def close(self) -> None:
        self.log.append("close")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return OnnxModel(write_toy(tmp_path_factory.mktemp("model") / "toy.onnx"))


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return Journal(tmp_path_factory.mktemp("journal") / "journal.db")


def witnessed(model: OnnxModel, journal: Journal, sizes: list[int]) -> Witness:
    """What one sees of SOUND when it comes in pieces of these sizes."""
    lighthouse, ring, at = Lighthouse(), RingBuffer(5 * RATE), 0

    def feed() -> None:
        nonlocal at
        size = sizes.pop(0) if sizes else len(SOUND)
        ring.write(SOUND[at : at + size])
        at += size
        if at >= len(SOUND):
            ring.close()

    feed()
    listener = Listener("gate", "yard", model, RULES, ring, journal, [lighthouse.observe])
    listener.listen(CLOCK, passing=feed)
    return lighthouse.witnesses[0]


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(RATE // 10, RATE), max_size=12))
def test_all_that_passes_is_seen_once_with_its_sample_numbers(
    model: OnnxModel, journal: Journal, sizes: list[int]
) -> None:
    seen = witnessed(model, journal, sizes).seen
    blocks = [each for each in seen if isinstance(each, Block)]
    frames = [each for each in seen if isinstance(each, Frames)]
    scores = [each for each in seen if isinstance(each, Scores)]
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), SOUND)
    whole = LogMel(model.metadata.frontend).push(Block(0, SOUND))
    np.testing.assert_allclose(np.concatenate([each.values for each in frames]), whole.values, atol=1e-4)
    assert all(after.start == before.start + len(before.values) * before.hop for before, after in pairwise(frames))
    assert scores[0].start == 0
    assert all(after.start == before.end for before, after in pairwise(scores))
    assert scores[-1].end <= len(SOUND)
    assert all(len(each.values) for each in frames)
    assert all(len(each.values) for each in scores)


def test_an_event_is_seen_after_its_scores_and_before_its_block_and_told_once_it_is_written(
    model: OnnxModel, journal: Journal
) -> None:
    before = journal.last
    witness = witnessed(model, journal, [RATE // 10] * 40)
    assert (witness.origin.source, witness.origin.node) == ("yard", "gate")
    assert witness.origin.metadata.labels == ("tone",)
    assert witness.origin.clock is CLOCK
    written = [row.message for row in journal.rows(before)]
    assert [message for message in witness.seen if isinstance(message, dict)] == written
    assert [(message["phase"], message["clip"]) for message in written] == [("start", "a.flac"), ("end", "a.flac")]
    order = [type(each).__name__ for each in witness.seen]
    at = order.index("Event")
    assert order[at - 1 : at + 3] == ["Scores", "Event", "dict", "Block"]
    assert order[-1] == "str"  # closed, after the last of all
    event, block = witness.seen[at], witness.seen[at + 2]
    assert isinstance(event, Event)
    assert isinstance(block, Block)
    assert block.start < event.detected <= block.end


def test_a_daemon_opens_its_lookouts_first_and_closes_them_last(tmp_path: Path) -> None:
    write_toy(tmp_path / "toy.onnx")
    soundfile.write(tmp_path / "yard.wav", bursts((0.1, 0.3), seconds=0.5), RATE)
    soundfile.write(tmp_path / "street.wav", bursts(seconds=0.5), RATE)
    (tmp_path / "gate.toml").write_text(
        f'node = "gate"\nmodel = "{tmp_path / "toy.onnx"}"\n[journal]\npath = "journal.db"\n'
        '[[source]]\nname = "yard"\nurl = "file:yard.wav"\n[[source]]\nname = "street"\nurl = "file:street.wav"\n'
    )
    lighthouse = Lighthouse()
    daemon = Daemon(lambda: load(tmp_path / "gate.toml"))
    daemon._lookouts = (*daemon._lookouts, lighthouse)
    assert daemon.run() == 0
    assert lighthouse.log == ["update gate", "close"]
    assert {witness.origin.source for witness in lighthouse.witnesses} == {"yard", "street"}
    assert all(witness.seen[-1] == "closed" for witness in lighthouse.witnesses)
