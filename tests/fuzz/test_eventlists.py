"""Event lists that somebody wrote by hand, or a program that failed: read, or refused in one line."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.errors import UsageError
from sed.evaluate.reference import Sound, read_references
from tests.fuzz.effort import fuzzed, one_line, spoilt

LIST = b'filename\tonset\toffset\tevent_label\na.wav\t0.5\t1.25\tsiren\nb.wav\t\t\t\n"c d.wav"\t1e1\t20\tgun_shot\n'


def read(path: Path) -> dict[str, list[Sound]] | None:
    try:
        found = read_references(path)
    except UsageError as error:
        one_line(error, str(path))
        return None
    for name, events in found.items():
        assert isinstance(name, str)
        assert all(math.isfinite(event.onset) and event.onset <= event.offset for event in events)
    return found


def test_spoilt(tmp_path: Path) -> None:
    path = tmp_path / "events.tsv"

    @fuzzed(150)
    @given(spoilt(LIST, head=40))
    def attempt(data: bytes) -> None:
        path.write_bytes(data)
        read(path)

    path.write_bytes(LIST)
    assert len(read(path) or {}) == 3
    attempt()


CELLS = st.text(max_size=4) | st.sampled_from(["nan", "inf", "-1", "1e400", "siren", '"', "a\x00b", "\r", "1", "2"])


def test_any_cells(tmp_path: Path) -> None:
    path = tmp_path / "events.tsv"

    @fuzzed(150)
    @given(st.lists(st.lists(CELLS, max_size=6), max_size=4))
    def attempt(rows: list[list[str]]) -> None:
        lines = ["\t".join(row) for row in rows]
        path.write_bytes("\n".join(["filename\tonset\toffset\tevent_label", *lines]).encode("utf-8", "replace"))
        read(path)

    attempt()


@pytest.mark.parametrize("cell", ["x" * 200_000, "\x00", '"' + "y\n" * 100_000])
def test_a_cell_that_csv_refuses(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "events.tsv"
    path.write_text(f"filename\tonset\toffset\tevent_label\n{cell}\t1\t2\tsiren\n")
    read(path)
