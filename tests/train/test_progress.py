"""Bars on stderr, or news for the process that draws them."""

import os

import pytest

from sed.errors import EarwitnessError
from sed.train import progress as module
from sed.train.progress import Board, News, progress, tell


class Letterbox(list[News]):
    """A queue that nobody empties."""

    def put(self, letter: News) -> None:
        """Keep it."""
        self.append(letter)


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letterbox:
    monkeypatch.setattr(module, "_told", None)  # whatever `tell` makes of it is undone
    return Letterbox()


def test_a_bar_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("mixing", 4) as show:
        show(3, "loss 0.5")
    assert "mixing" in (shown := capsys.readouterr().err)
    assert "3/4 loss 0.5" in shown


def test_one_that_is_not_to_be_seen_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("mixing", 4, seen=False) as show:
        show(3)
    assert capsys.readouterr().err == ""


def test_a_process_that_learns_for_another_tells_it(letters: Letterbox, capsys: pytest.CaptureFixture[str]) -> None:
    tell("pair-1", letters)
    with progress("training", 4) as show:
        show(3, "loss 0.5")
    assert letters == [News("pair-1", "training", 3, 4, "loss 0.5")]
    assert capsys.readouterr().err == ""


def test_with_nobody_left_to_read_the_work_ends(letters: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    tell("pair-1", letters)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    with progress("training", 4) as show, pytest.raises(EarwitnessError, match=r"pair-1: .*gone; go on with --resume"):
        show(3)


def test_a_board_has_one_bar_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    with Board() as board:
        board.pin(News("pair-1", "mixing", 24, 24, ""))
        board.pin(News("pair-2", "mixing", 7, 24, ""))
        board.pin(News("pair-1", "training", 1, 4, "loss 0.5"))
    *_, first, second = capsys.readouterr().err.rstrip().splitlines()
    assert "pair-2: mixing" in first
    assert "pair-1: training" in second
