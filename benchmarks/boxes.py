"""A fleet of boxes that do not exist: what each hears and tells, in disorder, all of it known beforehand.

Nothing here is sent: `benchmarks.senders` does that. The same seed and beginning give the same events and messages, so
a table of what was collected can be checked row by row against `Box.happenings`.
"""

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from benchmarks.rubbish import rubbish
from sed.message import Clock, Message, abandoned, event_message
from sed.signals import Event
from sed.sinks.topics import Topics

RATE = 16_000
LABELS = ("siren", "gun_shot", "glass_break")
MODEL = "earwitness-1"
LEVEL_SECONDS = 10.0
CATCH_UP_SECONDS = 0.002
"""Between two messages of a box that was cut off, as the daemon spaces them."""
DAY = timedelta(days=1)

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Disorder:
    """How often what goes wrong: shares of messages, events or boxes, from 0 to 1."""

    again: float = 0.05  # messages that come one to four times more
    swapped: float = 0.03  # events whose end is sent before their start
    late: float = 0.02  # events told hours after, `late: true`
    unended: float = 0.01  # events whose end never comes
    abandoned: float = 0.01  # events that end without an offset
    rubbish: float = 0.01  # events that come with a message which is none
    cut_off: float = 0.05  # boxes without network for some seconds of a minute: a burst afterwards
    wrong_clock: float = 0.02  # boxes whose clock is a day ahead or behind
    lossy: float = 0.05  # boxes that lose samples, and once their microphone for a while


ORDER = Disorder(0, 0, 0, 0, 0, 0, 0, 0, 0)
"""Nothing goes wrong."""


