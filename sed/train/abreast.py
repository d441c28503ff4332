"""Members that learn at once, each in a process of its own; what they log and how far they are is seen in this one."""

import logging
import logging.handlers
import multiprocessing
import queue
import signal
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.context import SpawnProcess
from typing import Any, Final

from sed.errors import EarwitnessError
from sed.train.progress import Board, Letters, News, tell
from sed.train.settings import TrainSettings

Learn = Callable[[TrainSettings], None]
"""Learns one member's lessons and leaves their checkpoints."""

_LOOK_EVERY: Final = 0.5
"""Seconds from one look for a process that has ended to the next."""


def abreast(members: Sequence[TrainSettings], jobs: int, learn: Learn) -> None:
    """Let `jobs` of the members learn at a time; what one learns does not depend on how many there are.

    `learn` is found by its name in every process. Raises the EarwitnessError that it raises, or one that says which
    process died; the others are ended then, and --resume goes on with all of them.
    """
    context = multiprocessing.get_context("spawn")
    letters: multiprocessing.Queue[Any] = context.Queue()
    waiting, learning = deque(members), list[SpawnProcess]()
    try:
        with Board() as board:
            while waiting or learning:
                while waiting and len(learning) < jobs:
                    member = waiting.popleft()
                    process = context.Process(target=_learn, args=(learn, member, letters), name=member.out.stem)
                    process.start()
                    learning.append(process)
                ended = [process for process in learning if not process.is_alive()]
                _pass_on(letters, board)
                for process in ended:
                    _ask(process)
                    learning.remove(process)
    finally:
        for process in learning:
            process.kill()
            process.join()
        letters.close()


def _pass_on(letters: "multiprocessing.Queue[Any]", board: Board) -> None:
    """Wait a moment for what the processes tell, and show all that has come; raises the error that one ended by."""
    patience = _LOOK_EVERY
    while True:
        try:
            letter = letters.get(timeout=patience)
        except queue.Empty:
            return
        patience = 0.0
        if isinstance(letter, News):
            board.pin(letter)
        elif isinstance(letter, EarwitnessError):
            raise letter
        else:
            logging.getLogger(letter.name).handle(letter)


def _ask(process: SpawnProcess) -> None:
    process.join()
    if process.exitcode:
        died = f"train: the process of {process.name} died ({_how(process.exitcode)}); go on with --resume"
        raise EarwitnessError(died)


def _how(code: int) -> str:
    return "killed, out of memory?" if code == -9 else f"signal {-code}" if code < 0 else f"exit status {code}"


def _learn(learn: Learn, member: TrainSettings, letters: Letters) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that began this one, and ends it
    tell(member.out.stem, letters)
    told = logging.getLogger("sed")
    told.setLevel(logging.INFO)
    told.handlers = [_Named(member.out.stem, letters)]
    told.propagate = False
    try:
        learn(member)
    except EarwitnessError as error:
        letters.put(error)


class _Named(logging.handlers.QueueHandler):
    """Sends what is logged, with the name of the member before it."""

    def __init__(self, whose: str, letters: Any) -> None:
        super().__init__(letters)
        self._whose, self._letters = whose, letters

    def enqueue(self, record: logging.LogRecord) -> None:
        record.msg = f"{self._whose}: {record.msg}"
        self._letters.put(record)
