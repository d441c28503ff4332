"""How hard to try, and how to spoil bytes."""

import os
from collections.abc import Callable

import hypothesis
from hypothesis import strategies as st

TIMES = 50 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 1
"""`make soak` tries so many times more."""


def fuzzed(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Settings for so many examples, or many more; files that one leaves are overwritten by the next."""
    slow = [hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow]
    return hypothesis.settings(max_examples=examples * TIMES, suppress_health_check=slow, deadline=None)


def one_line(error: Exception, beginning: str = "") -> None:
    """What every refusal is; it begins with the name of what is refused."""
    assert str(error).startswith(beginning)
    assert str(error).strip()
    assert "\n" not in str(error)
    assert len(str(error)) < 2_000


class Spoilt(bytes):
    """Bytes that show how they differ from whole ones, not themselves."""

    how = ""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes, {self.how}>"


@st.composite
def spoilt(draw: st.DrawFn, whole: bytes, head: int | None = None) -> Spoilt:
    """`whole` with bytes overwritten, mostly within the first `head`, then cut short, put in twice, or as it is."""
    data, how = bytearray(whole), ""
    for _ in range(draw(st.integers(0, 6))):
        place = draw(
            st.integers(0, (head or len(data)) - 1) if draw(st.integers(0, 3)) else st.integers(0, len(data) - 1)
        )
        value = draw(st.sampled_from([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"]) | st.binary(max_size=8))
        data[place : place + len(value)] = value
        how += f"{value!r} at {place}, "
    start, size = draw(st.integers(0, len(data))), draw(st.integers(0, 64))
    kind = draw(st.sampled_from(["as it is", "as it is", "cut", "left out", "twice"]))
    if kind == "cut":
        del data[start:]
    elif kind == "left out":
        del data[start : start + size]
    elif kind == "twice":
        data[start:start] = data[start : start + size]
    result = Spoilt(data)
    result.how = f"{how}{kind} at {start} ({size})"
    return result