@dataclass(frozen=True, slots=True, order=True)
class Sending:
    """One MQTT message and when it leaves."""

    at: float  # seconds from the beginning
    topic: str
    payload: Message | bytes = field(compare=False)
    qos: int = field(default=1, compare=False)
    retain: bool = field(default=False, compare=False)

    @property
    def event(self) -> Message | None:
        """The event message, if it is one."""
        return self.payload if isinstance(self.payload, dict) and "phase" in self.payload else None

    @property
    def is_rubbish(self) -> bool:
        """It comes as an event, and is none."""
        return self.event is None and self.topic.endswith("/event")

    def encoded(self) -> bytes:
        """As it travels."""
        if isinstance(self.payload, bytes):
            return self.payload
        return json.dumps(self.payload, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Happening:
    """One event and all that is sent because of it."""

    at: float  # seconds from the beginning; nothing is sent before
    row: Message
    """What a table says when all has come: its end, first certain as its start says; its start where no end comes."""
    sendings: tuple[Sending, ...]


class Box:
    """One box; `begin` is when it begins to tell, `seconds` how long it hears, `pace` its events a second."""

    def __init__(
        self,
        seed: int,
        number: int,
        begin: datetime,
        seconds: float,
        disorder: Disorder = Disorder(),
        pace: float = 1.0,
        prefix: str = "earwitness",
    ) -> None:
        self.node = f"box-{number:05d}"
        self._seed, self._begin, self._seconds, self._disorder, self._pace = seed, begin, seconds, disorder, pace
        self.topics = Topics(prefix, self.node)
        rng = self._random("box")
        self.sources = ("yard", "gate") if number % 10 == 0 else ("yard",)
        self.clock_error = rng.choice((-DAY, DAY)) if rng.random() < disorder.wrong_clock else timedelta()
        self.lossy = rng.random() < disorder.lossy
        self._clock = Clock(begin + self.clock_error, RATE)
        self._cuts = [
            (start := minute * 60.0 + rng.uniform(5.0, 45.0), start + rng.uniform(2.0, 10.0))
            for minute in range(int(seconds // 60.0) + 1)
            if rng.random() < disorder.cut_off
        ]

    @property
    def dropped_samples(self) -> int:
        """What its sources say of themselves in the end."""
        return 3 * RATE if self.lossy else 0

    def happenings(self) -> Iterator[Happening]:
        """Every event that exists, in the order of first telling."""
        rng = self._random("events")
        at = rng.uniform(0.0, 1.0 / self._pace)
        while at < self._seconds:
            yield self._happening(rng, at)
            at += rng.uniform(0.5, 1.5) / self._pace

    def sendings(self) -> Iterator[Sending]:
        """All messages by the time of sending, those of its state among them; the last ones come after its end."""
        waiting = list(self._statuses())
        heapq.heapify(waiting)
        for happening in self.happenings():
            while waiting and waiting[0].at <= happening.at:
                yield heapq.heappop(waiting)
            for sending in happening.sendings:
                heapq.heappush(waiting, sending)
        while waiting:
            yield heapq.heappop(waiting)

    def _happening(self, rng: Random, at: float) -> Happening:
        disorder, late = self._disorder, timedelta()
        if rng.random() < disorder.late:
            late = timedelta(hours=rng.uniform(6.0, 48.0))
        duration = min(20.0, 0.1 + rng.expovariate(1.0))
        start, end = self._messages(rng, at, duration, late)
        ended = at + (0.001 if late else duration + 0.1)
        fate = rng.random()
        if fate < disorder.unended:
            order = [(at, start)]
        elif fate < disorder.unended + disorder.abandoned:
            order = [(at, start), (ended, end := abandoned(start, self._begin + self._error_at(ended)))]
        elif fate < disorder.unended + disorder.abandoned + disorder.swapped:
            order = [(ended, end), (ended + rng.uniform(0.0, 1.0), start)]
        else:
            order = [(at, start), (ended, end)]
        topic = self.topics.event(str(start["source"]))
        sendings = [Sending(self._through(when, n), topic, message) for n, (when, message) in enumerate(order)]
        switches = (
            [] if late else [self._switch(each, message) for each, (_, message) in zip(sendings, order, strict=True)]
        )
        sendings += [self._again(rng, each) for each in list(sendings) for _ in range(self._repeats(rng))] + switches
        if rng.random() < disorder.rubbish:
            sendings.append(self._rubbish(rng, at, start))
        row = end | {"detected_at": start["detected_at"]} if len(order) > 1 else start
        return Happening(at, row, tuple(sendings))

    def _messages(self, rng: Random, at: float, duration: float, late: timedelta) -> tuple[Message, Message]:
        """Start and end, as the daemon makes them."""
        onset = round((at - 0.2 - late.total_seconds()) * RATE)
        offset = onset + max(1, round(duration * RATE))
        score, level = rng.uniform(0.5, 0.95), rng.uniform(-60.0, -5.0)
        identity = _ulid(self._clock.utc(onset), rng.getrandbits(80))
        label, source = rng.choice(LABELS), rng.choice(self.sources)
        lost = rng.randrange(1, RATE) if self.lossy and rng.random() < 0.1 else 0
        first = Event(identity, label, "start", onset, None, score, onset + RATE // 5, level, lost)
        last = Event(identity, label, "end", onset, offset, score + 0.04, offset + RATE // 10, level + 1.0, 0)
        start, end = (event_message(e, self._clock, self.node, source, MODEL) for e in (first, last))
        return (start | {"late": True}, end | {"late": True}) if late else (start, end)

    def _switch(self, told: Sending, message: Message) -> Sending:
        """The label's state, which goes with each message."""
        topic = self.topics.label(str(message["source"]), str(message["label"]))
        return Sending(told.at, topic, b"ON" if message["phase"] == "start" else b"OFF", retain=True)

    def _error_at(self, at: float) -> timedelta:
        return self.clock_error + timedelta(seconds=at)

    def _repeats(self, rng: Random) -> int:
        return rng.randrange(1, 5) if rng.random() < self._disorder.again else 0

    def _again(self, rng: Random, sending: Sending) -> Sending:
        return Sending(sending.at + rng.uniform(0.0, 2.0), sending.topic, sending.payload)

    def _rubbish(self, rng: Random, at: float, start: Message) -> Sending:
        """Under an identity of its own: a row that comes of it exists nowhere."""
        payload = rubbish(rng, start | {"id": _ulid(self._begin, rng.getrandbits(80))})
        return Sending(self._through(at, 0), self.topics.event(str(start["source"])), payload)

    def _through(self, at: float, place: int) -> float:
        """When the network takes what is to be told then."""
        end = next((end for start, end in self._cuts if start <= at < end), None)
        return at if end is None else end + CATCH_UP_SECONDS * place

    def _statuses(self) -> Iterator[Sending]:
        rng = self._random("status")
        yield Sending(0.0, self.topics.availability, b"online", retain=True)
        for source in self.sources:
            yield self._state(0.0, source, "hearing", 0)
            if self.lossy:
                lost = rng.uniform(0.2, 0.4) * self._seconds
                yield self._state(lost, source, "lost", 0)
                yield self._state(2.0 * lost, source, "hearing", self.dropped_samples)
            at = rng.uniform(0.0, LEVEL_SECONDS)
            while at < self._seconds:
                yield Sending(at, self.topics.level(source), f"{rng.uniform(-70, -30):.1f}".encode(), qos=0)
                at += LEVEL_SECONDS

    def _state(self, at: float, source: str, state: str, dropped: int) -> Sending:
        document: dict[str, Any] = {"state": state, "dropped_samples": dropped, "model": MODEL}
        return Sending(self._through(at, 0), self.topics.state(source), document, retain=True)

    def _random(self, part: str) -> Random:
        return Random(f"{self._seed} {self.node} {part}")  # noqa: S311 - the same each time is wanted


def fleet(
    count: int,
    seed: int,
    begin: datetime,
    seconds: float,
    disorder: Disorder = Disorder(),
    pace: float = 1.0,
) -> list[Box]:
    """So many boxes of one seed."""
    return [Box(seed, number, begin, seconds, disorder, pace) for number in range(count)]


def in_order(boxes: list[Box]) -> Iterator[Sending]:
    """The messages of all by the time of sending."""
    return heapq.merge(*(box.sendings() for box in boxes))


def _ulid(moment: datetime, chance: int) -> str:
    number = int(moment.timestamp() * 1000) << 80 | chance
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
