"""What a box sends that is broken, of another make, or up to no good: on an event topic, and no event."""

import json
from collections.abc import Callable
from random import Random

from sed.message import Message


def rubbish(rng: Random, start: Message) -> bytes:
    """A payload which no receiver may take for an event, made from a good one."""
    return rng.choice(KINDS)(start)


def _without(key: str) -> Callable[[Message], bytes]:
    return lambda start: _json({name: value for name, value in start.items() if name != key})


def _with(key: str, value: object) -> Callable[[Message], bytes]:
    return lambda start: _json(start | {key: value})


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


KINDS: tuple[Callable[[Message], bytes], ...] = (
    lambda start: b"",
    lambda start: b"ON",
    lambda start: b"\xff\xfe\x00garbage\x80",
    lambda start: _json(start)[:-20],  # cut off
    lambda start: _json([start]),
    lambda start: _json(None),
    lambda start: b"[" * 20_000,  # nested deeper than parsers go
    lambda start: b"9" * 10_000,
    _without("id"),
    _without("onset"),
    _with("schema", "earwitness.event/9"),
    _with("id", "siren-1"),
    _with("id", None),
    _with("label", ""),
    _with("label", "si\0ren"),  # PostgreSQL takes no NUL in a text
    _with("label", ["siren"]),
    _with("phase", "middle"),
    _with("onset", "2026-13-45T25:61:00.000Z"),
    _with("onset", "yesterday"),
    _with("onset", 0),
    _with("score", float("nan")),
    _with("score", 1e300),
    _with("score", "high"),
    _with("level_dbfs", float("-inf")),
    _with("lost_samples", 10**30),
    _with("lost_samples", True),
    _with("duration", -1.0),
    _with("node", "another"),  # not the one of the topic
    _with("source", "another"),
)
