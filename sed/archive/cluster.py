"""Workers on a Ray cluster, one a CPU: what dies with a process or with a node is given out again."""

import os
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from sed.archive import worker
from sed.archive.engine import Done, Job, Order, Outcome, Status
from sed.errors import EarwitnessError
from sed.raycluster import connected

AHEAD = 2
"""Jobs that a worker has at hand: the one it is at, and the next, so that it never waits for us."""

LOOK_SECONDS = 1.0
"""How often we look whether a job takes too long; answers are taken at once."""

HIRE_SECONDS = 5.0
"""How often we look whether the cluster has grown, and the pause after a worker that died before it was ready."""

START_SECONDS = 300.0
"""For a worker to be ready: its CPU may be in use by others, or its node still has to be started."""

STARTS = 3
"""How often workers may die before the first of them is ready."""


VERSION = version("earwitness")


class RayCluster:
    """The CPUs of the cluster at an address, or of this machine if that is `local`; see Engine."""

    def __init__(self, address: str, workers: int | None = None) -> None:
        """At most, and on a cluster that grows with its load at least, so many `workers`; all CPUs without a word."""
        self._address, self._workers = address, workers

    def run(self, jobs: Iterable[Job], order: Order) -> Iterator[Done]:
        """Do the jobs.

        Raises UsageError if Ray is not installed, EarwitnessError if the cluster cannot be reached or does no work.
        """
        source = iter(jobs)
        if (first := next(source, None)) is None:
            return  # no cluster is asked for nothing
        with connected(self._address, self._workers) as ray:
            crew = _Crew(ray, order, self._workers)
            try:
                yield from crew.work(chain([first], source))
            finally:
                crew.dismiss()


class Hand:
    """What runs in a worker of the cluster."""

    def __init__(self, order: Order, folder: str, wanted: str) -> None:
        """`folder` is where relative names begin, `wanted` the version that is asked for."""
        self._order, self._folder, self._wanted = order, folder, wanted

    def prepare(self) -> None:
        """Load the model, and go where relative names begin. Raises EarwitnessError."""
        if self._wanted != VERSION:
            raise EarwitnessError(
                f"{socket.gethostname()} has earwitness {VERSION}, this scan's machine {self._wanted}; install the same"
            )
        if Path(self._folder).is_dir():
            os.chdir(self._folder)
        worker.prepare(self._order)

    def work(self, job: Job) -> Done:
        """As `worker.work`; of recordings that are not to be seen from here it says so."""
        done = worker.work(job, self._order)
        return replace(done, outcomes=tuple(map(_located, done.outcomes)))


def _located(outcome: Outcome) -> Outcome:
    if outcome.status == "done" or outcome.recording.remote or Path(outcome.recording.name).exists():
        return outcome
    where = f"{outcome.error} on {socket.gethostname()}; workers need it under the same path, or as a URL"
    return replace(outcome, error=where)


@dataclass(slots=True, eq=False)
class _Hand:
    """A worker as we know it: an actor, and what it was given, which it does in this order."""

    actor: Any
    preparing: Any  # what `prepare` answers; None as soon as it has
    given: deque[tuple[Any, Job]] = field(default_factory=deque)
    since: float = 0.0  # monotonic seconds at which it began with the first of them

    @property
    def ready(self) -> bool:
        return self.preparing is None

    @property
    def awaited(self) -> Any:
        """The answer that comes next; None if nothing is asked."""
        if self.preparing is not None:
            return self.preparing
        return self.given[0][0] if self.given else None

    def give(self, job: Job) -> None:
        if not self.given:
            self.since = time.monotonic()
        self.given.append((self.actor.work.remote(job), job))

    def taken(self) -> Job:
        """The first job, which is over; the next one begins."""
        self.since = time.monotonic()
        return self.given.popleft()[1]


