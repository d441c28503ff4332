"""The messages: what is written is read, and whatever else comes is refused, however it was made."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sed.satellite.wire import (
    LAST_SAMPLE,
    LONGEST_BLOCK,
    LONGEST_MESSAGE,
    LONGEST_REASON,
    Audio,
    Bye,
    Format,
    Hello,
    Place,
    Refused,
    Status,
    WireError,
    from_box,
    from_satellite,
)
from sed.signals import Floats

NOW = 1_790_000_000_000_000  # microseconds
SAMPLES = arrays(np.float32, st.integers(0, 700), elements=st.floats(-1.0, 1.0, width=32))
TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=40)


@given(first=st.integers(0, LAST_SAMPLE), moment=st.integers(0, NOW), samples=SAMPLES)
@pytest.mark.parametrize(("form", "error"), [("int16", 1.0 / 32_768), ("float32", 0.0)])
def test_audio(form: Format, error: float, first: int, moment: int, samples: Floats) -> None:
    read = from_satellite(Audio(first, moment, samples).encode(form))
    assert isinstance(read, Audio)
    assert (read.first, read.moment, read.end) == (first, moment, first + len(samples))
    np.testing.assert_allclose(read.samples, samples, atol=error)


def test_sound_beyond_full_scale_is_cut() -> None:
    loud = np.array([-9.0, 9.0], np.float32)
    for form, most in (("int16", 32_767 / 32_768), ("float32", 1.0)):
        read = from_satellite(Audio(0, NOW, loud).encode(form))  # type: ignore[arg-type]
        assert isinstance(read, Audio)
        np.testing.assert_array_equal(read.samples, np.array([-1.0, most], np.float32))


@given(name=TEXT.filter(bool), reason=TEXT, number=st.integers(0, LAST_SAMPLE), tick=st.integers(0, 2**63))
def test_the_other_messages(name: str, reason: str, number: int, tick: int) -> None:
    for said in (Hello(b"12345678", 16_000, name[:16]), Status("silent", reason, NOW, tick, 5), Bye()):
        assert from_satellite(said.encode()) == said
    for answered in (Place(number, tick), Place(number, tick, welcome=True), Refused(reason), Bye()):
        assert from_box(answered.encode()) == answered


def test_a_reason_is_cut_between_letters_and_shown_on_one_line() -> None:
    assert from_box(Refused("é" * LONGEST_REASON).encode()) == Refused("é" * (LONGEST_REASON // 2))
    assert from_box(b"Rone\n\x1b[2Jtwo\xff") == Refused("one\ufffd\ufffd[2Jtwo\ufffd")


def audio(first: int = 0, moment: int = NOW, form: int = 0, samples: bytes = b"") -> bytes:
    return struct.pack("<cQqB", b"A", first, moment, form) + samples


WRONG = {
    "nothing": b"",
    "another letter": b"Xhello",
    "a bye that goes on": b"BB",
    "half a head": audio()[:-1],
    "half a sample": audio(samples=b"\0\0\0"),
    "an unknown format": audio(form=2),
    "a sample of another age": audio(first=LAST_SAMPLE + 1),
    "a moment before 1970": audio(moment=-1),
    "a moment after all clocks": audio(moment=2**62),
    "not a number": audio(form=1, samples=struct.pack("<f", float("nan"))),
    "infinite": audio(form=1, samples=struct.pack("<f", float("inf"))),
    "beyond full scale": audio(form=1, samples=struct.pack("<f", 1.01)),
    "too much": audio(samples=bytes(2 * (LONGEST_BLOCK + 1))),
    "far too much": audio(samples=bytes(LONGEST_MESSAGE)),
    "a hello of another version": b"H\x02" + bytes(12) + b"gate",
    "a hello that ends": b"H",
    "a hello without a name": b"H\x01" + bytes(12),
    "a long name": b"H\x01" + bytes(12) + b"g" * 65,
    "an unknown state": struct.pack("<cBqQQ", b"S", 4, NOW, 0, 0),
    "a long reason": Status("lost").encode() + b"x" * (LONGEST_REASON + 1),
}


@pytest.mark.parametrize("message", WRONG.values(), ids=WRONG.keys())
def test_what_breaks_the_rules_is_refused(message: bytes) -> None:
    with pytest.raises(WireError):
        from_satellite(message)


def test_the_version_is_told() -> None:
    with pytest.raises(WireError, match="speaks version 2, this box speaks 1"):
        from_satellite(WRONG["a hello of another version"])


@given(message=st.one_of(st.binary(max_size=300), st.tuples(st.sampled_from(b"HASBWKR"), st.binary(max_size=60)).map(
    lambda parts: bytes([parts[0]]) + parts[1])))  # fmt: skip
def test_any_bytes_are_a_message_or_refused(message: bytes) -> None:
    for read in (from_satellite, from_box):
        try:
            said = read(message)
        except WireError:
            continue
        if isinstance(said, Audio):
            assert len(said.samples) <= len(message)
            assert np.abs(said.samples).max(initial=0.0) <= 1.0
        else:
            assert len(said.encode()) <= 3 * len(message) + 1
