"""Names met before, held against Python's own set."""

from hypothesis import given
from hypothesis import strategies as st

import sed.archive.seen
from sed.archive.seen import Seen


@given(names=st.lists(st.text(st.characters(codec="utf-8"), max_size=3), max_size=60), room=st.integers(1, 9))
def test_is_a_set(names: list[str], room: int) -> None:
    before, sed.archive.seen.RECENT = sed.archive.seen.RECENT, room
    try:
        seen, reference = Seen(), set[str]()
        for name in names:
            assert (name in seen) == (name in reference)
            assert seen.add(name) == (name not in reference)
            reference.add(name)
            assert len(seen) == len(reference)
    finally:
        sed.archive.seen.RECENT = before


def test_many_names_take_little_memory() -> None:
    seen = Seen()
    seen.update(f"archive/2026/{number}.wav" for number in range(50_000))
    assert len(seen) == 50_000
    assert seen._sorted.nbytes <= 8 * 50_000
    assert "archive/2026/49999.wav" in seen
    assert "archive/2026/50000.wav" not in seen