class _Crew:
    """All workers."""

    def __init__(self, ray: Any, order: Order, wanted: int | None) -> None:
        self._ray, self._order, self._wanted = ray, order, wanted
        self._kept = ray.put(order)  # sent to each node once
        self._actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Hand)
        self._hands: list[_Hand] = []
        self._waiting = deque[Job]()  # given back; they go first
        self._looked = -HIRE_SECONDS
        self._staffed = time.monotonic()  # when a worker was last ready
        self._deaths = 0  # before the first was ready

    def work(self, jobs: Iterator[Job]) -> Iterator[Done]:
        while True:
            self._hire()
            if not self._give(jobs) and not any(hand.given for hand in self._hands):
                return
            answered = self._answered()
            for hand in list(self._hands):
                if hand.awaited in answered:
                    yield from self._take(hand)
                elif hand.given and time.monotonic() - hand.since > self._order.limit(hand.given[0][1]):
                    yield from self._time_out(hand)

    def dismiss(self) -> None:
        for hand in list(self._hands):
            self._lose(hand)

    def _hire(self) -> None:
        """Have a worker for each CPU, now that the cluster may have grown or shrunk."""
        now = time.monotonic()
        if any(hand.ready for hand in self._hands):
            self._staffed = now
        if now - self._staffed > START_SECONDS:
            raise EarwitnessError(
                f"no worker has been ready for {START_SECONDS:g} s; 'ray status' says who uses the cluster's CPUs"
            )
        if now - self._looked < HIRE_SECONDS:
            return
        self._looked = now
        wanted = self._wanted or max(1, int(self._ray.cluster_resources().get("CPU", 0)))
        for hand in [hand for hand in self._hands if not hand.ready][: max(0, len(self._hands) - wanted)]:
            self._lose(hand)  # it waits for a CPU that has gone
        for _ in range(wanted - len(self._hands)):
            actor = self._actor.remote(self._kept, str(Path.cwd()), VERSION)
            self._hands.append(_Hand(actor, actor.prepare.remote()))

    def _give(self, jobs: Iterator[Job]) -> bool:
        """Give the idlest first until all have enough; false if there was too little for that.

        While others are still to come nobody is given a second job: it might wait behind a long one for nothing.
        """
        ready = [hand for hand in self._hands if hand.ready]
        enough = AHEAD if len(ready) == len(self._hands) else 1
        while ready and len((hand := min(ready, key=lambda hand: len(hand.given))).given) < enough:
            job = self._waiting.popleft() if self._waiting else next(jobs, None)
            if job is None:
                return False
            hand.give(job)
        return True

    def _answered(self) -> set[Any]:
        """The answers that have come, after some time if there are none."""
        awaited = [hand.awaited for hand in self._hands if hand.awaited is not None]
        if not awaited:
            time.sleep(LOOK_SECONDS)
            return set()
        self._ray.wait(awaited, num_returns=1, timeout=LOOK_SECONDS)
        return set(self._ray.wait(awaited, num_returns=len(awaited), timeout=0)[0])

    def _take(self, hand: _Hand) -> Iterator[Done]:
        """The answer of a worker, or what becomes of its job when it gave none."""
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(hand.awaited)
        except errors.RayTaskError as error:  # it lives
            yield from self._stumbled(hand, error.cause or error)
        except errors.RayError as error:
            yield from self._died(hand, error)
        else:
            if hand.ready:
                hand.taken()
                yield answer
            hand.preparing = None

    def _stumbled(self, hand: _Hand, error: BaseException) -> Iterator[Done]:
        if not hand.ready:
            raise error if isinstance(error, EarwitnessError) else EarwitnessError(f"a worker cannot begin: {error!r}")
        yield from self._split(hand.taken(), "crashed", f"{type(error).__name__}: {error}")

    def _died(self, hand: _Hand, error: BaseException) -> Iterator[Done]:
        if not hand.ready:
            self._lose(hand)
            self._deaths += 1
            if self._deaths >= STARTS and not any(hand.ready for hand in self._hands):
                raise EarwitnessError(
                    f"workers die before they are ready ({_last(error)}); "
                    f"is earwitness {VERSION} installed on all nodes, with its extra cluster?"
                )
            return
        job = hand.taken()
        self._lose(hand)
        self._looked = -HIRE_SECONDS  # another one at once
        again = job.again()
        self._waiting.extend(again)
        if not again:
            yield job.given_up("crashed", f"its worker died {job.tried + 1} times")

    def _time_out(self, hand: _Hand) -> Iterator[Done]:
        job = hand.taken()
        self._lose(hand)
        self._looked = -HIRE_SECONDS
        limit = f"took longer than {self._order.limit(job):.3g} s; see --time-limit"
        yield from self._split(job, "timed_out", limit)

    def _split(self, job: Job, status: Status, error: str) -> Iterator[Done]:
        """Of several recordings each is tried by itself; one is given up."""
        if len(job.recordings) > 1:
            self._waiting.extend(job.apart(job.tried))
        else:
            yield job.given_up(status, error)

    def _lose(self, hand: _Hand) -> None:
        """End a worker, dead or alive, also one whose decoder hangs; what it was given waits for others."""
        self._hands.remove(hand)
        self._waiting.extend(job for _, job in hand.given)
        self._ray.kill(hand.actor)


def _last(error: BaseException) -> str:
    return str(error).strip().splitlines()[-1].strip()
