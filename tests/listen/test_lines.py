"""The same as lines: for a pipe, and for programs."""

import io
import json

import pytest

from sed.listen.lines import JsonLines, Lines, tell
from sed.listen.subscriber import Subscriber
from tests.listen.test_subscriber import hears, publishing
from tests.listen.told import HELLO, STATE, scores, told
from tests.messages import message


def test_words_for_people() -> None:
    out = io.StringIO()
    show = Lines(out)
    for bulletin in (
        told("hello", HELLO), told("state", STATE), scores([0.5]), told("event", message()), told("event", {}),
        told("state", STATE | {"state": "lost"}), told("state", STATE | {"state": "lost"}), told("state", []),
        told("state", STATE), told("event", message(phase="end")),
    ):  # fmt: skip
        show(bulletin)
    found = [line.split("  ", 1)[1] for line in out.getvalue().splitlines()]
    assert found == [
        "gate/yard  siren        begins          score 0.90   -23.1 dBFS",
        "gate/yard  lost",
        "gate/yard  hearing",
        "gate/yard  siren        lasted 1.50 s   score 0.90   -23.1 dBFS",
    ]


def test_json_for_programs() -> None:
    out, sent = io.StringIO(), message()
    show = JsonLines(out)
    for bulletin in (scores([0.25, float("nan")], [0.5, 1 / 3]), told("event", sent, 7), told("level", [])):
        show(bulletin)
    first, second, third = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (first["kind"], first["source"], first["sample"], first["utc"]) == (
        "scores", "yard", 0, "2026-01-01T00:00:00.000Z",
    )  # fmt: skip
    assert first["scores"] == [[0.25, None], [0.5, 0.3333]]
    assert (second["seq"], second["content"]) == (7, sent)
    assert third["content"] is None


def test_losses_and_troubles_are_told_apart_from_what_comes(capsys: pytest.CaptureFixture[str]) -> None:
    shown: list[str] = []
    with publishing() as (pub, url), Subscriber(url) as subscriber:
        hears(pub, subscriber)
        for seq in (0, 1, 5):
            pub.send_multipart(told("event", message(name=str(seq)), seq).frames())
        tell(subscriber, lambda bulletin: shown.append(bulletin.kind), lambda: subscriber.trouble != "")
    assert shown == ["event"] * 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "messages were lost: this reader, or the way to it, is too slow" in said.err
    assert "but nothing comes" in said.err
