"""What is published over ZeroMQ: the contract for those who subscribe.

Each message of the PUB socket has three frames: topic, header, body. A subscription is a prefix of the topic.

topic    KIND/SOURCE, as `scores/yard`
header   a JSON object with
         format    "earwitness.zmq/1"
         node, source
         session   changes with every start of the daemon
         seq       counts the messages of this topic in this session from 0 on: a jump is a loss, for PUB sockets
                   drop silently what a subscriber is too slow for
         sample, utc   of `scores` and `level`: the sample they begin at, and its time (missing if it is not known yet)
         labels    of `scores`: how many numbers a row has
body     by kind, JSON but for the scores:

event/   the event message, exactly as over MQTT (sed/event.schema.json): start as soon as it is certain, then end
scores/  float32, little endian, rows of one number a label: row k begins k * hop samples after `sample`
level/   {"level_dbfs": -23.1}: mean power of the 0.1 s of sound that begin at `sample`; ten a second at most
state/   {"state": "hearing", "dropped_samples": 0, "model": "earwitness-1"}: when it changes, and each second
hello/   {"model", "labels", "on", "alert", "sample_rate", "hop", "ahead"}: each second, so that whoever comes late
         knows what the scores mean; `on` are thresholds and `alert` says who is told of, both in the order of the
         labels, `hop` is samples a row, `ahead` the samples after a row that had to be heard before it was known

In Python: topic, header, body = socket.recv_multipart(); rows = numpy.frombuffer(body, "<f4").reshape(-1, labels).
"""

import json
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np

from sed.signals import Floats

FORMAT = "earwitness.zmq/1"

Kind = Literal["event", "scores", "level", "state", "hello"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_OWN = ("node", "source", "session", "seq")
_MORE = ("sample", "utc", "labels")


@dataclass(frozen=True, slots=True)
class Bulletin:
    """One message. What is None is not in its header."""

    kind: Kind
    node: str
    source: str
    session: str
    seq: int
    body: bytes
    sample: int | None = None
    utc: str | None = None
    labels: int | None = None

    @property
    def topic(self) -> str:
        """What one subscribes to."""
        return f"{self.kind}/{self.source}"

    def frames(self) -> list[bytes]:
        """As it is sent."""
        header: dict[str, object] = {"format": FORMAT} | {name: getattr(self, name) for name in _OWN}
        header |= {name: value for name in _MORE if (value := getattr(self, name)) is not None}
        return [self.topic.encode(), json.dumps(header).encode(), self.body]

    @classmethod
    def received(cls, frames: list[bytes]) -> Self:
        """From what was sent. Raises ValueError for what is no message of this format."""
        try:
            topic, text, body = frames
            kind, _, source = topic.decode().partition("/")
            header = json.loads(text)
            own = {name: header[name] for name in _OWN} | {name: header.get(name) for name in _MORE}
            known = header["format"] == FORMAT and kind in KINDS and own["source"] == source
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not a message of {FORMAT}: {error!r}") from error
        if not known or not all(_sensible(name, value) for name, value in own.items()):
            raise ValueError(f"not a message of {FORMAT}: {topic[:60]!r} {text[:200]!r}")
        return cls(kind, body=body, **own)  # type: ignore[arg-type]  # one of KINDS

    def content(self) -> dict[str, Any]:
        """The body of all kinds but scores. Raises ValueError."""
        try:
            content = json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        if not isinstance(content, dict):
            raise ValueError(f"should be a JSON object, got {content!r:.60}")
        return content

    def rows(self) -> Floats:
        """The body of scores, (rows, labels). Raises ValueError."""
        if self.labels is None:
            raise ValueError("scores without a number of labels")
        return np.frombuffer(self.body, "<f4").reshape(-1, self.labels)


def _sensible(name: str, value: object) -> bool:
    if value is None:
        return name in _MORE
    if name in ("seq", "sample", "labels"):
        return type(value) is int and 0 <= value < 2**63
    return isinstance(value, str)
