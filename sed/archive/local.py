"""Worker processes on this machine: one that dies, or hangs in a decoder, takes nothing along but what it was at."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from itertools import chain

from sed.archive.crewman import Crewman, stop
from sed.archive.engine import Done, Job, Order

AHEAD = 2
"""Jobs that a worker has at hand: the one it is at, and the next, so that it never waits for us."""

LOOK_SECONDS = 1.0
"""How often those are looked after who answer nothing."""


class LocalWorkers:
    """So many processes, each with the model loaded once; see Engine."""

    def __init__(self, workers: int) -> None:
        self._count = workers

    def run(self, jobs: Iterable[Job], order: Order) -> Iterator[Done]:
        """Do the jobs. Raises EarwitnessError if workers cannot be started at all."""
        waiting, source = deque[Job](), iter(jobs)  # those given back by a worker that died go first
        crew = [Crewman(order) for _ in range(self._count)]
        try:
            while True:
                for man in _by_turns(crew):
                    job = waiting.popleft() if waiting else next(source, None)
                    if job is None:
                        break
                    man.give(job)
                futures = list(chain.from_iterable(man.futures for man in crew))
                if not futures:
                    return
                wait(futures, LOOK_SECONDS, FIRST_COMPLETED)
                for man in crew:
                    yield from man.collect(waiting)
        finally:
            stop(crew)


def _by_turns(crew: list[Crewman]) -> Iterator[Crewman]:
    """Who can take a job, the idlest first, until nobody can."""
    while len((man := min(crew, key=lambda man: len(man.futures))).futures) < AHEAD:
        yield man
