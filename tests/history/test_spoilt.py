"""Looking back into a journal that a disk has spoilt: what can be read, or one line; never a crash."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given

from sed.errors import EarwitnessError
from sed.history.filter import Filter
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.journal import Journal
from tests.fuzz.effort import fuzzed, one_line, spoilt
from tests.messages import message

WHICH = (Filter(), Filter(labels=("siren",), min_score=0.5), Filter(verdict="wrong"), Filter(sources=("yard",)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "journal.db"
    with Journal(path) as journal:
        for n in range(30):
            journal.append(message("start", f"{n}"))
            journal.append(message("end", f"{n}"))
    for n in range(0, 30, 7):
        Verdicts(path).give(f"{n}", "wrong", comment="a blackbird")
    return path.read_bytes()


def test_whatever_has_become_of_it(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    @fuzzed(40)
    @given(spoilt(whole, head=200))
    def look(data: bytes) -> None:
        for left in tmp_path.iterdir():
            left.unlink()
        path.write_bytes(data)
        history = History(path)
        for which in WHICH:
            attempted(lambda which=which: list(history.walk(which)))  # type: ignore[misc]
        attempted(lambda: history.event("7"))
        attempted(history.counts)
        attempted(lambda: Verdicts(path).give("8", "right"))

    look()


def attempted(do: Callable[[], object]) -> None:
    try:
        do()
    except EarwitnessError as error:
        one_line(error)
