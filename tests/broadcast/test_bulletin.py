"""The wire format: a contract, so its frames are spelt out here."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.broadcast.bulletin import KINDS, Bulletin

SCORES = np.array([[0.25, 1.0], [0.5, 0.0], [0.125, 0.75]], "<f4")
STAMP = "2026-11-20T02:59:01.240Z"


def test_the_frames_of_scores() -> None:
    bulletin = Bulletin("scores", "gate", "yard", "cafe", 7, SCORES.tobytes(), 640, STAMP, 2)
    topic, header, body = bulletin.frames()
    assert topic == b"scores/yard"
    assert json.loads(header) == {
        "format": "earwitness.zmq/1", "node": "gate", "source": "yard", "session": "cafe", "seq": 7,
        "sample": 640, "utc": STAMP, "labels": 2,
    }  # fmt: skip
    assert body[:8] == b"\x00\x00\x80\x3e\x00\x00\x80\x3f"  # 0.25 and 1.0
    assert Bulletin.received([topic, header, body]) == bulletin
    np.testing.assert_array_equal(bulletin.rows(), SCORES)


def test_the_frames_of_others() -> None:
    bulletin = Bulletin("state", "gate", "yard", "cafe", 0, b'{"state": "lost"}')
    topic, header, body = bulletin.frames()
    assert (topic, body) == (b"state/yard", b'{"state": "lost"}')
    assert set(json.loads(header)) == {"format", "node", "source", "session", "seq"}
    assert bulletin.content() == {"state": "lost"}


name = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
count = st.integers(0, 2**63 - 1)


@given(st.builds(Bulletin, st.sampled_from(KINDS), name, name, name, count, st.binary(), count, name, count))
def test_every_bulletin_comes_as_it_was_sent(bulletin: Bulletin) -> None:
    assert Bulletin.received(bulletin.frames()) == bulletin


HEADER = {"format": "earwitness.zmq/1", "node": "gate", "source": "yard", "session": "cafe", "seq": 0}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
headers = st.dictionaries(st.sampled_from([*HEADER, "sample", "utc", "labels"]), json_values).map(
    lambda changes: json.dumps(HEADER | changes).encode()
)


@given(
    st.lists(st.binary(max_size=20), max_size=5)
    | st.tuples(st.sampled_from([b"scores/yard", b"state/yard"]), headers, st.binary(max_size=20)).map(list)
)
def test_noise_is_refused_or_makes_no_harm(frames: list[bytes]) -> None:
    """Fuzzing: nothing but ValueError, whatever comes."""
    try:
        bulletin = Bulletin.received(frames)
    except ValueError:
        return
    assert bulletin.frames()[0] == frames[0]
    for read in (bulletin.content, bulletin.rows):
        try:
            read()
        except ValueError:
            continue


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1", b"\xff", b""])
def test_a_body_without_sense_is_refused(body: bytes) -> None:
    bulletin = Bulletin("state", "gate", "yard", "cafe", 0, body, labels=0)
    with pytest.raises(ValueError, match=r"."):
        bulletin.content()


@pytest.mark.parametrize("labels", [None, 0, 3])
def test_scores_that_are_no_table(labels: int | None) -> None:
    with pytest.raises(ValueError, match=r"."):
        Bulletin("scores", "gate", "yard", "cafe", 0, SCORES.tobytes()[:-8], labels=labels).rows()
